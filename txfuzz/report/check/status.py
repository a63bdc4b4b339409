"""The status of a check while it runs: its data, and the rows of the screen that shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from txfuzz.common.sentences import counted
from txfuzz.report.text.course import Course
from txfuzz.report.text.status import Frame, New, Row, clock, new_text


@dataclass(frozen=True)
class CheckStatus:
    """levels, sets, programs: how many there are; 0 until it is known. most_seconds: for all schedules.
    schedules: followed so far. now: the set and level under way; doing: what is done there besides. failing:
    set and level → schedules that fail; begun: sets and levels that were begun, of all. ran, covered: how
    these went. rate: schedules per second, of late."""

    title: str = ""
    most_seconds: float = 0.0
    levels: int = 0
    sets: int = 0
    programs: int = 0
    seconds: float = 0.0
    schedules: int = 0
    now: tuple[str, str] = ("", "")
    doing: str = ""
    failing: Mapping[tuple[str, str], int] = field(default_factory=dict)
    ran: Course = field(default_factory=Course)
    covered: Course = field(default_factory=Course)
    new: New = field(default_factory=New)
    rate: float = 0.0

    def at(
        self, seconds: float, name: str, isolation: str, schedules: int, failing: int, doing: str = ""
    ) -> CheckStatus:
        """A moment later. failing: of this set at this level."""
        there, new = (name, isolation), self.new
        counts = dict(self.failing)
        if not doing:  # otherwise nothing is counted
            if there not in counts:
                counts[there] = 0
            if failing and not counts[there]:
                new = New(f"{name} fails at {isolation.upper()}", seconds)
            counts[there] = max(counts[there], failing)
        passed = seconds - self.seconds
        weight = min(1.0, passed / 5)  # it follows what has happened in some five seconds
        rate = self.rate
        if passed > 0:
            rate = rate * (1 - weight) + (schedules - self.schedules) / passed * weight
        return replace(
            self,
            seconds=seconds,
            schedules=schedules,
            now=there,
            doing=doing,
            failing=counts,
            ran=self.ran.at(seconds, schedules),
            covered=self.covered.at(seconds, len(counts)),
            new=new,
            rate=rate,
        )


def check_frame(status: CheckStatus) -> Frame:
    title = f"txfuzz check · {status.title}" if status.title else "txfuzz check"
    found = [
        f"{name} at {level.upper()}: {counted(count, 'schedule fails', 'schedules fail')}"
        for (name, level), count in status.failing.items()
        if count
    ]
    return Frame(title, status_rows(status), found)


def status_line(status: CheckStatus) -> str:
    """For one line of a log. Its parts are sets at levels."""
    parts, failing = status.sets * status.levels, sum(status.failing.values())
    begun = f", {len(status.failing):,} of {parts:,} parts begun" if parts else ""
    fail = f", {failing:,} fail" if failing else ""
    ran = f"{counted(status.schedules, 'schedule')} ({status.rate:,.0f}/s)"
    return f"{clock(status.seconds)} {_now(status)}; {ran}{fail}{begun}"


def _now(status: CheckStatus) -> str:
    name, level = status.now
    now = f"{name} at {level.upper()}" if name else "each transaction alone"
    return f"{now}: {status.doing}" if status.doing else now


def status_rows(status: CheckStatus) -> list[Row]:
    """The same rows at every moment."""
    most = f", schedules run for at most {clock(status.most_seconds)}" if status.most_seconds else ""
    parts = status.sets * status.levels
    failing = sum(status.failing.values())
    return [
        Row("time", f"{clock(status.seconds)}{most}"),
        Row("now", _now(status), most=2),
        Row("new", new_text(status.new, status.seconds), most=2),
        Row("schedules", f"{status.schedules:,}, {status.rate:,.0f}/s", status.ran.growth),
        Row("failing", f"{failing:,}"),
        Row("programs", f"{status.programs:,} in {counted(status.sets, 'set')} of transactions"),
        Row("coverage", f"{len(status.failing):,} of {parts:,} sets at levels begun", status.covered.growth),
    ]
