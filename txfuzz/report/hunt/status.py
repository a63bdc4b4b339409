"""The status of a hunt while it runs: its data, and how it looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from txfuzz.common.sentences import listed
from txfuzz.hunt.result import FoundHole, HuntCounts
from txfuzz.report.text.status import clock, sparkline

_POINTS = 24  # of the line that shows coverage over time
_OLD = 2.0  # seconds after which it is told how long ago there was something new


@dataclass(frozen=True)
class HuntStatus:
    """seconds: since it began or was resumed. before: the counts of the first moment. new_at: when something
    was covered for the first time. history: what was covered, at moments that are equally far apart; apart:
    in seconds. rate: schedules per second, of late."""

    title: str = ""
    workers: int = 1
    most_seconds: float | None = None
    most_schedules: int | None = None
    seconds: float = 0.0
    before: HuntCounts | None = None
    counts: HuntCounts = field(default_factory=HuntCounts)
    holes: Sequence[FoundHole] = ()
    new_at: float = 0.0
    history: tuple[int, ...] = (0,)
    apart: float = 1.0
    rate: float = 0.0
    lost: int = 0

    def at(self, seconds: float, counts: HuntCounts, holes: Sequence[FoundHole]) -> HuntStatus:
        """A moment later."""
        history, apart = self.history, self.apart
        while seconds >= len(history) * apart:
            history = (*history, counts.covered)
            if len(history) > _POINTS:
                history, apart = history[::2], apart * 2
        passed, ran = seconds - self.seconds, counts.schedules - self.counts.schedules
        weight = min(1.0, passed / 5)  # it follows what has happened in some five seconds
        first = self.before is None
        return replace(
            self,
            seconds=seconds,
            before=counts if first else self.before,
            counts=counts,
            holes=tuple(holes),
            new_at=seconds if counts.covered > self.counts.covered else self.new_at,
            history=history,
            apart=apart,
            rate=self.rate if first or not passed else self.rate * (1 - weight) + ran / passed * weight,
        )


def status_rows(status: HuntStatus) -> list[tuple[str, str]]:
    """Labels and texts, without colour."""
    counts = status.counts
    of = f" of {clock(status.most_seconds)}" if status.most_seconds is not None else ""
    most = f" of {status.most_schedules:,}" if status.most_schedules is not None else ""
    many = f", {status.workers} workers" if status.workers > 1 else ""
    lost = f" ({status.lost} lost and replaced)" if status.lost else ""
    total = max(1, counts.schedules)
    return [
        ("time", f"{clock(status.seconds)}{of}{many}{lost}"),
        ("schedules", f"{counts.schedules:,}{most} ({status.rate:,.0f}/s), {counts.programs:,} programs"),
        (
            "outcomes",
            f"{counts.committed / total:.0%} committed in full, {counts.waited / total:.0%} waited"
            + (f", {counts.unknown:,} unknown" if counts.unknown else ""),
        ),
        ("coverage", f"{_growth(status)}  {counts.covered:,} ways in which forms met{_since(status)}"),
        ("found", found_text(status.holes) if status.holes else "nothing yet"),
    ]


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


def _growth(status: HuntStatus) -> str:
    """What was covered anew in each stretch of time."""
    return sparkline([max(0, b - a) for a, b in zip(status.history, status.history[1:], strict=False)])


def _since(status: HuntStatus) -> str:
    ago = status.seconds - status.new_at
    return f", nothing new for {clock(ago)}" if ago >= _OLD else ""
