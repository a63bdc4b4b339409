"""Holes to be planted: what the database in memory overlooks, where a hunt has to look for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random

from txfuzz.hunt.form import Change, Form, RowState
from txfuzz.hunt.scope import Scope


class Check(Enum):
    """What a database that is serializable has to do.

    ANTIDEPENDENCY: notice that a transaction has not seen what another one writes. WRITE_CONFLICT: refuse a
    write to a row that has changed since the transaction began. SNAPSHOT: show the row as it was then.
    """

    ANTIDEPENDENCY = "antidependency"
    WRITE_CONFLICT = "write conflict"
    SNAPSHOT = "snapshot"


@dataclass(frozen=True, slots=True)
class Met:
    """A statement that finds a row in some state, and what another transaction does to that row."""

    form: str
    found: RowState
    changes: Change
    other_form: str
    other_changes: Change
    layout: str
    transactions: int
    waited: bool


@dataclass(frozen=True, slots=True)
class Hole:
    """A check that is left out where all of this holds; what is empty or None holds always.

    forms: that of the statement. others: that of what the other transaction does. found: how the statement
    finds the row. unchanged: whether it leaves that as it is. removed: whether the other transaction deletes
    it. layouts: where. transactions: the least number in the program. waited: whether the statement had to
    wait. probability: of being left out then.
    """

    name: str
    check: Check
    forms: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    found: RowState | None = None
    unchanged: bool | None = None
    removed: bool | None = None
    layouts: frozenset[str] = frozenset()
    transactions: int = 2
    waited: bool | None = None
    probability: float = 1.0

    def covers(self, met: Met) -> bool:
        return (
            (met.form in self.forms or not self.forms)
            and (met.other_form in self.others or not self.others)
            and self.found in (None, met.found)
            and self.unchanged in (None, not met.changes.writes)
            and self.removed in (None, met.other_changes is Change.DELETE)
            and (met.layout in self.layouts or not self.layouts)
            and met.transactions >= self.transactions
            and self.waited in (None, met.waited)
        )


def planted(scope: Scope, seed: int) -> tuple[Hole, ...]:
    """One hole of each kind, with forms and layouts of this scope that the seed chooses."""
    random = Random(f"holes {seed}")
    single = sorted((form for form in scope.forms if form.keys == 1), key=lambda form: form.name)
    reading = [form.name for form in single if not _writes(form)]
    writing = [form.name for form in single if _writes(form)]
    maybe = [
        form.name
        for form in single
        if _writes(form) and Change.NOTHING in (form.effect.absent, form.effect.present)
    ]
    layouts = sorted(each.name for each in scope.layouts)

    def some(of: Sequence[str], number: int) -> frozenset[str]:
        return frozenset(random.sample(of, min(number, len(of))))

    edge, write, snapshot = Check.ANTIDEPENDENCY, Check.WRITE_CONFLICT, Check.SNAPSHOT
    return (
        Hole("a form that leaves the row as it is", edge, some(maybe, 1), found=RowState.PRESENT),
        Hole("a form that finds no row", edge, some(maybe, 2), found=RowState.ABSENT),
        Hole("a form that reads", edge, some(reading, 1)),
        Hole("a form that writes", edge, others=some(writing, 1)),
        Hole("a pair of forms", edge, some(reading, 1), some(writing, 1)),
        Hole("a form, and a row that is deleted", edge, some([*reading, *maybe], 2), removed=True),
        Hole("two families of forms", edge, some(reading, 3), some(writing, 3)),
        Hole("a layout", edge, layouts=some(layouts, 1)),
        Hole("a form on a layout", edge, some(reading, 3), layouts=some(layouts, 3)),
        Hole("three transactions", edge, some(reading, 6), transactions=3),
        Hole("a low probability", edge, probability=0.02),
        Hole("a form, at a low probability", edge, some([*reading, *maybe], 4), probability=0.2),
        Hole("writes that do not look", write, some(writing, 2)),
        Hole("a snapshot that is too new", snapshot, some(reading, 2), some(writing, 5)),
    )


def _writes(form: Form) -> bool:
    return form.effect.absent.writes or form.effect.present.writes
