"""Transactions as operations on slots: keys chosen once, in whichever order they are used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count

from txfuzz.plugin_api import Choice, Ref, Step, Transaction

Keys = tuple[int, ...] | range


@dataclass(frozen=True)
class Slot:
    """A key of a transaction. name: in the workload, or empty."""

    keys: Keys
    name: str = ""


@dataclass(frozen=True)
class Operation:
    """f: "r", "append" or "w". slot: its number."""

    f: str
    slot: int
    lock: str | None = None
    form: str | None = None

    def on(self, key: Choice | Ref) -> Step:
        return Step(self.f, key, self.lock, form=self.form)


@dataclass(frozen=True)
class Operations:
    """What a transaction does. different: pairs of slots that must not be the same key."""

    of: Transaction
    steps: tuple[Operation, ...]
    slots: tuple[Slot, ...]
    different: frozenset[tuple[int, int]]

    def transaction(self, steps: Sequence[Operation], name: str | None = None) -> Transaction:
        """A transaction with these operations, each slot chosen where it is used first."""
        taken = {slot.name for slot in self.slots if slot.name}
        fresh = (f"k{number}" for number in count(1))
        names: dict[int, str] = {}
        done: list[Step] = []
        for at, step in enumerate(steps):
            if step.slot in names:
                done.append(step.on(Ref(names[step.slot])))
                continue
            own = self.slots[step.slot].name or next(each for each in fresh if each not in taken)
            others = tuple(names[slot] for slot in names if _pair(slot, step.slot) in self.different)
            names[step.slot] = own
            named = self._needs_name(step.slot, steps[at + 1 :]) or self.slots[step.slot].name
            choice = Choice(self.slots[step.slot].keys, own if named else None, others)
            done.append(step.on(choice))
        return Transaction(name or self.of.name, tuple(done), self.of.mode)

    def _needs_name(self, slot: int, later: Sequence[Operation]) -> bool:
        return any(step.slot == slot or _pair(slot, step.slot) in self.different for step in later)


def operations_of(transaction: Transaction) -> Operations | None:
    """None for a transaction with SQL of its own, or with keys that a statement returns."""
    slots: list[Slot] = []
    named: dict[str, int] = {}
    different: set[tuple[int, int]] = set()
    steps: list[Operation] = []
    for step in transaction.steps:
        key = step.key
        if step.sql is not None or step.f is None or not isinstance(key, Choice | Ref):
            return None
        if isinstance(key, Choice):
            number = len(slots)
            slots.append(Slot(key.keys, key.name or ""))
            different |= {_pair(named[other], number) for other in key.distinct_from}
            if key.name is not None:
                named[key.name] = number
        else:
            number = named[key.name]
        steps.append(Operation(step.f, number, step.lock, step.form))
    return Operations(transaction, tuple(steps), tuple(slots), frozenset(different))


def joined(one: Operations, other: Operations) -> Operations:
    """Both, one after the other, on slots of their own."""
    shift = len(one.slots)
    taken = {slot.name for slot in one.slots}
    slots = (*one.slots, *(slot if slot.name not in taken else Slot(slot.keys) for slot in other.slots))
    steps = (*one.steps, *(replace(each, slot=each.slot + shift) for each in other.steps))
    pairs = {(left + shift, right + shift) for left, right in other.different}
    return Operations(one.of, steps, slots, one.different | pairs)


def known_uses(all_operations: Sequence[Operations]) -> Iterator[tuple[str, Keys]]:
    """What the workload does to which keys."""
    seen = set()
    for each in all_operations:
        for step in each.steps:
            use = step.f, each.slots[step.slot].keys
            if use not in seen:
                seen.add(use)
                yield use


def _pair(one: int, other: int) -> tuple[int, int]:
    return min(one, other), max(one, other)
