"""The sequence of transactions that a seed asks for: templates by weight, keys and values chosen.

The sequence depends on the workload, the seed and the iteration alone; which client gets which
transaction, and how they interleave, does not.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import Protocol

from txfuzz.database.port import BoundStep
from txfuzz.errors import UsageError
from txfuzz.workload.keys import Generation
from txfuzz.workload.model import Choice, Key, NewValue, Ref, Step, Transaction, Workload

_ATTEMPTS = 1000  # at choices that must differ, before they are said to be impossible


@dataclass(frozen=True, slots=True)
class Asked:
    """One transaction to run. numbers, logical: of each micro-operation its step and logical key."""

    name: str
    steps: tuple[BoundStep, ...]
    numbers: tuple[int, ...]
    logical: tuple[int, ...]


class Generations(Protocol):
    """Hands out the open generation of a logical key, as a KeySpace does."""

    def generation(self, logical: int) -> Generation: ...


class Asking:
    """Draws transaction after transaction; for one thread at a time."""

    def __init__(self, workload: Workload, draws: random.Random, keys: Generations) -> None:
        self._draws = draws
        self._keys = keys
        chosen = [weight for weight in workload.mix if weight.weight > 0]
        self._plans = [_Plan(workload.transaction(weight.txn)) for weight in chosen]
        self._upto = list(accumulate(weight.weight for weight in chosen))

    def next(self) -> Asked:
        """The next transaction of the sequence."""
        plan = self._plans[
            bisect_right(self._upto, self._draws.random() * self._upto[-1], hi=len(self._upto) - 1)
        ]
        open_: dict[int, Generation] = {}
        for logical in plan.choose(self._draws):
            if logical not in open_:
                open_[logical] = self._keys.generation(logical)
        return plan.bind(open_)


class _Plan:
    """One template, and the choices of the transaction being drawn from it."""

    def __init__(self, transaction: Transaction) -> None:
        self.transaction = transaction
        keys = chain.from_iterable(step.key_terms() for step in transaction.steps)
        self._choices = [key for key in keys if isinstance(key, Choice)]
        self._chosen: list[int] = []
        self._named: dict[str, int] = {}
        recorded = [number for number, step in enumerate(transaction.steps) if step.f is not None]
        self._numbers = tuple(recorded)

    def choose(self, draws: random.Random) -> list[int]:
        """Choose all logical keys of the transaction, in the order of its steps."""
        for _ in range(_ATTEMPTS):
            if self._once(draws):
                return self._chosen
        raise UsageError(
            f"transaction {self.transaction.name!r}: no keys were found that differ as distinct_from asks"
        )

    def _once(self, draws: random.Random) -> bool:
        """Choose one after the other; False when the earlier ones left nothing for a later one."""
        self._chosen = []
        self._named = {}
        for choice in self._choices:
            logical = choice.keys[int(draws.random() * len(choice.keys))]
            taken = [self._named[other] for other in choice.distinct_from]
            if logical in taken:
                left = [key for key in choice.keys if key not in taken]
                if not left:
                    return False
                logical = left[int(draws.random() * len(left))]
            self._chosen.append(logical)
            if choice.name is not None:
                self._named[choice.name] = logical
        return True

    def bind(self, open_: dict[int, Generation]) -> Asked:
        chosen = iter(self._chosen)

        def resolve(key: Key) -> Generation:
            return open_[self._named[key.name] if isinstance(key, Ref) else next(chosen)]

        steps: list[BoundStep] = []
        logical: list[int] = []
        for step in self.transaction.steps:
            generation, bound = _bind_raw(step, resolve) if step.sql is not None else _bind_own(step, resolve)
            steps.append(bound)
            if generation is not None:
                logical.append(generation.logical)
        return Asked(self.transaction.name, tuple(steps), self._numbers, tuple(logical))


def _bind_own(step: Step, resolve: Callable[[Key], Generation]) -> tuple[Generation | None, BoundStep]:
    if step.key is None:
        return None, BoundStep(step, None)
    generation = resolve(step.key)
    return generation, BoundStep(
        step, step.f, generation.key, _new_value(generation) if step.writes else None
    )


def _bind_raw(step: Step, resolve: Callable[[Key], Generation]) -> tuple[Generation | None, BoundStep]:
    """The arguments of a raw statement: keys as physical keys, the new value of the step's own key."""
    keys = {name: resolve(arg) for name, arg in step.args if not isinstance(arg, NewValue)}
    args = {name: generation.key for name, generation in keys.items()}
    if step.key_arg is None:
        return None, BoundStep(step, None, args=args)
    own = keys[step.key_arg]
    value = None
    if step.value_arg is not None:
        value = args[step.value_arg] = _new_value(own)
    return own, BoundStep(step, step.f, own.key, value, args)


def _new_value(generation: Generation) -> int:
    """A value that was never written to this physical key."""
    generation.writes += 1
    return generation.writes
