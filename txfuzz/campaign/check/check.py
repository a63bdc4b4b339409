"""`txfuzz check`: what a few transactions can do to each other, at each isolation level."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from txfuzz.campaign.check.alone import check_alone
from txfuzz.campaign.check.artefacts import make_directory, write_artefacts
from txfuzz.campaign.check.crowd import NO_CROWD, CrowdSize, check_crowd, crowds
from txfuzz.campaign.check.levels import ALL, check_expect, levels
from txfuzz.campaign.check.replay import replay_schedule
from txfuzz.campaign.check.sets import (
    LIMITS,
    CheckLimits,
    CheckProgress,
    Progress,
    SetChecker,
    SetQuestion,
    why_lost,
)
from txfuzz.campaign.check.several import CheckJob, SetsByWorkers
from txfuzz.campaign.check.subject import Subject, open_subject
from txfuzz.campaign.check.trial import Trial
from txfuzz.campaign.setup.resolve import database_url
from txfuzz.campaign.workers.carried import carried
from txfuzz.campaign.workers.engines import ONE, Workers
from txfuzz.check.crowd import CrowdResult
from txfuzz.check.finding.met import meets_rows
from txfuzz.check.finding.result import CheckResult, ReplayedSchedule, SetResult
from txfuzz.check.program import Program, combinations_of, programs
from txfuzz.check.serial.judge import MOST_TRANSACTIONS
from txfuzz.check.transaction import SqlTransaction
from txfuzz.common.sentences import listed
from txfuzz.database.api import SessionError
from txfuzz.database.isolation_levels import capabilities_of
from txfuzz.errors import DatabaseUnavailable, UsageError, did_you_mean
from txfuzz.plugin.loader import load_plugins
from txfuzz.workload.scenario import ScenarioReplay
from txfuzz.workload.yaml.runtime_errors import RefusedStep, with_place

_LONGEST = 60  # characters of a statement in a note


@dataclass(frozen=True)
class CheckPlan:
    """What a check is about to run. name: of what is checked; levels, sets, programs: how many there are."""

    name: str
    server: str
    levels: int
    sets: int
    programs: int


def check_file(
    path: Path,
    *,
    transactions: Sequence[str] = (),
    isolation: Sequence[str] = (),
    expect: str | None = None,
    limits: CheckLimits = LIMITS,
    crowd: CrowdSize = NO_CROWD,
    seed: int = 0,
    adapter: str | None = None,
    url: str | None = None,
    advice: bool = True,
    output: Path | None = None,
    plugin_files: Sequence[Path] = (),
    interrupted: threading.Event | None = None,
    on_begin: Callable[[CheckPlan], None] = lambda _: None,
    on_progress: Progress = lambda _: None,
    on_found: Callable[[CheckResult], None] = lambda _: None,
    workers: Workers = ONE,
    on_lost: Callable[[str], None] = lambda _: None,
) -> CheckResult | ReplayedSchedule:
    """path: a scenario, Python code (.py), or a replay of either. transactions: only this set of two or more;
    by default every pair. isolation: the levels that are run and that decide, "all" for all (see
    campaign.check.levels). crowd: runs afterwards, at the levels that decide. output: a directory for what
    is left behind (see campaign.check.artefacts). on_begin: is told what is going to run; on_found: of what
    was found, before that is written.
    workers: that run the sets; on_lost: is told of those that did not end well or are no use, in a sentence.
    """
    if workers.several and path.suffix == ".py":  # refused before the code is run
        raise UsageError(f"{path} is Python code, which one process checks: leave out --workers and --dask")
    registry = load_plugins(files=plugin_files)
    with open_subject(path, registry, url, adapter) as subject:
        if output is not None and subject.replay is None:
            make_directory(output)  # rather than to find out afterwards
        if subject.replay is not None:
            return _replayed(subject, subject.replay, isolation, expect, limits.schedule_seconds)
        stop = interrupted or threading.Event()
        by = SetsByWorkers(workers, stop, on_progress, on_lost) if workers.several else None
        job = _job(subject, url, plugin_files) if workers.several else None
        # Code is not run once more: what it has kept of its first run would meet another database
        reopen = None if subject.scenario is None else partial(open_subject, path, registry, url, adapter)
        run = _Check(subject, limits, crowd, seed, stop, on_progress, by, job, on_begin, reopen)
        try:
            found = run.result(tuple(transactions), tuple(isolation), expect or subject.expect, advice)
        except RefusedStep as error:
            raise with_place(error, path) from None
        on_found(found)
        if output is not None:
            write_artefacts(output, found, subject)
        return found


def _job(
    subject: Subject, url: str | None, plugin_files: Sequence[Path]
) -> Callable[[SetQuestion, tuple[str, ...], str, int], CheckJob]:
    """Makes the job of several workers."""
    assert subject.scenario is not None, "code was refused"
    plugins, where = carried(plugin_files), database_url(url, subject.scenario)
    scenario = subject.scenario

    def made(question: SetQuestion, named: tuple[str, ...], expect: str, seed: int) -> CheckJob:
        return CheckJob(scenario, subject.path, question, named, expect, seed, where, plugins)

    return made


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
        by: SetsByWorkers | None,
        job: Callable[[SetQuestion, tuple[str, ...], str, int], CheckJob] | None,
        on_begin: Callable[[CheckPlan], None],
        reopen: Callable[[], Subject] | None,
    ) -> None:
        self._subject, self._limits, self._crowd, self._seed = subject, limits, crowd, seed
        self._interrupted, self._on_progress = interrupted, on_progress
        self._capabilities = capabilities_of(subject.adapter)
        self._schedules = 0
        self._lost = ""  # why the database is of no more use
        self._by, self._job, self._on_begin = by, job, on_begin
        self._reopen = reopen

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
        product = " ".join(server[name] for name in ("product", "version") if name in server)
        with trial.runner(subject.tables) as runner:
            notes = check_alone(subject, runner, run[0], frozenset(named))
            most = self._limits.combinations
            sets = list(programs(subject.transactions, named, Random(self._seed), most))
            number = sum(len(each) for _, each in sets)
            self._on_begin(CheckPlan(subject.name, product, len(run), len(sets), number))
            question = SetQuestion(run, asked, self._limits, advice)
            if self._by is None or self._job is None:
                stop, tell, reopen = self._interrupted.is_set, self._on_progress, self._reopen
                checker = SetChecker(trial, runner, question, stop, tell, reopen)
                results = checker.check(sets, self._limits.seconds)
                self._lost, self._schedules = checker.lost, checker.schedules
                left_out = runner.left_out
                notes = (*notes, *filter(None, [checker.afterwards]))
            else:
                job = self._job(question, named, expect, self._seed)
                results = self._by.check(job, len(sets))
                self._lost, self._schedules, left_out = self._by.lost, self._by.schedules, self._by.left_out
        crowded = self._crowds(named, asked)
        notes = (*notes, *_left_out(subject, named, sets), *_untested(sets, results))
        facts = subject.tables.facts()
        return CheckResult(
            subject.name,
            str(subject.path),
            subject.adapter.name,
            product,
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
            tuple(sorted(facts.generated.keys() - facts.clocks - subject.ignored - set(left_out))),
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
            self._lost = why_lost(error, self._schedules)
            return ()


def _left_out(
    subject: Subject, named: Sequence[str], sets: Sequence[tuple[str, Sequence[Program]]]
) -> Iterator[str]:
    """What to say of sets of which not all combinations of arguments were run."""
    run = {name: len(programs) for name, programs in sets}
    known = combinations_of(subject.transactions, named)
    cut = {name: of for name, of in known if name in run and of > run[name]}
    if cut:
        told = listed(f"{run[name]:,} of {of:,} of {name}" for name, of in cut.items())
        yield f"Of the combinations of arguments {told} were run (--combinations N for more)"


def _untested(sets: Sequence[tuple[str, Sequence[Program]]], results: Sequence[SetResult]) -> Iterator[str]:
    """What to say of transactions of which nothing, or less than it looks, is known, such as where the setup
    lacks the row that the parameters name."""
    followed = {each.name for each in results if any(level.schedules for level in each.levels)}
    levels = [level for each in results for level in each.levels]
    ran, met = {step for each in levels for step in each.ran}, {step for each in levels for step in each.met}
    changed = {name for each in levels for name in each.changed}
    transactions = {
        transaction.name: transaction
        for name, chosen in sets
        for program in chosen
        for transaction, _ in program.calls
        if name in followed
    }
    for transaction in transactions.values():
        if isinstance(transaction, SqlTransaction):
            yield from _never_ran(transaction, ran)
            yield from _never_met(transaction, ran - met)
        elif transaction.name not in changed:
            yield (
                f"{transaction.name} changed a row in no schedule, so unless it is only meant to read, "
                "nothing was tested by it: see whether the setup has the rows that it looks for"
            )


def _never_ran(transaction: SqlTransaction, ran: Collection[tuple[str, int]]) -> Iterator[str]:
    """Of steps whose conditions never held."""
    steps = range(len(transaction.transaction.steps))
    never = [str(number + 1) for number in steps if (transaction.name, number) not in ran]
    if never:
        one = len(never) == 1
        yield (
            f"{'Step' if one else 'Steps'} {listed(never)} of {transaction.name} ran in no schedule, so "
            f"nothing is known of {'it' if one else 'them'}: see `when`, and whether the setup has the "
            "rows that the parameters name"
        )


def _never_met(transaction: SqlTransaction, unmet: Collection[tuple[str, int]]) -> Iterator[str]:
    """unmet: steps that ran and have neither returned nor changed a row."""
    steps = [" ".join(str(step.sql).split()) for step in transaction.transaction.steps]
    never = [
        f"{number + 1} ({sql if len(sql) <= _LONGEST else f'{sql[: _LONGEST - 1]}…'})"
        for number, sql in enumerate(steps)
        if (transaction.name, number) in unmet and meets_rows(sql)
    ]
    if never:
        one = len(never) == 1
        yield (
            f"{'Step' if one else 'Steps'} {listed(never)} of {transaction.name} met a row in no schedule, "
            f"so nothing was tested by {'it' if one else 'them'}: see whether the setup has the rows that "
            "the parameters name"
        )


def _check_names(named: Sequence[str], known: Sequence[str]) -> None:
    for name in named:
        if name not in known:
            raise UsageError(f"no transaction {name!r}: {did_you_mean(name, known)}")
    if len(named) == 1:
        raise UsageError(f"--transactions needs at least two, as in {named[0]},{named[0]}")
    if len(named) > MOST_TRANSACTIONS:
        raise UsageError(f"--transactions takes at most {MOST_TRANSACTIONS}: their orders are too many")
