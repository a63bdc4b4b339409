"""Mutators, one at a time: which of them a workload allows, and what one would make of it.

For strategies, which choose among mutators and keep account of what each brought:

    for mutator in applicable(mutators, feedback.original or workload):
        mutation = mutated(mutator, feedback, workload, random)   # None: nothing to do here
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from txfuzz.errors import UsageError
from txfuzz.feedback.adjustments import applied, current
from txfuzz.feedback.contract import Adjustment, FeedbackResult, Mutator
from txfuzz.feedback.targets.table import target_named
from txfuzz.feedback.targets.target import plain, short
from txfuzz.workload.model import Workload


@dataclass(frozen=True)
class Mutation:
    """What a mutator made of a workload.

    workload: the next one. adjustment: the change as it turned out. remarks: what of it was not done.
    """

    workload: Workload
    adjustment: Adjustment
    remarks: tuple[str, ...] = ()


def applicable(mutators: Sequence[Mutator], original: Workload) -> tuple[Mutator, ...]:
    """Those whose kind of change the workload allows. original: that the campaign began with."""
    return tuple(each for each in mutators if each.kind in original.mutate)


def mutated(
    mutator: Mutator, feedback: FeedbackResult, workload: Workload, random: Random
) -> Mutation | None:
    """The workload after this mutator; None if it proposes nothing, or nothing changes.

    feedback.original: bounds what it may do; None for the workload itself. Raises UsageError, naming the
    mutator, for a proposal that is no adjustment, not of its kind, not allowed or not valid.
    """
    adjustment = checked_proposal(mutator, mutator.propose(feedback, workload, random))
    if adjustment is None:
        return None
    changed, remarks = applied(workload, adjustment, feedback.original or workload, "mutator")
    after = current(changed, adjustment.target)
    if plain(adjustment.before) == after:
        return None
    return Mutation(changed, replace(adjustment, after=after), remarks)


def checked_proposal(mutator: Mutator, proposed: Any) -> Adjustment | None:
    """What a mutator proposed, under its name. UsageError if it is no adjustment of its kind, nor None."""
    if proposed is None:
        return None
    if not isinstance(proposed, Adjustment):
        raise UsageError(
            f"mutator {mutator.name!r} returned {short(proposed)}, expected an adjustment or None"
        )
    try:
        kind = target_named(proposed.target).kind
    except UsageError as error:
        raise UsageError(f"mutator {mutator.name!r}: {error}") from None
    if kind != mutator.kind:
        raise UsageError(
            f"mutator {mutator.name!r} changes {mutator.kind}, but proposed to change {proposed.target}, "
            f"which is of the kind {kind!r}"
        )
    return replace(proposed, heuristic=mutator.name)
