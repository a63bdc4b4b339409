"""The choices of keys in a transaction: which there are, and other keys in their place."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from txfuzz.workload.model import Argument, Choice, Step, Transaction

Arg = TypeVar("Arg", bound=Argument)


def choices(transaction: Transaction) -> tuple[Choice, ...]:
    """In the order in which they are made."""
    return tuple(key for step in transaction.steps for key in (*step.key_terms(),) if isinstance(key, Choice))


def with_keys(transaction: Transaction, keys: tuple[int, ...]) -> Transaction:
    """The transaction with these keys to choose from; a choice of a single key stays as it is."""

    def replaced(key: Arg) -> Arg:
        if isinstance(key, Choice) and len(key.keys) > 1:
            return replace(key, keys=keys)
        return key

    def step(each: Step) -> Step:
        return replace(
            each,
            key=None if each.key is None else replaced(each.key),
            args=tuple((name, replaced(arg)) for name, arg in each.args),
        )

    return replace(transaction, steps=tuple(step(each) for each in transaction.steps))


def can_choose(transaction: Transaction) -> bool:
    """Is there a way to make all its choices so that they differ where they must?"""
    wanted = choices(transaction)

    def rest(place: int, named: dict[str, int]) -> bool:
        if place == len(wanted):
            return True
        choice = wanted[place]
        taken = {named[other] for other in choice.distinct_from if other in named}
        # more candidates than there are choices cannot be needed
        for key in [key for key in choice.keys[: len(taken) + len(wanted)] if key not in taken]:
            if rest(place + 1, {**named, choice.name: key} if choice.name else named):
                return True
        return False

    return rest(0, {})
