"""The MariaDB adapter passes the checks that every adapter is held to."""

from __future__ import annotations

from typing import ClassVar

import pytest
from txfuzz_mariadb.adapter import MariadbAdapter

from mariadb_server import needs_mariadb
from txfuzz.testing import AdapterConformance


@needs_mariadb
@pytest.mark.server
class TestMariadb(AdapterConformance):
    adapter = MariadbAdapter
    shows: ClassVar = {
        "read uncommitted": ("G1a", "G1b", "lost-update"),
        "read committed": ("lost-update", "G-single-item", "G-nonadjacent-item"),
        "repeatable read": ("lost-update", "G2-item"),
    }
    breaks: ClassVar = {
        "repeatable read": "its writes are not confined to its snapshot: lost updates, and write skew",
    }


@needs_mariadb
@pytest.mark.server
class TestMariadbWithSnapshots(AdapterConformance):
    adapter = MariadbAdapter(innodb_snapshot_isolation=True, append="update-else-insert", tables=3)
    shows: ClassVar = {
        "read committed": ("lost-update", "G-single-item"),
        "repeatable read": ("G2-item",),
    }
