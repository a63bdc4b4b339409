"""Holes of PostgreSQL that are known."""

from __future__ import annotations

from txfuzz.plugin_api import Change, KnownHole

from .forms import ADAPTER, FORMS
from .layouts import LAYOUTS

_REFERRING = frozenset(layout.name for layout in LAYOUTS if layout.dependent)
_DELETING = frozenset(
    form.name
    for form in FORMS
    if any(effect is not None and effect.present is Change.DELETE for effect in form.deed)
)

KNOWN = (
    KnownHole(
        "on-conflict-reads-unseen",
        "INSERT … ON CONFLICT that changes nothing has seen that the row is there, but takes no predicate "
        "lock on it: a transaction that deletes the row is not noticed.",
        ADAPTER,
        frozenset({"insert-or-nothing", "insert-or-nothing-any", "insert-or-update-never"}),
        "docs/found.md",
        unchanged=True,
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
        "docs/found.md",
        levels=frozenset({"serializable"}),
    ),
    KnownHole(
        "foreign-key-check-sees-the-latest",
        "The check of a foreign key goes by the latest rows rather than by the transaction's snapshot, and "
        "leaves no predicate lock: a row that the transaction has seen, and that another one has deleted "
        "since, does not hold it back from deleting the row that it refers to.",
        ADAPTER,
        _DELETING,
        "docs/found.md",
        layouts=_REFERRING,
        levels=frozenset({"serializable"}),
    ),
    KnownHole(
        "commit-window",
        "Others see a commit a moment before its conflicts are settled. A transaction that begins at that "
        "moment sees what was committed, but nobody may notice that it completes a dangerous structure.",
        ADAPTER,
        frozenset(),
        "docs/faults.md",
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
