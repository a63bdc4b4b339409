"""The status screen of a campaign: its data, and how it looks in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from txfuzz.common.sanitize import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

_BARS = "▁▂▃▄▅▆▇█"
_KEYS = 8
_REASON = 240  # characters of the last decision: the screen has to fit into a terminal


@dataclass(frozen=True)
class Status:
    """What the screen shows. Counts cover the whole campaign unless stated otherwise.

    elapsed, left: seconds; left is None if unknown. iteration: from 0; None for the small-scope search.
    stage: what the iteration is doing. rate: committed transactions per second. found: anomaly type →
    iteration that first showed it. near: near-cycles by iteration. last: the last decision and its reason.
    learnt: by a strategy that learns, as sentences.
    """

    title: str
    elapsed: float = 0.0
    left: float | None = None
    iteration: int | None = 0
    iterations: int = 1
    stage: str = ""
    rate: float = 0.0
    asked: int = 0
    committed: int = 0
    aborts: Mapping[str, int] = field(default_factory=dict)
    unknown: int = 0
    edges: float | None = None
    concurrent: float | None = None
    near: Sequence[int] = ()
    found: Mapping[str, int | str] = field(default_factory=dict)
    keys: Sequence[int] = ()
    mix: Mapping[str, float] = field(default_factory=dict)
    clients: int = 0
    last: str = ""
    learnt: Sequence[str] = ()


def sparkline(values: Sequence[int]) -> str:
    """One character per value, in proportion to the largest."""
    most = max(values, default=0)
    if not most:
        return _BARS[0] * len(values)
    return "".join(_BARS[min(len(_BARS) - 1, value * len(_BARS) // (most + 1))] for value in values)


def clock(seconds: float) -> str:
    """1:02:03 or 2:03"""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def status_rows(status: Status) -> list[tuple[str, str]]:
    """The screen as labels and texts, without colour."""
    left = f", about {clock(status.left)} left" if status.left is not None else ""
    aborts = ", ".join(f"{code} ×{count:,}" for code, count in status.aborts.items())
    aborted = sum(status.aborts.values()) - status.unknown
    where = f"{status.iteration} of 0–{status.iterations - 1}"
    if status.iteration is None:
        where = "small-scope, two and three transactions at a time"
    rows = [
        ("time", f"{clock(status.elapsed)}{left}"),
        ("iteration", f"{where}: {status.stage or 'starting'}"),
        ("transactions", f"{status.asked:,} issued, {status.committed:,} committed ({status.rate:,.0f}/s)"),
        ("aborts", f"{aborted:,}, {status.unknown:,} unknown{f' ({aborts})' if aborts else ''}"),
    ]
    if status.edges is not None:
        rows.append(("edges", f"{status.edges:.2f} per transaction, {status.concurrent or 0:.2f} concurrent"))
    if status.near:
        rows.append(("near-cycles", f"{sparkline(status.near)}  {status.near[-1]:,} in the last iteration"))
    found = ", ".join(f"{name} (first in iteration {first})" for name, first in status.found.items())
    rows.append(("found", found or "nothing yet"))
    total = sum(status.mix.values()) or 1.0
    rows += [
        ("clients", str(status.clients)),
        ("keys", _keys(status.keys)),
        ("mix", ", ".join(f"{name} {weight / total:.0%}" for name, weight in status.mix.items())),
    ]
    if status.last:
        rows.append(("decided", _brief(status.last)))
    rows += [("learnt" if at == 0 else "", _brief(each)) for at, each in enumerate(status.learnt)]
    return rows


def status_panel(status: Status) -> RenderableType:
    """The screen for rich."""
    return rows_panel(status.title, status_rows(status), found=bool(status.found))


def rows_panel(title: str, rows: Sequence[tuple[str, str]], *, found: bool) -> RenderableType:
    """Labels and texts for rich. found: show the row of this label in red."""
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", justify="right")
    table.add_column()
    for label, words in rows:
        style = "bold red" if label == "found" and found else ""
        table.add_row(label, Text(printable(words), style=style))
    return Panel(table, title=Text(printable(title)), title_align="left", border_style="dim", expand=False)


def _brief(text: str) -> str:
    """Cut at a word boundary."""
    return text if len(text) <= _REASON else text[:_REASON].rsplit(" ", 1)[0] + " …"


def _keys(keys: Sequence[int]) -> str:
    return f"{len(keys):,}" if len(keys) > _KEYS else ", ".join(map(str, keys))
