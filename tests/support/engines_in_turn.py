"""An engine without processes, whose workers finish in an order that is chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from txfuzz.campaign.iterations.job import IterationNews
from txfuzz.campaign.workers.independent import Part

Pick = Callable[[Sequence[int]], int]  # of the numbers that are under way, the next to end


class InTurn:
    """An Engine of so many workers, which run one after another in this process.

    pick: which of them ends next. known: what iterations come to, in place of running them, where it is
    known; else it is noted there. on_ended: is called after each with the slices.
    """

    def __init__(
        self,
        size: int,
        pick: Pick = min,
        known: dict[int, IterationNews] | None = None,
        on_ended: Callable[[Any, int], None] = lambda slices, number: None,
    ) -> None:
        self.size, self._pick, self._on_ended = size, pick, on_ended
        self.known = {} if known is None else known
        self.asked: list[Part[Any]] = []
        self.most = 0  # that were under way at a time
        self.job: Any = None

    def run(self, job: Any, slices: Any) -> None:
        self.job = job
        with ExitStack() as opened:
            worker: Any = None
            under_way: dict[int, Part[Any]] = {}
            while True:
                while len(under_way) < self.size + 3 and (part := slices.take()) is not None:
                    under_way[part.number] = part
                    self.asked.append(part)
                self.most = max(self.most, len(under_way))
                if not under_way or slices.enough():
                    break
                part = under_way.pop(self._pick(sorted(under_way)))
                if part.number not in self.known:
                    worker = worker or opened.enter_context(job.opened())
                    told: list[IterationNews] = []
                    worker.run(part, lambda news, told=told: told.append(news) or True)
                    self.known[part.number] = told[-1]
                slices.told(part, self.known[part.number])
                slices.ended(part)
                self._on_ended(slices, part.number)
