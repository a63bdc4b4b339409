"""A hole in PostgreSQL's SERIALIZABLE: a commit becomes visible before its conflicts are settled.

    python benchmarks/commit_window.py            # needs gdb, and permission to attach to processes

Three transactions as in the workload read_only_anomaly. `deposit` is held inside COMMIT by a breakpoint at
ReleasePredicateLocks(): others see it already, but the conflict bookkeeping does not count it as committed.
Meanwhile `audit` takes its snapshot and `withdraw` commits. Then deposit continues, and forgets that withdraw
had read what it overwrote, because withdraw has committed. So nothing stops audit, which saw the deposit but
not the withdrawal: audit → withdraw → deposit → audit. Without the breakpoint audit is aborted (40001).

Without a debugger, it happens if deposit is descheduled at that very moment.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from txfuzz_postgres.server.launcher import EmbeddedServer, launch

PATIENCE = 30.0
BEGIN = "BEGIN ISOLATION LEVEL SERIALIZABLE"


def eventually(path: Path) -> None:
    until = time.monotonic() + PATIENCE
    while not path.exists():
        if time.monotonic() > until:
            sys.exit(f"gdb has not written {path} in time")
        time.sleep(0.02)


@contextmanager
def held_in_commit(connection: psycopg.Connection) -> Iterator[None]:
    """Commit, and stop where the transaction is visible but its conflicts are not settled yet."""
    with tempfile.TemporaryDirectory() as place:
        armed, stopped, go = (Path(place, name) for name in ("armed", "stopped", "go"))
        commands = (
            "break ReleasePredicateLocks",
            f"shell touch {armed}",
            "continue",
            f"shell touch {stopped}; while [ ! -e {go} ]; do sleep 0.02; done",
            "detach",
        )
        debugger = subprocess.Popen(
            ["gdb", "-nx", "-batch", "-p", str(connection.info.backend_pid)]
            + [word for command in commands for word in ("-ex", command)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            eventually(armed)
            time.sleep(0.5)  # until it has continued
            committing = threading.Thread(target=connection.execute, args=("COMMIT",))
            committing.start()
            eventually(stopped)
            yield
        finally:
            go.touch()
            committing.join(PATIENCE)
            debugger.wait(PATIENCE)


@contextmanager
def committed(connection: psycopg.Connection) -> Iterator[None]:
    connection.execute("COMMIT")
    yield


def play(server: EmbeddedServer, *, held: bool) -> str:
    """The outcome of audit."""

    def connect() -> psycopg.Connection:
        connection = psycopg.connect(make_conninfo(**server.conninfo), autocommit=True)
        # A scan of the whole table would lock all of it and hide the effect
        connection.execute("SET enable_seqscan = off")
        connection.execute("SET enable_bitmapscan = off")
        return connection

    setup, withdraw, deposit, audit = (connect() for _ in range(4))
    setup.execute("DROP TABLE IF EXISTS account")
    setup.execute("CREATE TABLE account (key int PRIMARY KEY, val int[])")
    setup.execute("INSERT INTO account VALUES (1, '{}'), (2, '{}')")
    read = "SELECT val FROM account WHERE key = %s"
    for connection in (withdraw, deposit):
        connection.execute(BEGIN)
        connection.execute(read, (2,))
    withdraw.execute(read, (1,))
    withdraw.execute("UPDATE account SET val = val || 28 WHERE key = 1")
    deposit.execute("UPDATE account SET val = val || 15 WHERE key = 2")
    with (held_in_commit if held else committed)(deposit):
        audit.execute(BEGIN)
        saw = audit.execute(read, (2,)).fetchall()
        withdraw.execute("COMMIT")
    try:
        saw += audit.execute(read, (1,)).fetchall()
        audit.execute("COMMIT")
        return f"committed, having read key 2 as {saw[0][0]} and key 1 as {saw[1][0]}"
    except psycopg.errors.SerializationFailure as error:
        return f"refused: {error.sqlstate} {str(error).splitlines()[0]}"
    finally:
        for connection in (setup, withdraw, deposit, audit):
            connection.close()


def main() -> int:
    if shutil.which("gdb") is None:
        sys.exit("this needs gdb")
    with launch() as server:
        print(f"PostgreSQL {server.files.version}")
        print(f"deposit commits undisturbed: audit is {play(server, held=False)}")
        print(f"deposit is held in COMMIT:   audit is {play(server, held=True)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
