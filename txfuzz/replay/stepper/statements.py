"""The statements of one transaction, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from txfuzz.database.api import BoundStep, Session, SessionError
from txfuzz.execution.raw_transaction import RecordedMop, TransactionRun
from txfuzz.execution.transaction import begin
from txfuzz.history.writer import Mop
from txfuzz.replay.stepper.attempt import LogEntry
from txfuzz.workload.generator import BoundTransaction


@dataclass(frozen=True)
class Statement:
    """One statement to issue. action: step, commit or rollback. number: of the step, from 0.

    first: it begins the transaction. lets_go: it may release locks. place: in the log.
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
    """The remaining statements of a transaction, and what it has read."""

    def __init__(self, alias: str, transaction: BoundTransaction, isolation: str) -> None:
        self.alias, self.transaction = alias, transaction
        self.run = TransactionRun(transaction)
        self.ending = False
        self._isolation = isolation
        self._next = 0
        self._begun = False
        self._logical = dict(
            reversed(list(zip(transaction.numbers, transaction.logical, strict=True)))
        )  # the first one

    @property
    def mops(self) -> list[Mop]:
        """The micro-operations that are known before it runs."""
        return [mop for step in self.transaction.steps for mop in step.micro_operations]

    def undone(self, statement: Statement | None = None) -> list[RecordedMop]:
        """What to record if it does not commit. statement: where it ended."""
        ended = len(self.transaction.steps)
        if statement is not None and statement.number is not None:
            ended = statement.number
        return self.run.undone(ended)

    def take(self, count: int) -> Iterator[Statement]:
        """The next `count` steps; 0 for all remaining."""
        last = len(self.transaction.steps)
        until = min(self._next + count, last) if count else last
        while self._next < until and not self.ending:
            number = self._next
            self._next += 1
            step = self.transaction.steps[number]
            first = self._first()
            job = self._job(first, partial(self.run.execute_step, number=number))
            yield Statement(
                "step", job, first, step.step.sql is not None, number, step, self._logical.get(number)
            )

    def end(self, action: str) -> Statement:
        """COMMIT or ROLLBACK."""
        self.ending = True
        first = self._first()
        job = self._job(first, lambda session: session.commit() if action == "commit" else session.rollback())
        return Statement(action, job, first, True)

    def logical_keys(self) -> dict[int, int]:
        """Physical key → logical key, for all planned and all encountered keys."""
        keys = [mop[1] for mop in self.mops]
        known = {
            key: name for key, name in zip(keys, self.transaction.logical, strict=True) if key is not None
        }
        met = {each.mop[1]: each.logical for each in self.run.seen if each.logical is not None}
        return {**known, **met}

    def _first(self) -> bool:
        first, self._begun = not self._begun, True
        return first

    def _job(self, begins: bool, work: Callable[[Session], Any]) -> Callable[[Session], Any]:
        def job(session: Session) -> Any:
            try:
                if begins:
                    begin(session, self._isolation, self.transaction.mode)
                return work(session)
            except SessionError as error:
                if not error.lost:
                    session.rollback()
                raise

        return job
