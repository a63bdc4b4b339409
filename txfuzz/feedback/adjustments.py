"""Adjustments: how they are applied, and how the heuristics are run.

txfuzz.feedback.targets.table says what they may change, and the values.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from txfuzz.errors import UsageError
from txfuzz.feedback.contract import Adjustment, FeedbackResult, Heuristic
from txfuzz.feedback.targets.table import TARGETS, target_named
from txfuzz.feedback.targets.target import plain, short
from txfuzz.workload.model import Workload


def current(workload: Workload, target: str) -> Any:
    """The value of a target, in the form of `before`. UsageError for an unknown target."""
    return target_named(target).read(workload)


def apply(
    workload: Workload, adjustments: Iterable[Adjustment], original: Workload | None = None
) -> Workload:
    """The workload with these changes, one after another.

    original: the workload that the campaign began with, whose bounds apply; None for this one.
    Raises UsageError, naming the heuristic, for an unknown target, for a kind of change that the workload
    does not allow, for a `before` that is not the current value, and for a change that would make the
    workload invalid.
    """
    for each in adjustments:
        workload, _ = applied(workload, each, original or workload)
    return workload


def applied(
    workload: Workload, each: Adjustment, original: Workload, proposer: str = "heuristic"
) -> tuple[Workload, tuple[str, ...]]:
    """The workload with this change, and sentences without full stops on what of it was not done.

    proposer: "heuristic" or "mutator", for messages.
    """
    try:
        target = target_named(each.target)
        if target.kind not in original.mutate:
            raise UsageError(
                f"the workload does not let {each.target} change: `mutate` lacks {target.kind!r}"
            )
        before = target.read(workload)
        if plain(each.before) != before:
            raise UsageError(f"it says that {each.target} is {short(each.before)}, but it is {short(before)}")
        changed, remarks = target.write(workload, plain(each.after), original)
    except UsageError as error:
        raise UsageError(f"{proposer} {each.heuristic!r}: {error}") from None
    return changed, tuple(f"{proposer} {each.heuristic!r}: {remark}" for remark in remarks)


def allowed(adjustments: Iterable[Adjustment], original: Workload) -> tuple[Adjustment, ...]:
    """Those that the workload's owner lets happen; unknown targets stay, to be reported."""
    return tuple(
        each
        for each in adjustments
        if each.target not in TARGETS or TARGETS[each.target].kind in original.mutate
    )


def propose_all(
    heuristics: Sequence[Heuristic],
    feedback: FeedbackResult,
    workload: Workload,
    random: Random,
    *,
    fixed: Collection[str] = (),
) -> tuple[Workload, tuple[Adjustment, ...], tuple[str, ...]]:
    """Run the heuristics in this order; each one sees the changes of the earlier ones.

    Every heuristic has its own stream of random numbers, derived from its name, so that other
    heuristics do not affect what it draws. fixed: targets that no heuristic may change, beside those that
    the workload does not let change. Returns the
    workload, the adjustments that changed something (with `after` as it turned out), and warnings:
    for every heuristic that failed, which changes nothing, and for changes that the workload that
    the campaign began with does not allow.
    """
    root = random.getrandbits(64)
    made: list[Adjustment] = []
    warnings: list[str] = []
    for place, heuristic in enumerate(heuristics):
        earlier = sum(each.name == heuristic.name for each in heuristics[:place])
        draws = Random(f"{root}/{heuristic.name}/{earlier}")
        try:
            proposed = checked(heuristic, heuristic.propose(feedback, workload, draws))
            changed, done, remarks = apply_all(
                workload,
                allowed(
                    (each for each in proposed if each.target not in fixed), feedback.original or workload
                ),
                feedback.original,
            )
        except UsageError as error:
            warnings.append(f"{error}; it was skipped in this iteration")
        except Exception as error:
            warnings.append(
                f"heuristic {heuristic.name!r} failed ({type(error).__name__}: {error}); "
                "it was skipped in this iteration"
            )
        else:
            workload = changed
            made += done
            warnings += remarks
    return workload, tuple(made), tuple(warnings)


def apply_all(
    workload: Workload, proposed: Iterable[Adjustment], original: Workload | None
) -> tuple[Workload, list[Adjustment], list[str]]:
    """The workload with all these changes, the adjustments that changed something, and warnings.

    Raises UsageError as `apply` does.
    """
    made: list[Adjustment] = []
    warnings: list[str] = []
    for each in proposed:
        workload, remarks = applied(workload, each, original or workload)
        warnings += remarks
        after = current(workload, each.target)
        if plain(each.before) != after:
            made.append(replace(each, after=after))
    return workload, made, warnings


def checked(heuristic: Heuristic, proposed: Any) -> tuple[Adjustment, ...]:
    """The adjustments that a heuristic proposed, under its name. UsageError if they are not adjustments."""
    if not isinstance(proposed, tuple | list) or not all(isinstance(each, Adjustment) for each in proposed):
        raise UsageError(
            f"heuristic {heuristic.name!r} returned {short(proposed)}, expected a tuple of adjustments"
        )
    return tuple(replace(each, heuristic=heuristic.name) for each in proposed)
