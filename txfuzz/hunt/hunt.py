"""A hunt: programs from a source, a few interleavings of each, every outcome judged."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from txfuzz.check.finding.failures import failures
from txfuzz.check.finding.result import Finding
from txfuzz.check.program import Program
from txfuzz.check.run import FollowedSchedule, ProgramRunner
from txfuzz.check.serial.judge import SerialAnswer
from txfuzz.check.serial.outcome import Ending
from txfuzz.hunt.form import Form
from txfuzz.hunt.generate import LearningSource, ProgramSource
from txfuzz.hunt.judging.anomalies import Anomaly
from txfuzz.hunt.judging.judge import known_hole, proven, shown_again, wrong
from txfuzz.hunt.judging.known import KnownHole
from txfuzz.hunt.judging.wrong import Promise, Wrong
from txfuzz.hunt.layout import Layout
from txfuzz.hunt.program import SmallProgram, as_check
from txfuzz.hunt.result import FoundHole, HuntCounts, HuntResult, ShrunkHole
from txfuzz.hunt.schedules.interleavings import Interleavings
from txfuzz.hunt.scope import Scope
from txfuzz.hunt.shrink import shrink
from txfuzz.hunt.tables import HuntTables
from txfuzz.hunt.trial import trials

SHRINK_SCHEDULES = 30  # of a smaller program
SHRINK_SECONDS = 20.0  # of a finding
_SHRUNK = 2  # hits of a bucket that are shrunk; further ones that it covers are counted


@dataclass(frozen=True)
class Quarry:
    """What is asked of which database. levels: the database's words → what it promises there. internal: see
    Capabilities.internal_errors. version: the server's."""

    levels: Mapping[str, Promise]
    internal: Collection[str] = ()
    known: Sequence[KnownHole] = ()
    version: tuple[int, ...] = ()

    @property
    def serial(self) -> bool:
        """Does every level promise a serial order?"""
        return all(promise.serial for promise in self.levels.values())


@dataclass(frozen=True)
class Budget:
    """Whichever comes first; None: no limit. Of what is done from now on."""

    seconds: float | None = None
    schedules: int | None = None


