"""A hunt: programs from a source, a few interleavings of each, every outcome judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from random import Random
from zlib import crc32

from txfuzz.check.run import FollowedSchedule
from txfuzz.check.serial.judge import SerialAnswer
from txfuzz.check.serial.outcome import Ending
from txfuzz.database.api import SessionError
from txfuzz.database.scenario import SetupRefused
from txfuzz.hunt.finding.findings import Findings
from txfuzz.hunt.finding.runs import ProgramRuns, ServerLost
from txfuzz.hunt.form import Form, RowState
from txfuzz.hunt.generate import LearningSource, ProgramSource
from txfuzz.hunt.guidance.coverage import covered
from txfuzz.hunt.judging.anomalies import Anomaly
from txfuzz.hunt.judging.judge import failed, proven, wrong
from txfuzz.hunt.judging.quarry import Quarry
from txfuzz.hunt.judging.wrong import Promise, Wrong
from txfuzz.hunt.layout import Layout
from txfuzz.hunt.program import SmallProgram, Use
from txfuzz.hunt.result import FoundHole, HuntCounts, HuntResult, ShrunkHole
from txfuzz.hunt.schedules.interleavings import Interleavings
from txfuzz.hunt.scope import Scope
from txfuzz.hunt.tables import HuntTables
from txfuzz.hunt.trial import trials


@dataclass(frozen=True)
class Budget:
    """Whichever comes first; None: no limit. Of what is done from now on."""

    seconds: float | None = None
    schedules: int | None = None


# What the programs have come to that were run in full, told again and again; False ends the hunt
Tell = Callable[[HuntResult], bool]


class Hunt:
    """Runs programs by their numbers. each: how many interleavings of a program, at most. on_hole: is told of
    each hole when it is found, shrunk. log: see Findings."""

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
        log: Callable[[], tuple[str, ...] | None] = lambda: None,
    ) -> None:
        self._tables, self._quarry, self._source = tables, quarry, source
        self._learns = source.learn if isinstance(source, LearningSource) else None
        self._seed, self._each = seed, each
        self._counts = HuntCounts()
        self._result = HuntResult(self._counts)
        self._fits: dict[tuple[str, str], str] = {}
        self._coverage: set[int] = set()
        self._tell: Tell = lambda _: True
        self._findings = Findings(
            tables, quarry, scope, fits=self._fit, on_hole=on_hole, goes_on=self._goes_on, log=log
        )
        self._begin(0, ())

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
        self._findings.begin(holes)
        self._reasons: Counter[str] = Counter()
        self._allowed: Counter[str] = Counter()
        self._new: set[int] = set()  # covered first in this run
        self._covered: frozenset[int] = frozenset()  # the same, as it was told last
        self._settle()

    def _settle(self) -> None:
        """What there is by now counts: no program is under way."""
        if len(self._covered) != len(self._new):
            self._covered = frozenset(self._new)
        self._result = HuntResult(
            self._counts,
            tuple(self._findings.holes),
            tuple(sorted(filter(None, self._fits.values()))),
            Counter(self._reasons),
            Counter(self._allowed),
            covered=self._covered,
        )

    def _goes_on(self) -> bool:
        return self._tell(self._result)

    def _fit(self, form: Form, layout: Layout) -> bool:
        """Whether a form does what it says on a layout, on this server: tried when it is first used there."""
        place = (form.name, layout.name)
        if place not in self._fits and ("", layout.name) not in self._fits:
            level = list(self._quarry.levels)[-1]
            try:
                tried = list(trials(self._tables, form, layout, level))
            except SetupRefused as error:
                told = f"layout {layout.name!r}: the server refuses {error.statement!r} ({error.message})"
                self._fits["", layout.name] = told
                return False
            except SessionError as error:
                if not error.lost:
                    raise
                self._tables.revive()
                self._fits[place] = f"form {form.name!r} on layout {layout.name!r}: the server went down"
                self._alone(form, layout, level)
                return False
            self._fits[place] = next((str(each) for each in tried if not each.as_said), "")
            internal = tuple(self._quarry.internal)
            if not all(each.ended for each in tried) or any(
                each.code and internal and each.code.startswith(internal) for each in tried
            ):
                self._alone(form, layout, level)
        return not self._fits.get(("", layout.name)) and not self._fits[place]

    def _alone(self, form: Form, layout: Layout, level: str) -> None:
        """A form that fails although nothing else runs: in which state of its rows?"""
        for states in product(RowState, repeat=form.keys):
            if layout.can_be(states):
                program = SmallProgram(layout, states, (((Use(form, tuple(range(form.keys))),),),))
                runs = ProgramRuns(self._tables, program)
                [schedule] = runs.one_after_the_other()
                try:
                    attempt = runs.follow(level, schedule)
                except ServerLost:
                    continue
                self._counts = replace(self._counts, schedules=self._counts.schedules + 1)
                what = failed(attempt, self._quarry.internal)
                if what is not None:
                    self._met(runs, attempt, what)

    def _program(self, program: SmallProgram, random: Random) -> bool:
        """Whether it was run in full, or has shown a hole: else it is run another time."""
        holes = list(self._findings.holes)
        self._counts = replace(self._counts, programs=self._counts.programs + 1)
        runs = ProgramRuns(self._tables, program)
        for interleaving in Interleavings(program).all(random, self._each):
            schedule = [program.labels[at] for at in interleaving]
            for level, promise in self._quarry.levels.items():
                if not self._goes_on():
                    return self._findings.holes != holes
                try:
                    attempt = runs.follow(level, schedule)
                except ServerLost:
                    self._lost(runs, level)
                    continue
                found = () if promise.serial else proven(program, attempt)
                self._count(attempt, promise, found)
                self._cover(program, attempt)
                what = wrong(program, attempt, promise, self._quarry.internal, found)
                if self._learns is not None:
                    self._learns(program, attempt)
                if what is not None:
                    self._met(runs, attempt, what)
        return self._goes_on() or self._findings.holes != holes

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

    def _met(self, runs: ProgramRuns, attempt: FollowedSchedule, what: Wrong) -> None:
        self._findings.met(runs, attempt, what, self._counts.schedules)
        self._counts = replace(self._counts, unconfirmed=self._findings.unconfirmed)

    def _lost(self, runs: ProgramRuns, level: str) -> None:
        """The server went down while the program's transactions ran one after the other, or in between:
        which of its orders does that?"""
        for schedule in runs.one_after_the_other():
            try:
                attempt = runs.follow(level, schedule)
            except ServerLost:
                continue
            what = failed(attempt, self._quarry.internal)
            if what is not None:
                self._counts = replace(self._counts, schedules=self._counts.schedules + 1)
                self._met(runs, attempt, what)
                return
        self._counts = replace(
            self._counts, schedules=self._counts.schedules + 1, unknown=self._counts.unknown + 1
        )
        self._reasons["the server was lost before the schedule, or after it"] += 1
