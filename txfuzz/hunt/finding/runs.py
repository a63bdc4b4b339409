"""Schedules of one program, whatever becomes of the server meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import permutations

from txfuzz.check.run import FollowedSchedule, ProgramRunner
from txfuzz.database.api import SessionError
from txfuzz.errors import DatabaseUnavailable
from txfuzz.hunt.judging.judge import went_down
from txfuzz.hunt.program import SmallProgram, as_check
from txfuzz.hunt.tables import HuntTables

_MOMENT = 0.1  # seconds


class ServerLost(Exception):
    """While something else was asked of it than the statements of a schedule. It is back."""


class ProgramRuns:
    """On tables of the hunt, which are made anew where a statement got stuck or the server went down."""

    def __init__(self, tables: HuntTables, program: SmallProgram) -> None:
        self._tables, self.program = tables, program
        self.checked = as_check(program)
        self._runner: ProgramRunner | None = None
        self._renewed = -1  # of the tables, when the runner was taken

    def follow(self, level: str, schedule: Sequence[str]) -> FollowedSchedule:
        """Raises ServerLost; DatabaseUnavailable where it does not come back."""
        attempt = self._guarded(lambda runner: runner.follow(self.checked, level, schedule))
        if any(each.lost for each in attempt.outcome.transactions.values()) and not self._answers():
            attempt = replace(attempt, outcome=replace(attempt.outcome, tables={}))
        if went_down(attempt):
            self._tables.revive()
        elif attempt.trace.stuck:  # a session that could not be cancelled may hold its locks
            self._tables.discard(self.program.layout, self.program.states)
        return attempt

    def confirm(self, attempt: FollowedSchedule) -> FollowedSchedule:
        """See ProgramRunner.confirm()."""
        return self._guarded(lambda runner: runner.confirm(attempt))

    def one_after_the_other(self) -> Iterator[tuple[str, ...]]:
        """The schedules in which each transaction begins when the one before has ended."""
        labelled = zip(self.program.labels, self.program.points, strict=True)
        for order in permutations(labelled):
            labels = [label for label, _ in order]
            if all(labels.index(one) < labels.index(other) for one, other in self.checked.before):
                yield tuple(label for label, points in order for _ in range(points))

    def _guarded(self, work: Callable[[ProgramRunner], FollowedSchedule]) -> FollowedSchedule:
        try:
            if self._runner is None or self._renewed != self._tables.renewed:
                self._runner = self._tables.runner(self.program.layout, self.program.states)
                self._renewed = self._tables.renewed
            return work(self._runner)
        except (SessionError, DatabaseUnavailable) as error:
            if isinstance(error, SessionError) and not error.lost:
                raise
            self._tables.revive()
            raise ServerLost(str(error)) from None

    def _answers(self) -> bool:
        """Does the server, after a session was lost? It takes a moment until it has told the others."""
        time.sleep(_MOMENT)
        try:
            self._tables.opened(self.program.layout, self.program.states).tables.tables()
        except (SessionError, DatabaseUnavailable):
            return False
        return True
