"""A workload aimed at one near-cycle: its schedule is played, and its transactions and keys gain weight."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from txfuzz.common.key_ranges import Keys
from txfuzz.feedback.key_choices import can_choose, with_keys
from txfuzz.feedback.learning.difference import changed_to
from txfuzz.feedback.roles import Roles, choices
from txfuzz.feedback.targets.choices import choices_value
from txfuzz.feedback.targets.directed import directed_value
from txfuzz.feedback.targets.mix import read_mix
from txfuzz.transactions.model import Choice, Transaction
from txfuzz.workload.directed import DirectedSchedule, DirectedTransaction, misfit
from txfuzz.workload.model import Workload


def aimed(
    workload: Workload, schedule: DirectedSchedule, keys: Sequence[int], ran: Workload, original: Workload
) -> Workload | str:
    """The workload aimed at the near-cycle of this schedule; or why not, as a phrase.

    keys: the logical keys of the near-cycle. ran: the workload that showed it. original: the one that the
    campaign began with, whose bounds apply.
    """
    if "scheduling" not in original.mutate:
        return "the workload does not let its scheduling change"
    if len(schedule.transactions) > workload.scheduling.directed:
        return (
            f"it needs {len(schedule.transactions)} sessions, but scheduling.directed is "
            f"{workload.scheduling.directed}"
        )
    names = {each.txn for each in schedule.transactions}
    by_name = {each.name: each for each in workload.transactions}
    before = Roles(ran)
    for name in sorted(names):
        if name not in by_name or before.same_steps(by_name[name]) is None:
            return f"the next iteration runs other steps of {name!r}"
    held = {each.name: _held(each, keys, original) for each in workload.transactions}
    workload = changed_to(workload, "choices", choices_value(workload, held), original)
    workload = changed_to(workload, "mix", _mix(workload, names, original), original)
    moved = _moved(workload, schedule, keys)
    if why := misfit(moved, {each.name: each for each in workload.transactions}):
        return why
    return changed_to(workload, "directed", directed_value([moved]), original)


def _held(transaction: Transaction, keys: Sequence[int], original: Workload) -> tuple[Keys, ...]:
    """The keys of each choice with those of the near-cycle that it may have; as many as before, if these are
    not more."""
    found: list[Keys] = []
    for choice, own in zip(choices(transaction), Roles(original).own_sets(transaction), strict=True):
        kept = [key for key in dict.fromkeys(keys) if key in own]
        others = [] if isinstance(choice.keys, range) else [key for key in choice.keys if key not in kept]
        wide = isinstance(choice.keys, range) or len(choice.keys) < 2
        room = max(len(choice.keys) - len(kept), 0)
        found.append(choice.keys if wide or not kept else tuple(sorted([*kept, *others[:room]])))
    return tuple(found) if can_choose(with_keys(transaction, found)) else _unchanged(transaction)


def _unchanged(transaction: Transaction) -> tuple[Keys, ...]:
    return tuple(choice.keys for choice in choices(transaction))


def _mix(workload: Workload, names: Collection[str], original: Workload) -> dict[str, float]:
    """No transaction of the near-cycle rarer than all of them were on average at first; the same however
    often it is done. More of what is common would only leave less of the others."""
    mix, first = read_mix(workload), read_mix(original)
    others = sum(weight for name, weight in mix.items() if name not in names)
    all_others = sum(weight for name, weight in first.items() if name not in names)
    scale = others / all_others if others and all_others else 1.0
    mean = sum(first.values()) / max(sum(weight > 0 for weight in first.values()), 1)
    return {
        name: max(weight, scale * mean) if name in names and weight else weight
        for name, weight in mix.items()
    }


def _moved(workload: Workload, schedule: DirectedSchedule, keys: Sequence[int]) -> DirectedSchedule:
    """The schedule with keys that the choices have now, where they only matter to the transaction itself."""
    taken: dict[int, int] = {key: key for key in keys}
    transactions = []
    for each in schedule.transactions:
        of = choices(workload.transaction(each.txn))
        chosen: list[int] = []
        for choice, key in zip(of, each.keys, strict=True):
            if key not in taken:
                taken[key] = _other(choice, key, taken, chosen)
            chosen.append(taken[key] if taken[key] in choice.keys else _other(choice, key, taken, chosen))
        transactions.append(DirectedTransaction(each.alias, each.txn, tuple(chosen)))
    return DirectedSchedule(
        tuple(transactions), schedule.schedule, schedule.missing, schedule.focus_key, schedule.anomaly
    )


def _other(choice: Choice, key: int, taken: Mapping[int, int], chosen: Sequence[int]) -> int:
    """The key itself if the choice has it, otherwise one that nobody else uses, otherwise any that
    differs."""
    if key in choice.keys:
        return key
    free = next((each for each in choice.keys if each not in taken.values() and each not in chosen), None)
    return next((each for each in choice.keys if each not in chosen), key) if free is None else free
