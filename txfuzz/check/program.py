"""Programs: which transactions of a scenario run beside each other, and with which arguments.

Every pair, a transaction with itself included, or the transactions that are named. Where parameters leave
a choice, those combinations come first in which the transactions are most likely to meet: they have values in
common, best under the same name, without being the same call. But one of each kind has its turn before any
has a second: the same account twice, two transfers in opposite directions, the same call twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, combinations_with_replacement, product, zip_longest
from math import comb, prod
from random import Random

from txfuzz.check.contract import Arguments, Call, CheckedTransaction
from txfuzz.database.scenario import Cell

MOST_COMBINATIONS = 24  # of arguments, for one set
_MOST_LOOKED_AT = 20_000  # of which those are chosen
_LONGEST = 40  # characters of a call that is shown with the names of its arguments


@dataclass(frozen=True)
class Program:
    """name: the transactions in words, "book × book". calls: each transaction with its arguments. sessions:
    the number of the session that runs each call; empty: each has its own. Calls of one session come in the
    order in which they are here."""

    name: str
    calls: tuple[tuple[CheckedTransaction, Arguments], ...]
    sessions: tuple[int, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """By which its outcomes name the calls."""
        return tuple(_labels(self.calls))

    @property
    def session_of(self) -> Mapping[str, int]:
        """Label → the number of its session."""
        return dict(zip(self.labels, self.sessions or range(len(self.calls)), strict=True))

    @property
    def before(self) -> tuple[tuple[str, str], ...]:
        """Pairs of calls of one session, of which the first ends before the second begins."""
        of = self.session_of
        return tuple((one, other) for one, other in combinations(self.labels, 2) if of[one] == of[other])

    def changed(self, transactions: Mapping[str, CheckedTransaction]) -> Program:
        """With others in the place of the transactions of these names; arguments for parameters that they
        lack are left out."""
        return replace(self, calls=tuple(_changed(*call, transactions) for call in self.calls))

    def bound(self, isolation: str) -> tuple[Call, ...]:
        """At this level, where a transaction has none of its own."""
        return tuple(
            transaction.call(label, arguments, isolation)
            for label, (transaction, arguments) in zip(self.labels, self.calls, strict=True)
        )


def _changed(
    transaction: CheckedTransaction, arguments: Arguments, others: Mapping[str, CheckedTransaction]
) -> tuple[CheckedTransaction, Arguments]:
    other = others.get(transaction.name, transaction)
    return other, {name: arguments[name] for name, _ in other.params}


def programs(
    transactions: Sequence[CheckedTransaction],
    named: Sequence[str],
    random: Random,
    most: int = MOST_COMBINATIONS,
) -> Iterator[tuple[str, tuple[Program, ...]]]:
    """Each set of transactions, in words, and its programs. named: only this set; else every pair. most:
    combinations of arguments of one set."""
    for name, chosen in _sets(transactions, named):
        yield name, tuple(Program(name, calls) for calls in _in_turn(_calls(chosen, random))[:most])


def combinations_of(
    transactions: Sequence[CheckedTransaction], named: Sequence[str]
) -> Iterator[tuple[str, int]]:
    """Each set as in programs(), and how many combinations of arguments it has, calls in another order being
    the same."""
    for name, chosen in _sets(transactions, named):
        by_name, number = {each.name: each for each in chosen}, 1
        for one, times in Counter(each.name for each in chosen).items():
            of = prod(len(values) for _, values in by_name[one].params)
            number *= comb(of + times - 1, times)
        yield name, number


def _sets(
    transactions: Sequence[CheckedTransaction], named: Sequence[str]
) -> Iterator[tuple[str, Sequence[CheckedTransaction]]]:
    by_name = {each.name: each for each in transactions}
    sets = (
        [tuple(by_name[name] for name in named)] if named else combinations_with_replacement(transactions, 2)
    )
    for chosen in sets:
        yield " × ".join(each.name for each in chosen), chosen


_Calls = tuple[tuple[CheckedTransaction, Arguments], ...]


def _calls(chosen: Sequence[CheckedTransaction], random: Random) -> list[_Calls]:
    """The likeliest to meet first."""
    found: list[_Calls] = []
    seen = set()
    most = int(_MOST_LOOKED_AT ** (1 / len(chosen)))
    for values in product(*(_some_arguments(each, most, random) for each in chosen)):
        same = tuple(
            sorted(
                (each.name, repr(sorted(given.items()))) for each, given in zip(chosen, values, strict=True)
            )
        )
        if same not in seen:  # the same calls in another order are the same program
            seen.add(same)
            found.append(tuple(zip(chosen, values, strict=True)))
    random.shuffle(found)
    found.sort(key=_likely_to_meet, reverse=True)
    return found


def _in_turn(calls: Sequence[_Calls]) -> list[_Calls]:
    """One of each kind, then a second of each, and so on; within a kind and among the kinds in this order.
    Every third is the same call twice, as when somebody clicks twice, until these are used up."""
    kinds: dict[Hashable, list[_Calls]] = {}
    alike: list[_Calls] = []
    for each in calls:
        (alike if _has_twins(each) else kinds.setdefault(_kind(each), [])).append(each)
    others = [each for together in zip_longest(*kinds.values()) for each in together if each is not None]
    found: list[_Calls] = []
    while others:
        found += [*others[:2], *alike[:1]]
        others, alike = others[2:], alike[1:]
    return [*found, *alike]


def _kind(calls: _Calls) -> Hashable:
    """Which parameters have the same values in two of the calls, and whether some have them crosswise."""
    pairs = list(combinations((arguments for _, arguments in calls), 2))
    same = tuple(
        frozenset(name for name, value in one.items() if name in other and other[name] == value)
        for one, other in pairs
    )
    return same, any(
        value == other[second]
        for one, other in pairs
        for name, value in one.items()
        for second in other
        if second != name
    )


def _has_twins(calls: _Calls) -> bool:
    plain = [(transaction.name, repr(arguments)) for transaction, arguments in calls]
    return len(set(plain)) < len(plain)


def all_arguments(transaction: CheckedTransaction) -> Iterator[Arguments]:
    """Every combination of the values of its parameters, one after the other."""
    names = [name for name, _ in transaction.params]
    for values in product(*(each for _, each in transaction.params)):
        yield dict(zip(names, values, strict=True))


def _some_arguments(transaction: CheckedTransaction, most: int, random: Random) -> list[Arguments]:
    """All combinations, or as many that are drawn."""
    if prod(len(values) for _, values in transaction.params) <= most:
        return list(all_arguments(transaction))
    return [{name: random.choice(values) for name, values in transaction.params} for _ in range(most)]


def _likely_to_meet(calls: Sequence[tuple[CheckedTransaction, Arguments]]) -> tuple[int, int]:
    shared = common = 0
    for (_, one), (_, other) in combinations(calls, 2):
        shared += sum(name in other and other[name] == value for name, value in one.items())
        values = (Counter(map(repr, each.values())) for each in (one, other))
        common += (next(values) & next(values)).total()
    return shared, common


def _shown(value: Cell) -> str:
    return "null" if value is None else str(value)


def _labels(calls: Sequence[tuple[CheckedTransaction, Arguments]]) -> list[str]:
    """ "book (ann)", "transfer (account=2, amount=60)"; calls that are the same get numbers."""
    plain = [_label(transaction.name, arguments) for transaction, arguments in calls]
    return [
        label if plain.count(label) == 1 else f"{label} {plain[: number + 1].count(label)}"
        for number, label in enumerate(plain)
    ]


def _label(name: str, arguments: Arguments) -> str:
    """With the names of the arguments where there are several, unless that gets long."""
    if not arguments:
        return name
    values = [_shown(value) for value in arguments.values()]
    named = [f"{argument}={value}" for argument, value in zip(arguments, values, strict=True)]
    label = f"{name} ({', '.join(named)})"
    return label if len(named) > 1 and len(label) <= _LONGEST else f"{name} ({', '.join(values)})"
