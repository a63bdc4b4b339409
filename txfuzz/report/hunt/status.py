"""The status of a hunt while it runs: its data, and how it looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from txfuzz.common.sentences import counted, listed
from txfuzz.hunt.race.result import RaceCounts, RacedHole
from txfuzz.hunt.result import FoundHole, HuntCounts
from txfuzz.report.text.course import Course
from txfuzz.report.text.status import Frame, New, Row, clock, new_text

_OLD = 2.0  # seconds after which it is told how long ago there was something new


@dataclass(frozen=True)
class HuntStatus:
    """seconds: since it began or was resumed. before: the counts of the first moment. new: what was covered
    or found for the first time. covered, ran: how coverage and schedules went. rate: schedules per second, of
    late."""

    title: str = ""
    workers: int = 1
    most_seconds: float | None = None
    most_schedules: int | None = None
    seconds: float = 0.0
    before: HuntCounts | None = None
    counts: HuntCounts = field(default_factory=HuntCounts)
    holes: Sequence[FoundHole] = ()
    new: New = field(default_factory=New)
    covered: Course = field(default_factory=Course)
    ran: Course = field(default_factory=Course)
    rate: float = 0.0
    lost: int = 0

    def at(self, seconds: float, counts: HuntCounts, holes: Sequence[FoundHole]) -> HuntStatus:
        """A moment later."""
        passed, ran = seconds - self.seconds, counts.schedules - self.counts.schedules
        weight = min(1.0, passed / 5)  # it follows what has happened in some five seconds
        first = self.before is None
        before = counts if self.before is None else self.before
        new = self.new
        if counts.covered > self.counts.covered:
            ways = counts.covered - self.counts.covered
            new = New(counted(ways, "way in which forms met", "ways in which forms met"), seconds)
        if len(holes) > len(self.holes):
            new = New(holes[-1].name, seconds)
        return replace(
            self,
            seconds=seconds,
            before=before,
            counts=counts,
            holes=tuple(holes),
            new=new,
            covered=self.covered.at(seconds, counts.covered),
            ran=self.ran.at(seconds, counts.schedules - before.schedules),
            rate=self.rate if first or not passed else self.rate * (1 - weight) + ran / passed * weight,
        )


def hunt_frame(status: HuntStatus) -> Frame:
    title = f"txfuzz hunt · {status.title}" if status.title else "txfuzz hunt"
    return Frame(title, status_rows(status), [found_line(each) for each in status.holes])


def status_rows(status: HuntStatus) -> list[Row]:
    """The same rows at every moment."""
    counts = status.counts
    of = f" of {clock(status.most_seconds)}" if status.most_seconds is not None else ""
    most = f" of {status.most_schedules:,}" if status.most_schedules is not None else ""
    lost = f" ({status.lost} lost and replaced)" if status.lost else ""
    total = max(1, counts.schedules)
    unknown = f", {counts.unknown:,} unknown" if counts.unknown else ""
    committed, waited = counts.committed / total, counts.waited / total
    return [
        Row("time", f"{clock(status.seconds)}{of}"),
        Row("new", new_text(status.new, status.seconds), most=2),
        Row("schedules", f"{counts.schedules:,}{most}, {status.rate:,.0f}/s", status.ran.growth),
        Row("programs", f"{counts.programs:,}"),
        Row("outcomes", f"{committed:.0%} committed in full, {waited:.0%} waited{unknown}"),
        Row("coverage", f"{counts.covered:,} ways in which forms met", status.covered.growth),
        Row("workers", f"{status.workers}{lost}"),
        Row("hits", found_text(status.holes) if status.holes else "–", most=2),
    ]


@dataclass(frozen=True)
class RaceStatus:
    """Of a hunt by races; the fields are those of HuntStatus. covered: different outcomes."""

    seconds: float = 0.0
    counts: RaceCounts = field(default_factory=RaceCounts)
    holes: Sequence[RacedHole] = ()
    new: New = field(default_factory=New)
    covered: Course = field(default_factory=Course)
    ran: Course = field(default_factory=Course)

    def at(self, seconds: float, counts: RaceCounts, holes: Sequence[RacedHole]) -> RaceStatus:
        """A moment later."""
        new = self.new
        if counts.outcomes > self.counts.outcomes:
            new = New(counted(counts.outcomes - self.counts.outcomes, "outcome"), seconds)
        if len(holes) > len(self.holes):
            new = New(holes[-1].hole.name, seconds)
        return replace(
            self,
            seconds=seconds,
            counts=counts,
            holes=tuple(holes),
            new=new,
            covered=self.covered.at(seconds, counts.outcomes),
            ran=self.ran.at(seconds, counts.rounds),
        )


def race_frame(status: RaceStatus, most_seconds: float | None, most_rounds: int | None) -> Frame:
    counts = status.counts
    of = f" of {clock(most_seconds)}" if most_seconds is not None else ""
    most = f" of {most_rounds:,}" if most_rounds is not None else ""
    rate = counts.rounds / counts.seconds if counts.seconds else 0.0
    unknown = f", {counts.unknown:,} unknown" if counts.unknown else ""
    rows = [
        Row("time", f"{clock(status.seconds)}{of}"),
        Row("new", new_text(status.new, status.seconds), most=2),
        Row("rounds", f"{counts.rounds:,}{most}, {rate:,.0f}/s", status.ran.growth),
        Row("races", f"{counts.races:,}"),
        Row("outcomes", f"{counts.committed / max(1, counts.rounds):.0%} committed in full{unknown}"),
        Row("coverage", f"{counts.outcomes:,} different outcomes", status.covered.growth),
    ]
    return Frame("txfuzz hunt --race", rows, [found_line(each.hole) for each in status.holes])


def status_line(status: HuntStatus) -> str:
    """For one line of a log."""
    counts = status.counts
    text = (
        f"{clock(status.seconds)} {counts.schedules:,} schedules of {counts.programs:,} programs "
        f"({status.rate:,.0f}/s), {counts.covered:,} covered{_since(status)}"
    )
    return f"{text}; found: {found_text(status.holes)}" if status.holes else text


def found_line(hole: FoundHole) -> str:
    """When a hole is found, for one line."""
    known = "known" if hole.known else "NEW"
    return (
        f"found ({known}): {hole.name} at {hole.isolation.upper()}: {hole.wrong.value}, "
        f"schedule {hole.first:,}, layout {hole.layout}"
    )


def found_text(holes: Sequence[FoundHole]) -> str:
    """News first. holes: at least one."""
    ordered = sorted(holes, key=lambda each: bool(each.known))
    return listed([f"{each.name} ×{each.hits:,}{' (known)' if each.known else ''}" for each in ordered])


def _since(status: HuntStatus) -> str:
    ago = status.seconds - status.new.at
    return f", nothing new for {clock(ago)}" if ago >= _OLD else ""
