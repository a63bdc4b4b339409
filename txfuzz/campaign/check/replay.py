"""A schedule that a check has kept, followed again: does it still fail?"""

from __future__ import annotations

from txfuzz.campaign.check.findings import followed_again
from txfuzz.campaign.check.levels import promises
from txfuzz.campaign.check.subject import Subject
from txfuzz.campaign.check.trial import Trial
from txfuzz.check.finding.failures import failures, is_unknown
from txfuzz.check.finding.result import ReplayedSchedule
from txfuzz.check.program import Program
from txfuzz.database.isolation_levels import level_named
from txfuzz.errors import UsageError, did_you_mean
from txfuzz.workload.scenario import ScenarioReplay

TIMES = 5


def replay_schedule(
    trial: Trial, kept: ScenarioReplay, isolation: str | None, times: int = TIMES
) -> ReplayedSchedule:
    """isolation: another level than the one at which it was kept."""
    subject = trial.subject
    program = _program(subject, kept)
    level = level_named(trial.capabilities, isolation or kept.isolation)
    labels = program.labels
    schedule = tuple(labels[number - 1] for number in kept.schedule)
    with trial.runner(subject.tables) as runner:
        first = runner.follow(program, level, schedule)
        wanted = kept.fails or failures(first, subject.judge)
        setup = None if subject.scenario is None else subject.scenario.setup
        promised = promises(trial.capabilities, program, level, trial.expect)
        finding = followed_again(
            runner, first, schedule, first, wanted, subject.judge, promised, setup, times
        )
    server = subject.database.describe()
    return ReplayedSchedule(
        subject.name,
        " ".join(server[name] for name in ("product", "version") if name in server),
        finding,
        failures(finding.attempt, subject.judge),
        finding.attempt.judgement.reason if is_unknown(finding.attempt, subject.judge) else "",
    )


def _program(subject: Subject, kept: ScenarioReplay) -> Program:
    known = {each.name: each for each in subject.transactions}
    for call in kept.calls:
        if call.transaction not in known:
            near = did_you_mean(call.transaction, known)
            raise UsageError(f"{subject.path}: no transaction {call.transaction!r}: {near}")
        params = [name for name, _ in known[call.transaction].params]
        if sorted(params) != sorted(name for name, _ in call.arguments):
            raise UsageError(
                f"{subject.path}: {call.transaction} has the parameters {', '.join(params) or 'none'}, the "
                f"replay gives {', '.join(name for name, _ in call.arguments) or 'none'}"
            )
    name = " × ".join(call.transaction for call in kept.calls)
    calls = tuple((known[call.transaction], dict(call.arguments)) for call in kept.calls)
    return Program(name, calls, _sessions(kept))


def _sessions(kept: ScenarioReplay) -> tuple[int, ...]:
    """Of each call; none where each has its own."""
    if all(call.session is None for call in kept.calls):
        return ()
    named = [(call.session, at if call.session is None else 0) for at, call in enumerate(kept.calls)]
    distinct = list(dict.fromkeys(named))
    return tuple(distinct.index(each) for each in named)
