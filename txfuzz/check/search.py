"""Which schedules to follow, and in which order: few preemptions first, since most anomalies need few.

A preemption is a switch away from an actor that could have gone on. Almost every known concurrency bug
shows with two of them at most (Musuvathi & Qadeer 2007), so the schedules with fewest come first; among
those the ones that switch before a step that conflicts with what the other one does next, and early ones
before late ones. Each schedule is followed once; what it could have done otherwise at each point after the
point that made it is what comes of it.

Where the database tells what each step has read and changed, schedules that differ only in the order of
steps that do not conflict are followed once, by sleep sets (Godefroid 1996): an actor sleeps at a node of
the tree of choices while its next step has been followed from a node above and nothing that conflicts with
it has happened since. The proof does not need the tree to be walked depth first: of the first steps of an
equivalence class, none is ever asleep on the path that always takes the one that was followed earliest.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from txfuzz.check.scheduling.trace import Decision, Trace
from txfuzz.database.scenario import Accesses

Schedule = tuple[str, ...]
# Sleeping actors → what their next steps read and change
Sleep = Mapping[str, Accesses]
_SLACK = 64  # entries of the frontier beyond twice those that can still be followed


@dataclass(slots=True, eq=False)
class _Node:
    """A point in the tree of choices, `depth` steps from its root.

    explored: the actors that went on from here → what their steps read and changed.
    """

    above: _Node | None
    actor: str
    depth: int
    sleep: Sleep
    explored: dict[str, Accesses] = field(default_factory=dict)

    def schedule(self, last: str) -> Schedule:
        names, node = [last], self
        while node.above is not None:
            names.append(node.actor)
            node = node.above
        return tuple(reversed(names))


# Preemptions, whether the switch meets no conflict, depth, number, and where it begins: none is compared
_Entry = tuple[int, bool, int, int, _Node | None, str]


class ScheduleSearch:
    """Hands out schedules to follow, and takes in what came of them.

    for schedule in search:
        search.followed(schedule, run_schedule(bodies, schedule, …))

    most: so many at most; what can never be among them is not kept. all_of: so many are followed before
    any is left out for its steps that do not conflict: where there are few, all are. real_time: schedules
    count as different also where only the order of an end and a beginning differs.
    """

    def __init__(self, *, most: int | None = None, all_of: int = 0, real_time: bool = False) -> None:
        self._frontier: list[_Entry] = [(0, False, 0, 0, None, "")]
        self._missed_once: set[Schedule] = set()
        self._handed: dict[Schedule, tuple[_Node, Sleep]] = {}
        self._made = 0
        self._left, self._all_of = most, all_of
        self._real_time = real_time
        self._dropped = False
        self.exhausted = False

    def __iter__(self) -> Iterator[Schedule]:
        while self._frontier and self._left != 0:
            node, actor = heapq.heappop(self._frontier)[-2:]
            if node is not None and self._leaves_out(actor, node):
                continue
            if self._left is not None:
                self._left -= 1
            self._all_of -= 1
            if node is None:
                yield ()
            else:
                schedule = node.schedule(actor)
                self._handed[schedule] = node, {**node.sleep, **node.explored}
                yield schedule
        self.exhausted = not self._frontier and not self._dropped

    def followed(self, schedule: Schedule, trace: Trace) -> None:
        """schedule: as it was handed out. Every other choice behind it is a schedule of its own."""
        names = trace.schedule
        above: _Node | None = None
        sleep: Sleep = {}
        if schedule:
            above, sleep = self._handed.pop(schedule)
            if names[: len(schedule)] != schedule:
                self._missed(above, schedule)
                return
        preemptions = 0
        for number, step in enumerate(trace.steps):
            last = names[number - 1] if number else None
            if number >= len(schedule):
                above = _Node(above, last or "", number, sleep)
                self._branch(above, last, step, preemptions, trace.steps[number + 1 :])
                if self._leaves_out(step.chosen.actor, above):
                    return  # all that follows has been followed in another order
            if number >= len(schedule) - 1 and above is not None:
                accesses = None if self._real_time and step.ended else step.accesses
                if accesses is not None:
                    above.explored[step.chosen.actor] = accesses
                sleep = _still_asleep(sleep, accesses, step.chosen.actor)
            preemptions += _preempts(last, step.chosen.actor, step)

    def _missed(self, node: _Node, schedule: Schedule) -> None:
        """The run took another path, which is followed in its own right; this one gets one more chance."""
        if schedule in self._missed_once:
            self._dropped = True
            return
        self._missed_once.add(schedule)
        self._made += 1
        heapq.heappush(self._frontier, (0, False, node.depth, self._made, node, schedule[-1]))

    def _leaves_out(self, actor: str, node: _Node) -> bool:
        return self._all_of <= 0 and actor in node.sleep

    def _branch(
        self,
        node: _Node,
        last: str | None,
        step: Decision,
        preemptions: int,
        later: tuple[Decision, ...],
    ) -> None:
        for point in step.ready:
            if point.actor == step.chosen.actor or self._leaves_out(point.actor, node):
                continue
            cost = preemptions + _preempts(last, point.actor, step)
            self._made += 1
            heapq.heappush(
                self._frontier,
                (cost, not _meets(step, point.actor, later), node.depth, self._made, node, point.actor),
            )
        if self._left is not None and len(self._frontier) > 2 * self._left + _SLACK:
            # No more than these can be followed, whatever is still to come
            self._frontier = heapq.nsmallest(self._left, self._frontier)
            self._dropped = True


def _still_asleep(sleep: Sleep, accesses: Accesses | None, actor: str) -> Sleep:
    if accesses is None or not sleep:
        return {}
    return {name: each for name, each in sleep.items() if name != actor and not each.conflicts(accesses)}


def _meets(step: Decision, actor: str, later: tuple[Decision, ...]) -> bool:
    """Does what this actor did next conflict with the step, as far as one knows?"""
    then = next((each.accesses for each in later if each.chosen.actor == actor), None)
    return then is None or step.accesses is None or then.conflicts(step.accesses)


def _preempts(last: str | None, chosen: str, step: Decision) -> bool:
    return last is not None and chosen != last and any(point.actor == last for point in step.ready)
