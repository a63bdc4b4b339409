"""The sequence of transactions that a seed asks for: templates by weight, keys and values chosen.

The sequence depends on the workload, the seed and the iteration alone; which client gets which
transaction, and how they interleave, does not.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple, Protocol

from txfuzz.database.port import BoundStep
from txfuzz.errors import UsageError
from txfuzz.workload.keys import Generation
from txfuzz.workload.model import Choice, Key, NewValue, Ref, Step, Transaction, Workload

_ATTEMPTS = 1000  # at choices that must differ, before they are said to be impossible


Draws = Callable[[], float]  # from [0, 1)
Bind = Callable[[Sequence[Generation]], tuple[Generation | None, BoundStep]]


class Asked(NamedTuple):  # tens of thousands a second, which a frozen dataclass would be slow at
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
        self._draws = draws.random
        self._keys = keys
        chosen = [weight for weight in workload.mix if weight.weight > 0]
        self._plans = [_Plan(workload.transaction(weight.txn)) for weight in chosen]
        self._upto = list(accumulate(weight.weight for weight in chosen))
        self._total, self._last = self._upto[-1], len(self._upto) - 1

    def next(self) -> Asked:
        """The next transaction of the sequence."""
        plan = self._plans[bisect_right(self._upto, self._draws() * self._total, hi=self._last)]
        open_: dict[int, Generation] = {}
        generations = []
        for logical in plan.choose(self._draws):
            generation = open_.get(logical)
            if generation is None:
                generation = open_[logical] = self._keys.generation(logical)
            generations.append(generation)
        return plan.bind(generations)


class _Plan:
    """One template, with all that can be known before keys are chosen."""

    def __init__(self, transaction: Transaction) -> None:
        self.transaction = transaction
        keys = [key for step in transaction.steps for key in step.key_terms()]
        choices = [key for key in keys if isinstance(key, Choice)]
        named = {choice.name: place for place, choice in enumerate(choices) if choice.name is not None}
        # Of each choice: its keys, how many, and the places of the choices that it must differ from
        self._choices = [
            (choice.keys, len(choice.keys), [named[other] for other in choice.distinct_from])
            for choice in choices
        ]
        places = iter(range(len(choices)))
        self._steps = [_bound(step, named, places) for step in transaction.steps]
        self._numbers = tuple(number for number, step in enumerate(transaction.steps) if step.f is not None)

    def choose(self, draws: Draws) -> list[int]:
        """Choose all logical keys of the transaction, in the order of its steps."""
        for _ in range(_ATTEMPTS):
            if (chosen := self._once(draws)) is not None:
                return chosen
        raise UsageError(
            f"transaction {self.transaction.name!r}: no keys were found that differ as distinct_from asks"
        )

    def _once(self, draws: Draws) -> list[int] | None:
        """Choose one after the other; None when the earlier ones left nothing for a later one."""
        chosen: list[int] = []
        for keys, count, distinct_from in self._choices:
            logical = keys[int(draws() * count)]
            if distinct_from:
                taken = [chosen[place] for place in distinct_from]
                if logical in taken:
                    left = [key for key in keys if key not in taken]
                    if not left:
                        return None
                    logical = left[int(draws() * len(left))]
            chosen.append(logical)
        return chosen

    def bind(self, generations: Sequence[Generation]) -> Asked:
        """The transaction on these generations, one for each choice."""
        steps: list[BoundStep] = []
        logical: list[int] = []
        for bind in self._steps:
            generation, bound = bind(generations)
            steps.append(bound)
            if generation is not None:
                logical.append(generation.logical)
        return Asked(self.transaction.name, tuple(steps), self._numbers, tuple(logical))


def _bound(step: Step, named: Mapping[str, int], places: Iterator[int]) -> Bind:
    """How to bind this step, given the places of the choices that have names, and those of its own."""

    def place(key: Key) -> int:
        return named[key.name] if isinstance(key, Ref) else next(places)

    if step.sql is not None:
        return _bound_raw(
            step, {name: place(arg) for name, arg in step.args if not isinstance(arg, NewValue)}
        )
    if step.key is None:
        return lambda _: (None, BoundStep(step, None))
    at, f = place(step.key), step.f
    if not step.writes:
        return lambda generations: (generations[at], BoundStep(step, f, generations[at].key))

    def write(generations: Sequence[Generation]) -> tuple[Generation, BoundStep]:
        generation = generations[at]
        return generation, BoundStep(step, f, generation.key, _new_value(generation))

    return write


def _bound_raw(step: Step, places: Mapping[str, int]) -> Bind:
    """The arguments of a raw statement: keys as physical keys, the new value of the step's own key."""

    def bind(generations: Sequence[Generation]) -> tuple[Generation | None, BoundStep]:
        args = {name: generations[place].key for name, place in places.items()}
        if step.key_arg is None:
            return None, BoundStep(step, None, args=args)
        own = generations[places[step.key_arg]]
        value = None
        if step.value_arg is not None:
            value = args[step.value_arg] = _new_value(own)
        return own, BoundStep(step, step.f, own.key, value, args)

    return bind


def _new_value(generation: Generation) -> int:
    """A value that was never written to this physical key."""
    generation.writes += 1
    return generation.writes
