"""Makes a failing program smaller: fewer transactions, steps and rows, as long as it fails in the same way.

Delta debugging (Zeller & Hildebrandt 2002) one element at a time, which suffices for things this small.
What is tried follows the same schedule without what was left out: whatever remains happened in the user's own
transactions, too. Another schedule could show what a lock that was left out had prevented.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from txfuzz.check.finding.failures import also_in_series, failures
from txfuzz.check.finding.met import met_rows
from txfuzz.check.program import Program
from txfuzz.check.run import FollowedSchedule, ProgramRunner
from txfuzz.check.transaction import SqlTransaction
from txfuzz.common.closeable import Closeable
from txfuzz.transactions.model import Param, Returned, Step, Transaction

# Steps that are there to lock: who has them wants to see that they do not help
_LOCKS = re.compile(
    r"\bFOR\s+(?:NO\s+KEY\s+UPDATE|UPDATE|KEY\s+SHARE|SHARE)\b|\bLOCK\b|_lock\w*\s*\(", re.IGNORECASE
)
_INSERT = re.compile(r"\s*(INSERT\s+INTO\s.*?\bVALUES)\s*(\(.*\))\s*;?\s*\Z", re.IGNORECASE | re.DOTALL)
_PIECE = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|[(),]|[^'\"(),]+", re.DOTALL)


@dataclass(frozen=True)
class Small:
    """setup: the statements that it needs. attempt: how it fails."""

    setup: tuple[str, ...]
    attempt: FollowedSchedule


@dataclass(frozen=True)
class Smaller:
    """A program with one thing less. calls: those of the larger one that it has, by number. step: the name of
    the transaction that lacks one, and the number of the step."""

    program: Program
    calls: tuple[int, ...]
    step: tuple[str, int] | None = None

    def schedule(self, attempt: FollowedSchedule) -> tuple[str, ...]:
        """That of the larger program, without what was left out."""
        larger, labels = attempt.program, dict(zip(self.calls, self.program.labels, strict=True))
        numbers = {label: number for number, label in enumerate(larger.labels)}
        found = []
        for decision in attempt.trace.steps:
            number, point = numbers[decision.chosen.actor], decision.chosen.what
            step = (larger.calls[number][0].name, getattr(point, "step", None))
            if number in labels and step != self.step:
                found.append(labels[number])
        return tuple(found)


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
        while (smaller := search.first(ready, small.attempt)) is not None:
            small = replace(small, attempt=smaller)
    rows = single_rows(small.setup)
    for number in range(len(rows) - 1, -1, -1):
        if search.over:
            break
        candidate = (*rows[:number], *rows[number + 1 :])
        ready = make(candidate)
        if ready is not None:
            with ready:
                found = search.again(ready, small.attempt.program, small.attempt.trace.schedule)
            if found is not None and _locking(small.attempt) <= _locking(found):
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

    def first(self, ready: Ready, attempt: FollowedSchedule) -> FollowedSchedule | None:
        """How the first of the smaller programs fails that fails in the same way."""
        for smaller in smaller_programs(attempt.program):
            if self.over:
                return None
            found = self.again(ready, smaller.program, smaller.schedule(attempt))
            if found is not None:
                return found
        return None

    def again(self, ready: Ready, program: Program, schedule: Sequence[str]) -> FollowedSchedule | None:
        """How it fails in the same way by this schedule; None if it does not, or goes on otherwise."""
        found = ready.runner.follow(program, self._isolation, schedule)
        if not self._same(found) or not _is_within(found.trace.schedule, schedule):
            return None
        found = ready.runner.confirm(found)
        return found if self._same(found) else None

    def _same(self, attempt: FollowedSchedule) -> bool:
        """Nothing else may fail either: an invariant that breaks because of what was left out (the step that
        credits the other account) would accuse the user's transactions of what they do not do."""
        return (
            self._wanted == set(failures(attempt, self._judge))
            and (self._in_series or not also_in_series(attempt))
            and _codes(attempt) <= self._codes
        )


def _codes(attempt: FollowedSchedule) -> set[str]:
    """By which transactions were aborted: that a table is missing must not be how one gives itself up."""
    return {each.code for each in attempt.outcome.transactions.values() if each.code}


def _locking(attempt: FollowedSchedule) -> set[tuple[str, int]]:
    """Steps that lock rows which are there: a lock of no row would be no sign that locks do not help."""
    steps = {each.name: each.steps for each in _sql_transactions(attempt.program)}
    return {
        (name, number)
        for name, number, _ in met_rows(attempt, ())
        if name in steps and _LOCKS.search(str(steps[name][number].sql))
    }


def _is_within(schedule: Sequence[str], wanted: Sequence[str]) -> bool:
    """Is it the wanted one, but for entries that were passed over?"""
    left = iter(wanted)
    return all(name in left for name in schedule)


def smaller_programs(program: Program) -> list[Smaller]:
    """Each with one thing less: a transaction, the retries, a step."""
    calls, found = program.calls, []
    every = tuple(range(len(calls)))
    for left in every if len(calls) > 2 else ():
        kept = tuple(number for number in every if number != left)
        found.append(Smaller(replace(program, calls=tuple(calls[number] for number in kept)), kept))
    for transaction in _sql_transactions(program):
        for smaller, step in _smaller(transaction):
            changed = program.changed({transaction.name: SqlTransaction(smaller)})
            found.append(Smaller(changed, every, None if step is None else (transaction.name, step)))
    return found


def _sql_transactions(program: Program) -> list[Transaction]:
    found = {each.name: each.transaction for each, _ in program.calls if isinstance(each, SqlTransaction)}
    return list(found.values())


def _smaller(transaction: Transaction) -> Iterator[tuple[Transaction, int | None]]:
    """With the number of the step that is missing."""
    if transaction.retry:
        yield replace(transaction, retry=0), None
    steps = transaction.steps
    for number in range(len(steps) - 1, -1, -1):
        left = replace(transaction, steps=(*steps[:number], *steps[number + 1 :]))
        if left.steps and _names_are_there(left) and not _LOCKS.search(str(steps[number].sql)):
            yield _without_unused(left), number


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
