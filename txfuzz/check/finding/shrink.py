"""Makes a failing program smaller: fewer transactions, steps and rows, as long as it fails in the same way.

Delta debugging (Zeller & Hildebrandt 2002) one element at a time, which suffices for things this small.
What is tried is searched again from its simplest schedule, so that the schedule shrinks with the program.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from txfuzz.check.finding.failures import also_in_series, failures
from txfuzz.check.program import Program
from txfuzz.check.run import FollowedSchedule, ProgramRunner
from txfuzz.check.transaction import SqlTransaction
from txfuzz.common.closeable import Closeable
from txfuzz.transactions.model import Param, Returned, Step, Transaction

_SCHEDULES = 20  # of a candidate: one that fails late is not simpler
_INSERT = re.compile(r"\s*(INSERT\s+INTO\s.*?\bVALUES)\s*(\(.*\))\s*;?\s*\Z", re.IGNORECASE | re.DOTALL)
_PIECE = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|[(),]|[^'\"(),]+", re.DOTALL)


@dataclass(frozen=True)
class Small:
    """setup: the statements that it needs. attempt: how it fails."""

    setup: tuple[str, ...]
    attempt: FollowedSchedule


class Ready(Closeable):
    """A runner on tables of its own."""

    def __init__(self, runner: ProgramRunner, close_tables: Callable[[], None]) -> None:
        self.runner, self._close_tables = runner, close_tables

    def close(self) -> None:
        self.runner.close()
        self._close_tables()


# Tables that these statements make; None where the database refuses one of them
Make = Callable[[Sequence[str]], Ready | None]


def shrink(
    attempt: FollowedSchedule, setup: Sequence[str], make: Make, *, judge: str, seconds: float
) -> Small:
    """The smallest that was found in this time. attempt: of transactions in SQL."""
    search = _Shrinking(attempt, judge, time.monotonic() + seconds)
    small = Small(tuple(setup), attempt)
    ready = make(small.setup)
    if ready is None:
        return small
    with ready:
        while (smaller := search.first(ready, smaller_programs(small.attempt.program))) is not None:
            small = replace(small, attempt=smaller)
    rows = single_rows(small.setup)
    for number in range(len(rows) - 1, -1, -1):
        if search.over:
            break
        candidate = (*rows[:number], *rows[number + 1 :])
        ready = make(candidate)
        if ready is not None:
            with ready:
                found = search.first(ready, [small.attempt.program])
            if found is not None:
                small, rows = Small(candidate, found), candidate
    return small


class _Shrinking:
    def __init__(self, attempt: FollowedSchedule, judge: str, until: float) -> None:
        self._judge, self._until = judge, until
        self._wanted, self._isolation = set(failures(attempt, judge)), attempt.isolation
        self._in_series, self._codes = also_in_series(attempt), _codes(attempt)

    @property
    def over(self) -> bool:
        return time.monotonic() > self._until

    def first(self, ready: Ready, candidates: Sequence[Program]) -> FollowedSchedule | None:
        """How the first of these programs fails that fails in the same way."""
        for program in candidates:
            found: list[FollowedSchedule] = []

            def take(attempt: FollowedSchedule, found: list[FollowedSchedule] = found) -> bool:
                if self._same(attempt):
                    found.append(attempt)
                return not found and not self.over

            if not self.over:
                ready.runner.check(program, self._isolation, most=_SCHEDULES, each=take)
            if found:
                return found[0]
        return None

    def _same(self, attempt: FollowedSchedule) -> bool:
        return (
            self._wanted <= set(failures(attempt, self._judge))
            and (self._in_series or not also_in_series(attempt))
            and _codes(attempt) <= self._codes
        )


def _codes(attempt: FollowedSchedule) -> set[str]:
    """By which transactions were aborted: that a table is missing must not be how one gives itself up."""
    return {each.code for each in attempt.outcome.transactions.values() if each.code}


def smaller_programs(program: Program) -> list[Program]:
    """Each with one thing less: a transaction, the retries, a step."""
    calls = program.calls
    fewer = range(len(calls)) if len(calls) > 2 else ()
    return [
        *(replace(program, calls=(*calls[:number], *calls[number + 1 :])) for number in fewer),
        *(
            program.changed({transaction.name: SqlTransaction(smaller)})
            for transaction in _sql_transactions(program)
            for smaller in _smaller(transaction)
        ),
    ]


def _sql_transactions(program: Program) -> list[Transaction]:
    found = {each.name: each.transaction for each, _ in program.calls if isinstance(each, SqlTransaction)}
    return list(found.values())


def _smaller(transaction: Transaction) -> Iterator[Transaction]:
    if transaction.retry:
        yield replace(transaction, retry=0)
    steps = transaction.steps
    for number in range(len(steps) - 1, -1, -1):
        left = replace(transaction, steps=(*steps[:number], *steps[number + 1 :]))
        if left.steps and _names_are_there(left):
            yield _without_unused(left)


def _names_are_there(transaction: Transaction) -> bool:
    known = {name for name, _ in transaction.params}
    for step in transaction.steps:
        if not _used(step) <= known:
            return False
        known |= {name for name, _ in step.returns}
    return True


def _without_unused(transaction: Transaction) -> Transaction:
    """Without the names that no step uses, which a scenario file may not have."""
    used = {name for step in transaction.steps for name in _used(step)}
    steps = tuple(
        replace(step, returns=tuple(each for each in step.returns if each[0] in used))
        for step in transaction.steps
    )
    params = tuple(each for each in transaction.params if each[0] in used)
    return replace(transaction, steps=steps, params=params)


def _used(step: Step) -> set[str]:
    used = {arg.name for _, arg in step.args if isinstance(arg, Param | Returned)}
    return used | {name for each in step.when for name in (each.name, each.other) if name is not None}


def single_rows(setup: Sequence[str]) -> tuple[str, ...]:
    """The statements, an INSERT of several rows as several of one."""
    return tuple(each for statement in setup for each in _rows(statement))


def _rows(statement: str) -> Iterator[str]:
    found = _INSERT.match(statement)
    rows = [] if found is None else _tuples(found[2])
    if found is None or len(rows) < 2:
        yield statement
    else:
        yield from (f"{found[1]} {row}" for row in rows)


def _tuples(text: str) -> list[str]:
    """(1, 'a)'), (2, 'b') → each of them; none where there is anything else between them."""
    depth, current, found = 0, "", []
    for piece in _PIECE.findall(text):
        if depth or piece == "(":
            current += piece
            depth += (piece == "(") - (piece == ")")
            if not depth:
                found.append(current)
                current = ""
        elif piece.strip() not in ("", ","):
            return []
    return [] if depth else found
