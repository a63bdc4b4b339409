"""Which keys a transaction may read and write: those that the workload of the campaign let it.

The keys of a choice define the role of its step: a transaction that may only read some keys and only write
others must not come to do both, or a campaign would find anomalies that its workload cannot have. Where a
transaction still has the steps that it began with, each choice keeps to the keys that it had there. Where
feedback has changed its steps, which takes the owner's leave (`mutate: [transactions]`), a key may still be
read only if the workload reads it, and written only if the workload writes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from txfuzz.common.key_ranges import Keys, key_union
from txfuzz.transactions.model import Choice, Key, Ref, Step, Transaction
from txfuzz.workload.model import Workload


def choices(transaction: Transaction) -> tuple[Choice, ...]:
    """In the order in which they are made."""
    return tuple(key for step in transaction.steps for key in step.key_terms() if isinstance(key, Choice))


def operations(transaction: Transaction) -> tuple[frozenset[str], ...]:
    """What the transaction does to the key of each choice, itself and by reference: "r", "append", "w"."""
    found: list[set[str]] = []
    named: dict[str, set[str]] = {}
    for step in transaction.steps:
        for key, done in _uses(step):
            if isinstance(key, Ref):
                named[key.name] |= done
            elif isinstance(key, Choice):
                found.append(done)
                if key.name is not None:
                    named[key.name] = done
    return tuple(map(frozenset, found))


def _uses(step: Step) -> Iterable[tuple[object, set[str]]]:
    if step.sql is None:
        yield step.key, set() if step.f is None else {step.f}
        return
    for name, arg in step.args:
        yield arg, {each.f for each in step.micro_operations if each.key == name}


class KeySet:
    """The union of several choices' keys, without enumerating ranges."""

    def __init__(self, sets: Iterable[Keys]) -> None:
        several = list(sets)
        self._runs = [keys for keys in several if isinstance(keys, range)]
        self._single = {key for keys in several if not isinstance(keys, range) for key in keys}

    def __contains__(self, key: object) -> bool:
        return key in self._single or any(key in run for run in self._runs)

    def outside(self, keys: Keys) -> int | None:
        """One of these keys that it has not; None if it has all."""
        if isinstance(keys, range) and any(keys[0] in run and keys[-1] in run for run in self._runs):
            return None
        return next((key for key in keys if key not in self), None)


class Roles:
    """The roles of the workload that a campaign began with."""

    def __init__(self, original: Workload) -> None:
        self._first = {each.name: each for each in original.transactions}
        asked = {each.txn for each in original.mix if each.weight > 0}
        by_operation: dict[str, list[Keys]] = {"": []}
        self._sets: dict[Keys, set[str]] = {}
        for transaction in original.transactions:
            if transaction.name not in asked:
                continue
            for choice, done in zip(choices(transaction), operations(transaction), strict=True):
                by_operation[""].append(choice.keys)
                self._sets.setdefault(choice.keys, set())
                for f in done:
                    by_operation.setdefault(f, []).append(choice.keys)
        joined = {f: KeySet([key_union(sets)]) for f, sets in by_operation.items()}
        self._keys = joined

    def same_steps(self, transaction: Transaction) -> Transaction | None:
        """The transaction as it was at first, if it differs only in the keys of its choices."""
        first = self._first.get(transaction.name)
        return first if first is not None and _shape(first) == _shape(transaction) else None

    def own_sets(self, transaction: Transaction) -> tuple[Keys, ...]:
        """For each choice, the keys that it may be given back.

        Where feedback has changed the steps: the smallest set of the workload that has all its keys and
        whose keys may be used so; its own keys if there is none.
        """
        first = self.same_steps(transaction)
        if first is not None:
            return tuple(choice.keys for choice in choices(first))
        return tuple(
            self._smallest(choice.keys, done)
            for choice, done in zip(choices(transaction), operations(transaction), strict=True)
        )

    def forbidden(self, transaction: Transaction) -> Sequence[tuple[int, int]]:
        """(number of a choice, a key) where a choice has a key that it may not have."""
        first = self.same_steps(transaction)
        found = []
        done = operations(transaction)
        for number, choice in enumerate(choices(transaction)):
            if first is not None:
                key = KeySet([choices(first)[number].keys]).outside(choice.keys)
            else:
                key = self._unused(choice.keys, done[number])
            if key is not None:
                found.append((number, key))
        return found

    def _unused(self, keys: Keys, done: frozenset[str]) -> int | None:
        """A key that the workload does not use in all these ways; None if it does so with all."""
        for f in sorted(done) or [""]:
            known = self._keys.get(f)
            key = next(iter(keys), None) if known is None else known.outside(keys)
            if key is not None:
                return key
        return None

    def _smallest(self, keys: Keys, done: frozenset[str]) -> Keys:
        fit = (
            each
            for each in self._sets
            if KeySet([each]).outside(keys) is None and self._unused(each, done) is None
        )
        return min(fit, key=len, default=keys)


def _shape(transaction: Transaction) -> list[object]:
    """Everything but the keys of choices, isolation and locks."""
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
        for step in transaction.steps
    ]


def _name(key: Key) -> tuple[object, ...]:
    others = key.distinct_from if isinstance(key, Choice) else ()
    return isinstance(key, Choice), key.name, others
