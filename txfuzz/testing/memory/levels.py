"""The isolation levels of the database in memory, and what each promises in Elle's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Level:
    """How a level keeps its promise. Every level holds write locks to the end of the transaction.

    promises: the consistency model. dirty: reads see what others have written and not committed.
    snapshot: reads see the state at the beginning, and of two that write a key the first wins
    (Berenson et al., "A Critique of ANSI SQL Isolation Levels", 1995). validated: what a writing
    transaction read must still be the newest when it commits, so that it takes place at that
    moment as a whole (Kung, Robinson, "On Optimistic Methods for Concurrency Control", 1981).
    """

    promises: str
    dirty: bool = False
    snapshot: bool = False
    validated: bool = False


LEVELS: Mapping[str, Level] = {
    "read uncommitted": Level("read-uncommitted", dirty=True),
    "read committed": Level("read-committed"),
    "snapshot": Level("strong-snapshot-isolation", snapshot=True),
    "serializable": Level("strict-serializable", snapshot=True, validated=True),
}
DEFAULT = "serializable"
