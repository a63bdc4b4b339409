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
from itertools import combinations, islice, permutations

from txfuzz.check.serial.canonical import Canonical, Masks, TooManyAlike, canonical
from txfuzz.check.serial.chance import without_chance
from txfuzz.check.serial.difference import Difference, differences
from txfuzz.check.serial.outcome import Ending, ProgramOutcome
from txfuzz.check.serial.stability import Reason, alike, unsteady
from txfuzz.check.serial.value import compared, values_alike

MOST_TRANSACTIONS = 6
_TRIES = 3  # of a serial run that fails for reasons of its own
_MOST_REMEMBERED = 1_000  # outcomes with their judgements
_MOST_TRIED = 24  # orders, and how often each, to see whether they always give the same
_TRIED_AGAIN = 3

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


@dataclass(frozen=True)
class Variation:
    """The same, from a beginning that differs in what must make no difference. reason: why it does."""

    run: Callable[[Order], ProgramOutcome]
    reason: Reason


@dataclass
class SerialJudge:
    """Judges outcomes of one program: the same transactions from the same rows.

    run: runs the transactions of these labels one after the other, in this order, from the rows that
    every run begins with, and gives the outcome; SerialRunFailed where that came to nothing. What an
    order gives is remembered, since a program is judged hundreds of times, and so is each judgement.
    variations: beginnings that no order of transactions settles, which must make no difference.
    masks: grow where runs of code show what a clock or chance does in it; on_chance is told.
    """

    run: Callable[[Order], ProgramOutcome]
    masks: Masks
    variations: Sequence[Variation] = ()
    on_chance: Callable[[Masks], None] = lambda masks: None
    _outcomes: dict[Order, ProgramOutcome] = field(default_factory=dict)
    _canonical: dict[Order, Canonical] = field(default_factory=dict)
    _unstable: dict[Order, str] = field(default_factory=dict)
    _judged: dict[object, SerialJudgement] = field(default_factory=dict)
    _repeated: bool = False  # whether an order was run twice to see what chance does
    _compared_by: Masks | None = None

    def judge(self, outcome: ProgramOutcome, before: Iterable[tuple[str, str]] = ()) -> SerialJudgement:
        """before: pairs of transactions of which the first had ended when the second began, where an order
        must respect that (strict serializability)."""
        committed, unknown = outcome.ended(Ending.COMMITTED), outcome.ended(Ending.UNKNOWN)
        if len(committed) + len(unknown) > MOST_TRANSACTIONS:
            return _cannot(f"there are more than {MOST_TRANSACTIONS} transactions, whose orders are too many")
        pairs = tuple(sorted(before))
        try:
            while True:
                masks = self.masks
                found = self._known(outcome, committed, unknown, pairs)
                if self.masks is masks:
                    return found
        except SerialRunFailed as error:
            return _cannot(f"the transactions could not be run one after the other: {error}")
        except TooManyAlike:
            return _cannot("too many new rows are alike in all but their generated identifiers")

    def _known(
        self,
        outcome: ProgramOutcome,
        committed: Order,
        unknown: Order,
        pairs: tuple[tuple[str, str], ...],
    ) -> SerialJudgement:
        self._compare_anew()
        seen = canonical(outcome.of(committed), self.masks)
        values = tuple(
            repr(compared(label, outcome.transactions[label].value, self.masks)) for label in committed
        )
        key = (seen, values, committed, unknown, pairs)
        if key not in self._judged:
            if len(self._judged) >= _MOST_REMEMBERED:
                self._judged.clear()
            self._judged[key] = self._judge(outcome, seen, committed, unknown, pairs)
        return self._judged[key]

    def _compare_anew(self) -> None:
        """If what counts has changed."""
        if self._compared_by is not self.masks:
            self._compared_by = self.masks
            self._judged.clear()
            self._canonical = {order: canonical(each, self.masks) for order, each in self._outcomes.items()}

    def _alike(self, one: ProgramOutcome, other: ProgramOutcome) -> bool:
        """Two runs of the same order."""
        if alike(one, other, self.masks):
            return True
        more = without_chance(one, other, self.masks)
        if more is None or not alike(one, other, more):
            return False
        self.masks = more
        self.on_chance(more)
        return True

    def doubt(self, labels: Iterable[str], earlier: SerialJudge) -> str:
        """Why what the orders of these transactions give is no evidence; empty where it always is the same.

        earlier: a judge of the same program, whose runs are compared with these.
        """
        try:
            for order in islice((each for each in self._outcomes if set(each) == set(labels)), _MOST_TRIED):
                if found := self._unstable.get(order) or self._doubt(order, earlier):
                    return found
        except SerialRunFailed as error:
            return f"the transactions could not be run one after the other: {error}"
        return ""

    def doubt_now(self, order: Order) -> str:
        """Why this order does not give any more what it has given; empty where it does. Clocks go on."""
        try:
            again, first = self._run(order), self._outcomes.get(order)
        except SerialRunFailed as error:
            return f"the transactions could not be run one after the other: {error}"
        if first is None or self._alike(first, again):
            return ""
        return unsteady(again, first, order, self.masks)

    def _doubt(self, order: Order, earlier: SerialJudge) -> str:
        first = self._outcomes[order]
        others = [earlier._outcomes[order]] if order in earlier._outcomes else []
        others += [self._run(order) for _ in range(_TRIED_AGAIN)]
        for other in others:
            if not self._alike(first, other):
                return unsteady(other, first, order, self.masks)
        for each in self.variations:
            varied = each.run(order)
            # A clock may have gone on just now, and would pass for it
            if not alike(first, varied, self.masks) and not (
                self._alike(first, self._run(order)) and alike(first, varied, self.masks)
            ):
                return each.reason(varied, first, order, self.masks)
        return ""

    def _judge(
        self,
        outcome: ProgramOutcome,
        seen: Canonical,
        committed: Order,
        unknown: Order,
        pairs: Sequence[tuple[str, str]],
    ) -> SerialJudgement:
        for more in _subsets(unknown):
            found = self._explained(outcome, seen, (*committed, *more), pairs)
            if found is not None:
                return found
        if unknown:
            return _cannot(f"whether {' and '.join(unknown)} committed is unknown, and neither fits an order")
        if doubt := self._by_chance(committed, pairs):
            return _cannot(doubt)
        return self._nearest(outcome, committed, pairs)

    def _explained(
        self, outcome: ProgramOutcome, seen: Canonical, effective: Order, before: Sequence[tuple[str, str]]
    ) -> SerialJudgement | None:
        """Of a transaction whose COMMIT was not answered, that is effective, only its effects are known."""
        answered = outcome.ended(Ending.COMMITTED)
        for order in _orders(effective, before):
            self._remember(order)
            if order in self._unstable:
                return _cannot(self._unstable[order])
            expected = self._outcomes[order]
            if expected.ended(Ending.COMMITTED) != order:
                continue  # one of them does not even commit in this order
            known = (
                self._canonical[order]
                if answered == effective
                else canonical(expected.of(answered), self.masks)
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
        if first.ended(Ending.COMMITTED) != order:  # it may have been a time-out
            first = self._again(order, first)
        self._outcomes[order] = first
        self._canonical[order] = canonical(first, self.masks)

    def _by_chance(self, labels: Order, before: Sequence[tuple[str, str]]) -> str:
        """Why an order that was run twice tells nothing. Once for a program, since whatever chance does shows
        in any order, and only where no order explains an outcome: one that does has given the same."""
        if self._repeated:
            return ""
        self._repeated = True
        order = next(_orders(labels, before))
        self._again(order, self._outcomes[order])
        return self._unstable.get(order, "")

    def _again(self, order: Order, first: ProgramOutcome) -> ProgramOutcome:
        self._repeated = True
        again = self._run(order)
        if self._alike(first, again):
            return first
        if any(each.ended(Ending.COMMITTED) != order for each in (first, again)):
            third = self._run(order)
            if any(self._alike(third, each) for each in (first, again)):
                return third
        self._unstable[order] = unsteady(again, first, order, self.masks)
        return first

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
