"""The sequence of transactions for a seed: templates by weight, keys and values chosen.

The sequence depends only on the workload, the seed and the iteration. Which client gets which
transaction, and how they interleave, is not determined.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple, Protocol

from txfuzz.database.api import BoundStep
from txfuzz.database.endpoints import Endpoint
from txfuzz.errors import UsageError
from txfuzz.transactions.model import Choice, Key, MicroOperation, Mode, Ref, Returned, Step, Transaction
from txfuzz.workload.database.endpoints import modes_of
from txfuzz.workload.keys import Generation
from txfuzz.workload.model import Workload

_ATTEMPTS = 1000  # at choices that must differ, before they are reported as impossible

Draws = Callable[[], float]  # from [0, 1)
# The step, bound, and the logical keys of its micro-operations
Bind = Callable[[Sequence[Generation]], tuple[BoundStep, Sequence[int]]]


class Generations(Protocol):
    """Hands out the open generation of a logical key, like KeySpace."""

    def generation(self, logical: int) -> Generation: ...

    def new_value(self) -> int:
        """A value that neither this run nor an earlier one has written."""

    def wrote(self, value: int) -> bool:
        """Whether new_value() has returned it."""

    def written(self, key: int) -> None:
        """Count a write to a physical key that was not known in advance."""

    def logical(self, key: int) -> int | None:
        """The logical key of this physical key, if it is one of ours."""


class BoundTransaction(NamedTuple):  # made tens of thousands of times per second: dataclasses are slower
    """One transaction to run.

    numbers, logical: step and logical key of each micro-operation that is known in advance. mode: how it
    begins. plain: every step is one such micro-operation. keys: the source of keys and values that are
    not known in advance.
    """

    name: str
    steps: tuple[BoundStep, ...]
    numbers: tuple[int, ...]
    logical: tuple[int, ...]
    mode: Mode = Mode()
    plain: bool = True
    keys: Generations | None = None


class TransactionGenerator:
    """Draws one transaction after another. Not thread-safe."""

    def __init__(self, workload: Workload, draws: random.Random, keys: Generations) -> None:
        self._draws = draws.random
        self._keys = keys
        chosen = [weight for weight in workload.mix if weight.weight > 0]
        endpoints = workload.database.endpoints
        self._plans = [
            _Plan(
                workload.transaction(weight.txn), keys, modes_of(workload.transaction(weight.txn), endpoints)
            )
            for weight in chosen
        ]
        self._upto = list(accumulate(weight.weight for weight in chosen))
        self._total, self._last = self._upto[-1], len(self._upto) - 1

    def next(self) -> BoundTransaction:
        """The next transaction of the sequence."""
        plan = self._plans[bisect_right(self._upto, self._draws() * self._total, hi=self._last)]
        open_: dict[int, Generation] = {}
        generations = []
        for logical in plan.choose(self._draws):
            generation = open_.get(logical)
            if generation is None:
                generation = open_[logical] = self._keys.generation(logical)
            generations.append(generation)
        return plan.bind(generations, self._draws)


class TogetherGenerator:
    """Transactions that are to meet: the same few again and again, on given keys and on one generation of
    each. Not thread-safe; to be called where the generator of the clients is, since they share keys."""

    def __init__(
        self,
        transactions: Sequence[tuple[Transaction, Sequence[int]]],
        keys: Generations,
        draws: random.Random,
        endpoints: tuple[Endpoint, ...] = (),
    ) -> None:
        """transactions: with a logical key for each of their choices. draws: of the endpoint of each."""
        self._keys = keys
        self._draws = draws.random
        self._plans = [
            (_Plan(transaction, keys, modes_of(transaction, endpoints)), chosen)
            for transaction, chosen in transactions
        ]

    def next(self) -> tuple[BoundTransaction, ...]:
        open_: dict[int, Generation] = {}
        for logical in (key for _, chosen in self._plans for key in chosen):
            if logical not in open_:
                open_[logical] = self._keys.generation(logical)
        return tuple(
            plan.bind([open_[logical] for logical in chosen], self._draws) for plan, chosen in self._plans
        )


class _Plan:
    """One template, prepared as far as possible before keys are chosen. modes: with their shares."""

    def __init__(
        self, transaction: Transaction, space: Generations, modes: Sequence[tuple[Mode, float]]
    ) -> None:
        self._modes = [mode for mode, _ in modes]
        self._shares = list(accumulate(share for _, share in modes))
        self.transaction = transaction
        self._space = space
        keys = [key for step in transaction.steps for key in step.key_terms()]
        choices = [key for key in keys if isinstance(key, Choice)]
        named = {choice.name: place for place, choice in enumerate(choices) if choice.name is not None}
        # For each choice: its keys, their number, and the positions of the choices it must differ from
        self._choices = [
            (choice.keys, len(choice.keys), [named[other] for other in choice.distinct_from])
            for choice in choices
        ]
        places = iter(range(len(choices)))
        self._steps = [_bound(step, named, places, space) for step in transaction.steps]
        self._plain = all(step.sql is None and not step.keys_returned for step in transaction.steps)

    def choose(self, draws: Draws) -> list[int]:
        """Choose all logical keys of the transaction, in the order of its steps."""
        for _ in range(_ATTEMPTS):
            if (chosen := self._once(draws)) is not None:
                return chosen
        raise UsageError(f"transaction {self.transaction.name!r}: found no keys that satisfy distinct_from")

    def _once(self, draws: Draws) -> list[int] | None:
        """Choose one after the other; None if the earlier ones leave no key for a later one."""
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

    def bind(self, generations: Sequence[Generation], draws: Draws) -> BoundTransaction:
        """The transaction on these generations, one for each choice."""
        steps: list[BoundStep] = []
        numbers: list[int] = []
        logical: list[int] = []
        for number, bind in enumerate(self._steps):
            bound, on = bind(generations)
            steps.append(bound)
            for key in on:
                numbers.append(number)
                logical.append(key)
        return BoundTransaction(
            self.transaction.name,
            tuple(steps),
            tuple(numbers),
            tuple(logical),
            self._mode(draws),
            self._plain,
            None if self._plain else self._space,
        )

    def _mode(self, draws: Draws) -> Mode:
        """How and where it begins, drawn by share if there is a choice."""
        if len(self._modes) == 1:
            return self._modes[0]
        at = bisect_right(self._shares, draws() * self._shares[-1], hi=len(self._modes) - 1)
        return self._modes[at]


def _bound(step: Step, named: Mapping[str, int], places: Iterator[int], space: Generations) -> Bind:
    """How to bind this step. named: positions of named choices; places: those of its own choices."""

    def place(key: Key) -> int:
        return named[key.name] if isinstance(key, Ref) else next(places)

    if step.sql is not None:
        return _bound_raw(
            step, {name: place(arg) for name, arg in step.args if isinstance(arg, Choice | Ref)}, space
        )
    f = step.f
    if isinstance(step.key, Returned):
        return lambda _: (BoundStep(step, f, value=space.new_value() if step.writes else None), ())
    if step.key is None:
        return lambda _: (BoundStep(step, None), ())
    at = place(step.key)
    if not step.writes:

        def read(generations: Sequence[Generation]) -> tuple[BoundStep, Sequence[int]]:
            generation = generations[at]
            return BoundStep(step, f, generation.key), (generation.logical,)

        return read

    def write(generations: Sequence[Generation]) -> tuple[BoundStep, Sequence[int]]:
        generation = generations[at]
        generation.writes += 1
        return BoundStep(step, f, generation.key, generation.writes), (generation.logical,)

    return write


def _bound_raw(step: Step, places: Mapping[str, int], space: Generations) -> Bind:
    """The arguments of a raw statement: its keys and new values.

    Keys of {table} are physical; the workload's own tables use the logical keys.
    """
    elle = step.micro_operations
    known = [each for each in elle if each.key in places]
    # For each new value: the key arguments it is written to; None if one of them is not known.
    new: dict[str, list[str] | None] = {}
    for each in elle:
        if each.value is not None:
            there = step.own_table or each.key not in places
            before = new.setdefault(each.value, [])
            new[each.value] = None if there or before is None else [*before, str(each.key)]

    def bind(generations: Sequence[Generation]) -> tuple[BoundStep, Sequence[int]]:
        on = {name: generations[place] for name, place in places.items()}
        args = {name: each.logical if step.own_table else each.key for name, each in on.items()}
        for name, keys in new.items():
            args[name] = space.new_value() if keys is None else _new_value([on[key] for key in keys])
        # Two choices may be the same key: then there is one row and one micro-operation.
        mops = {_mop(each, args): on[str(each.key)].logical for each in known}
        f, key, value = next(iter(mops)) if len(mops) == 1 else (None, None, None)
        return BoundStep(step, f, key, value, args, tuple(mops)), tuple(mops.values())

    return bind


def _mop(each: MicroOperation, args: Mapping[str, int]) -> tuple[str, int, int | None]:
    return each.f, args[str(each.key)], None if each.value is None else args[each.value]


def _new_value(generations: Sequence[Generation]) -> int:
    """A value that was never written to any of these physical keys."""
    value = 1 + max(each.writes for each in generations)
    for each in generations:
        each.writes = value
    return value
