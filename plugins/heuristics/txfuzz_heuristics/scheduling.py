"""scheduling: more clients while too little overlaps, fewer while too much does, and a barrier.

If many transactions abort, edges are few because the database prevents them: more
clients would only cause more aborts, and so on without end.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import ClassVar

from txfuzz.plugin_api import Adjustment, FeedbackResult, Workload, option

from .contention import aborts_option, edges_option, measured, pressed_enough


@dataclass(frozen=True)
class Scheduling:
    """How many clients run, and whether their transactions start together."""

    name: ClassVar[str] = "scheduling"
    about: ClassVar[str] = "adds or removes clients, and aligns them at a barrier once near-cycles appear"

    below: float = option(1.0, "edges per transaction below which clients are added", least=0.0)
    above: float = option(3.0, "edges per transaction above which clients are removed", least=0.0)
    add: int = option(2, "how many clients are added at a time", least=0)
    remove: int = option(1, "how many clients are removed at a time", least=0)
    most: int = option(32, "no clients are added above this number", least=1)
    fewest: int = option(2, "no clients are removed below this number", least=1)
    barrier_every: int = option(
        25, "transactions per client between barriers, once near-cycles appear; 0 for none", least=0
    )
    edges: str = edges_option()
    aborts: float = aborts_option("no clients are added")

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> tuple[Adjustment, ...]:
        if not feedback.committed:
            return ()
        return (*self._clients(feedback, workload), *self._barrier(feedback, workload))

    def _clients(self, feedback: FeedbackResult, workload: Workload) -> tuple[Adjustment, ...]:
        density, words = measured(feedback, self.edges)
        before = after = workload.scheduling.clients
        limit = 0.0
        if density < self.below and not pressed_enough(feedback, self.aborts):
            after, limit = max(before, min(before + self.add, self.most)), self.below
        elif density > self.above:
            after, limit = min(before, max(before - self.remove, self.fewest)), self.above
        if after == before:
            return ()
        side = "below" if after > before else "above"
        reason = f"{words}, {side} {limit:g}: {after} client{'s' * (after != 1)} instead of {before}"
        return (Adjustment("scheduling.clients", before, after, reason, self.name),)

    def _barrier(self, feedback: FeedbackResult, workload: Workload) -> tuple[Adjustment, ...]:
        count = len(feedback.near_cycles)
        if not count or workload.scheduling.barrier_every or not self.barrier_every:
            return ()
        near = "1 near-cycle was" if count == 1 else f"{count} near-cycles were"
        reason = (
            f"{near} found: clients that meet after every {self.barrier_every} transactions "
            "start the next ones together"
        )
        return (Adjustment("scheduling.barrier_every", 0, self.barrier_every, reason, self.name),)
