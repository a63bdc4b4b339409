"""The serial judge: is there an order in which the transactions, one after the other, give this outcome?

That is what serializability means (Papadimitriou 1979), asked of what a user can see: the answers that
each transaction got and the rows left. It needs no knowledge of what a statement reads or writes, so any
SQL and any schema can be judged; what it needs is that the same transactions give the same outcome when
they are run in the same order again, which it checks, and that they are few.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import combinations, permutations

from txfuzz.check.serial.canonical import Canonical, Masks, TooManyAlike, canonical
from txfuzz.check.serial.difference import Difference, differences
from txfuzz.check.serial.outcome import Ending, ProgramOutcome
from txfuzz.check.serial.value import values_alike

MOST_TRANSACTIONS = 6
_TRIES = 3  # of a serial run that fails for reasons of its own

Order = tuple[str, ...]


class SerialRunFailed(Exception):
    """A serial run came to nothing for reasons of its own: a time-out, a lost connection."""


class SerialAnswer(Enum):
    """EXPLAINED: by some serial order. UNEXPLAINED: by none of them. UNKNOWN: this judge cannot say."""

    EXPLAINED = "explained"
    UNEXPLAINED = "unexplained"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SerialJudgement:
    """What the judge says of one outcome.

    order: the serial order that explains it, or the one that comes nearest. differences: of the outcome
    to what that order gives, in the order in which the transactions meet them. others: the same for every
    other order. reason: why it cannot say.
    """

    answer: SerialAnswer
    order: Order = ()
    differences: tuple[Difference, ...] = ()
    others: tuple[tuple[Order, tuple[Difference, ...]], ...] = ()
    reason: str = ""


@dataclass
class SerialJudge:
    """Judges outcomes of one program: the same transactions from the same rows.

    run: runs the transactions of these labels one after the other, in this order, from the rows that
    every run begins with, and gives the outcome; SerialRunFailed where that came to nothing. What an
    order gives is remembered, since a program is judged hundreds of times.
    """

    run: Callable[[Order], ProgramOutcome]
    masks: Masks
    _outcomes: dict[Order, ProgramOutcome] = field(default_factory=dict)
    _canonical: dict[Order, Canonical] = field(default_factory=dict)
    _unstable: dict[Order, str] = field(default_factory=dict)

    def judge(self, outcome: ProgramOutcome, before: Iterable[tuple[str, str]] = ()) -> SerialJudgement:
        """before: pairs of transactions of which the first had ended when the second began, where an order
        must respect that (strict serializability)."""
        committed, unknown = outcome.ended(Ending.COMMITTED), outcome.ended(Ending.UNKNOWN)
        if len(committed) + len(unknown) > MOST_TRANSACTIONS:
            return _cannot(f"there are more than {MOST_TRANSACTIONS} transactions, whose orders are too many")
        pairs = tuple(before)
        try:
            for more in _subsets(unknown):
                found = self._explained(outcome, (*committed, *more), pairs, bool(unknown))
                if found is not None:
                    return found
            if unknown:
                return _cannot(
                    f"whether {' and '.join(unknown)} committed is unknown, and neither fits an order"
                )
            return self._nearest(outcome, committed, pairs)
        except SerialRunFailed as error:
            return _cannot(f"the transactions could not be run one after the other: {error}")
        except TooManyAlike:
            return _cannot("too many new rows are alike in all but their generated identifiers")

    def _explained(
        self, outcome: ProgramOutcome, committed: Order, before: Sequence[tuple[str, str]], lost: bool
    ) -> SerialJudgement | None:
        seen = canonical(outcome.of(outcome.ended(Ending.COMMITTED)), self.masks)
        for order in _orders(committed, before):
            self._remember(order)
            if order in self._unstable:
                return _cannot(self._unstable[order])
            expected = self._outcomes[order]
            if expected.ended(Ending.COMMITTED) != order:
                continue  # one of them does not even commit in this order
            # Of a transaction whose COMMIT was not answered only its effects are known
            known = (
                canonical(expected.of(outcome.ended(Ending.COMMITTED)), self.masks)
                if lost
                else self._canonical[order]
            )
            if known == seen and values_alike(outcome, expected, self.masks):
                return SerialJudgement(SerialAnswer.EXPLAINED, order)
        return None

    def _nearest(
        self, outcome: ProgramOutcome, committed: Order, before: Sequence[tuple[str, str]]
    ) -> SerialJudgement:
        compared = [
            (order, differences(outcome, self._outcomes[order], order, self.masks))
            for order in _orders(committed, before)
        ]
        compared.sort(key=lambda each: len(each[1]))
        order, found = compared[0]
        return SerialJudgement(SerialAnswer.UNEXPLAINED, order, found, tuple(compared[1:]))

    def _remember(self, order: Order) -> None:
        if order in self._canonical:
            return
        first = self._run(order)
        self._outcomes[order] = first
        self._canonical[order] = canonical(first, self.masks)
        if len(self._canonical) == 1:  # once for a program: whatever chance does shows in any order
            again = self._run(order)
            same = canonical(again, self.masks) == self._canonical[order]
            if not same or not values_alike(again, first, self.masks):
                found = differences(again, first, order, self.masks)
                where = found[0].place if found else "an outcome"
                self._unstable[order] = (
                    f"{where} differs from one run to the next though nothing else runs: "
                    "a clock, chance or an order that the statement does not fix"
                )

    def _run(self, order: Order) -> ProgramOutcome:
        for attempt in range(_TRIES):
            try:
                return self.run(order)
            except SerialRunFailed:
                if attempt == _TRIES - 1:
                    raise
        raise AssertionError("unreachable")


def _orders(labels: Order, before: Sequence[tuple[str, str]]) -> Iterator[Order]:
    """Every order that respects `before`; that of the labels, usually the order of commits, comes first."""
    for order in permutations(labels):
        place = {label: number for number, label in enumerate(order)}
        if all(place[a] < place[b] for a, b in before if a in place and b in place):
            yield order


def _subsets(labels: Order) -> Iterator[Order]:
    for size in range(len(labels) + 1):
        yield from combinations(labels, size)


def _cannot(reason: str) -> SerialJudgement:
    return SerialJudgement(SerialAnswer.UNKNOWN, reason=reason)
