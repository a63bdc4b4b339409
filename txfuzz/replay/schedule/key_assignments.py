"""The distinct ways in which a few transactions can share keys."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations, islice, permutations

from txfuzz.common.key_ranges import Keys
from txfuzz.replay.reductions import literal, rekeyed
from txfuzz.replay.schedule.mvcc_model import Access
from txfuzz.replay.schedule.pinned_keys import choices_of, pinned, step_keys
from txfuzz.replay.schedule.replay_workload import Role
from txfuzz.transactions.distinct_choices import never_short, satisfiable
from txfuzz.transactions.model import Transaction
from txfuzz.workload.seeds import stream

MOST_ASSIGNMENTS = 64
_LOOKED_AT = 20_000  # ways to enumerate before a sample is drawn instead
_DRAWN = 20  # draws per wanted way

KeyAssignment = tuple[Role, ...]


@dataclass(frozen=True)
class KeyAssignments:
    """chosen: those to run. count: of all; None if there are too many to count."""

    chosen: tuple[KeyAssignment, ...]
    count: int | None

    @property
    def sampled(self) -> bool:
        return self.count != len(self.chosen)


def key_assignments(
    transactions: Sequence[Transaction],
    most: int = MOST_ASSIGNMENTS,
    seed: int = 0,
    *,
    renamed: bool = True,
    enumerated: int = _LOOKED_AT,
) -> KeyAssignments:
    """All ways to share keys, or a sample of `most` if there are more.

    renamed: number the keys from 1; if not, they are keys that the choices have. enumerated: ways to look at
    before a sample is drawn instead.
    """
    draws = stream(seed, "ways to share keys")
    keys = _SharedKeys(transactions)
    every = list(islice(keys.all(), enumerated + 1))
    if len(every) <= enumerated:
        found = list(_different(transactions, iter(every), renamed))
        places = range(len(found)) if len(found) <= most else sorted(draws.sample(range(len(found)), most))
        return KeyAssignments(tuple(found[place] for place in places), len(found))
    drawn = chain.from_iterable(keys.drawn(draws) for _ in range(_DRAWN * most))
    return KeyAssignments(tuple(islice(_different(transactions, drawn, renamed), most)), None)


def all_key_assignments(transactions: Sequence[Transaction]) -> Iterator[KeyAssignment]:
    """The transactions as roles t1, t2, …, with choices pinned to as few keys as necessary.

    Ways that differ only in the names of keys count once. Ways without conflicts are left out.
    """
    return _different(transactions, _SharedKeys(transactions).all())


def _different(
    transactions: Sequence[Transaction], given: Iterator[tuple[int, ...]], renamed: bool = True
) -> Iterator[KeyAssignment]:
    seen: set[object] = set()
    looked_at: set[tuple[int, ...]] = set()  # what is drawn comes again and again
    for keys in given:
        if keys in looked_at:
            continue
        looked_at.add(keys)
        roles = _pinned_roles(transactions, keys)
        accesses = [role.accesses for role in roles]
        names = _names(roles)
        mark = tuple(
            _renamed(role.transaction, each, names) for role, each in zip(roles, accesses, strict=True)
        )
        if mark not in seen and _meet(accesses):
            seen.add(mark)
            yield (
                tuple(replace(each, transaction=rekeyed(each.transaction, names)) for each in roles)
                if renamed
                else roles
            )


class _SharedKeys:
    """Assigns a key to every choice of the transactions, in order.

    Only the few keys on which the transactions can conflict are used. Keys that no choice distinguishes
    are used in ascending order, so that few assignments differ only in the names of keys.
    """

    def __init__(self, transactions: Sequence[Transaction]) -> None:
        of_each = [choices_of(each) for each in transactions]
        self._choices = [(at, choice) for at, each in enumerate(of_each) for choice in each]
        self._first = [sum(map(len, of_each[:at])) for at in range(len(of_each))]  # place of its first choice
        self._short = [not never_short(each) for each in of_each]
        pool = _pool(transactions)
        self._domains = [[key for key in pool if key in choice.keys] for _, choice in self._choices]
        self._alike = {key: tuple(key in choice.keys for _, choice in self._choices) for key in pool}

    def all(self) -> Iterator[tuple[int, ...]]:
        return self._assigned(lambda keys: keys)

    def drawn(self, draws: random.Random) -> Iterator[tuple[int, ...]]:
        """One, or none if there is none."""
        return islice(self._assigned(lambda keys: draws.sample(keys, len(keys))), 1)

    def _assigned(self, ordered: Callable[[list[int]], list[int]]) -> Iterator[tuple[int, ...]]:
        """One choice after the other: in a loop, since transactions may have hundreds of them."""
        if not self._choices:
            yield ()
            return
        given: list[int] = []
        left = [iter(self._keys(given, ordered))]
        while left:
            key = next(left[-1], None)
            if key is None:
                left.pop()
                del given[-1:]
                continue
            given.append(key)
            if len(given) == len(self._choices):
                yield tuple(given)
                given.pop()
            else:
                left.append(iter(self._keys(given, ordered)))

    def _keys(self, given: Sequence[int], ordered: Callable[[list[int]], list[int]]) -> list[int]:
        """Those that the next choice may have."""
        owner, choice = self._choices[len(given)]
        taken = {
            key
            for key, (other, earlier) in zip(given, self._choices, strict=False)
            if other == owner and earlier.name in choice.distinct_from
        }
        shared = self._shared(given, taken)
        found = [key for key in ordered(shared) if self._leaves_some(given, key)]
        if found:
            return found
        # No shared key is available, or none that leaves one for later choices
        own = (key for key in choice.keys if key not in taken and key not in shared)
        return list(islice((key for key in own if self._leaves_some(given, key)), 1 + len(self._choices)))

    def _leaves_some(self, given: Sequence[int], key: int) -> bool:
        """Is there a key left for each later choice of the same transaction? Without asking, it would be
        noticed only after all ways to make the choices in between."""
        owner, _ = self._choices[len(given)]
        if not self._short[owner]:
            return True
        made = [*given[self._first[owner] :], key]
        mine = [choice for other, choice in self._choices if other == owner]
        pinned_ones = [replace(each, keys=(one,)) for each, one in zip(mine, made, strict=False)]
        return satisfiable([*pinned_ones, *mine[len(made) :]])

    def _shared(self, given: Sequence[int], taken: set[int]) -> list[int]:
        found: list[int] = []
        classes = set()
        used = set(given)
        for key in self._domains[len(given)]:
            if key in taken:
                continue
            if key not in used:
                if self._alike[key] in classes:
                    continue
                classes.add(self._alike[key])
            found.append(key)
        return found


def _pool(transactions: Sequence[Transaction]) -> list[int]:
    """As many keys as the transaction with the most choices needs, keys with possible conflicts first; and
    one for each pair that can conflict."""
    choices = [choices_of(each) for each in transactions]
    written = [_written(each) for each in transactions]
    needed = max(1, *map(len, choices))
    alone = [set(each.keys[:needed]) for mine in choices for each in mine]
    meeting: set[int] = set()
    common: list[set[int]] = []
    for one, two in combinations(range(len(transactions)), 2):
        common.append(set())
        for mine, i_write in zip(choices[one], written[one], strict=True):
            for theirs, they_write in zip(choices[two], written[two], strict=True):
                both = set(_common(mine.keys, theirs.keys, needed))
                alone.append(both)
                if i_write or they_write:
                    common[-1] |= both
        meeting |= common[-1]
    counts = {key: sum(key in each.keys for mine in choices for each in mine) for key in set().union(*alone)}
    ranked = sorted(counts, key=lambda key: (key not in meeting, -counts[key], key))
    pool = ranked[:needed]
    for keys in common:
        if keys and not keys & set(pool):
            pool.append(next(key for key in ranked if key in keys))
    return pool


def _written(transaction: Transaction) -> list[bool]:
    """For each choice: is it written or locked? Statements that the checker does not see may write it."""
    count = len(choices_of(transaction))
    accesses = Role("", literal(pinned(transaction, range(count))), "").accesses
    return [
        None in accesses or any(key == at and f != "r" for access in accesses for f, key in access or ())
        for at in range(count)
    ]


def _common(one: Keys, two: Keys, most: int) -> Sequence[int]:
    """The first common keys."""
    if isinstance(one, range) and isinstance(two, range):
        return range(max(one.start, two.start), min(one.stop, two.stop))[:most]
    if isinstance(one, range):
        one, two = two, one
    there = two if isinstance(two, range) else frozenset(two)
    return sorted(key for key in one if key in there)[:most]


def _names(roles: Sequence[Role]) -> Mapping[int, int]:
    """The numbers of keys in the order of first use."""
    names: dict[int, int] = {}
    for each in roles:
        for keys_of_step in step_keys(each.transaction):
            for key in keys_of_step:
                names.setdefault(key, len(names) + 1)
    return names


def _renamed(
    transaction: Transaction, accesses: Sequence[Access], names: Mapping[int, int]
) -> tuple[Access, ...]:
    """What `rekeyed` would make of them."""
    return tuple(
        each if each is None or step.own_table else tuple((f, names[key]) for f, key in each)
        for step, each in zip(transaction.steps, accesses, strict=True)
    )


def _pinned_roles(transactions: Sequence[Transaction], keys: Sequence[int]) -> KeyAssignment:
    """Roles with these keys, one for each choice in order."""
    left = iter(keys)
    plain = [literal(pinned(each, [next(left) for _ in choices_of(each)])) for each in transactions]
    return tuple(Role(f"t{at}", each, each.name) for at, each in enumerate(plain, 1))


def _meet(accesses: Sequence[Sequence[Access]]) -> bool:
    """Does one transaction write or lock what another touches? What the checker does not see may do so."""
    written = [{key for each in one for f, key in each or () if f != "r"} for one in accesses]
    touched = [{key for each in one for _, key in each or ()} for one in accesses]
    return any(
        bool(written[one] & touched[other]) or None in accesses[one]
        for one, other in permutations(range(len(accesses)), 2)
    )
