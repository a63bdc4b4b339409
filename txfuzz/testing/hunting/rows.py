"""Rows in memory under serializable snapshot isolation (Cahill, Röhm, Fekete 2008), unless a hole is planted.

Transactions see the rows as they were when they began. The first to change a row wins: others wait for it,
and are refused when it has committed. A COMMIT is refused that would complete a dangerous structure: T1 has
not seen what T2 wrote, nor T2 what T3 wrote, and T3 committed first (T1 and T3 can be one).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from txfuzz.hunt.form import Change, RowState
from txfuzz.hunt.program import Use
from txfuzz.hunt.schedules.prediction import Answer, answer_of
from txfuzz.testing.hunting.holes import Check, Hole, Met

CONFLICT, DEADLOCK, DUPLICATE = "conflict", "deadlock", "duplicate"
_OF_SETUP = -1


class Refused(Exception):
    """The transaction is aborted. code: one of those above."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Blocked(Exception):
    """The statement waits for this transaction, and is to be run again when that has ended."""

    def __init__(self, by: int) -> None:
        super().__init__(by)
        self.by = by


class Version(NamedTuple):
    """value: None where there is no row. form, change: of the statement that made it."""

    at: int
    value: int | None
    writer: int
    form: str
    change: Change


class _Read(NamedTuple):
    key: int
    form: str
    found: RowState
    change: Change
    waited: bool


@dataclass
class _Open:
    snapshot: int
    reads: list[_Read] = field(default_factory=list)
    writes: dict[int, Version] = field(default_factory=dict)
    committed: int = 0  # its number among commits, from 1


class MemoryRows:
    """The rows of one run of a program; transactions by number."""

    def __init__(
        self,
        states: tuple[RowState, ...],
        *,
        layout: str = "",
        transactions: int = 1,
        hole: Hole | None = None,
        random: Random | None = None,
    ) -> None:
        self._versions = [
            [Version(0, 0 if state is RowState.PRESENT else None, _OF_SETUP, "", Change.NOTHING)]
            for state in states
        ]
        self._layout, self._number = layout, transactions
        self._hole, self._random = hole, random or Random(0)
        self._transactions: dict[int, _Open] = {}
        self._owners: dict[int, int] = {}
        self._commits = 0
        self._forgiven: set[int] = set()  # keys whose conflicts are overlooked, or COMMIT would notice them

    def run(self, at: int, use: Use, value: int, *, waited: bool = False) -> Answer:
        """One statement; it begins the transaction if it is its first. Blocked, Refused."""
        mine = self._transactions.setdefault(at, _Open(self._commits))
        seen = [self._seen(mine, key, use.form.name, waited) for key in use.keys]
        states = tuple(_state(each) for each in seen)
        changes = use.form.changes(states)
        for key, change in zip(use.keys, changes, strict=True):
            if change.writes:
                self._lock(at, mine, key, use.form.name, change, waited)
        for key, found, change in zip(use.keys, states, changes, strict=True):
            if key not in mine.writes:
                mine.reads.append(_Read(key, use.form.name, found, change, waited))
            if change is Change.REFUSED:
                raise Refused(DUPLICATE)
            if change.writes:
                new = None if change is Change.DELETE else value
                mine.writes[key] = Version(0, new, at, use.form.name, change)
        written = {
            key: mine.writes[key].value
            for key, change in zip(use.keys, changes, strict=True)
            if change.writes
        }
        return answer_of(use, seen, written)

    def commit(self, at: int) -> None:
        """Refused where it would complete a dangerous structure."""
        mine = self._transactions[at]
        mine.committed = self._commits + 1
        if mine.reads and self._dangerous(at):
            mine.committed = 0
            raise Refused(CONFLICT)
        self._commits += 1
        for key, version in mine.writes.items():
            self._versions[key].append(version._replace(at=self._commits))
        self._free(at)

    def rollback(self, at: int) -> None:
        self._transactions.pop(at, None)
        self._free(at)

    def values(self) -> tuple[int | None, ...]:
        """What is committed, for each key."""
        return tuple(versions[-1].value for versions in self._versions)

    def _free(self, at: int) -> None:
        self._owners = {key: owner for key, owner in self._owners.items() if owner != at}

    def _seen(self, mine: _Open, key: int, form: str, waited: bool) -> int | None:
        if key in mine.writes:
            return mine.writes[key].value
        versions = self._versions[key]
        place = len(versions) - 1
        while versions[place].at > mine.snapshot:
            newer = versions[place]
            read = _Read(key, form, _state(versions[place - 1].value), Change.NOTHING, waited)
            if self._overlooked(Check.SNAPSHOT, read, newer):
                break
            place -= 1
        return versions[place].value

    def _lock(self, at: int, mine: _Open, key: int, form: str, change: Change, waited: bool) -> None:
        owner = self._owners.get(key, at)
        if owner != at:
            raise Blocked(owner)
        newest = self._versions[key][-1]
        if key not in mine.writes and newest.at > mine.snapshot:
            read = _Read(key, form, _state(newest.value), change, waited)
            if not self._overlooked(Check.WRITE_CONFLICT, read, newest):
                raise Refused(CONFLICT)
            self._forgiven.add(key)
        self._owners[key] = at

    def _overlooked(self, check: Check, read: _Read, write: Version) -> bool:
        hole = self._hole
        if hole is None or hole.check is not check:
            return False
        found = Met(
            read.form,
            read.found,
            read.change,
            write.form,
            write.change,
            self._layout,
            self._number,
            read.waited,
        )
        return hole.covers(found) and self._random.random() < hole.probability

    # -- dangerous structures -----------------------------------------------------------------------

    def _dangerous(self, at: int) -> bool:
        done = {number: each for number, each in self._transactions.items() if each.committed}
        unseen = {
            (one, other)
            for one, reader in done.items()
            for other, writer in done.items()
            if one != other and self._unseen(reader, writer)
        }
        return any(
            at in (first, pivot)
            and done[last].committed < done[pivot].committed
            and (last == first or done[last].committed < done[first].committed)
            for first, pivot in unseen
            for also, last in unseen
            if also == pivot
        )

    def _unseen(self, reader: _Open, writer: _Open) -> bool:
        """Whether the reader has not seen what the writer wrote, though it could have been its turn."""
        if writer.committed <= reader.snapshot or writer.snapshot >= reader.committed:
            return False
        return any(
            each.key in writer.writes
            and each.key not in self._forgiven
            and not self._overlooked(Check.ANTIDEPENDENCY, each, writer.writes[each.key])
            for each in reader.reads
        )


def _state(value: int | None) -> RowState:
    return RowState.ABSENT if value is None else RowState.PRESENT
