"""Holes of PostgreSQL that are known."""

from __future__ import annotations

from txfuzz.plugin_api import Change, KnownHole

from .forms import ADAPTER

# What the layouts with foreign keys do on DELETE; where a key changes, nothing is said, and all refuse
_ACTIONS = (
    "no-action", "restrict", "cascade", "cascade-deferred", "deferred",
    "set-null", "set-null-deferred", "set-default", "set-default-deferred",
)  # fmt: skip

FOUND = "https://github.com/txfuzz/txfuzz/blob/main/docs/explanation/found.md"

KNOWN = (
    KnownHole(
        "on-conflict-reads-unseen",
        "INSERT … ON CONFLICT that changes nothing has seen that the row is there, but takes no predicate "
        "lock on it: a transaction that deletes the row is not noticed.",
        ADAPTER,
        frozenset({"insert-or-nothing", "insert-or-nothing-any", "insert-or-update-never"}),
        FOUND,
        unchanged=True,
        against=frozenset({Change.DELETE}),
        plain=True,
        levels=frozenset({"serializable"}),
        since=(9, 5),
    ),
    KnownHole(
        "unique-check-reads-unseen",
        "An INSERT sees by the unique index whether the row is there, but takes no predicate lock on it. "
        "Where its error is caught, or the row is taken back by ROLLBACK TO SAVEPOINT, nothing tells others "
        "that it has looked.",
        ADAPTER,
        frozenset({"insert-unless-duplicate", "insert-undone"}),
        FOUND,
        levels=frozenset({"serializable"}),
    ),
    KnownHole(
        "foreign-key-sees-latest",
        "Where a row is deleted or gets another key, foreign keys to it are checked or followed by the "
        "newest rows and not by the transaction's snapshot: a row that refers to it, and has been seen, may "
        "be gone by then.",
        ADAPTER,
        frozenset(),
        FOUND,
        against=frozenset({Change.DELETE}),
        levels=frozenset({"serializable"}),
        layouts=frozenset(f"foreign-key-{action}" for action in _ACTIONS),
    ),
    KnownHole(
        "commit-window",
        "Others see a commit a moment before its conflicts are settled. A transaction that begins at that "
        "moment sees what was committed, but nobody may notice that it completes a dangerous structure.",
        ADAPTER,
        frozenset(),
        "https://github.com/txfuzz/txfuzz/blob/main/docs/reference/faults.md",
        levels=frozenset({"serializable"}),
        raced=frozenset({"COMMIT of T1", "BEGIN of T3"}),
    ),
    KnownHole(
        "truncate-not-mvcc",
        "TRUNCATE is not MVCC-safe: a transaction with an older snapshot sees the table empty.",
        ADAPTER,
        frozenset({"truncate"}),
        "https://www.postgresql.org/docs/current/mvcc-caveats.html",
        documented=True,
    ),
    KnownHole(
        "skip-locked",
        "SKIP LOCKED gives an inconsistent view of the data.",
        ADAPTER,
        frozenset({"select-for-update-skip-locked", "select-for-share-skip-locked"}),
        "https://www.postgresql.org/docs/current/sql-select.html#SQL-FOR-UPDATE-SHARE",
        documented=True,
    ),
)
