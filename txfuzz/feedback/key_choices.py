"""The choices of keys in transactions, and how they are narrowed to fewer keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from txfuzz.common.key_ranges import Keys
from txfuzz.feedback.key_draws import draw_keys
from txfuzz.feedback.roles import KeySet, Roles, choices
from txfuzz.transactions.distinct_choices import satisfiable
from txfuzz.transactions.model import Choice, Step, Transaction
from txfuzz.workload.model import Workload

FEWEST_KEYS = 2  # a single key can only show lost updates


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


def fewest_keys(workload: Workload) -> int:
    """The smallest number of keys with which every transaction can make its choices."""
    needs = [
        1 + len(choice.distinct_from)
        for transaction in workload.transactions
        for choice in choices(transaction)
        if len(choice.keys) > 1
    ]
    return max([FEWEST_KEYS, *needs])


@dataclass(frozen=True)
class Narrowed:
    """A workload with fewer keys. strangers: requested keys that no choice has. untouched: the steps whose
    choice has none of the keys and so stays as it was, as (transaction, step)."""

    workload: Workload
    strangers: tuple[int, ...] = ()
    untouched: tuple[tuple[str, int], ...] = ()


def narrowed(workload: Workload, keys: Sequence[int], original: Workload | None = None) -> Narrowed:
    """The workload with each choice narrowed to those of these keys that it has.

    original: the workload with the keys that choices began with; None for the workload itself. A choice of
    a single key stays as it was, and so does one that has none of the keys. The result may break
    `distinct_from`: see `can_choose`.
    """
    roles = Roles(original or workload)
    untouched: list[tuple[str, int]] = []
    transactions = []
    known: list[Keys] = []
    for transaction in workload.transactions:
        wanted: list[Keys] = []
        steps = steps_of_choices(transaction)
        for number, own in enumerate(roles.own_sets(transaction)):
            left: tuple[int, ...] = ()
            if len(own) > 1:
                known.append(own)
                members = own if isinstance(own, range) else frozenset(own)
                left = tuple(key for key in keys if key in members)
            wanted.append(left or choices(transaction)[number].keys)
            if not left and len(own) > 1 and (transaction.name, steps[number]) not in untouched:
                untouched.append((transaction.name, steps[number]))
        transactions.append(with_keys(transaction, wanted))
    anybody = KeySet(known)
    strangers = tuple(key for key in keys if key not in anybody)
    return Narrowed(replace(workload, transactions=tuple(transactions)), strangers, tuple(untouched))


def steps_of_choices(transaction: Transaction) -> tuple[int, ...]:
    """For each choice the number of its step, from 0."""
    return tuple(
        number
        for number, step in enumerate(transaction.steps)
        for key in step.key_terms()
        if isinstance(key, Choice)
    )


def with_keys(transaction: Transaction, wanted: Sequence[Keys]) -> Transaction:
    """The transaction with these keys for its choices, in their order."""
    rest = iter(wanted)
    return replace(transaction, steps=tuple(_step(step, rest) for step in transaction.steps))


def _step(step: Step, rest: Iterator[Keys]) -> Step:
    if step.sql is None:
        return replace(step, key=_given(step.key, rest)) if isinstance(step.key, Choice) else step
    args = tuple((name, _given(arg, rest) if isinstance(arg, Choice) else arg) for name, arg in step.args)
    by_name = dict(args)
    key = step.key
    if isinstance(key, Choice) and step.key_arg is not None:
        same = by_name.get(step.key_arg)
        key = same if isinstance(same, Choice) else key
    return replace(step, key=key, args=args)


def _given(choice: Choice, rest: Iterator[Keys]) -> Choice:
    return replace(choice, keys=next(rest))


def can_choose(transaction: Transaction) -> bool:
    """Can all its choices be made so that they differ where `distinct_from` requires it?"""
    return satisfiable(choices(transaction))


def few_of_each(
    workload: Workload,
    count: int,
    random: Random,
    original: Workload | None = None,
    held: Sequence[int] = (),
) -> Mapping[str, tuple[Keys, ...]]:
    """A few keys for each choice, drawn from those that it may be given: transaction → keys by choice.

    Choices with the same set get the same keys, and sets that overlap share some, so that transactions
    meet. count: of each set, or more where choices must differ. held: keys to take first.
    """
    roles = Roles(original or workload)
    own = {each.name: roles.own_sets(each) for each in workload.transactions}
    needs: dict[Keys, int] = {}
    for transaction in workload.transactions:
        for choice, keys in zip(choices(transaction), own[transaction.name], strict=True):
            if len(keys) > 1:
                need = min(max(count, 1 + len(choice.distinct_from)), len(keys))
                needs[keys] = max(need, needs.get(keys, 0))
    while True:
        taken = [key for key in dict.fromkeys(held) if key in KeySet(needs)]
        drawn = [*taken, *draw_keys(needs, taken, random)]
        few = {keys: _first(drawn, keys, need) for keys, need in needs.items()}
        found = {name: tuple(few.get(keys, keys) for keys in sets) for name, sets in own.items()}
        full = all(need >= len(keys) for keys, need in needs.items())
        if full or all(can_choose(with_keys(each, found[each.name])) for each in workload.transactions):
            return found
        needs = {keys: min(2 * need, len(keys)) for keys, need in needs.items()}


def _first(drawn: Sequence[int], keys: Keys, count: int) -> Keys:
    if count == len(keys):
        return keys
    own = keys if isinstance(keys, range) else frozenset(keys)
    return tuple(sorted([key for key in drawn if key in own][:count]))


def keys_to_add(
    workload: Workload, needs: Mapping[Keys, int], chosen: Sequence[int], random: Random
) -> list[int]:
    """Keys to add to the chosen ones, so that each set has enough and choices can differ where they must.

    needs: the sets that choices draw from (see `choice_sets`) → how many keys of each.
    """
    while True:
        more = draw_keys(needs, chosen, random)
        fewer = narrowed(workload, [*chosen, *more]).workload
        full = all(need >= len(keys) for keys, need in needs.items())
        if full or all(map(can_choose, fewer.transactions)):
            return more
        needs = {keys: 2 * need for keys, need in needs.items()}
