"""Which transactions of a workload can conflict, two or three at a time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement, islice
from typing import TypeVar

from txfuzz.common.key_ranges import Keys
from txfuzz.replay.reductions import literal
from txfuzz.replay.schedule.pinned_keys import choices_of, pinned
from txfuzz.replay.schedule.replay_workload import Role
from txfuzz.transactions.model import Transaction
from txfuzz.workload.model import Workload

MOST = 400  # pairs, and triples, that are considered

_FEW = 16  # a set of at most this many keys is indexed key by key
_LOOKED_AT = 20_000  # triples

Combination = tuple[str, ...]  # names of transactions
_Item = TypeVar("_Item")


def pairs(workload: Workload) -> list[Combination]:
    """Pairs of transactions of the mix, each with itself included, one of which may write or lock what the
    other touches: those that conflict in several ways first, since a cycle needs two; then those one of which
    reads without a lock; then the shortest. Of pairs that are alike but for names and keys one comes first,
    and the next once each kind has had one."""
    transactions = running(workload)
    counts = conflicts(transactions)
    exposed, size = _exposed(transactions), _sizes(transactions)
    ordered = sorted(counts, key=lambda pair: (counts[pair] < 2, exposed.isdisjoint(pair), size(pair)))
    kinds = kinds_of(transactions)
    return _in_turn(ordered, lambda pair: (counts[pair], _kind(kinds, pair)))[:MOST]


def triples(workload: Workload) -> list[Combination]:
    """Triples of which every two may conflict, in the same order."""
    transactions = running(workload)
    kinds = kinds_of(transactions)
    names = _in_turn([each.name for each in transactions], kinds.__getitem__)
    places = {each.name: at for at, each in enumerate(transactions)}
    every = islice(_triples(names, conflicts(transactions)), _LOOKED_AT)
    found: list[Combination] = [tuple(sorted(three, key=places.__getitem__)) for three in every]
    exposed, size = _exposed(transactions), _sizes(transactions)
    found.sort(key=lambda three: (exposed.isdisjoint(three), size(three), *map(places.__getitem__, three)))
    return _in_turn(found, lambda three: _kind(kinds, three))[:MOST]


def _triples(names: Sequence[str], pairs: Iterable[Combination]) -> Iterator[Combination]:
    """Those of which every two are a pair; all of the first names before any with a later one, so that where
    there are too many to look at, each kind takes part."""
    numbers = {name: number for number, name in enumerate(names)}
    earlier: dict[int, set[int]] = defaultdict(set)  # of each name: the pairs that it is the later one of
    for one, two in pairs:
        earlier[max(numbers[one], numbers[two])].add(min(numbers[one], numbers[two]))
    for last in range(len(names)):
        for middle in sorted(earlier[last]):
            for first in sorted(earlier[last] & earlier[middle]):
                yield names[first], names[middle], names[last]


def kinds_of(transactions: Sequence[Transaction]) -> Mapping[str, int]:
    """Name of a transaction → a number that all share which differ from it in name and keys only."""
    numbers: dict[object, int] = {}
    return {each.name: numbers.setdefault(_without_names(each), len(numbers)) for each in transactions}


def _exposed(transactions: Sequence[Transaction]) -> set[str]:
    """Those that read without a lock, and do something else as well: somebody may come in between. What the
    checker does not see may be such a read."""
    return {
        each.name
        for each in transactions
        if len(each.steps) > 1
        and any(
            step.lock is None and (step.f is None or (step.reads and not step.writes)) for step in each.steps
        )
    }


def _without_names(transaction: Transaction) -> object:
    plain = literal(pinned(transaction, range(len(choices_of(transaction)))))
    return repr(replace(plain, name=""))  # it is not hashable where a value is not


def _kind(kinds: Mapping[str, int], names: Combination) -> tuple[object, ...]:
    """Of a combination: the kinds of its transactions, and which of them are the same one."""
    return (*sorted(kinds[name] for name in names), *sorted(Counter(names).values()))


def _in_turn(found: Sequence[_Item], kind: Callable[[_Item], object]) -> list[_Item]:
    """The first of each kind, then the second of each, and so on; else in the order in which they are."""
    seen: Counter[object] = Counter()
    turns: list[int] = []
    for each in found:
        turns.append(seen[kind(each)])
        seen[kind(each)] += 1
    return [each for _, each in sorted(zip(turns, found, strict=True), key=lambda turn: turn[0])]


def running(workload: Workload) -> list[Transaction]:
    """The transactions to which the mix gives a weight."""
    weighted = {each.txn for each in workload.mix if each.weight > 0}
    return [each for each in workload.transactions if each.name in weighted]


def conflicts(transactions: Sequence[Transaction]) -> Mapping[Combination, int]:
    """Pair of transactions, in their order → number of their statements that may conflict; only those
    with any."""
    places = {each.name: at for at, each in enumerate(transactions)}
    counts: Counter[Combination] = Counter()

    def add(one: str, two: str, count: int) -> None:
        counts[(one, two) if places[one] <= places[two] else (two, one)] += count

    chosen: list[_Chosen] = []
    for transaction in transactions:
        touched, unseen = _touched(transaction)
        chosen += touched
        if unseen:  # statements that the checker does not see may touch anything
            for other in transactions:
                add(transaction.name, other.name, 2)
    for one, two in _meetings(chosen):
        if count := one.conflicts(two):
            add(one.name, two.name, count)
    return counts


@dataclass(frozen=True)
class _Chosen:
    """One choice of a transaction, with the number of micro-operations that read, and write or lock, it."""

    name: str
    keys: Keys
    reads: int
    writes: int

    def conflicts(self, other: _Chosen) -> int:
        return self.writes * (other.reads + other.writes) + self.reads * other.writes


def _touched(transaction: Transaction) -> tuple[list[_Chosen], bool]:
    """Its choices, and whether it has statements that the checker does not see."""
    choices = choices_of(transaction)
    numbered = literal(pinned(transaction, range(len(choices))))
    acts = [act for access in Role("", numbered, "").accesses for act in access or (("", -1),)]
    counts = Counter((at, f == "r") for f, at in acts)
    found = [
        _Chosen(transaction.name, choice.keys, counts[at, True], counts[at, False])
        for at, choice in enumerate(choices)
    ]
    return found, counts[-1, False] > 0


def _meetings(chosen: Iterable[_Chosen]) -> Iterator[tuple[_Chosen, _Chosen]]:
    """Every two choices with a key in common, each with itself included."""
    by_key: dict[int, list[int]] = defaultdict(list)
    large: list[_Chosen] = []
    small: list[_Chosen] = []
    for each in chosen:
        if len(each.keys) > _FEW:
            large.append(each)
            continue
        for key in each.keys:
            by_key[key].append(len(small))
        small.append(each)
    met = {two for together in by_key.values() for two in combinations_with_replacement(together, 2)}
    yield from ((small[one], small[two]) for one, two in sorted(met))
    for at, one in enumerate(large):
        yield from ((one, two) for two in (*large[at:], *small) if _overlap(one.keys, two.keys))


def _overlap(one: Keys, two: Keys) -> bool:
    if isinstance(one, range) and isinstance(two, range):
        return max(one.start, two.start) < min(one.stop, two.stop)
    if isinstance(two, range):
        one, two = two, one
    there = one if isinstance(one, range) else frozenset(one)
    return any(key in there for key in two)


def _sizes(transactions: Sequence[Transaction]) -> Callable[[Combination], int]:
    """How many steps all of them have together."""
    steps = {each.name: len(each.steps) for each in transactions}
    return lambda names: sum(steps[name] for name in names)
