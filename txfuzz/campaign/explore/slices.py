"""The schedules of an exploration as slices of work, for several workers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

from txfuzz.campaign.setup.resolve import adapter_of
from txfuzz.campaign.workers.carried import CarriedFile, placed
from txfuzz.campaign.workers.engines import Workers
from txfuzz.campaign.workers.independent import Independent, Part
from txfuzz.database.api import Database
from txfuzz.database.isolation_levels import open_database
from txfuzz.plugin.loader import load_plugins
from txfuzz.replay.explore import (
    Exploration,
    ExploreProgress,
    LevelResult,
    PlannedExploration,
    run_case,
    warm_up,
)
from txfuzz.replay.replayer import Replayer

_ORDERS = 100  # of a slice: a second or so


@dataclass(frozen=True)
class ExploredOrders:
    """A slice: these orders of a case, at a level."""

    isolation: str
    promised: str
    case: int
    orders: range


@dataclass(frozen=True)
class ExploreJob:
    """A Job of ExploredOrders → what they have come to so far (see workers.contract). url: of a server; None:
    an embedded one for each worker."""

    planned: PlannedExploration
    expect: str
    url: str | None = field(default=None, repr=False)
    plugin_files: tuple[CarriedFile, ...] = ()

    @contextmanager
    def opened(self) -> Iterator[ExploreWorker]:
        workload = self.planned.workload
        with placed(self.plugin_files) as files:
            registry = load_plugins(files=files)
            adapter = adapter_of(workload.database, registry, f"the workload {workload.name!r}")
            with open_database(adapter, self.url) as database, ExitStack() as opened:
                yield ExploreWorker(self, database, opened)


class ExploreWorker:
    """A Worker. opened: closes the sessions of the level that it was at last."""

    def __init__(self, job: ExploreJob, database: Database, opened: ExitStack) -> None:
        self._job, self._database, self._opened = job, database, opened
        self._replayer: Replayer | None = None

    def run(self, asked: Part[ExploredOrders], tell: Callable[[LevelResult], bool]) -> None:
        what, planned = asked.what, self._job.planned
        level, replayer = LevelResult(what.isolation, what.promised), self._at(what.isolation)
        case = planned.cases[what.case]
        case = replace(case, orders=case.orders[what.orders.start : what.orders.stop])
        run_case(replayer, planned.workload, case, self._job.expect, level, lambda: tell(level))
        tell(level)

    def _at(self, isolation: str) -> Replayer:
        if self._replayer is None or self._replayer.isolation != isolation:
            self._opened.close()
            kind = self._job.planned.workload.kind
            self._replayer = self._opened.enter_context(Replayer(self._database, kind, isolation))
            warm_up(self._replayer, self._job.planned)
        return self._replayer


def explore_by(
    workers: Workers,
    job: ExploreJob,
    levels: Mapping[str, str],
    stop: threading.Event,
    on_lost: Callable[[str], None],
    on_progress: Callable[[ExploreProgress], None],
) -> Exploration:
    """The same as explore() comes to, by several workers. levels: see there."""
    parts = [
        ExploredOrders(isolation, promised, number, range(start, min(start + _ORDERS, len(case.orders))))
        for isolation, promised in levels.items()
        for number, case in enumerate(job.planned.cases)
        for start in range(0, len(case.orders), _ORDERS)
    ]
    found: dict[int, LevelResult] = {}
    under_way: dict[int, LevelResult] = {}

    of = job.planned.schedules * len(levels)

    def told(part: Part[ExploredOrders], level: LevelResult) -> None:
        under_way[part.number] = level
        on_progress(ExploreProgress.at(part.what.isolation, under_way.values(), of))

    def ended(part: Part[ExploredOrders], level: LevelResult) -> None:
        found[part.number] = level

    slices = Independent(parts, on_told=told, on_ended=ended, on_lost=on_lost, interrupted=stop.is_set)
    workers.engine(on_lost).run(job, slices)
    together = {isolation: LevelResult(isolation, promised) for isolation, promised in levels.items()}
    for number in sorted(found):  # the example of an anomaly is that of the first order that shows it
        together[found[number].isolation].add(found[number])
    shown = [level for level in together.values() if level.schedules or not stop.is_set()]
    return job.planned.result(shown, stopped=stop.is_set())
