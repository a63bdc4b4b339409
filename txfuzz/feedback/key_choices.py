"""The choices of keys in transactions, and how they are narrowed to fewer keys.

The keys of a choice define the role of its step: a transaction that may only read some keys and
only write others must not come to do both. So a choice never gets a key that it did not begin with.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from txfuzz.common.key_ranges import Keys
from txfuzz.transactions.distinct_choices import satisfiable
from txfuzz.transactions.model import Argument, Choice, Key, Step, Transaction
from txfuzz.workload.model import Workload

Arg = TypeVar("Arg", bound=Argument)

FEWEST_KEYS = 2  # a single key can only show lost updates


def choices(transaction: Transaction) -> tuple[Choice, ...]:
    """In the order in which they are made."""
    return tuple(key for step in transaction.steps for key in step.key_terms() if isinstance(key, Choice))


def choice_sets(workload: Workload) -> dict[Keys, int]:
    """The sets of more than one key that choices draw from, and how many keys of each are needed: two, or
    more if `distinct_from` requires it, but never more than there are."""
    needs: dict[Keys, int] = {}
    for transaction in workload.transactions:
        for choice in choices(transaction):
            if len(choice.keys) > 1:
                need = min(max(FEWEST_KEYS, 1 + len(choice.distinct_from)), len(choice.keys))
                needs[choice.keys] = max(need, needs.get(choice.keys, 0))
    return needs


@dataclass(frozen=True)
class Narrowed:
    """A workload with fewer keys. strangers: requested keys that no choice has. untouched: the steps whose
    choice has none of the keys and so stays as it was, as (transaction, step)."""

    workload: Workload
    strangers: tuple[int, ...] = ()
    untouched: tuple[tuple[str, int], ...] = ()


def narrowed(workload: Workload, keys: Sequence[int], original: Workload | None = None) -> Narrowed:
    """The workload with each choice narrowed to those of these keys that it has.

    original: the same transactions with the keys that their choices began with; None for the
    workload itself. A choice of a single key stays as it was, and so does one that has none of the
    keys. The result may break `distinct_from`: see `can_choose`.
    """
    first = {each.name: each for each in (original or workload).transactions}
    known = _Members(choice_sets(original or workload))
    untouched: list[tuple[str, int]] = []
    transactions = []
    for transaction in workload.transactions:
        own = first.get(transaction.name, transaction)
        roles = own if _alike(transaction, own) else transaction
        steps = []
        for number, (step, role) in enumerate(zip(transaction.steps, roles.steps, strict=True)):
            fewer, kept_all = _step(step, role, keys)
            steps.append(fewer)
            untouched += [] if kept_all else [(transaction.name, number)]
        transactions.append(replace(transaction, steps=tuple(steps)))
    strangers = tuple(key for key in keys if key not in known)
    return Narrowed(replace(workload, transactions=tuple(transactions)), strangers, tuple(untouched))


class _Members:
    """Whether a key is in one of several sets."""

    def __init__(self, sets: Iterable[Keys]) -> None:
        self._runs = [keys for keys in sets if isinstance(keys, range)]
        self._single = {key for keys in sets if not isinstance(keys, range) for key in keys}

    def __contains__(self, key: object) -> bool:
        return key in self._single or any(key in run for run in self._runs)


def _alike(transaction: Transaction, other: Transaction) -> bool:
    """Are these the same transaction except for the keys of its choices?"""

    def shape(each: Transaction) -> list[object]:
        return [
            (
                step.f,
                step.sql,
                step.micro_operations,
                (step.returns, step.rows, step.on_error),
                step.key is None,
                [name for name, _ in step.args],
                *map(_name, step.key_terms()),
            )
            for step in each.steps
        ]

    return shape(transaction) == shape(other)


def _name(key: Key) -> tuple[bool, str | None]:
    return isinstance(key, Choice), key.name


def _step(step: Step, role: Step, keys: Sequence[int]) -> tuple[Step, bool]:
    """The step narrowed to these keys, and whether every choice of it has one of them."""
    found = True

    def fewer(term: Arg, first: Argument | None) -> Arg:
        nonlocal found
        if not isinstance(term, Choice) or not isinstance(first, Choice) or len(first.keys) < 2:
            return term
        own = first.keys if isinstance(first.keys, range) else frozenset(first.keys)
        left = tuple(key for key in keys if key in own)
        found = found and bool(left)
        return replace(term, keys=left) if left else term

    key = None if step.key is None else fewer(step.key, role.key)
    pairs = zip(step.args, role.args, strict=True)
    args = tuple((name, fewer(arg, first)) for (name, arg), (_, first) in pairs)
    return replace(step, key=key, args=args), found


def can_choose(transaction: Transaction) -> bool:
    """Can all its choices be made so that they differ where `distinct_from` requires it?"""
    return satisfiable(choices(transaction))
