"""Which schedules to follow, and in which order: few preemptions first, since most anomalies need few.

A preemption is a switch away from an actor that could have gone on. Almost every known concurrency bug
shows with two of them at most (Musuvathi & Qadeer 2007), so the schedules with fewest come first, and
among those the ones that switch early. Each schedule is followed once; what it could have done otherwise
at each point after the point that made it is what comes of it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from txfuzz.check.scheduler import Decision, Trace

Schedule = tuple[str, ...]


class ScheduleSearch:
    """Hands out schedules to follow, and takes in what came of them.

    for schedule in search:
        search.followed(schedule, run_schedule(bodies, schedule, …))
    """

    def __init__(self, *, most: int | None = None) -> None:
        self._frontier: list[tuple[int, int, int, Schedule]] = [(0, 0, 0, ())]
        self._made = 0
        self._left = most
        self.exhausted = False

    def __iter__(self) -> Iterator[Schedule]:
        while self._frontier and self._left != 0:
            if self._left is not None:
                self._left -= 1
            yield heapq.heappop(self._frontier)[-1]
        self.exhausted = not self._frontier

    def followed(self, schedule: Schedule, trace: Trace) -> None:
        """schedule: as it was handed out. Every other choice behind it is a schedule of its own."""
        names = trace.schedule
        preemptions = 0
        for number, step in enumerate(trace.steps):
            last = names[number - 1] if number else None
            if number >= len(schedule):
                for point in step.ready:
                    if point.actor != step.chosen.actor:
                        cost = preemptions + _preempts(last, point.actor, step)
                        self._made += 1
                        heapq.heappush(
                            self._frontier, (cost, number, self._made, (*names[:number], point.actor))
                        )
            preemptions += _preempts(last, step.chosen.actor, step)


def _preempts(last: str | None, chosen: str, step: Decision) -> bool:
    return last is not None and chosen != last and any(point.actor == last for point in step.ready)
