"""Runs all interleavings of a few transactions at each isolation level, to see which anomalies they show.

Martin Kleppmann's Hermitage (https://github.com/ept/hermitage) did this by hand for a fixed set of
transactions.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from txfuzz.analysis.checker.consistency import answerable, canonical, prohibited
from txfuzz.database.api import Database
from txfuzz.errors import UsageError
from txfuzz.replay.insert_races import insert_races
from txfuzz.replay.judge import Judge
from txfuzz.replay.replayer import Replayer
from txfuzz.replay.schedule.interleavings import Interleavings, sampled
from txfuzz.replay.schedule.key_assignments import MOST_ASSIGNMENTS, KeyAssignment, key_assignments
from txfuzz.replay.schedule.mvcc_model import Event
from txfuzz.replay.schedule.replay_workload import Aim, Role, compose, schedule
from txfuzz.workload.model import KeyLife, Workload
from txfuzz.workload.sql.blame import doubts

_SEARCHED = 50_000  # interleavings to enumerate before a sample is drawn instead


@dataclass(frozen=True)
class Case:
    """One way to share keys, and the orders that are run. count: of all orders."""

    roles: tuple[Role, ...]
    orders: tuple[tuple[Event, ...], ...]
    count: int
    sampled: bool


@dataclass
class LevelResult:
    """What one isolation level allowed. All numbers count schedules.

    schedules: run; anomalies: by type; broken: the types that the level promises to prevent; aborted: by
    error code; stuck: that could not continue; blocked: with a wait for a lock; races: in which two
    transactions insert the same row; examples: type → a replay workload. Schedules without aborts and
    anomalies are clean if a transaction depends on another, else unknown: they show nothing. judged: those
    that show something, aborts included.
    """

    isolation: str
    promised: str
    schedules: int = 0
    anomalies: Counter[str] = field(default_factory=Counter)
    broken: tuple[str, ...] = ()
    aborted: Counter[str] = field(default_factory=Counter)
    stuck: int = 0
    clean: int = 0
    unknown: int = 0
    judged: int = 0
    blocked: int = 0
    races: int = 0
    examples: dict[str, Workload] = field(default_factory=dict)
    seconds: float = 0.0

    def add(self, more: LevelResult) -> None:
        """What further schedules have come to."""
        for name in ("schedules", "stuck", "clean", "unknown", "judged", "blocked", "races", "seconds"):
            setattr(self, name, getattr(self, name) + getattr(more, name))
        self.anomalies.update(more.anomalies)
        self.aborted.update(more.aborted)
        self.examples = {**more.examples, **self.examples}

    def to_json(self) -> dict[str, Any]:
        names = (
            "isolation", "promised", "schedules", "anomalies", "broken", "aborted", "stuck", "clean",
            "unknown", "judged", "blocked", "races",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names} | {"seconds": round(self.seconds, 3)}


@dataclass(frozen=True)
class Exploration:
    """transactions: their names. cases: the ways to share keys that are run; ways: of all, None if there
    are too many to count. rows: "fresh" or "inserted". orders: all orders of all cases, equivalent ones
    included; distinct: those that are run at each level. stopped: it was interrupted."""

    transactions: tuple[str, ...]
    cases: tuple[Case, ...]
    levels: tuple[LevelResult, ...]
    ways: int | None
    rows: str
    stopped: bool = False

    @property
    def orders(self) -> int:
        return sum(case.count for case in self.cases)

    @property
    def distinct(self) -> int:
        return sum(len(case.orders) for case in self.cases)

    @property
    def sampled(self) -> bool:
        """Were any orders or ways to share keys left out?"""
        return self.ways != len(self.cases) or any(case.sampled for case in self.cases)

    @property
    def judged(self) -> bool:
        """Did any schedule show anything, at any level?"""
        return any(level.judged for level in self.levels)

    @property
    def broken(self) -> bool:
        """Did a level allow what it promises to prevent?"""
        return any(level.broken for level in self.levels)

    def to_json(self) -> dict[str, Any]:
        return {
            "transactions": list(self.transactions),
            "rows": self.rows,
            "ways": self.ways,
            "cases": len(self.cases),
            "orders": self.orders,
            "distinct": self.distinct,
            "sampled": self.sampled,
            "stopped": self.stopped,
            "levels": [level.to_json() for level in self.levels],
        }


@dataclass(frozen=True)
class ExploreProgress:
    """How far an exploration is. isolation: the level that was told of last. done, of: schedules of all
    levels. found: types of anomalies so far."""

    isolation: str
    done: int
    of: int
    found: tuple[str, ...]

    @classmethod
    def at(cls, isolation: str, levels: Iterable[LevelResult], of: int) -> ExploreProgress:
        levels = tuple(levels)
        found = sorted({name for each in levels for name in each.anomalies})
        return cls(isolation, sum(each.schedules for each in levels), of, tuple(found))


def explore(
    workload: Workload,
    names: Sequence[str],
    database: Database,
    levels: Mapping[str, str],
    expect: str,
    *,
    most: int = 2000,
    rows: str | None = None,
    stop: threading.Event | None = None,
    on_progress: Callable[[ExploreProgress], None] = lambda progress: None,
) -> Exploration:
    """Run the interleavings of these transactions of a workload; names may repeat.

    levels: isolation level → the model that it promises. most: schedules per level; if there are more, a
    sample is drawn with the workload's seed. rows: "fresh" or "inserted", instead of the workload's
    setting. Raises UsageError for transactions that share no key.
    """
    stop = stop or threading.Event()
    planned = exploration(workload, names, most=most, rows=rows)
    found: list[LevelResult] = []
    for isolation, promised in levels.items():
        if stop.is_set():
            break
        level = LevelResult(isolation, promised)
        found.append(level)

        def each(isolation: str = isolation) -> bool:
            on_progress(ExploreProgress.at(isolation, found, planned.schedules * len(levels)))
            return True

        with Replayer(database, workload.kind, isolation, stop=stop) as replayer:
            warm_up(replayer, planned)
            for case in planned.cases:
                run_case(replayer, planned.workload, case, expect, level, each)
    return planned.result(found, stopped=stop.is_set())


@dataclass(frozen=True)
class PlannedExploration:
    """What is to be run at each level. names: of the transactions. ways: see Exploration."""

    workload: Workload
    names: tuple[str, ...]
    cases: tuple[Case, ...]
    ways: int | None

    @property
    def schedules(self) -> int:
        """At each level."""
        return sum(len(case.orders) for case in self.cases)

    def result(self, levels: Sequence[LevelResult], *, stopped: bool) -> Exploration:
        for level in levels:
            if (model := _answerable(level.promised, self.workload)) is not None:
                level.broken = tuple(sorted(set(level.anomalies) & prohibited(canonical(model))))
        rows = self.workload.keys.rows
        return Exploration(self.names, self.cases, tuple(levels), self.ways, rows, stopped)


def exploration(
    workload: Workload, names: Sequence[str], *, most: int = 2000, rows: str | None = None
) -> PlannedExploration:
    """As explore(), before anything is run."""
    workload = replace(workload, keys=KeyLife(workload.keys.writes, rows or workload.keys.rows))
    transactions = [workload.transaction(name) for name in names]
    ways = key_assignments(transactions, min(most, MOST_ASSIGNMENTS), workload.seed)
    cases = plan(ways.chosen, most, workload.seed)
    if not cases:
        raise UsageError(f"the transactions {', '.join(names)} share no key that any of them writes")
    return PlannedExploration(workload, tuple(names), tuple(cases), ways.count)


def warm_up(replayer: Replayer, planned: PlannedExploration) -> None:
    """One schedule that does not count."""
    first = replace(planned.cases[0], orders=planned.cases[0].orders[:1])
    run_case(replayer, planned.workload, first, "serializable", LevelResult("", ""))


def _answerable(promised: str, workload: Workload) -> str | None:
    return answerable(promised, own_lists=workload.own_lists, doubtful=bool(doubts(workload)))


def plan(ways: Sequence[KeyAssignment], most: int, seed: int) -> list[Case]:
    """The orders to run, at most `most`: all distinct ones, or samples of equal size."""
    cases: list[Case] = []
    for at, roles in enumerate(ways):
        share = (most - sum(len(case.orders) for case in cases)) // (len(ways) - at)
        accesses = {role.alias: role.accesses for role in roles}
        interleavings = Interleavings(accesses)
        every = tuple(islice(interleavings.all(), min(share, _SEARCHED) + 1))
        if len(every) <= share:
            cases.append(Case(roles, every, interleavings.count, False))
        else:
            cases.append(Case(roles, tuple(sampled(accesses, share, seed)), interleavings.count, True))
    return cases


def run_case(
    replayer: Replayer,
    workload: Workload,
    case: Case,
    expect: str,
    level: LevelResult,
    each: Callable[[], bool] = lambda: True,
) -> None:
    """Run its orders, and count in `level` what they come to. each: is asked before each of them, and ends it
    by False."""
    judge, began = (
        Judge(expect, ""),
        time.monotonic(),
    )  # the verdict on an attempt does not depend on the level
    composed = compose(workload, case.roles, case.orders[0], Aim(), rows=workload.keys.rows)
    assert composed.replay is not None
    prepared = replayer.prepare(composed)
    by_alias = {role.alias: role for role in case.roles}
    for order in case.orders:
        if replayer.stop.is_set() or not each():
            break
        replay = replace(composed.replay, schedule=schedule(order, by_alias))
        attempt = prepared.run(replay)
        if attempt.refused:
            raise UsageError(attempt.refused)
        if attempt.ended and replayer.stop.is_set():
            break
        judgement = judge.judge(attempt)
        types = judgement.all_types
        level.schedules += 1
        level.races += workload.keys.rows == "fresh" and bool(insert_races(attempt))
        level.blocked += bool(attempt.blocked)
        if attempt.ended:
            level.stuck += 1
            continue
        level.judged += judgement.judged
        level.anomalies.update(types)
        codes = {outcome.code for outcome in attempt.outcomes.values() if outcome.type != "ok"}
        level.aborted.update(codes)
        if not types and not codes:
            level.clean += judgement.judged
            level.unknown += not judgement.judged
        for type in types:
            if type not in level.examples:
                level.examples[type] = compose(
                    replace(workload, database=replace(workload.database, isolation=level.isolation)),
                    case.roles, order, Aim(type), rows=workload.keys.rows,
                    about=f"{type} at {level.isolation}, found by running interleavings.",
                )  # fmt: skip
    level.seconds += time.monotonic() - began
