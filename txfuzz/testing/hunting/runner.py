"""Runs the programs of a hunt on rows in memory, by a schedule or in series, without a thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from txfuzz.check.program import Program
from txfuzz.check.run import FollowedSchedule
from txfuzz.check.scheduling.trace import Decision, Point, Trace
from txfuzz.check.serial.canonical import Masks
from txfuzz.check.serial.judge import Order, SerialJudge
from txfuzz.check.serial.outcome import CallOutcome, Ending, ProgramOutcome, StatementOutcome
from txfuzz.check.transaction import CommitPoint, StatementPoint
from txfuzz.database.scenario import Rows
from txfuzz.hunt.program import SmallProgram, Use, value_of
from txfuzz.testing.hunting.holes import Hole
from txfuzz.testing.hunting.rows import DEADLOCK, Blocked, MemoryRows, Refused

LEVEL = "serializable"
_NO_CALLS = Program("", ())


@dataclass
class _Running:
    """One transaction of a run. points: what is left of it: for each of its statements the use that it does,
    None where it is but a part of one; the COMMIT is not among them."""

    label: str
    uses: tuple[tuple[int, Use] | None, ...]
    answers: list[StatementOutcome] = field(default_factory=list)
    ended: CallOutcome | None = None
    waits_for: int | None = None
    waited: bool = False
    step: int = -1  # its last one, among all


class MemoryRunner:
    """Of one program. hole: planted in its database; random: whether it strikes."""

    def __init__(self, program: SmallProgram, hole: Hole | None = None, random: Random | None = None) -> None:
        self._program, self._hole, self._random = program, hole, random or Random(0)
        self._points = tuple(_points(program))
        self._judge = SerialJudge(self._in_series, Masks())

    def follow(self, schedule: Sequence[int]) -> FollowedSchedule:
        """schedule: transactions by number, one for each of their points, as Interleavings gives them."""
        rows = MemoryRows(
            self._program.states,
            layout=self._program.layout.name,
            transactions=len(self._points),
            hole=self._hole,
            random=self._random,
        )
        run = _Run(self._program, self._points, rows)
        outcome = run.follow(schedule)
        trace = Trace(tuple(run.steps), {})
        return FollowedSchedule(_NO_CALLS, LEVEL, trace, outcome, self._judge.judge(outcome))

    def _in_series(self, order: Order) -> ProgramOutcome:
        numbers = [self._program.labels.index(label) for label in order]
        rows = MemoryRows(self._program.states)
        points = [at for at in numbers for _ in range(len(self._points[at]) + 1)]
        return _Run(self._program, self._points, rows).follow(points)


class _Run:
    def __init__(
        self, program: SmallProgram, points: Sequence[tuple[tuple[int, Use] | None, ...]], rows: MemoryRows
    ) -> None:
        self._program, self._rows = program, rows
        self._running = [_Running(label, uses) for label, uses in zip(program.labels, points, strict=True)]
        self.steps: list[Decision] = []

    def follow(self, schedule: Sequence[int]) -> ProgramOutcome:
        """As the scheduler of a check does: who cannot go on is passed over, and who is left goes on last."""
        for at in schedule:
            if self._ready(at):
                self._go_on(at)
        while left := [at for at in dict.fromkeys(schedule) if self._ready(at)]:
            self._go_on(left[0])
        order = sorted(set(schedule), key=schedule.index)
        places = self._program.layout.places(len(self._program.states))
        found: dict[str, list[tuple[int, int]]] = {place.table: [] for place in places}
        for place, value in zip(places, self._rows.values(), strict=True):
            if value is not None:
                found[place.table].append((place.number, value))
        return ProgramOutcome(
            {
                each.label: each.ended
                for each in map(self._running.__getitem__, order)
                if each.ended is not None
            },
            {table: Rows(("k", "v"), tuple(rows)) for table, rows in found.items()},
        )

    def _ready(self, at: int) -> bool:
        running = self._running[at]
        return running.ended is None and running.waits_for is None

    def _go_on(self, at: int) -> None:
        running = self._running[at]
        number = len(running.answers)
        point = StatementPoint(number, "") if number < len(running.uses) else CommitPoint()
        running.step = len(self.steps)
        self.steps.append(Decision(Point(running.label, point), ()))
        running.waited = False
        self._step(at)

    def _step(self, at: int) -> None:
        running = self._running[at]
        number = len(running.answers)
        try:
            if number == len(running.uses):
                self._rows.commit(at)
                self._end(at, Ending.COMMITTED)
                return
            does = running.uses[number]
            if does is None:
                running.answers.append(StatementOutcome(number, None, 0))
                return
            place, use = does
            seen = self._rows.run(at, use, value_of(place), waited=running.waited)
            running.answers.append(
                StatementOutcome(number, Rows(("v",), tuple((value,) for value in seen)))
                if isinstance(seen, tuple)
                else StatementOutcome(number, changed=seen)
            )
        except Blocked as blocked:
            if self._in_a_circle(at, blocked.by):
                self._abort(at, DEADLOCK)
                return
            running.waits_for, running.waited = blocked.by, True
            step = self.steps[running.step]
            self.steps[running.step] = Decision(step.chosen, step.ready, waited=True)
        except Refused as refused:
            self._abort(at, refused.code)

    def _in_a_circle(self, at: int, by: int | None) -> bool:
        while by is not None and by != at:
            by = self._running[by].waits_for
        return by == at

    def _abort(self, at: int, code: str) -> None:
        self._rows.rollback(at)
        self._end(at, Ending.ABORTED, code)

    def _end(self, at: int, ending: Ending, code: str = "") -> None:
        running = self._running[at]
        running.ended = CallOutcome(ending, tuple(running.answers), code)
        for other, each in enumerate(self._running):
            if each.waits_for == at:
                each.waits_for = None
                self._step(other)


def _points(program: SmallProgram) -> list[tuple[tuple[int, Use] | None, ...]]:
    """Of a form in several statements the last one does what the form does."""
    found, number = [], 0
    for uses in program.transactions:
        points: list[tuple[int, Use] | None] = []
        for use in uses:
            points += [None] * (len(use.form.statements) - 1)
            points.append((number, use))
            number += 1
        found.append(tuple(points))
    return found
