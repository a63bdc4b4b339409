"""`isolation`: the levels of transactions, and which modes they may have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from txfuzz.errors import UsageError, did_you_mean
from txfuzz.feedback.targets.target import Target, Written, short, told
from txfuzz.transactions.model import Mode, Transaction
from txfuzz.workload.model import Workload

_TOLD = 4


def asked(workload: Workload) -> tuple[Transaction, ...]:
    """The transactions that run."""
    weighty = {each.txn for each in workload.mix if each.weight > 0}
    return tuple(each for each in workload.transactions if each.name in weighty)


def levels_of(original: Workload) -> set[str | None]:
    """The levels at which a transaction may run; None for that of the workload."""
    allowed = original.mutate.levels if "isolation" in original.mutate else ()
    return {*allowed, *(each.mode.isolation for each in asked(original))}


def modes_of(original: Workload) -> set[Mode]:
    """How transactions may begin, beside the level, which is for `levels_of` to say."""
    return {replace(each.mode, isolation=None) for each in asked(original)}


def only_reads(transaction: Transaction, original: Workload) -> bool:
    """Is it declared as read-only, or does it go to an endpoint that is?"""
    mode = transaction.mode
    asked = {name for name, _ in mode.at}
    return mode.read_only or any(
        each.read_only and each.name in asked for each in original.database.endpoints
    )


def _read_isolation(workload: Workload) -> dict[str, str | None]:
    return {each.name: each.mode.isolation for each in workload.transactions}


def _write_isolation(workload: Workload, value: Any, original: Workload) -> Written:
    """Levels below the weakest that the campaign may use would break a promise that nobody made."""
    if not isinstance(value, dict):
        raise UsageError(f"isolation must be a mapping of transaction to level, found {short(value)}")
    known = [each.name for each in workload.transactions]
    levels = levels_of(original)
    first = {each.name: each.mode.isolation for each in original.transactions}
    placed = {each.name for each in workload.transactions if each.mode.at}
    for name, level in value.items():
        if name not in known:
            raise UsageError(
                f"isolation names an unknown transaction {name!r}: {did_you_mean(str(name), known)}"
            )
        if level not in levels and not (name in first and level == first[name]):
            words = [*sorted(repr(each) for each in levels if each), *(["null"] if None in levels else [])]
            raise UsageError(f"{name!r} cannot run at {level!r}; it may run at {told(words, 8, 'no level')}")
        if name in placed and level != first.get(name):
            raise UsageError(f"{name!r} goes to an endpoint of its own, so its level stays")
    changed = tuple(
        replace(each, mode=replace(each.mode, isolation=value[each.name])) if each.name in value else each
        for each in workload.transactions
    )
    return replace(workload, transactions=changed), ()


def _isolation_in_words(value: Any) -> str:
    own = (f"{name} {level}" for name, level in value.items() if level is not None)
    return told(own, _TOLD, "that of the workload")


def _isolation_difference(before: Any, after: Any) -> str:
    moved = (
        f"{name!r} from {before.get(name) or 'that of the workload'} to {level or 'that of the workload'}"
        for name, level in after.items()
        if level != before.get(name)
    )
    return f"the isolation level of {told(moved, _TOLD)}"


ISOLATION = Target(
    "isolation",
    "the isolation levels of transactions",
    _read_isolation,
    _write_isolation,
    _isolation_in_words,
    _isolation_difference,
)
