"""Holes of MariaDB that are known."""

from __future__ import annotations

from txfuzz.plugin_api import KnownHole, Wrong

from .forms import ADAPTER

KNOWN = (
    KnownHole(
        "writes-see-the-latest-rows",
        "Reads are of a snapshot, but a statement that writes or locks goes by the latest rows, unless "
        "innodb_snapshot_isolation is on: what a transaction has read may have changed when it writes.",
        ADAPTER,
        frozenset(),
        "https://mariadb.com/kb/en/innodb-system-variables/#innodb_snapshot_isolation",
        wrong=frozenset({Wrong.LOST_UPDATE, Wrong.READ_SKEW, Wrong.WRITE_SKEW}),
        levels=frozenset({"repeatable read"}),
        model="repeatable-read",
    ),
    KnownHole(
        "savepoint-gives-back-locks",
        "ROLLBACK TO SAVEPOINT gives back the lock of a row that was inserted after it, and, where InnoDB "
        "has joined the transaction only after the savepoint, all locks: what was seen there may change.",
        ADAPTER,
        frozenset({"insert-undone", "update-undone", "delete-undone"}),
        "https://bugs.mysql.com/bug.php?id=119490",
        levels=frozenset({"serializable"}),
    ),
    KnownHole(
        "skip-locked",
        "SKIP LOCKED leaves rows out that others have locked, whatever the level.",
        ADAPTER,
        frozenset({"select-for-update-skip-locked", "select-share-skip-locked"}),
        "https://mariadb.com/kb/en/select/#skip-locked",
        documented=True,
    ),
)
