"""All the ways in which a few transactions can share keys, each one once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice, product

from txfuzz.replay.composing import Role
from txfuzz.replay.narrowing import pinned, step_keys
from txfuzz.replay.reducing import literal, rekeyed
from txfuzz.workload.model import Choice, Transaction

_MOST_KEYS = 3
_LOOKED_AT = 100_000


def assignments(transactions: Sequence[Transaction], most: int = 64) -> Iterator[tuple[Role, ...]]:
    """The transactions as roles t1, t2, …, their choices pinned to as few keys as they need.

    Ways that differ by the names of keys only are one. Those in which nobody writes what another
    one touches are left out, since nothing can come of them.
    """
    choices = [
        [term for step in each.steps for term in step.key_terms() if isinstance(term, Choice)]
        for each in transactions
    ]
    needed = max(map(len, choices), default=1)
    counts = Counter(key for each in choices for choice in each for key in set(choice.keys[:1000]))
    pool = sorted(counts, key=lambda key: (-counts[key], key))[: min(max(needed, 1), _MOST_KEYS)]
    domains = [
        [key for key in pool if key in choice.keys] or [choice.keys[0]] for each in choices for choice in each
    ]
    seen: set[object] = set()
    found = 0
    for keys in islice(product(*domains), _LOOKED_AT):
        left = iter(keys)
        given = [tuple(next(left) for _ in each) for each in choices]
        if not all(_differ(each, mine) for each, mine in zip(choices, given, strict=True)):
            continue
        roles = _roles(transactions, given)
        mark = tuple(role.deeds for role in roles)
        if mark in seen or not _meet(roles):
            continue
        seen.add(mark)
        yield roles
        found += 1
        if found == most:
            return


def _differ(choices: Sequence[Choice], keys: Sequence[int]) -> bool:
    named: dict[str, int] = {}
    for choice, key in zip(choices, keys, strict=True):
        if any(named.get(other) == key for other in choice.distinct_from):
            return False
        if choice.name is not None:
            named[choice.name] = key
    return True


def _roles(transactions: Sequence[Transaction], given: Sequence[Sequence[int]]) -> tuple[Role, ...]:
    """With keys numbered in the order in which they are first used."""
    plain = [literal(pinned(each, keys)) for each, keys in zip(transactions, given, strict=True)]
    names: dict[int, int] = {}
    for each in plain:
        for key in step_keys(each):
            if key is not None:
                names.setdefault(key, len(names) + 1)
    return tuple(Role(f"t{at}", rekeyed(each, names), each.name) for at, each in enumerate(plain, 1))


def _meet(roles: Sequence[Role]) -> bool:
    """Does somebody write, or lock, what another one touches? What the checker does not see may."""
    for one in roles:
        for other in roles:
            if one is not other:
                written = {deed[1] for deed in one.deeds if deed is not None and deed[0] != "r"}
                touched = {deed[1] for deed in other.deeds if deed is not None}
                if written & touched or None in one.deeds:
                    return True
    return False
