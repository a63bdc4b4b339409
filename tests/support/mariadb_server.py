"""Whether a MariaDB server can be started, for tests that need one."""

from __future__ import annotations

import pytest

from txfuzz_mariadb.server.files import installed_servers

SERVERS, PROBLEMS = installed_servers()
needs_mariadb = pytest.mark.skipif(
    not SERVERS,
    reason="; ".join(PROBLEMS) or "no MariaDB server is installed (Debian's package: mariadb-server)",
)
