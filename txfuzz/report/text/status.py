"""The status of a campaign while it runs: its data, and the rows of the screen that shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from txfuzz.common.sentences import counted, weighted
from txfuzz.report.text.course import Course

_KEYS = 8
_OLD = 2.0  # seconds in a stage, after which it is said how long it takes
# What an iteration is doing, by the stages of txfuzz.campaign.events
_STAGES = {
    "run": "running transactions",
    "read": "reading the history",
    "analysis": "analysing the history",
    "pictures": "drawing the pictures",
    "replay": "replaying schedules",
    "feedback": "deciding what to change",
}


class Row(NamedTuple):
    """One row of a screen. course: is drawn beside the text. most: lines that the text may take."""

    label: str
    text: str
    course: Sequence[float] = ()
    most: int = 1


@dataclass(frozen=True)
class Frame:
    """What a screen shows at one moment. found: the latest last; nothing: where there is none."""

    title: str
    rows: Sequence[Row]
    found: Sequence[str] = ()
    nothing: str = "nothing yet"


@dataclass(frozen=True)
class New:
    """The last time that something was seen for the first time. at: seconds since the start."""

    what: str = ""
    at: float = 0.0


@dataclass(frozen=True)
class Progress:
    """How far something is. share: of all, 0 to 1; left: seconds, None if unknown."""

    what: str = ""
    share: float | None = None
    left: float | None = None


@dataclass(frozen=True)
class Status:
    """What the screen of a campaign shows. Counts cover the whole campaign unless stated otherwise.

    elapsed, left: seconds; left is None if unknown. iteration: from 0; None before the first one.
    iterations: 0 until it is known. small_scope: the search before the first one is under way. stage: of
    the iteration; doing: what is being done in it, or before all iterations. stage_seconds: since it began;
    usual: how long it took the last time; side_by_side: iterations that `workers` run at the moment, 0 if
    one process runs them one after another; analysis: how far that is, of one under way. rate: committed
    transactions per second; course: of all committed ones. refused: of each iteration the share of aborted
    and unknown transactions; edges: dependent pairs per committed transaction; near: near-cycles; covered:
    features covered by then. fresh: of those, how many were new in the last one. corpus, yields: of a
    strategy that keeps one, and what its mutators have brought. directed: what came of the last iteration's
    directed schedules. found: in sentences. decided: the last decision in a sentence.
    """

    title: str = ""
    elapsed: float = 0.0
    left: float | None = None
    iteration: int | None = None
    iterations: int = 0
    small_scope: bool = False
    stage: str = ""
    doing: str = ""
    stage_seconds: float = 0.0
    usual: float | None = None
    workers: int = 1
    side_by_side: int = 0
    analysis: Progress = Progress()
    rate: float = 0.0
    course: Course = field(default_factory=Course)
    asked: int = 0
    committed: int = 0
    aborts: Mapping[str, int] = field(default_factory=dict)
    unknown: int = 0
    refused: Sequence[float] = ()
    edges: Sequence[float] = ()
    concurrent: float = 0.0
    near: Sequence[int] = ()
    covered: Sequence[int] = ()
    fresh: int = 0
    corpus: int | None = None
    yields: Mapping[str, str] = field(default_factory=dict)
    directed: Sequence[str] = ()
    found: Sequence[str] = ()
    new: New = New()
    keys: Sequence[int] = ()
    mix: Mapping[str, float] = field(default_factory=dict)
    clients: int = 0
    decided: str = ""


def clock(seconds: float) -> str:
    """1:02:03 or 2:03"""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def beginning(seconds: float) -> Frame:
    """The frame of a campaign of which nothing is known yet."""
    return status_frame(Status(elapsed=seconds, doing="reading the workload"))


def status_frame(status: Status) -> Frame:
    return Frame(status.title or "txfuzz", status_rows(status), status.found)


def status_rows(status: Status) -> list[Row]:
    """The same rows at every moment of every campaign."""
    rows = [
        Row("iteration", _iteration(status)),
        Row("now", _now(status)),
        Row("new", new_text(status.new, status.elapsed)),
        Row("committed", _committed(status), status.course.growth),
        Row("aborts", _aborts(status), status.refused),
        Row("edges", _edges(status), status.edges),
        Row("near-cycles", f"{status.near[-1]:,} in the last iteration" if status.near else "–", status.near),
        Row("coverage", _coverage(status), status.covered),
    ]
    return [
        *rows,
        Row("corpus", "–" if status.corpus is None else _corpus(status.corpus, status.yields), most=2),
        Row("directed", "; ".join(status.directed) or "–", most=2),
        Row("load", _load(status), most=2),
        Row("decided", status.decided or "–", most=3),
    ]


def new_text(new: New, elapsed: float) -> str:
    """How long ago there was something new, and what."""
    ago = f"nothing new for {clock(elapsed - new.at)}"
    return f"{ago}; the last: {new.what}" if new.what else f"nothing yet, in {clock(elapsed)}"


def _iteration(status: Status) -> str:
    passed = clock(status.elapsed)
    left = f", about {clock(status.left)} left" if status.left is not None else ""
    if status.iteration is None:
        which = "small-scope search, before the first" if status.small_scope else "before the first"
        of = f" of {status.iterations}" if status.iterations else ""
        return f"{which}{of} · {passed}{left}"
    which = f"{status.iteration + 1} of {status.iterations} (iter_{status.iteration:02d})"
    return f"{which} · {passed}{left}"


def _now(status: Status) -> str:
    if status.side_by_side:
        under_way = counted(status.side_by_side, "iteration")
        return f"{under_way} under way, by {counted(status.workers, 'worker')}"
    stage = _STAGES.get(status.stage, status.stage)
    doing = status.doing or status.analysis.what
    time = ""
    if status.stage_seconds >= _OLD and status.stage != "run":
        time = f" ({clock(status.stage_seconds)}{_expected(status)})"
    if stage and doing:
        return f"{stage}{time}: {doing}"
    return f"{stage or doing or 'starting'}{time}"


def _expected(status: Status) -> str:
    """How long the stage still takes, as far as it is known."""
    if status.analysis.left is not None:
        return f", about {clock(max(status.analysis.left, 1))} left"
    if status.usual is not None and status.usual > status.stage_seconds:
        return f" of about {clock(status.usual)}"
    return ""


def _committed(status: Status) -> str:
    return f"{status.committed:,} of {counted(status.asked, 'transaction')}, {status.rate:,.0f}/s"


def _aborts(status: Status) -> str:
    aborted = sum(status.aborts.values()) - status.unknown
    if not status.asked:
        return "–"
    share = f" ({(aborted + status.unknown) / status.asked:.0%})"
    unknown = f", {status.unknown:,} unknown" if status.unknown else ""
    codes = ", ".join(f"{code} ×{count:,}" for code, count in status.aborts.items())
    return f"{aborted:,}{unknown}{share}{f': {codes}' if codes else ''}"


def _edges(status: Status) -> str:
    if not status.edges:
        return "–"
    return f"{status.edges[-1]:.2f} per transaction, {status.concurrent:.2f} concurrent"


def _coverage(status: Status) -> str:
    if not status.covered:
        return "–"
    return f"{counted(status.covered[-1], 'feature')}, {status.fresh:,} new in the last iteration"


def _corpus(entries: int, yields: Mapping[str, str]) -> str:
    text = counted(entries, "entry", "entries")
    gained = ", ".join(f"{name} {each}" for name, each in yields.items())
    brought = f"yields per 100 transactions: {gained}" if gained else "no mutator has brought anything"
    return f"{text}; {brought}"


def _load(status: Status) -> str:
    if not status.clients:
        return "–"
    total = sum(status.mix.values()) or 1.0
    mix = ", ".join(weighted(status.mix, lambda name, weight: f"{name} {weight / total:.0%}"))
    return f"{counted(status.clients, 'client')} on {_keys(status.keys)}: {mix}"


def _keys(keys: Sequence[int]) -> str:
    if len(keys) > _KEYS:
        return f"{len(keys):,} keys"
    return f"{'key' if len(keys) == 1 else 'keys'} {', '.join(map(str, keys))}"
