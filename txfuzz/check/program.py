"""Programs: which transactions of a scenario run beside each other, and with which arguments.

Every pair, a transaction with itself included, or the transactions that are named. Where parameters leave
a choice, those combinations come first in which the transactions are most likely to meet: they have values in
common, best under the same name, without being the same call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, combinations_with_replacement, product
from math import prod
from random import Random

from txfuzz.check.contract import Arguments, Call, CheckedTransaction
from txfuzz.database.scenario import Cell

MOST_COMBINATIONS = 12  # of arguments, for one pair
_MOST_LOOKED_AT = 20_000  # of which those are chosen


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
    transactions: Sequence[CheckedTransaction], named: Sequence[str], random: Random
) -> Iterator[tuple[str, tuple[Program, ...]]]:
    """Each set of transactions, in words, and its programs. named: only this set; else every pair."""
    by_name = {each.name: each for each in transactions}
    sets = (
        [tuple(by_name[name] for name in named)] if named else combinations_with_replacement(transactions, 2)
    )
    for chosen in sets:
        name = " × ".join(each.name for each in chosen)
        yield name, tuple(Program(name, calls) for calls in _calls(chosen, random))


def _calls(
    chosen: Sequence[CheckedTransaction], random: Random
) -> list[tuple[tuple[CheckedTransaction, Arguments], ...]]:
    found, seen = [], set()
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
    return found[:MOST_COMBINATIONS]


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


def _likely_to_meet(calls: Sequence[tuple[CheckedTransaction, Arguments]]) -> tuple[bool, int, int]:
    shared = common = 0
    for (_, one), (_, other) in combinations(calls, 2):
        shared += sum(name in other and other[name] == value for name, value in one.items())
        values = (Counter(map(repr, each.values())) for each in (one, other))
        common += (next(values) & next(values)).total()
    plain = [(transaction.name, repr(arguments)) for transaction, arguments in calls]
    alike = len(set(plain)) < len(plain) and any(arguments for _, arguments in calls)
    return (not alike, shared, common)


def _shown(value: Cell) -> str:
    return "null" if value is None else str(value)


def _labels(calls: Sequence[tuple[CheckedTransaction, Arguments]]) -> list[str]:
    """ "book (ann, 1)"; calls that are the same get numbers."""
    plain = [
        f"{transaction.name} ({', '.join(map(_shown, arguments.values()))})"
        if arguments
        else transaction.name
        for transaction, arguments in calls
    ]
    return [
        label if plain.count(label) == 1 else f"{label} {plain[: number + 1].count(label)}"
        for number, label in enumerate(plain)
    ]
