"""A hunt: programs from a source, a few interleavings of each, every outcome judged."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from zlib import crc32

from txfuzz.check.finding.failures import failures
from txfuzz.check.finding.result import Finding
from txfuzz.check.program import Program
from txfuzz.check.run import FollowedSchedule, ProgramRunner
from txfuzz.check.serial.judge import SerialAnswer
from txfuzz.check.serial.outcome import Ending
from txfuzz.hunt.form import Form
from txfuzz.hunt.generate import LearningSource, ProgramSource
from txfuzz.hunt.guidance.coverage import covered
from txfuzz.hunt.interleavings import Interleavings
from txfuzz.hunt.judging.anomalies import Anomaly
from txfuzz.hunt.judging.judge import known_hole, proven, shown_again, wrong
from txfuzz.hunt.judging.known import KnownHole
from txfuzz.hunt.judging.wrong import Promise, Wrong
from txfuzz.hunt.layout import Layout
from txfuzz.hunt.program import SmallProgram, as_check
from txfuzz.hunt.result import FoundHole, HuntCounts, HuntResult, ShrunkHole
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


# What the programs have come to that were run in full, told again and again; False ends the hunt
Tell = Callable[[HuntResult], bool]


class Hunt:
    """Runs programs by their numbers. each: how many interleavings of a program, at most. on_hole: is told of
    each hole when it is found, shrunk."""

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
    ) -> None:
        self._tables, self._quarry, self._scope, self._source = tables, quarry, scope, source
        self._seed, self._each, self._on_hole = seed, each, on_hole
        self._counts = HuntCounts()
        self._result = HuntResult(self._counts)
        self._fits: dict[tuple[str, str], str] = {}
        self._shrunk: Counter[str] = Counter()
        self._coverage: set[int] = set()
        self._begin(0, ())
        self._tell: Tell = lambda _: True

    def run(
        self,
        numbers: range,
        *,
        holes: Sequence[FoundHole] = (),
        schedules: int | None = None,
        tell: Tell = lambda _: True,
    ) -> HuntResult:
        """The programs of these numbers, as long as there are any, up to a number of schedules.

        The result is of this run alone. holes: that are known of by now; they are in the result, too, with
        the hits of this run.
        """
        self._begin(numbers.start, holes)
        self._tell = tell
        exhausted = interrupted = False
        for number in numbers:
            if schedules is not None and self._counts.schedules >= schedules:
                break
            interrupted = not tell(self._result)
            if interrupted:
                break
            try:
                program = self._source.program(number)
            except IndexError:
                exhausted = True
                break
            if program is not None and all(self._fit(form, program.layout) for form in program.forms):
                interrupted = not self._program(program, Random(f"{self._seed} schedules {number}"))
                if interrupted:
                    break
            self._counts = replace(self._counts, number=number + 1)
            self._settle()
        self._result = replace(self._result, exhausted=exhausted, interrupted=interrupted)
        tell(self._result)
        return self._result

    def _begin(self, number: int, holes: Sequence[FoundHole]) -> None:
        self._counts = HuntCounts(number=number)
        self._holes = [replace(each, hits=0) for each in holes]
        for each in holes:
            self._shrunk[each.name] = max(1, self._shrunk[each.name])
        self._reasons: Counter[str] = Counter()
        self._allowed: Counter[str] = Counter()
        self._new: set[int] = set()  # covered first in this run
        self._settle()

    def _settle(self) -> None:
        """What there is by now counts: no program is under way."""
        self._result = HuntResult(
            self._counts,
            tuple(self._holes),
            tuple(sorted(filter(None, self._fits.values()))),
            Counter(self._reasons),
            Counter(self._allowed),
            covered=frozenset(self._new),
        )

    def _goes_on(self) -> bool:
        return self._tell(self._result)

    def _fit(self, form: Form, layout: Layout) -> bool:
        """Whether a form does what it says on a layout, on this server: tried when it is first used there."""
        place = (form.name, layout.name)
        if place not in self._fits:
            level = list(self._quarry.levels)[-1]
            tried = trials(self._tables, form, layout, level)
            self._fits[place] = next((str(each) for each in tried if not each.as_said), "")
        return not self._fits[place]

    def _program(self, program: SmallProgram, random: Random) -> bool:
        """Whether it was run in full, or has shown a hole: else it is run another time."""
        holes = list(self._holes)
        self._counts = replace(self._counts, programs=self._counts.programs + 1)
        checked = as_check(program)
        runner = self._tables.runner(program.layout, program.states)
        for interleaving in Interleavings(program).all(random, self._each):
            schedule = [program.labels[at] for at in interleaving]
            for level, promise in self._quarry.levels.items():
                if not self._goes_on():
                    return self._holes != holes
                attempt = runner.follow(checked, level, schedule)
                found = () if promise.serial else proven(program, attempt)
                self._count(attempt, promise, found)
                self._cover(program, attempt)
                what = wrong(attempt, promise, self._quarry.internal, found)
                if isinstance(self._source, LearningSource):
                    self._source.learn(program, attempt)
                if what is not None:
                    self._met(program, runner, attempt, what)
        return self._goes_on() or self._holes != holes

    def _cover(self, program: SmallProgram, attempt: FollowedSchedule) -> None:
        for each in covered(program, attempt):
            sign = crc32(each.encode())
            if sign not in self._coverage:
                self._coverage.add(sign)
                self._new.add(sign)

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
        attempt, shown, tries = self._shown_again(runner, program, attempt, what)
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
        last, shown, tries = self._shown_again(runner, small, last, what)
        if shown < tries:
            small, last = program, attempt
        self._keep(small, last, what, first, (shown, tries))

    def _shown_again(
        self, runner: ProgramRunner, program: SmallProgram, attempt: FollowedSchedule, what: Wrong
    ) -> tuple[FollowedSchedule, int, int]:
        internal = self._quarry.internal
        return shown_again(runner, program, attempt, what, internal, goes_on=self._goes_on)

    def _goes_wrong(
        self, program: SmallProgram, level: str, what: Wrong, until: float
    ) -> FollowedSchedule | None:
        if not all(self._fit(form, program.layout) for form in program.forms):
            return None
        checked: Program = as_check(program)
        runner = self._tables.runner(program.layout, program.states)
        for interleaving in Interleavings(program).all(Random(1), SHRINK_SCHEDULES):
            if time.monotonic() > until or not self._goes_on():
                return None
            attempt = runner.follow(checked, level, [program.labels[at] for at in interleaving])
            promise = self._quarry.levels[level]
            found = () if promise.serial else proven(program, attempt)
            if wrong(attempt, promise, self._quarry.internal, found) is what:
                attempt, shown, tries = self._shown_again(runner, program, attempt, what)
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
