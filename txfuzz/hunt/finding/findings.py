"""From a schedule that went wrong to a hole: shown again, shrunk, compared with those that are there."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from txfuzz.check.finding.failures import failures
from txfuzz.check.finding.result import Finding
from txfuzz.check.run import FollowedSchedule
from txfuzz.hunt.finding.likeness import Likeness, Samples
from txfuzz.hunt.finding.runs import ProgramRuns, ServerLost
from txfuzz.hunt.finding.shrink import shrink
from txfuzz.hunt.form import Form
from txfuzz.hunt.judging.judge import failed, proven, shown_again, wrong
from txfuzz.hunt.judging.known import KnownHole, forms_that_take_part, known_hole, without
from txfuzz.hunt.judging.quarry import Quarry
from txfuzz.hunt.judging.wrong import Wrong
from txfuzz.hunt.layout import Layout
from txfuzz.hunt.program import SmallProgram
from txfuzz.hunt.result import FoundHole, ShrunkHole
from txfuzz.hunt.schedules.interleavings import Interleavings
from txfuzz.hunt.scope import Scope
from txfuzz.hunt.tables import HuntTables

SHRINK_SCHEDULES = 30  # of a smaller program
SHRINK_SECONDS = 20.0  # of a finding
_OF_FAILURES = 3  # of a smaller program, where one takes seconds
SLOW = (Wrong.STUCK, Wrong.CRASH)


class Findings:
    """fits: whether a form does on a layout what it says. on_hole: is told of each hole when it is found,
    shrunk. goes_on: whether the hunt does. log: the server's last lines; None where they cannot be read."""

    def __init__(
        self,
        tables: HuntTables,
        quarry: Quarry,
        scope: Scope,
        *,
        fits: Callable[[Form, Layout], bool],
        on_hole: Callable[[ShrunkHole], FoundHole],
        goes_on: Callable[[], bool],
        log: Callable[[], tuple[str, ...] | None] = lambda: None,
    ) -> None:
        self._tables, self._quarry, self._scope = tables, quarry, scope
        self._fits, self._on_hole, self._goes_on, self._log = fits, on_hole, goes_on, log
        self.holes: list[FoundHole] = []
        self.unconfirmed = 0
        self._samples = Samples()
        self._began = time.monotonic()

    def begin(self, holes: Sequence[FoundHole]) -> None:
        """A new count, with the holes that are there by now."""
        self.holes = [replace(each, hits=0) for each in holes]
        self.unconfirmed = 0

    def met(self, runs: ProgramRuns, attempt: FollowedSchedule, what: Wrong, number: int) -> None:
        """A schedule that went wrong. number: of the schedule, from 1."""
        program = runs.program
        like = self._like(program, attempt, what)
        if like is None:
            self._look_closely(runs, attempt, what, number)
            return
        at, likeness = like
        began = time.monotonic()
        other = self._still_wrong(program, attempt, what, likeness)
        due = other is not None or self._samples.due(likeness, began - self._began)
        if other is not None:
            runs, attempt = other
        if due:
            self._look_closely(runs, attempt, what, number)
            self._samples.spent(time.monotonic() - began)
        else:
            self.holes[at] = self.holes[at].again()

    def _like(
        self, program: SmallProgram, attempt: FollowedSchedule, what: Wrong
    ) -> tuple[int, Likeness] | None:
        """The hole that it looks like another schedule of."""
        known = self._known(program, attempt, what)
        forms = frozenset(form.name for form in program.forms)
        for at, hole in enumerate(self.holes):
            if (hole.wrong, hole.isolation) != (what, attempt.isolation):
                continue
            if known is not None and hole.known == known.name:
                taking_part = forms_that_take_part(known, program, attempt)
                return at, Likeness(hole.name, what, attempt.isolation, program.layout.name, taking_part)
            if known is None and not hole.known and set(hole.forms) <= forms:
                return at, Likeness(hole.name, what, attempt.isolation, program.layout.name, frozenset())
        return None

    def _still_wrong(
        self, program: SmallProgram, attempt: FollowedSchedule, what: Wrong, likeness: Likeness
    ) -> tuple[ProgramRuns, FollowedSchedule] | None:
        """Does it go wrong as well without the forms that are known to? Then something else is wrong."""
        quarry, level = self._quarry, attempt.isolation
        hole = next((each for each in quarry.known if each.name == likeness.hole), None)
        if hole is None or not hole.forms:
            return None
        of_level = (each for each in quarry.known if each.is_of(level, quarry.version))
        known = frozenset(name for each in of_level for name in each.forms)
        sound = without(program, known, self._scope.forms)
        if sound is None or not all(self._fits(form, sound.layout) for form in sound.forms):
            return None
        runs = ProgramRuns(self._tables, sound)
        try:
            other = runs.follow(attempt.isolation, attempt.trace.schedule)
        except ServerLost:
            return None
        return (runs, other) if self._wrong(sound, other) is what else None

    def _look_closely(self, runs: ProgramRuns, attempt: FollowedSchedule, what: Wrong, number: int) -> None:
        """Is it steady, and what of it is needed?"""
        program = runs.program
        try:
            last, shown, tries = self._shown_again(runs, attempt, what)
        except ServerLost:
            shown, tries = 0, 1
        if shown < tries:
            self.unconfirmed += 1
            return
        until = time.monotonic() + SHRINK_SECONDS

        def attempted(each: SmallProgram) -> FollowedSchedule | None:
            return self._goes_wrong(each, attempt.isolation, what, until)

        small, shrunk = shrink(program, last, self._scope.forms, self._scope.layouts, attempted)
        small, shrunk = self._on_plain_layout(small, shrunk, what)
        needed = self._goes_on()  # else the plain layout was not tried to the end
        if small == program:
            self._keep(small, shrunk, what, number, (shown, tries), layout_needed=needed)
            return
        try:
            again, *times = self._shown_again(ProgramRuns(self._tables, small), shrunk, what)
        except ServerLost:
            again, times = shrunk, [0, 1]
        if times[0] == times[1]:
            self._keep(small, again, what, number, (times[0], times[1]), layout_needed=needed)
        else:
            self._keep(program, last, what, number, (shown, tries), layout_needed=needed)

    def _shown_again(
        self, runs: ProgramRuns, attempt: FollowedSchedule, what: Wrong
    ) -> tuple[FollowedSchedule, int, int]:
        internal = self._quarry.internal
        return shown_again(runs, runs.program, attempt, what, internal, goes_on=self._goes_on)

    def _on_plain_layout(
        self, program: SmallProgram, attempt: FollowedSchedule, what: Wrong
    ) -> tuple[SmallProgram, FollowedSchedule]:
        """However long shrinking took: whether a hole is known can depend on it."""
        for layout in self._scope.layouts if not program.layout.plain else ():
            plain = replace(program, layout=layout)
            if layout.plain and all(layout.allows(form) for form in program.forms):
                until = time.monotonic() + SHRINK_SECONDS
                found = self._goes_wrong(plain, attempt.isolation, what, until)
                if found is not None:
                    return plain, found
        return program, attempt

    def _goes_wrong(
        self, program: SmallProgram, level: str, what: Wrong, until: float
    ) -> FollowedSchedule | None:
        if not all(self._fits(form, program.layout) for form in program.forms):
            return None
        runs = ProgramRuns(self._tables, program)
        most = _OF_FAILURES if what in SLOW else SHRINK_SCHEDULES
        try:
            for interleaving in Interleavings(program).all(Random(1), most):
                if time.monotonic() > until or not self._goes_on():
                    return None
                attempt = runs.follow(level, [program.labels[at] for at in interleaving])
                if self._wrong(program, attempt) is what:
                    attempt, shown, tries = self._shown_again(runs, attempt, what)
                    if shown == tries:
                        return attempt
        except ServerLost:
            pass  # what happened meanwhile is not what is looked for
        return None

    def _wrong(self, program: SmallProgram, attempt: FollowedSchedule) -> Wrong | None:
        promise = self._quarry.levels[attempt.isolation]
        found = () if promise.serial else proven(program, attempt)
        return wrong(program, attempt, promise, self._quarry.internal, found)

    def _known(
        self, program: SmallProgram, attempt: FollowedSchedule, what: Wrong, *, layout_needed: bool = False
    ) -> KnownHole | None:
        return known_hole(
            self._quarry.known,
            program,
            attempt,
            what,
            self._quarry.levels[attempt.isolation],
            self._quarry.version,
            plain_was_tried=layout_needed and any(each.plain for each in self._scope.layouts),
        )

    def _keep(
        self,
        program: SmallProgram,
        attempt: FollowedSchedule,
        what: Wrong,
        first: int,
        again: tuple[int, int],
        *,
        layout_needed: bool,
    ) -> None:
        known = self._known(program, attempt, what, layout_needed=layout_needed)
        forms = tuple(form.name for form in program.forms)
        layout = "" if program.layout.plain else f"_{program.layout.name}"
        name = known.name if known is not None else "_".join(forms) + layout
        for at, hole in enumerate(self.holes):
            if (hole.name, hole.wrong, hole.isolation) == (name, what, attempt.isolation):
                self.holes[at] = hole.again()
                return
        log = self._log() if failed(attempt, self._quarry.internal) is what else ()
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
            log=log,
        )
        wanted = failures(attempt) or (what.value,)
        setup = program.layout.statements(program.states)
        finding = Finding(attempt, attempt, wanted, *again, promised=True, setup=setup)
        told = next((each.story for each in proven(program, attempt) if each.kind is what), "")
        self.holes.append(self._on_hole(ShrunkHole(hole, program, finding, told)))
