"""The adjustments that lead from one workload to another."""

from __future__ import annotations

from typing import Any

from txfuzz.errors import UsageError
from txfuzz.feedback.adjustments import applied, current
from txfuzz.feedback.contract import Adjustment
from txfuzz.feedback.targets.table import TARGETS
from txfuzz.feedback.targets.target import plain
from txfuzz.workload.model import Workload

# `keys` says less than `choices`. These say parts of what `transactions` says as a whole. Last comes what
# has to fit all that.
_SAID_BY_OTHERS = ("keys", "transactions")
_PARTS = ("isolation", "locks", "forms", "choices")


def difference(
    workload: Workload, wanted: Workload, original: Workload, reason: str, heuristic: str
) -> tuple[Adjustment, ...]:
    """To be applied in this order. original: the workload that the campaign began with, whose bounds apply.

    What no target can change, and what the workload's owner does not allow, stays as it is.
    """
    for first in (_PARTS, ("transactions",)):
        made, changed = [], workload
        for target in (*first, *(each for each in TARGETS if each not in (*_PARTS, *_SAID_BY_OTHERS))):
            each = _adjustment(changed, wanted, target, original, reason, heuristic)
            if each is not None:
                try:
                    changed, _ = applied(changed, each, original)
                except UsageError:
                    continue  # the structure of its transactions is another
                made.append(each)
        if changed.transactions == wanted.transactions:
            break
    return tuple(made)


def changed_to(workload: Workload, target: str, value: Any, original: Workload) -> Workload:
    """The workload with this value of a target; as it is if its owner does not let that change."""
    found = TARGETS[target]
    if found.kind not in original.mutate:
        return workload
    return found.write(workload, plain(value), original)[0]


def _adjustment(
    workload: Workload, wanted: Workload, target: str, original: Workload, reason: str, heuristic: str
) -> Adjustment | None:
    before, after = current(workload, target), current(wanted, target)
    if before == after or TARGETS[target].kind not in original.mutate:
        return None
    return Adjustment(target, before, after, reason, heuristic)
