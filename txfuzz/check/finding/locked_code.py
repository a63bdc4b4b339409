"""Functions that fail beside each other, tried again with a lock on what they read."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from txfuzz.check.code.call import CodeTransaction
from txfuzz.check.contract import CheckedTransaction
from txfuzz.check.finding.proposals import Proposal, locking_reads
from txfuzz.check.program import Program
from txfuzz.check.run import FollowedSchedule, ProgramResult, ProgramRunner


@dataclass(frozen=True)
class LockedCode:
    """about, sql: see Proposal. result: of the schedules with it, none of which fails."""

    about: str
    sql: str
    result: ProgramResult


def locked_code(
    attempt: FollowedSchedule,
    runner: ProgramRunner,
    locks: Collection[str],
    fails: Callable[[FollowedSchedule], bool],
    *,
    most: int,
    seconds: float,
) -> LockedCode | None:
    """None where no lock helps. attempt: that fails. locks: that the database knows; see Capabilities. most,
    seconds: of its schedules."""
    until = time.monotonic() + seconds
    for proposal in locking_reads(attempt, locks):
        calls = tuple((_locked(each, proposal), given) for each, given in attempt.program.calls)
        result = _tried(attempt, replace(attempt.program, calls=calls), runner, fails, most, until)
        if result is not None:
            return LockedCode(proposal.about, proposal.sql, result)
    return None


def _locked(transaction: CheckedTransaction, proposal: Proposal) -> CheckedTransaction:
    """Several calls can have one name, and other arguments that are not shown."""
    changed = proposal.transactions.get(transaction.name)
    if isinstance(transaction, CodeTransaction) and isinstance(changed, CodeTransaction):
        return replace(transaction, rewrite=changed.rewrite)
    return transaction


def _tried(
    attempt: FollowedSchedule,
    program: Program,
    runner: ProgramRunner,
    fails: Callable[[FollowedSchedule], bool],
    most: int,
    until: float,
) -> ProgramResult | None:
    failed = False

    def goes_on(each: FollowedSchedule) -> bool:
        nonlocal failed
        failed = failed or fails(each)
        return not failed and time.monotonic() < until

    if time.monotonic() >= until:
        return None
    plain, locked = (runner.follow(each, attempt.isolation, ()) for each in (attempt.program, program))
    if plain.trace.stuck or locked.trace.stuck or _endings(plain) != _endings(locked):
        return None  # the database refuses the lock
    result = runner.check(program, attempt.isolation, most=most, each=goes_on)
    return None if failed or result.unknown or not result.schedules else result


def _endings(attempt: FollowedSchedule) -> list[object]:
    return [attempt.outcome.transactions[label].ending for label in attempt.program.labels]
