"""The statements of one transaction, handed out one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from txfuzz.database.port import BoundStep, ReadValue, Session, SessionError
from txfuzz.history.writing import Mop
from txfuzz.replay.attempt import LogEntry
from txfuzz.workload.asking import Asked


@dataclass(frozen=True)
class Statement:
    """One statement to issue. action: step, commit or rollback. number: of the step, from 0.

    first: the transaction begins with it. lets_go: locks may be free after it. place: in the log.
    """

    action: str
    job: Callable[[Session], Any]
    first: bool
    lets_go: bool
    number: int | None = None
    step: BoundStep | None = None
    logical: int | None = None
    place: int = -1

    @property
    def phase(self) -> str:
        return self.action if self.number is None else f"step {self.number}"

    def entry(self, alias: str) -> LogEntry:
        step = self.step
        if step is None:
            return LogEntry(alias, self.action)
        mop = None if step.f is None else (step.f, step.key, step.value)
        return LogEntry(alias, self.action, self.number, mop, self.logical, step.step.sql)


class Statements:
    """What is left of a transaction, and what it has seen."""

    def __init__(self, alias: str, asked: Asked, isolation: str) -> None:
        self.alias, self.asked = alias, asked
        self.mops: list[Mop] = [(step.f, step.key, step.value) for step in asked.steps if step.f is not None]
        self.seen: list[Mop] = []
        self.ending = False
        self._isolation = isolation
        self._next = 0
        self._begun = False
        self._logical = dict(zip(asked.numbers, asked.logical, strict=True))

    def take(self, count: int) -> Iterator[Statement]:
        """So many steps; 0 for all that are left."""
        last = len(self.asked.steps)
        until = min(self._next + count, last) if count else last
        while self._next < until and not self.ending:
            number = self._next
            self._next += 1
            step = self.asked.steps[number]
            yield Statement(
                "step",
                _job(self._begin(), step, self._isolation),
                self._first(),
                step.step.sql is not None,
                number,
                step,
                self._logical.get(number),
            )

    def end(self, action: str) -> Statement:
        """COMMIT or ROLLBACK."""
        self.ending = True
        begin = self._begin()
        return Statement(action, _end(begin, action, self._isolation), self._first(), True)

    def saw(self, statement: Statement, value: ReadValue) -> None:
        step = statement.step
        if step is not None and step.f is not None:
            self.seen.append((step.f, step.key, value if step.value is None else step.value))

    def logical_keys(self) -> dict[int, int]:
        """Physical key → logical key."""
        keys = [step.key for step in self.asked.steps if step.f is not None]
        return {key: name for key, name in zip(keys, self.asked.logical, strict=True) if key is not None}

    def _begin(self) -> bool:
        return not self._begun

    def _first(self) -> bool:
        first, self._begun = not self._begun, True
        return first


def _job(begin: bool, step: BoundStep, isolation: str) -> Callable[[Session], ReadValue]:
    def job(session: Session) -> ReadValue:
        try:
            if begin:
                session.begin(isolation)
            return session.execute(step)
        except SessionError as error:
            if not error.lost:
                session.rollback()
            raise

    return job


def _end(begin: bool, action: str, isolation: str) -> Callable[[Session], None]:
    def job(session: Session) -> None:
        try:
            if begin:
                session.begin(isolation)
            if action == "commit":
                session.commit()
            else:
                session.rollback()
        except SessionError as error:
            if not error.lost:
                session.rollback()
            raise

    return job
