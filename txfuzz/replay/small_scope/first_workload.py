"""What a small-scope search changes in the workload of the first iteration.

The schedules that the database refused, and those that found something, name the transactions and keys that
the crowd has to bring together to get past the database's defence.
"""

from __future__ import annotations

from collections import Counter
from random import Random

from txfuzz.common.sentences import listed
from txfuzz.feedback.adjustments import allowed, current
from txfuzz.feedback.contract import Adjustment
from txfuzz.feedback.key_choices import choice_sets, fewest_keys, keys_to_add
from txfuzz.replay.small_scope.search import CombinationResult, SmallScopeResult
from txfuzz.workload.model import Workload

NAME = "small-scope"

_KEYS = 4  # that a choice is narrowed to, if its distinct_from does not require more
_SHARE = 0.5  # of the mix, for the transactions of near-misses
_NAMED = 3  # combinations in a reason


def first_adjustments(result: SmallScopeResult, workload: Workload, random: Random) -> tuple[Adjustment, ...]:
    """Half of the mix for the transactions of near-misses, and for each choice a few keys, first those of
    near-misses, as far as the workload lets them change. Nothing if there were none."""
    near = sorted(
        (each for each in result.combinations if each.refused + each.found),
        key=lambda each: -(each.refused + each.found),
    )
    if not near:
        return ()
    why = f"small scope: {_told(near)}"
    return allowed((*_mix(near, workload, why), *_keys(near, workload, random, why)), workload)


def _mix(near: list[CombinationResult], workload: Workload, why: str) -> tuple[Adjustment, ...]:
    counts: Counter[str] = Counter()
    for each in near:
        for name in set(each.transactions):
            counts[name] += each.refused + each.found
    before: dict[str, float] = current(workload, "mix")
    total, taking_part = sum(before.values()), counts.total()
    after = {
        name: float(f"{(1 - _SHARE) * weight / total + _SHARE * counts[name] / taking_part:.4g}")
        for name, weight in before.items()
    }
    reason = f"{why}: {_SHARE:.0%} of the mix goes to {listed(sorted(counts), most=8)}"
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
