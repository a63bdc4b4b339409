"""A frame laid out for a terminal: as many lines as it has, each of them at the same place all the time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from txfuzz.common.sanitize import one_line
from txfuzz.report.text.course import sparkline
from txfuzz.report.text.status import Frame, Row

if TYPE_CHECKING:
    from rich.console import Console
    from rich.panel import Panel
    from rich.text import Text

LEAST_COLUMNS, LEAST_LINES = 60, 20  # of a terminal in which a screen is of use
_MOST_COLUMNS, _MOST_LINES = 120, 40  # what is wider or higher is hard to take in at a glance
_LABELS = 13
_FOUND, _MESSAGES = 3, 2  # lines that these have before the rows get more than one
_BEYOND = 3  # lines of one finding or message, where there is room


def panel(frame: Frame, messages: Sequence[str], console: Console) -> Panel:
    """The frame, and the latest messages, as large as the console allows."""
    from rich.console import Group
    from rich.panel import Panel
    from rich.text import Text

    columns, lines = min(console.width, _MOST_COLUMNS), min(console.height, _MOST_LINES)
    width = columns - 4
    heights, found, told = shared_out(frame.rows, lines - 2)
    shown = [
        line
        for row, height in zip(frame.rows, heights, strict=True)
        for line in _row(row, height, width, console)
    ]
    style = "bold red" if frame.found else ""
    shown += [_rule("found", width), *_latest(frame.found or [frame.nothing], found, width, console, style)]
    shown += [_rule("messages", width), *_latest(messages, told, width, console, "")]
    title = Text(one_line(frame.title))
    title.truncate(columns - 8, overflow="ellipsis")
    return Panel(
        Group(*shown), title=title, title_align="left", border_style="dim", width=columns, height=lines
    )


def shared_out(rows: Sequence[Row], lines: int) -> tuple[list[int], int, int]:
    """The lines of each row, of the findings and of the messages. It depends on the texts in nothing, so that
    nothing moves when they change."""
    heights = [1] * len(rows)
    left = lines - 2 - len(rows)  # there are two headings
    wanted = [(level, at) for at, row in enumerate(rows) for level in range(1, row.most)]
    for _, at in sorted(wanted, key=lambda each: (each[0], -each[1])):
        if left > _FOUND + _MESSAGES:
            heights[at] += 1
            left -= 1
    more = max(0, left - _FOUND - _MESSAGES)
    told = _MESSAGES + more // 2 if left >= _FOUND + _MESSAGES else left // 3
    return heights, left - told, told


def _row(row: Row, height: int, width: int, console: Console) -> list[Text]:
    from rich.text import Text

    drawn = sparkline(list(row.course)[-(width // 5) :])
    room = width - _LABELS - (len(drawn) + 2 if drawn else 0)
    texts = _cut(row.text, height, room, console)
    lines = []
    for number, text in enumerate(texts):
        line = Text(f"{row.label if number == 0 else '':>{_LABELS - 2}}  ", style="dim")
        line.append_text(text)
        if drawn and number == 0:
            line.append(" " * (width - line.cell_len - len(drawn)))
            line.append(drawn, style="cyan not dim")
        lines.append(line)
    return lines


def _cut(text: str, height: int, width: int, console: Console, style: str = "") -> list[Text]:
    """Exactly so many lines."""
    from rich.text import Text

    lines = list(Text(one_line(text)).wrap(console, width)) or [Text("")]
    if len(lines) > height:
        last = Text(" ".join(each.plain.rstrip() for each in lines[height - 1 :]))
        last.truncate(width, overflow="ellipsis")
        lines = [*lines[: height - 1], last]
    for line in lines:
        line.rstrip()
        line.stylize(style or "not dim")
    return [*lines, *(Text("") for _ in range(height - len(lines)))]


def _latest(texts: Sequence[str], height: int, width: int, console: Console, style: str) -> list[Text]:
    """Those that fit, the latest last; each gets more than a line where there is room for all of them."""
    from rich.text import Text

    if height <= 0:
        return []
    kept = list(texts)
    if len(kept) > height:
        earlier = len(kept) - height + 1
        kept = [f"… {earlier:,} before these", *kept[earlier:]]
    spare = height - len(kept)
    lines: list[Text] = []
    for text in kept:
        needed = min(len(Text(one_line(text)).wrap(console, width)), _BEYOND, 1 + spare)
        spare -= max(0, needed - 1)
        lines += _cut(text, max(1, needed), width, console, style)
    return [*lines, *(Text("") for _ in range(height - len(lines)))]


def _rule(name: str, width: int) -> Text:
    from rich.text import Text

    return Text(f"── {name} ".ljust(width, "─"), style="dim")
