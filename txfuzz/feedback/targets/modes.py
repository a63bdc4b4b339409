"""`isolation` and `locks`: the levels of transactions and the locks of their reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from txfuzz.errors import UsageError, did_you_mean
from txfuzz.feedback.targets.target import Target, Written, short, told
from txfuzz.transactions.model import Mode, Step, Transaction
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


def locks_of(original: Workload) -> set[str | None]:
    """The locks that a read may take; None for none."""
    allowed = original.mutate.locks if "locks" in original.mutate else ()
    used = (step.lock for each in original.transactions for step in each.steps)
    return {None, *allowed, *used}


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


def _reads(transaction: Transaction) -> Iterator[tuple[int, Step]]:
    """Those that can take a lock."""
    return ((at, step) for at, step in enumerate(transaction.steps) if step.sql is None and step.f == "r")


def _read_locks(workload: Workload) -> dict[str, list[str | None]]:
    return {each.name: [step.lock for _, step in _reads(each)] for each in workload.transactions}


def _write_locks(workload: Workload, value: Any, original: Workload) -> Written:
    if not isinstance(value, dict):
        raise UsageError(
            f"locks must be a mapping of transaction to the locks of its reads, found {short(value)}"
        )
    by_name = {each.name: each for each in workload.transactions}
    may = locks_of(original)
    for name, locks in value.items():
        if name not in by_name:
            raise UsageError(
                f"locks name an unknown transaction {name!r}: {did_you_mean(str(name), by_name)}"
            )
        count = sum(1 for _ in _reads(by_name[name]))
        if not isinstance(locks, list) or len(locks) != count:
            raise UsageError(f"{name!r} has {count} reads without SQL, found the locks {short(locks)}")
        for lock in locks:
            if lock not in may:
                words = told(sorted(repr(each) for each in may if each), 8, "no lock")
                raise UsageError(f"a read of {name!r} cannot take the lock {lock!r}; it may take {words}")
        if any(locks) and only_reads(by_name[name], original):
            raise UsageError(f"{name!r} is read-only, so its reads cannot take locks")
    changed = tuple(
        _locked(each, value[each.name]) if each.name in value else each for each in workload.transactions
    )
    return replace(workload, transactions=changed), ()


def _locked(transaction: Transaction, locks: list[str | None]) -> Transaction:
    of_step = dict(zip((at for at, _ in _reads(transaction)), locks, strict=True))
    steps = tuple(
        replace(step, lock=of_step[at]) if at in of_step else step
        for at, step in enumerate(transaction.steps)
    )
    return replace(transaction, steps=steps)


def _locks_in_words(value: Any) -> str:
    return told((f"{name} {_words(locks)}" for name, locks in value.items() if any(locks)), _TOLD)


def _words(locks: list[str | None]) -> str:
    return told((lock or "none" for lock in locks), 8)


def _locks_difference(before: Any, after: Any) -> str:
    moved = (
        f"{name!r} from {_words(before.get(name, []))} to {_words(locks)}"
        for name, locks in after.items()
        if locks != before.get(name)
    )
    return f"the locks of the reads of {told(moved, _TOLD)}"


ISOLATION = Target(
    "isolation",
    "the isolation levels of transactions",
    _read_isolation,
    _write_isolation,
    _isolation_in_words,
    _isolation_difference,
)
LOCKS = Target("locks", "the locks of reads", _read_locks, _write_locks, _locks_in_words, _locks_difference)


def modes_of(original: Workload) -> set[Mode]:
    """How transactions may begin, beside the level, which is for `levels_of` to say."""
    return {replace(each.mode, isolation=None) for each in asked(original)}
