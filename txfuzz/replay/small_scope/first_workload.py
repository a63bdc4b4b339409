"""What a small-scope search changes in the workload of the first iteration.

The schedules that the database refused, and those that found something, name the transactions and keys that
the crowd has to bring together to get past the database's defence.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from txfuzz.common.sentences import counted, listed
from txfuzz.errors import UsageError
from txfuzz.feedback.adjustments import allowed, apply, current
from txfuzz.feedback.contract import Adjustment
from txfuzz.feedback.key_choices import choice_sets, fewest_keys, keys_to_add
from txfuzz.replay.small_scope.result import CombinationResult, SmallScopeResult
from txfuzz.workload.model import Workload

NAME = "small-scope"

_KEYS = 4  # that a choice is narrowed to, if its distinct_from does not require more
_SHARE = 0.5  # of the mix, which the transactions of near-misses share at the least
_NAMED = 3  # combinations in a reason


def first_adjustments(result: SmallScopeResult, workload: Workload, random: Random) -> tuple[Adjustment, ...]:
    """The change with which something showed; enough weight for each transaction of near-misses, and for each
    choice a few keys, first those of near-misses, as far as the workload lets them change. Nothing if there
    were none."""
    near = sorted(
        (each for each in result.combinations if each.refused + each.found),
        key=lambda each: -(each.refused + each.found),
    )
    changes = _change(result, workload)
    if not near:
        return changes
    why = f"small scope: {_told(near)}"
    return allowed((*changes, *_mix(near, workload, why), *_keys(near, workload, random, why)), workload)


def _change(result: SmallScopeResult, workload: Workload) -> tuple[Adjustment, ...]:
    """None if the workload already has it, or does not allow it any more."""
    shown = result.shown_by
    if shown is None or current(workload, shown.change.target) != shown.change.before:
        return ()
    showed = f"{counted(shown.found, 'schedule')} showed an anomaly"
    change = replace(shown.change, reason=f"small scope: {showed} with {shown.change.reason}")
    try:
        apply(workload, [change])
    except UsageError:
        return ()
    return (change,)


def _mix(near: list[CombinationResult], workload: Workload, why: str) -> tuple[Adjustment, ...]:
    """The rare ones of near-misses are raised. The others keep their weights: a crowd of nothing but
    near-misses lacks the readers that see what goes wrong."""
    before: dict[str, float] = current(workload, "mix")
    names = sorted({name for each in near for name in each.transactions})
    total, least = sum(before.values()), _SHARE / len(names)
    rare = [name for name in names if before[name] / total < least]
    if not rare:
        return ()
    left = (1 - least * len(rare)) / (total - sum(before[name] for name in rare) or 1)
    after = {
        name: float(f"{least if name in rare else weight * left:.4g}") for name, weight in before.items()
    }
    reason = f"{why}: {listed(rare, most=8)} {'gets' if len(rare) == 1 else 'get'} {least:.0%} of the mix"
    if len(rare) > 1:
        reason += " each"
    return (Adjustment("mix", before, after, reason, NAME),)


def _keys(
    near: list[CombinationResult], workload: Workload, random: Random, why: str
) -> tuple[Adjustment, ...]:
    before: list[int] = current(workload, "keys")
    known = frozenset(before)
    chosen = [key for key in dict.fromkeys(key for each in near for key in each.keys) if key in known]
    sets = {keys: min(max(_KEYS, need), len(keys)) for keys, need in choice_sets(workload).items()}
    most = max([_KEYS, fewest_keys(workload)]) * max(len(sets), 1)
    chosen = chosen[:most]
    after = sorted([*chosen, *keys_to_add(workload, sets, chosen, random)])
    if not chosen or len(after) >= len(before):
        return ()
    reason = f"{why}: {len(after):,} keys to choose from instead of {len(before):,}"
    return (Adjustment("keys", before, after, reason, NAME),)


def _told(near: list[CombinationResult]) -> str:
    """The combinations with the most near-misses."""
    refused, found = sum(each.refused for each in near), sum(each.found for each in near)
    dangerous = sum(each.dangerous for each in near)
    names = [" × ".join(each.transactions) for each in near[:_NAMED]]
    names += [f"{len(near) - _NAMED} more"] if len(near) > _NAMED else []
    shown = f", and {found:,} showed an anomaly" if found else ""
    return f"of {dangerous:,} dangerous schedules of {listed(names)} {refused:,} were refused{shown}"
