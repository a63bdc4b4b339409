"""Which schedules can tell a database that is serializable from one that is not, by the effects of forms.

A schedule that goes well under a weaker rule shows nothing, whatever the database overlooks. So a program is
worth running where a database with snapshots alone (Berenson et al. 1995) would let all transactions commit
with answers that no serial order gives, or where one would that looks at each statement by itself.

What is predicted is a guess: forms can show less than the row, and layouts can do more than forms say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice, permutations
from typing import NamedTuple

from txfuzz.hunt.form import NO_EFFECT, Change, RowState
from txfuzz.hunt.program import SmallProgram, Use, Uses, value_of

_MOST_ORDERS = 100  # of beginnings and ends that are looked at,
_MOST_INTERLEAVINGS = 30  # and of statements

Values = tuple[int | None, ...]  # of the rows by key, None where there is none
Answer = tuple[int, ...] | int  # the values of rows, or their number


class Ran(NamedTuple):
    """What a transaction comes to alone. answers: None where it was refused. written: key → its value,
    None for a row that is deleted."""

    answers: tuple[Answer, ...] | None
    written: dict[int, int | None]


class Prediction:
    """Of one program."""

    def __init__(self, program: SmallProgram) -> None:
        self._begin: Values = tuple(0 if state is RowState.PRESENT else None for state in program.states)
        self._transactions = program.transactions
        self._points = program.points
        self._numbers: list[int] = []
        number = 0
        for uses in self._transactions:
            self._numbers.append(number)
            number += len(uses)
        self._ran: dict[tuple[int, Values], Ran] = {}
        self._serial: frozenset[object] | None = None
        self._ends: list[dict[int, int]] | None = None  # of each transaction, once they are asked for

    def tells(self, interleaving: Sequence[int]) -> bool:
        return self.snapshots_tell(interleaving) or self.statements_tell(interleaving)

    def snapshots_tell(self, interleaving: Sequence[int]) -> bool:
        """Whether all would commit under snapshot isolation, with an outcome that no serial order gives.

        interleaving: transactions by number, each at least twice: only the first and the last of its points
        matter.
        """
        now, changed = self._begin, [0] * len(self._begin)
        left = [interleaving.count(at) for at in range(len(self._transactions))]
        begun: dict[int, tuple[int, Values]] = {}
        answers: list[object] = [None] * len(left)
        for time, at in enumerate(interleaving, 1):
            if at not in begun:
                begun[at] = (time, now)
            left[at] -= 1
            if left[at]:
                continue
            since, seen = begun[at]
            ran = self._alone(at, seen)
            if ran.answers is None or any(changed[key] > since for key in ran.written):
                return False
            for key in ran.written:
                changed[key] = time
            answers[at] = ran.answers
            now = _after(now, ran)
        return (tuple(answers), now) not in self._in_series()

    def statements_tell(self, interleaving: Sequence[int]) -> bool:
        """The same where each statement sees what has been committed by then, and nobody has to wait."""
        now, done = self._begin, [0] * len(self._points)
        written: list[dict[int, int | None]] = [{} for _ in done]
        answers: list[list[Answer]] = [[] for _ in done]
        if self._ends is None:
            self._ends = [_ends(uses) for uses in self._transactions]
        ends = self._ends
        for at in interleaving:
            point = done[at]
            done[at] += 1
            if point == self._points[at] - 1:
                now = _after(now, Ran((), written[at]))
                written[at] = {}
            elif point in ends[at]:
                place = ends[at][point]
                seen = tuple(written[at].get(key, value) for key, value in enumerate(now))
                use = self._transactions[at][place]
                answer, new = _statement(use, self._numbers[at] + place, seen)
                others = (written[other] for other in range(len(done)) if other != at)
                if answer is None or any(key in each for each in others for key in new):
                    return False
                answers[at].append(answer)
                written[at] |= new
        return (tuple(map(tuple, answers)), now) not in self._in_series()

    def _alone(self, at: int, seen: Values) -> Ran:
        known = self._ran.get((at, seen))
        if known is None:
            known = self._ran[at, seen] = _run(self._transactions[at], self._numbers[at], seen)
        return known

    def _in_series(self) -> frozenset[object]:
        if self._serial is None:
            found: set[object] = set()
            for order in permutations(range(len(self._transactions))):
                now = self._begin
                answers: list[tuple[Answer, ...] | None] = [None] * len(order)
                for at in order:
                    ran = self._alone(at, now)
                    answers[at] = ran.answers
                    now = _after(now, ran)
                found.add((tuple(answers), now))
            self._serial = frozenset(found)
        return self._serial


def told_by_snapshots(program: SmallProgram) -> bool:
    """Whether some interleaving of it tells a database with snapshots alone."""
    told = Prediction(program).snapshots_tell
    number = len(program.transactions)
    most = 1 if number == 2 else _MOST_ORDERS  # two that overlap have seen the same, whenever they commit
    return any(map(told, _interleavings(_lengths(program), (2,) * number, most)))


def told_by_statements(program: SmallProgram) -> bool:
    """Whether some interleaving of it tells a database that looks at each statement by itself."""
    told = Prediction(program).statements_tell
    return any(map(told, _interleavings(_lengths(program), program.points, _MOST_INTERLEAVINGS)))


def _lengths(program: SmallProgram) -> tuple[int, ...]:
    return tuple(map(len, program.sessions))


@cache  # there are few kinds of programs, and thousands of each
def _interleavings(
    sessions: tuple[int, ...], points: tuple[int, ...], most: int
) -> tuple[tuple[int, ...], ...]:
    """The first ones of those in which transactions of a session come one after the other; those that overlap
    most come first. sessions: how many transactions each has. points: of each transaction."""
    before: dict[int, int] = {}
    at = 0
    for length in sessions:
        for number in range(at + 1, at + length):
            before[number] = number - 1
        at += length
    left = list(points)
    done: list[int] = []

    def rest() -> Iterator[tuple[int, ...]]:
        if not any(left):
            yield tuple(done)
        for number in sorted(range(len(left)), key=done.count):
            waits = number in before and left[before[number]] > 0
            if left[number] and not waits:
                left[number] -= 1
                done.append(number)
                yield from rest()
                done.pop()
                left[number] += 1

    return tuple(islice(rest(), most))


def _run(uses: Uses, number: int, seen: Values) -> Ran:
    answers: list[Answer] = []
    written: dict[int, int | None] = {}
    for place, use in enumerate(uses):
        answer, new = _statement(use, number + place, seen)
        if answer is None:
            return Ran(None, {})
        answers.append(answer)
        if new:
            written |= new
            seen = tuple(new.get(key, value) for key, value in enumerate(seen))
    return Ran(tuple(answers), written)


def _statement(use: Use, number: int, seen: Values) -> tuple[Answer | None, dict[int, int | None]]:
    """Its answer, None where it is refused, and what it writes."""
    found = [seen[key] for key in use.keys]
    changes = use.form.changes(
        tuple(RowState.ABSENT if value is None else RowState.PRESENT for value in found)
    )
    new: dict[int, int | None] = {}
    for key, change in zip(use.keys, changes, strict=True):
        if change is Change.REFUSED:
            return None, {}
        if change.writes:
            new[key] = None if change is Change.DELETE else value_of(number)
    return answer_of(use, found, new), new


def answer_of(use: Use, found: Sequence[int | None], new: dict[int, int | None]) -> Answer:
    """found: the values of its keys. new: key → what it writes. One that never changes anything and returns
    no rows has taken back what it did: how many rows that were has been seen."""
    form = use.form
    if form.returns_rows:
        shown = [
            value if new.get(key) is None else new[key] for key, value in zip(use.keys, found, strict=True)
        ]
        return tuple(value for value in shown if value is not None)
    never = all(effect in (None, NO_EFFECT) for effect in form.deed)
    return sum(value is not None for value in found) if never else len(new)


def _after(now: Values, ran: Ran) -> Values:
    return tuple(ran.written.get(key, value) for key, value in enumerate(now)) if ran.written else now


def _ends(uses: Uses) -> dict[int, int]:
    """The point of a transaction that ends a statement → its number there: forms in parts do what they do in
    the last one."""
    found, point = {}, -1
    for place, use in enumerate(uses):
        point += len(use.form.statements)
        found[point] = place
    return found
