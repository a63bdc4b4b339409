"""Isolation levels, rows and faults, where the workload allows it."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar

from txfuzz.plugin_api import Adjustment, FeedbackResult, Workload, target_value

from .change import change

_ROWS = {
    "fresh": "first writes insert, and reads of what is not there yet have nothing to lock",
    "inserted": "reads and writes of rows that exist take other paths than first inserts",
    "deleted": "first writes come by dead rows and index entries, which fresh tables do not have",
}


@dataclass(frozen=True)
class Levels:
    name: ClassVar[str] = "levels"
    about: ClassVar[str] = "lets one transaction run at another isolation level that promises enough"
    kind: ClassVar[str] = "isolation"

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> Adjustment | None:
        words = (feedback.original or workload).mutate.levels
        before: dict[str, str | None] = target_value(workload, "isolation")
        name = random.choice(sorted(before))
        others = [word for word in words if word not in (before[name], workload.database.isolation)]
        if before[name] is not None and workload.database.isolation in words:
            others.append(workload.database.isolation)
        if not others:
            return None
        level = random.choice(others)
        reason = f"{name!r} at {level} meets transactions at other levels"
        return change(workload, "isolation", {**before, name: level}, reason, self.name)


@dataclass(frozen=True)
class RowsInAdvance:
    name: ClassVar[str] = "rows-in-advance"
    about: ClassVar[str] = "inserts rows before they are used, deletes them again, or no longer"
    kind: ClassVar[str] = "rows"

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> Adjustment | None:
        now: str = target_value(workload, "keys.rows")
        words = (feedback.original or workload).mutate.rows or ("fresh", "inserted")
        others = [word for word in words if word != now]
        if not others:
            return None
        after = random.choice(others)
        return change(workload, "keys.rows", after, _ROWS[after], self.name)


@dataclass(frozen=True)
class FaultTimes:
    name: ClassVar[str] = "fault-times"
    about: ClassVar[str] = "moves the moments at which faults strike"
    kind: ClassVar[str] = "faults"

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> Adjustment | None:
        before: list[dict[str, Any]] = target_value(workload, "faults")
        if not before:
            return None
        factor = random.choice((0.5, 0.8, 1.25, 2.0))
        after = [_scaled(each, factor) for each in before]
        sooner = "sooner" if factor < 1 else "later"
        reason = f"faults that strike {sooner} (×{factor:g}) meet transactions in another state"
        return change(workload, "faults", after, reason, self.name)


_MOMENTS = {
    "commit": "when a COMMIT of the near-cycle's transactions is under way",
    "lock": "while a transaction of the near-cycle holds a lock",
    None: "whatever the transactions of a near-cycle are doing",
}


@dataclass(frozen=True)
class FaultMoments:
    """A fault waits for a moment of the directed schedules; where there are none it would never strike."""

    name: ClassVar[str] = "fault-moments"
    about: ClassVar[str] = "lets a fault wait for a COMMIT or a lock of the near-cycle that is pursued"
    kind: ClassVar[str] = "faults"

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> Adjustment | None:
        before: list[dict[str, Any]] = target_value(workload, "faults")
        if not before:
            return None
        at = random.randrange(len(before))
        now = before[at].get("when")
        played = (
            any(each.played for each in feedback.directed)
            if feedback.directed
            else feedback.direction is not None and bool(feedback.direction.schedules)
        )
        moments = [each for each in _MOMENTS if each != now] if played else [None]
        when = random.choice(moments)
        fault = {key: value for key, value in before[at].items() if key != "when"}
        after = [*before[:at], fault if when is None else {**fault, "when": when}, *before[at + 1 :]]
        reason = f"{fault['name']} strikes {_MOMENTS[when]}"
        return change(workload, "faults", after, reason, self.name)


def _scaled(fault: dict[str, Any], factor: float) -> dict[str, Any]:
    if "at" in fault:
        return {**fault, "at": [min(max(each * factor, 1e-3), 86400.0) for each in fault["at"]]}
    return {**fault, "every": min(max(fault["every"] * factor, 1e-3), 86400.0)}
