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
)
