"""Other transactions: other orders, other operations, two in one, one in two, new ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import ClassVar

from txfuzz.plugin_api import (
    Adjustment,
    FeedbackResult,
    Transaction,
    Workload,
    can_choose,
    option,
    target_value,
    transactions_value,
)

from .change import change
from .operations import Operation, Operations, Slot, joined, known_uses, operations_of

_KIND = "transactions"


def _asked(workload: Workload) -> list[Operations]:
    """The transactions of the mix that consist of plain operations."""
    weights: dict[str, float] = target_value(workload, "mix")
    asked = (operations_of(each) for each in workload.transactions if weights.get(each.name, 0) > 0)
    return [each for each in asked if each is not None]


def _replaced(
    workload: Workload, new: Sequence[Transaction], mix: Mapping[str, float] | None, reason: str, name: str
) -> Adjustment | None:
    """The change to a workload with these transactions in place of those of the same name, or beside them."""
    by_name = {each.name: each for each in new}
    known = {each.name for each in workload.transactions}
    transactions = [by_name.get(each.name, each) for each in workload.transactions]
    transactions += [each for each in new if each.name not in known]
    if not all(map(can_choose, new)):
        return None
    weights = dict(target_value(workload, "mix") if mix is None else mix)
    return change(workload, "transactions", transactions_value(transactions, weights), reason, name)


def _with_steps(
    workload: Workload, chosen: Operations, steps: Sequence[Operation], reason: str, name: str
) -> Adjustment | None:
    """The change to a workload in which this transaction has other steps."""
    return _replaced(workload, [chosen.transaction(steps)], None, reason, name)


def _free_name(workload: Workload, wanted: str) -> str:
    known = {each.name for each in workload.transactions}
    return (
        wanted
        if wanted not in known
        else next(name for at in count(2) if (name := f"{wanted} {at}") not in known)
    )


@dataclass(frozen=True)
class WriteFirst:
    name: ClassVar[str] = "write-first"
    about: ClassVar[str] = "moves a write before the read in front of it, or the other way round"
    kind: ClassVar[str] = _KIND

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> Adjustment | None:
        places = [
            (each, at)
            for each in _asked(workload)
            for at in range(1, len(each.steps))
            if (each.steps[at].f == "r") != (each.steps[at - 1].f == "r")
        ]
        if not places:
            return None
        chosen, at = random.choice(places)
        before, now = chosen.steps[at - 1 : at + 1]
        steps = (*chosen.steps[: at - 1], now, before, *chosen.steps[at + 1 :])
        first = "read" if now.f == "r" else "write"
        reason = f"in {chosen.of.name!r} the {first} comes first now, so that it sees, or is seen by, others"
        return _with_steps(workload, chosen, steps, reason, self.name)


@dataclass(frozen=True)
class OneMore:
    name: ClassVar[str] = "one-more"
    about: ClassVar[str] = "adds an operation that some transaction of the workload has"
    kind: ClassVar[str] = _KIND

    most: int = option(8, "no transaction gets more steps than these", least=1)

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> Adjustment | None:
        asked = _asked(workload)
        short = [each for each in asked if len(each.steps) < self.most]
        if not short:
            return None
        chosen = random.choice(short)
        can_write = not chosen.of.mode.read_only
        f, keys = random.choice(
            [use for use in known_uses(asked) if can_write or use[0] == "r"] or [("", ())]
        )
        if not f:
            return None
        same = [number for number, slot in enumerate(chosen.slots) if slot.keys == keys]
        slot = random.choice([*same, len(chosen.slots)])
        wider = Operations(chosen.of, chosen.steps, (*chosen.slots, Slot(keys)), chosen.different)
        steps = list(chosen.steps)
        steps.insert(random.randint(0, len(steps)), Operation(f, slot))
        what = "read" if f == "r" else "write"
        reason = f"{chosen.of.name!r} with one more {what} ({len(steps)} steps) can be part of other cycles"
        return _with_steps(workload, wider, steps, reason, self.name)


@dataclass(frozen=True)
class OneLess:
    name: ClassVar[str] = "one-less"
    about: ClassVar[str] = "leaves out an operation"
    kind: ClassVar[str] = _KIND

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> Adjustment | None:
        asked = _asked(workload)
        uses = [step.f == "r" for each in asked for step in each.steps]
        last = {True: uses.count(True) < 2, False: uses.count(False) < 2}  # something is read and written
        places = [
            (each, at)
            for each in asked
            if len(each.steps) > 1
            for at, step in enumerate(each.steps)
            if not last[step.f == "r"]
        ]
        if not places:
            return None
        chosen, at = random.choice(places)
        steps = chosen.steps[:at] + chosen.steps[at + 1 :]
        reason = f"{chosen.of.name!r} without step {at} is shorter, and more of them run"
        return _with_steps(workload, chosen, steps, reason, self.name)


@dataclass(frozen=True)
class Merge:
    name: ClassVar[str] = "merge"
    about: ClassVar[str] = "adds a transaction that does what two do, one after the other"
    kind: ClassVar[str] = _KIND

    most: int = option(12, "no transaction gets more steps than these", least=2)

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> Adjustment | None:
        asked = [each for each in _asked(workload) if not each.of.mode.read_only]
        if not asked:
            return None
        one, other = random.choice(asked), random.choice(asked)
        both = joined(one, other)
        if len(both.steps) > self.most:
            return None
        name = _free_name(workload, f"{one.of.name} + {other.of.name}"[:80])
        mix: dict[str, float] = target_value(workload, "mix")
        weights = {**mix, name: max(mix[one.of.name], mix[other.of.name])}
        reason = (
            f"{one.of.name!r} and {other.of.name!r} in one transaction of {len(both.steps)} steps span more"
        )
        return _replaced(workload, [both.transaction(both.steps, name)], weights, reason, self.name)


@dataclass(frozen=True)
class Split:
    name: ClassVar[str] = "split"
    about: ClassVar[str] = "makes two transactions of one"
    kind: ClassVar[str] = _KIND

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> Adjustment | None:
        long = [each for each in _asked(workload) if len(each.steps) > 1]
        if not long:
            return None
        chosen = random.choice(long)
        at = random.randint(1, len(chosen.steps) - 1)
        mix: dict[str, float] = target_value(workload, "mix")
        name = _free_name(workload, f"{chosen.of.name}, part 2"[:80])
        parts = [chosen.transaction(chosen.steps[:at]), chosen.transaction(chosen.steps[at:], name)]
        reason = f"the two halves of {chosen.of.name!r} are shorter, and others get in between"
        weights = {**mix, name: mix[chosen.of.name]}
        return _replaced(workload, parts, weights, reason, self.name)


# Small transactions of which the classic anomalies are made (Berenson and others 1995): the operation, r or
# w, and the key of each step
_SHAPES: Mapping[str, Sequence[tuple[str, int]]] = {
    "read two": (("r", 0), ("r", 1)),
    "read and write": (("r", 0), ("w", 0)),
    "read two and write": (("r", 0), ("r", 1), ("w", 1)),
    "read one and write another": (("r", 0), ("w", 1)),
    "write two": (("w", 0), ("w", 1)),
    "write one and read another": (("w", 0), ("r", 1)),
}


@dataclass(frozen=True)
class NewTransaction:
    name: ClassVar[str] = "new-transaction"
    about: ClassVar[str] = "adds a small transaction of a classic shape, on keys that the workload uses so"
    kind: ClassVar[str] = _KIND

    most: int = option(16, "none is added to a workload with as many transactions", least=1)

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> Adjustment | None:
        asked = [each for each in _asked(workload) if not each.of.mode.read_only]
        if not asked or len(workload.transactions) >= self.most:
            return None
        uses = list(known_uses(asked))
        write = next((f for f, _ in uses if f != "r"), "")
        word = random.choice(list(_SHAPES))
        steps = [Operation("r" if f == "r" else write, slot) for f, slot in _SHAPES[word]]
        slots = []
        for slot in range(1 + max(step.slot for step in steps)):
            does = {step.f for step in steps if step.slot == slot}
            found = [keys for _, keys in uses if all((f, keys) in uses for f in does)]
            if not found:
                return None
            slots.append(Slot(random.choice(found)))
        like = random.choice(asked).of
        name = _free_name(workload, word)
        pairs = frozenset({(0, 1)}) if len(slots) > 1 else frozenset()
        made = Operations(Transaction(name, (), like.mode), tuple(steps), tuple(slots), pairs)
        mix: dict[str, float] = target_value(workload, "mix")
        weights = {**mix, name: mix[like.name]}
        reason = f"{name!r} can be the other side of an anomaly that those of the workload cannot close"
        return _replaced(workload, [made.transaction(steps)], weights, reason, self.name)
