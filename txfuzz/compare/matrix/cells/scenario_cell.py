"""A scenario's cell: every order of its statements at one level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations_with_replacement
from pathlib import Path
from random import Random

from txfuzz.analysis.checker.consistency import prohibited
from txfuzz.campaign.check.alone import check_alone
from txfuzz.campaign.check.counting import Budget, Counting, count_schedules
from txfuzz.campaign.check.levels import asks_for_less, promises
from txfuzz.campaign.check.subject import Subject
from txfuzz.campaign.setup.resolve import InstalledVocabulary
from txfuzz.check.contract import SqlInvariant
from txfuzz.check.finding.failures import fits_no_order
from txfuzz.check.program import Program, programs
from txfuzz.check.run import FollowedSchedule, ProgramRunner
from txfuzz.check.serial.judge import MOST_TRANSACTIONS
from txfuzz.check.transaction import SqlTransaction
from txfuzz.common.sentences import listed
from txfuzz.compare.matrix.cells.measured import Measured, Place, not_offered, unknown
from txfuzz.compare.matrix.plan import Question
from txfuzz.database.api import Capabilities
from txfuzz.database.isolation_levels import capabilities_of
from txfuzz.database.scenario import HoldsScenarios, SetupRefused
from txfuzz.errors import UsageError
from txfuzz.workload.scenario import Scenario
from txfuzz.workload.yaml.scenario.reader import read_scenario

_ALL_AT_ONCE = 3  # transactions of a scenario that all run together; of more, each two


def ask_scenario(question: Question, place: Place, level: str) -> Measured:
    if not isinstance(place.database, HoldsScenarios):
        return not_offered("its adapter cannot run scenarios")
    path = Path(question.path)
    scenario = read_scenario(path, InstalledVocabulary(place.registry, path))
    capabilities = capabilities_of(place.adapter)
    try:
        tables = place.database.scenario(scenario.setup)
    except SetupRefused as error:
        return unknown(f"the database refuses its setup: {error.message} ({error.code})")
    subject = Subject(
        scenario.name,
        path,
        place.adapter,
        place.database,
        tables,
        tuple(SqlTransaction(each) for each in scenario.transactions),
        tuple(SqlInvariant(each.name, each.sql) for each in scenario.invariants),
        scenario.ignored,
        judge=scenario.judge,
        scenario=scenario,
    )
    strongest = list(capabilities.isolation)[-1]
    with (
        tables,
        ProgramRunner(tables, subject.invariants, ignored=scenario.ignored, serial_level=strongest) as runner,
    ):
        try:
            check_alone(subject, runner, level, frozenset())
        except UsageError as error:
            return unknown(str(error))
        return _counted(question, scenario, subject, runner, capabilities, level, place)


def _counted(
    question: Question,
    scenario: Scenario,
    subject: Subject,
    runner: ProgramRunner,
    capabilities: Capabilities,
    level: str,
    place: Place,
) -> Measured:
    counting = Counting(level, subject.tables, subject.judge)
    chosen = _programs(subject, place.seed)
    no_order = ran = 0

    def each(attempt: FollowedSchedule) -> bool:
        nonlocal no_order, ran
        no_order += fits_no_order(attempt)
        ran += len(attempt.program.calls)
        return place.goes_on()

    most = 1 << 30 if question.most is None else question.most
    count_schedules(
        runner, chosen, counting, most=most, budget=Budget(question.seconds, len(chosen)), each=each
    )
    counts = counting.counts()
    runs = sum(len(program.calls) for program in chosen) / max(1, len(chosen))
    told = Measured(
        schedules=counts.schedules, transactions=round(counts.schedules * runs), whole=counts.complete
    )
    if counts.failing:
        found = (question.anomaly,) if question.anomaly else tuple(counts.failures)
        blamed = no_order and all(_promised(question, each, capabilities, level) for each in chosen)
        words = listed(counts.failures, most=2)
        told = told.with_remark(f"{counts.failing:,} of them: {words}")
        unsaid = bool(no_order) and not blamed and not question.anomaly
        return replace(told.with_found(found, found if blamed else ()), unsaid=unsaid)
    if counts.unknown or not counts.schedules:
        reasons = listed(counts.reasons) if counts.reasons else "no schedule was run"
        return told.as_unknown(f"{counts.unknown:,} of {counts.schedules:,} schedules: {reasons}")
    return told if told.whole else told.with_remark("not all schedules were run in its time")


def run_all_at_once(transactions: int) -> bool:
    """Whether a scenario of so many runs them all at once; of another one each two."""
    return 1 < transactions <= min(_ALL_AT_ONCE, MOST_TRANSACTIONS)


def _programs(subject: Subject, seed: int) -> tuple[Program, ...]:
    names = [each.name for each in subject.transactions]
    if run_all_at_once(len(names)):
        sets: Sequence[Sequence[str]] = [names]
    else:
        sets = list(combinations_with_replacement(names, 2))
    return tuple(
        program
        for each in sets
        for _, made in programs(subject.transactions, tuple(each), Random(seed))
        for program in made
    )


def _promised(question: Question, program: Program, capabilities: Capabilities, level: str) -> bool:
    """Does the level promise that what was found cannot happen?"""
    if not question.anomaly:
        return promises(capabilities, program, level, "serializable")
    if any(asks_for_less(transaction) for transaction, _ in program.calls):
        return False
    own = {call.isolation for call in program.bound(level)}
    return all(
        own_level in capabilities.isolation
        and question.anomaly in prohibited(capabilities.isolation[own_level])
        for own_level in own
    )
