"""Directed schedules: `directed` in a workload file.

A directed schedule is played again and again by sessions of its own while the clients run, on the same keys,
so that a dependency that nearly closed a cycle of dependencies arises.
"""

from __future__ import annotations

from dataclasses import dataclass

from txfuzz.transactions.model import Choice, Transaction
from txfuzz.workload.replay import Action, Missing


@dataclass(frozen=True, slots=True)
class DirectedTransaction:
    """One transaction of the workload, with one of its own keys for each of its choices, in order."""

    alias: str
    txn: str
    keys: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class DirectedSchedule:
    """A few transactions and the order of their steps.

    schedule: steps and commits, in this order; what it leaves open is completed in the order of
    `transactions`. missing: the dependency that is to arise on focus_key, a logical key. anomaly: what it
    would be, as the checker calls it.
    """

    transactions: tuple[DirectedTransaction, ...]
    schedule: tuple[Action, ...]
    missing: Missing
    focus_key: int
    anomaly: str | None = None

    def txn(self, alias: str) -> str:
        return next(each.txn for each in self.transactions if each.alias == alias)

    @property
    def text(self) -> str:
        """The missing dependency in words: "rw edge probe → survey on key 3"."""
        ends = f"{self.txn(self.missing.source)} → {self.txn(self.missing.target)}"
        return f"{self.missing.kind} edge {ends} on key {self.focus_key}"

    def order(self, steps: dict[str, int]) -> tuple[tuple[int, int], ...]:
        """(place in `transactions`, step) in the order to follow; the step after the last one is the COMMIT.

        steps: alias → how many steps its transaction has.
        """
        places = {each.alias: place for place, each in enumerate(self.transactions)}
        done = dict.fromkeys(places, 0)
        found: list[tuple[int, int]] = []

        def go_on(alias: str, until: int) -> None:
            found.extend((places[alias], step) for step in range(done[alias], until))
            done[alias] = max(done[alias], until)

        for action in self.schedule:
            alias = action.alias
            if alias is not None:
                last = steps[alias]
                upto = min(done[alias] + action.steps, last) if action.steps else last
                go_on(alias, last + 1 if action.action == "commit" else upto)
        for alias in places:
            go_on(alias, steps[alias] + 1)
        return tuple(found)


def misfit(schedule: DirectedSchedule, transactions: dict[str, Transaction]) -> str:
    """Why this schedule cannot be played with these transactions, as a phrase; empty if it can.

    transactions: those of a workload, by name.
    """
    counts: dict[str, int] = {}
    for each in schedule.transactions:
        found = transactions.get(each.txn)
        if found is None:
            return f"there is no transaction {each.txn!r}"
        choices = [key for step in found.steps for key in step.key_terms() if isinstance(key, Choice)]
        if len(choices) != len(each.keys):
            return f"{each.txn!r} chooses {len(choices)} keys, but {each.alias!r} has {len(each.keys)}"
        named = {choice.name: key for choice, key in zip(choices, each.keys, strict=True)}
        for choice, key in zip(choices, each.keys, strict=True):
            if key not in choice.keys:
                return f"{each.txn!r} cannot choose key {key}, which {each.alias!r} has"
            if any(named[other] == key for other in choice.distinct_from):
                return f"the keys of {each.alias!r} do not differ as {each.txn!r} requires"
        counts[each.alias] = len(found.steps)
    for action in schedule.schedule:
        if action.alias not in counts:
            return f"its schedule names {action.alias!r}, which takes no part"
    used: dict[str, int] = dict.fromkeys(counts, 0)
    for action in schedule.schedule:
        alias = str(action.alias)
        if action.action == "step":
            used[alias] += action.steps
            if used[alias] > counts[alias]:
                return f"it has more steps of {alias!r} than {schedule.txn(alias)!r} has"
    return ""
