"""`txfuzz check`: what a few transactions can do to each other, at each isolation level."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from txfuzz.campaign.check.advice import tried_fixes
from txfuzz.campaign.check.alone import check_alone
from txfuzz.campaign.check.artefacts import make_directory, write_artefacts
from txfuzz.campaign.check.counting import Budget, Counting, count_schedules
from txfuzz.campaign.check.crowd import NO_CROWD, CrowdSize, check_crowd, crowds
from txfuzz.campaign.check.findings import SECONDS as SHRINKING
from txfuzz.campaign.check.findings import finding_of
from txfuzz.campaign.check.levels import ALL, check_expect, levels, promises
from txfuzz.campaign.check.replay import replay_schedule
from txfuzz.campaign.check.subject import Subject, open_subject
from txfuzz.campaign.check.trial import Trial
from txfuzz.check.crowd import CrowdResult
from txfuzz.check.finding.failures import failures, fits_no_order
from txfuzz.check.finding.result import CheckResult, Finding, Fix, LevelCounts, ReplayedSchedule, SetResult
from txfuzz.check.program import MOST_COMBINATIONS, Program, programs
from txfuzz.check.run import SECONDS as SCHEDULE_SECONDS
from txfuzz.check.run import FollowedSchedule, ProgramRunner
from txfuzz.check.serial.judge import MOST_TRANSACTIONS
from txfuzz.database.api import SessionError
from txfuzz.database.isolation_levels import capabilities_of
from txfuzz.errors import DatabaseUnavailable, UsageError, did_you_mean
from txfuzz.plugin.loader import load_plugins
from txfuzz.workload.scenario import ScenarioReplay
from txfuzz.workload.yaml.runtime_errors import RefusedStep, with_place

SCHEDULES = 2000  # of one program at one level
SECONDS = 60.0  # for all schedules of a check


@dataclass(frozen=True)
class CheckProgress:
    """transactions: the set, "book × book". schedules: followed so far, in all. failing: of those."""

    transactions: str
    isolation: str
    schedules: int
    failing: int
    doing: str = ""


Progress = Callable[[CheckProgress], None]


@dataclass(frozen=True)
class CheckLimits:
    """most: schedules of one program at one level. seconds: for all schedules of the check together.
    schedule_seconds: for one of them, after which it is broken off."""

    most: int = SCHEDULES
    seconds: float = SECONDS
    schedule_seconds: float = SCHEDULE_SECONDS


def check_file(
    path: Path,
    *,
    transactions: Sequence[str] = (),
    isolation: Sequence[str] = (),
    expect: str | None = None,
    limits: CheckLimits = CheckLimits(),
    crowd: CrowdSize = NO_CROWD,
    seed: int = 0,
    adapter: str | None = None,
    url: str | None = None,
    advice: bool = True,
    output: Path | None = None,
    plugin_files: Sequence[Path] = (),
    interrupted: threading.Event | None = None,
    on_progress: Progress = lambda _: None,
    on_found: Callable[[CheckResult], None] = lambda _: None,
) -> CheckResult | ReplayedSchedule:
    """path: a scenario, Python code (.py), or a replay of either. transactions: only this set of two or more;
    by default every pair. isolation: the levels that are run and that decide, "all" for all (see
    campaign.check.levels). crowd: runs afterwards, at the levels that decide. output: a directory for what
    is left behind (see campaign.check.artefacts). on_found: is told of what was found before that is written.
    """
    registry = load_plugins(files=plugin_files)
    with open_subject(path, registry, url, adapter) as subject:
        if output is not None and subject.replay is None:
            make_directory(output)  # rather than to find out afterwards
        if subject.replay is not None:
            return _replayed(subject, subject.replay, isolation, expect, limits.schedule_seconds)
        run = _Check(subject, limits, crowd, seed, interrupted or threading.Event(), on_progress)
        try:
            found = run.result(tuple(transactions), tuple(isolation), expect or subject.expect, advice)
        except RefusedStep as error:
            raise with_place(error, path) from None
        on_found(found)
        if output is not None:
            write_artefacts(output, found, subject)
        return found


def _replayed(
    subject: Subject, kept: ScenarioReplay, isolation: Sequence[str], expect: str | None, seconds: float
) -> ReplayedSchedule:
    if len(isolation) > 1 or any(level.lower() == ALL for level in isolation):
        raise UsageError(f"{subject.path} is a replay: it is followed at one isolation level")
    expect = expect or subject.expect
    check_expect(expect)
    trial = Trial(subject, capabilities_of(subject.adapter), expect, seconds)
    return replay_schedule(trial, kept, isolation[0] if isolation else None)


class _Check:
    def __init__(
        self,
        subject: Subject,
        limits: CheckLimits,
        crowd: CrowdSize,
        seed: int,
        interrupted: threading.Event,
        on_progress: Progress,
    ) -> None:
        self._subject, self._limits, self._crowd, self._seed = subject, limits, crowd, seed
        self._interrupted, self._on_progress = interrupted, on_progress
        self._capabilities = capabilities_of(subject.adapter)
        self._schedules = 0
        self._lost = ""  # why the database is of no more use

    @property
    def _over(self) -> bool:
        return self._interrupted.is_set() or bool(self._lost)

    def result(
        self, named: tuple[str, ...], isolation: tuple[str, ...], expect: str, advice: bool
    ) -> CheckResult:
        subject, began = self._subject, time.monotonic()
        check_expect(expect)
        check_crowd(self._crowd, subject)
        _check_names(named, [each.name for each in subject.transactions])
        run, asked = levels(self._capabilities, isolation, subject.isolation)
        trial = Trial(subject, self._capabilities, expect, self._limits.schedule_seconds)
        server = subject.database.describe()
        with trial.runner(subject.tables) as runner:
            notes = check_alone(subject, runner, run[0], frozenset(named))
            sets = list(programs(subject.transactions, named, Random(self._seed)))
            budget = Budget(self._limits.seconds, sum(len(each) for _, each in sets) * len(run))
            results = []
            for name, each in sets:
                if not self._over:
                    counts, simplest = self._counted(runner, name, each, run, budget)
                    try:
                        if not self._lost:
                            results.append(
                                self._explained(trial, runner, name, each, counts, simplest, asked, advice)
                            )
                    except (DatabaseUnavailable, SessionError) as error:
                        self._lost = _why_lost(error, self._schedules)
                    if self._lost:
                        results.append(self._counted_only(name, each, counts, simplest, asked))
            left_out = runner.left_out
        crowded = self._crowds(named, asked)
        if any(len(each) == MOST_COMBINATIONS for _, each in sets):
            notes = (*notes, f"At most {MOST_COMBINATIONS} combinations of arguments of each set were run")
        facts = subject.tables.facts()
        return CheckResult(
            subject.name,
            str(subject.path),
            subject.adapter.name,
            " ".join(server[name] for name in ("product", "version") if name in server),
            run,
            asked,
            expect,
            tuple(results),
            tuple(dict.fromkeys((*sorted({*facts.clocks, *facts.generated, *subject.ignored}), *left_out))),
            self._seed,
            time.monotonic() - began,
            self._interrupted.is_set(),
            notes,
            self._lost,
            crowded,
        )

    def _crowds(self, named: Sequence[str], asked: Sequence[str]) -> tuple[CrowdResult, ...]:
        if self._over:
            return ()

        def tell(level: str) -> None:
            self._on_progress(CheckProgress("a crowd", level, self._schedules, 0, "running"))

        try:
            return crowds(
                self._subject, named, asked, self._crowd, self._seed, self._interrupted, on_progress=tell
            )
        except (DatabaseUnavailable, SessionError) as error:
            self._lost = _why_lost(error, self._schedules)
            return ()

    def _counted(
        self, runner: ProgramRunner, name: str, chosen: Sequence[Program], run: Sequence[str], budget: Budget
    ) -> tuple[tuple[LevelCounts, ...], Mapping[str, Sequence[FollowedSchedule]]]:
        """The counts at each level, and of each level at which something fails the simplest schedules."""
        counts: list[LevelCounts] = []
        simplest: dict[str, Sequence[FollowedSchedule]] = {}
        for level in run:
            counting = Counting(level, self._subject.tables.retried, self._subject.judge)

            def each(attempt: FollowedSchedule, level: str = level, counting: Counting = counting) -> bool:
                self._schedules += 1
                self._on_progress(CheckProgress(name, level, self._schedules, counting.failing))
                return not self._interrupted.is_set()

            try:
                count_schedules(runner, chosen, counting, most=self._limits.most, budget=budget, each=each)
            except (DatabaseUnavailable, SessionError) as error:
                self._lost, counting.complete = _why_lost(error, self._schedules), False
            counts.append(counting.counts())
            if counting.simplest:
                simplest[level] = counting.simplest
            if self._over:
                break
        return tuple(counts), simplest

    def _explained(
        self,
        trial: Trial,
        runner: ProgramRunner,
        name: str,
        chosen: Sequence[Program],
        counts: tuple[LevelCounts, ...],
        simplest: Mapping[str, Sequence[FollowedSchedule]],
        asked: Sequence[str],
        advice: bool,
    ) -> SetResult:
        """With the finding at the weakest level that was asked for, and those that blame the database."""
        weakest = next((level for level in simplest if level in asked), None)
        findings: list[Finding] = []
        fixes: tuple[Fix, ...] = ()
        for level, (attempt, *_) in simplest.items():
            promised = promises(self._capabilities, attempt.program, level, trial.expect)
            promised = promised and fits_no_order(attempt)
            if level == weakest or (promised and level in asked):
                self._on_progress(CheckProgress(name, level, self._schedules, 0, "shrinking"))
                seconds = 0.0 if self._interrupted.is_set() else SHRINKING
                findings.append(finding_of(trial, runner, attempt, seconds))
        if weakest is not None and advice and not self._over:
            self._on_progress(CheckProgress(name, weakest, self._schedules, 0, "trying what mends it"))
            fixes = tuple(
                fix
                for attempt in simplest[weakest]
                for fix in tried_fixes(
                    trial,
                    attempt,
                    chosen,
                    counts,
                    most=self._limits.most,
                    goes_on=lambda: not self._interrupted.is_set(),
                )
            )
        return SetResult(name, len(chosen), counts, tuple(findings), fixes, self._subject.judge)

    def _counted_only(
        self,
        name: str,
        chosen: Sequence[Program],
        counts: tuple[LevelCounts, ...],
        simplest: Mapping[str, Sequence[FollowedSchedule]],
        asked: Sequence[str],
    ) -> SetResult:
        """With the finding as it was found, where nothing can be tried any more."""
        weakest = next((level for level in simplest if level in asked), None)
        found = []
        if weakest is not None:
            attempt = simplest[weakest][0]
            found = [Finding(attempt, attempt, failures(attempt, self._subject.judge), 0, 0)]
        return SetResult(name, len(chosen), counts, tuple(found), judge=self._subject.judge)


def _why_lost(error: DatabaseUnavailable | SessionError, schedules: int) -> str:
    """The error itself goes on where nothing has run that could be shown."""
    if not schedules or (isinstance(error, SessionError) and not error.lost):
        raise error
    return " ".join((error.message if isinstance(error, SessionError) else str(error)).split())


def _check_names(named: Sequence[str], known: Sequence[str]) -> None:
    for name in named:
        if name not in known:
            raise UsageError(f"no transaction {name!r}: {did_you_mean(name, known)}")
    if len(named) == 1:
        raise UsageError(f"--transactions needs at least two, as in {named[0]},{named[0]}")
    if len(named) > MOST_TRANSACTIONS:
        raise UsageError(f"--transactions takes at most {MOST_TRANSACTIONS}: their orders are too many")
