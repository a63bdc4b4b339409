"""Why an embedded server did not start, out of logs as servers write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from txfuzz_mariadb.server.launcher import last_words as of_mariadb
from txfuzz_postgres.server.launcher import last_words as of_postgres

INITDB = """\
running bootstrap script ... 2026-11-23 16:00:41 UTC [42] FATAL:  could not extend file "base/1/2617": No space left on device
2026-11-23 16:00:41 UTC [42] HINT:  Check free disk space.
2026-11-23 16:00:41 UTC [42] PANIC:  cannot abort transaction 1, it was already committed
Aborted
child process exited with exit code 134
initdb: removing data directory "/tmp/full/data"
"""  # noqa: E501
SERVER = """\
2026-11-23 16:00:46 UTC [78] LOG:  starting PostgreSQL 18.6
2026-11-23 16:00:46 UTC [85] FATAL:  could not resize shared memory segment "x" to 1048576 bytes: No space left on device
2026-11-23 16:00:46 UTC [86] FATAL:  the database system is starting up
2026-11-23 16:00:46 UTC [78] LOG:  database system is shut down
"""  # noqa: E501
MARIADB = """\
2026-11-23 16:00:46 0 [ERROR] InnoDB: preallocating 12582912 bytes for file ./ibdata1 failed with error 28
2026-11-23 16:00:46 0 [ERROR] InnoDB: Could not set the file size of './ibdata1'. Probably out of disk space
2026-11-23 16:00:46 0 [ERROR] Aborting
"""
FULL = (
    "No space left on device; its files were in {place}, "
    "and the environment variable TMPDIR selects another place"
)


@pytest.mark.parametrize(
    ("read", "text", "says"),
    [
        (of_postgres, INITDB, f'FATAL:  could not extend file "base/1/2617": {FULL}'),
        (
            of_postgres,
            SERVER,
            f'FATAL:  could not resize shared memory segment "x" to 1048576 bytes: {FULL}',
        ),
        (
            of_mariadb,
            MARIADB,
            f"InnoDB: preallocating 12582912 bytes for file ./ibdata1 failed with error 28: {FULL}",
        ),
        (of_postgres, "x LOG:  a\nx FATAL:  first\nx FATAL:  second\nx LOG:  b\n", "FATAL:  second"),
        (of_mariadb, "0 [ERROR] first\n0 [ERROR] second\n0 [Note] bye\n", "first"),
        (
            of_postgres,
            'FATAL:  cannot lock "a": Permission denied\nFATAL:  x\n',
            'FATAL:  cannot lock "a": Permission denied',
        ),
        (of_postgres, "nothing\nserious\n", "serious"),
        (of_postgres, "", "it logged no message"),
    ],
)
def test_the_cause_is_told(read, text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "server.log").write_text(text)
    assert read(tmp_path / "server.log") == says.replace("{place}", str(tmp_path))


def test_no_log(tmp_path: Path) -> None:
    assert of_mariadb(tmp_path / "none") == "it logged no message"