class Hunt:
    """each: how many interleavings of a program, at most. on_hole: is told of each hole when it is found,
    shrunk. on_progress: of the counts, after every program; it ends the hunt by False."""

    def __init__(
        self,
        tables: HuntTables,
        quarry: Quarry,
        scope: Scope,
        source: ProgramSource,
        seed: int,
        *,
        each: int,
        on_hole: Callable[[ShrunkHole], FoundHole],
        on_progress: Callable[[HuntCounts, Sequence[FoundHole]], bool] = lambda counts, holes: True,
        earlier: HuntResult | None = None,
    ) -> None:
        self._tables, self._quarry, self._scope, self._source = tables, quarry, scope, source
        self._seed, self._each, self._on_hole, self._on_progress = seed, each, on_hole, on_progress
        before = earlier or HuntResult(HuntCounts())
        self._counts, self._holes = before.counts, list(before.holes)
        self._reasons, self._allowed = Counter(before.reasons), Counter(before.allowed)
        if isinstance(source, LearningSource) and before.learnt:
            source.resume(before.learnt)
        self._fits: dict[tuple[str, str], str] = {}
        self._shrunk: Counter[str] = Counter()

    def run(self, budget: Budget) -> HuntResult:
        began, before = time.monotonic(), self._counts
        exhausted = interrupted = False
        while not exhausted and not interrupted:
            seconds = time.monotonic() - began
            self._counts = replace(self._counts, seconds=before.seconds + seconds)
            if budget.seconds is not None and seconds >= budget.seconds:
                break
            if budget.schedules is not None and self._counts.schedules - before.schedules >= budget.schedules:
                break
            number = self._counts.number
            try:
                program = self._source.program(number)
            except IndexError:
                exhausted = True
                continue
            self._counts = replace(self._counts, number=number + 1)
            if program is not None and all(self._fit(form, program.layout) for form in program.forms):
                self._program(program, Random(f"{self._seed} schedules {number}"))
                interrupted = not self._on_progress(self._counts, self._holes)
        left_out = tuple(sorted(filter(None, self._fits.values())))
        return replace(self.result(), left_out=left_out, exhausted=exhausted, interrupted=interrupted)

    def result(self) -> HuntResult:
        """What it has come to so far."""
        learnt = self._source.state() if isinstance(self._source, LearningSource) else {}
        return HuntResult(
            self._counts, tuple(self._holes), reasons=self._reasons, allowed=self._allowed, learnt=learnt
        )

    def _fit(self, form: Form, layout: Layout) -> bool:
        """Whether a form does what it says on a layout, on this server: tried when it is first used there."""
        place = (form.name, layout.name)
        if place not in self._fits:
            level = list(self._quarry.levels)[-1]
            tried = trials(self._tables, form, layout, level)
            self._fits[place] = next((str(each) for each in tried if not each.as_said), "")
        return not self._fits[place]

    def _program(self, program: SmallProgram, random: Random) -> None:
        self._counts = replace(self._counts, programs=self._counts.programs + 1)
        checked = as_check(program)
        runner = self._tables.runner(program.layout, program.states)
        for interleaving in Interleavings(program).all(random, self._each):
            schedule = [program.labels[at] for at in interleaving]
            for level, promise in self._quarry.levels.items():
                attempt = runner.follow(checked, level, schedule)
                found = () if promise.serial else proven(program, attempt)
                self._count(attempt, promise, found)
                what = wrong(attempt, promise, self._quarry.internal, found)
                if isinstance(self._source, LearningSource):
                    self._source.learn(program, attempt)
                if what is not None:
                    self._met(program, runner, attempt, what)

    def _count(self, attempt: FollowedSchedule, promise: Promise, found: Sequence[Anomaly]) -> None:
        counts, answer = self._counts, attempt.judgement.answer
        committed = len(attempt.outcome.ended(Ending.COMMITTED)) == len(attempt.outcome.transactions)
        unexplained = answer is SerialAnswer.UNEXPLAINED and not promise.serial
        unknown = answer is SerialAnswer.UNKNOWN
        self._counts = replace(
            counts,
            schedules=counts.schedules + 1,
            committed=counts.committed + committed,
            aborted=counts.aborted + (not committed),
            waited=counts.waited + any(step.waited for step in attempt.trace.steps),
            unknown=counts.unknown + unknown,
            unexplained=counts.unexplained + (unexplained and not found),
        )
        self._allowed.update(each.kind.value for each in found if each.kind not in promise.forbids)
        if unknown:
            self._reasons[attempt.judgement.reason] += 1

    def _met(
        self, program: SmallProgram, runner: ProgramRunner, attempt: FollowedSchedule, what: Wrong
    ) -> None:
        """A schedule that went wrong: is it steady, is it another one of a hole that is there already?"""
        at = self._covered(program, attempt, what)
        if at is not None:
            self._holes[at] = self._holes[at].again()
            return
        first = self._counts.schedules
        attempt, shown, tries = shown_again(runner, program, attempt, what, self._quarry.internal)
        if shown < tries:
            self._counts = replace(self._counts, unconfirmed=self._counts.unconfirmed + 1)
            return
        until = time.monotonic() + SHRINK_SECONDS
        small, last = shrink(
            program,
            attempt,
            self._scope.forms,
            self._scope.layouts,
            lambda each: self._goes_wrong(each, attempt.isolation, what, until),
        )
        runner = self._tables.runner(small.layout, small.states)
        last, shown, tries = shown_again(runner, small, last, what, self._quarry.internal)
        if shown < tries:
            small, last = program, attempt
        self._keep(small, last, what, first, (shown, tries))

    def _goes_wrong(
        self, program: SmallProgram, level: str, what: Wrong, until: float
    ) -> FollowedSchedule | None:
        if not self._on_progress(self._counts, self._holes):
            return None
        if not all(self._fit(form, program.layout) for form in program.forms):
            return None
        checked: Program = as_check(program)
        runner = self._tables.runner(program.layout, program.states)
        for interleaving in Interleavings(program).all(Random(1), SHRINK_SCHEDULES):
            if time.monotonic() > until:
                return None
            attempt = runner.follow(checked, level, [program.labels[at] for at in interleaving])
            promise = self._quarry.levels[level]
            found = () if promise.serial else proven(program, attempt)
            if wrong(attempt, promise, self._quarry.internal, found) is what:
                attempt, shown, tries = shown_again(runner, program, attempt, what, self._quarry.internal)
                if shown == tries:
                    return attempt
        return None

    def _covered(self, program: SmallProgram, attempt: FollowedSchedule, what: Wrong) -> int | None:
        """The hole that has been shrunk often enough and that this is another schedule of, by its forms."""
        known = self._known(program, attempt, what)
        forms = {form.name for form in program.forms}
        for at, hole in enumerate(self._holes):
            if (hole.wrong, hole.isolation) != (what, attempt.isolation):
                continue
            same = known is not None and hole.known == known.name if hole.known else set(hole.forms) <= forms
            if same and (not hole.known or self._shrunk[hole.name] >= _SHRUNK):
                return at
        return None

    def _known(self, program: SmallProgram, attempt: FollowedSchedule, what: Wrong) -> KnownHole | None:
        promise = self._quarry.levels[attempt.isolation]
        return known_hole(self._quarry.known, program, attempt, what, promise, self._quarry.version)

    def _keep(
        self,
        program: SmallProgram,
        attempt: FollowedSchedule,
        what: Wrong,
        first: int,
        again: tuple[int, int],
    ) -> None:
        known = self._known(program, attempt, what)
        forms = tuple(form.name for form in program.forms)
        name = known.name if known is not None else "_".join(forms)
        self._shrunk[name] += 1
        for at, hole in enumerate(self._holes):
            if (hole.name, hole.wrong, hole.isolation) == (name, what, attempt.isolation):
                self._holes[at] = hole.again()
                return
        hole = FoundHole(
            name,
            what,
            attempt.isolation,
            forms,
            program.layout.name,
            known.name if known is not None else "",
            known.about if known is not None else "",
            known.reference if known is not None else "",
            first,
            1,
            *again,
        )
        wanted = failures(attempt) or (what.value,)
        finding = Finding(
            attempt,
            attempt,
            wanted,
            *again,
            promised=True,
            setup=program.layout.statements(program.states),
        )
        shrunk = ShrunkHole(hole, program, finding)
        told = next((each.story for each in proven(program, attempt) if each.kind is what), "")
        self._holes.append(self._on_hole(replace(shrunk, why=told)))
