"""A schedule as lanes, one for each transaction, and as a table: who did something when, and who waited."""

from __future__ import annotations

from collections.abc import Sequence

from txfuzz.check.story import StoryLine
from txfuzz.report.check.story import came_text
from txfuzz.report.html.markup import Content, Markup, cut, el

_STEP, _LANE, _TOP = 62.0, 58.0, 22.0  # pixels
_RADIUS = 13.0
_LABEL, _CHARACTER = 44, 7.4  # characters, and pixels of one
_WORD = 9
SCHEDULE_CSS = """
.schedule { width: 100%; border-collapse: collapse; margin: 14px 0; table-layout: fixed; }
.schedule:has(th:nth-child(4)) { min-width: 560px; } .schedule:has(th:nth-child(5)) { min-width: 720px; }
.schedule td, .schedule th { vertical-align: top; text-align: left; padding: 5px 8px; white-space: normal; }
.schedule th:first-child { width: 38px; } .schedule td.number { color: var(--quiet); }
.schedule code { display: block; } .schedule .came { color: var(--quiet); font-size: 13.5px; }
.lanes { display: block; max-width: 100%; height: auto; margin: 10px 0; }
.lanes text { font: 12px var(--mono); fill: var(--ink); }
.lanes .number, .lanes .verb { text-anchor: middle; } .lanes .verb { fill: var(--quiet); font-size: 11px; }
.lanes .stop circle, .lanes .stop rect { fill: var(--card); stroke: var(--accent); stroke-width: 2; }
.lanes .stop.bad circle, .lanes .stop.bad rect { stroke: var(--bad); }
.lanes .lane { stroke: var(--line); stroke-width: 3; }
.lanes .lane.waits { stroke: var(--hot); stroke-dasharray: 5 4; }
@media (max-width: 760px) { .lanes { max-width: none; } }
"""


def schedule_part(lines: Sequence[StoryLine], labels: Sequence[str]) -> Content:
    """The lanes, and below them a column for each transaction. Its style is SCHEDULE_CSS."""
    return [
        el("div", lanes(lines, labels), class_="scroll", tabindex="0"),
        el(
            "div",
            el(
                "table",
                el("tr", el("th", ""), [el("th", label) for label in labels]),
                [_row(number, line, labels) for number, line in enumerate(lines, 1)],
                class_="schedule",
            ),
            class_="scroll",
            tabindex="0",
        ),
    ]


def _row(number: int, line: StoryLine, labels: Sequence[str]) -> Markup:
    def cell(label: str) -> Markup:
        if label != line.transaction:
            return el("td", "")
        return el("td", el("code", line.did), el("span", came_text(line), class_="came"))

    return el("tr", el("td", str(number), class_="number"), [cell(label) for label in labels])


def lanes(lines: Sequence[StoryLine], labels: Sequence[str]) -> Markup:
    """An SVG. The numbers are those of the lines of the story."""
    left = max(150.0, _CHARACTER * max((len(cut(label, _LABEL)) for label in labels), default=0) + 8)
    width = left + _STEP * len(lines) + 20
    height = _TOP + _LANE * len(labels)
    return el(
        "svg",
        [_lane(lines, label, left, _TOP + _LANE * (at + 0.4)) for at, label in enumerate(labels)],
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        width=width,
        height=height,
        role="img",
        aria_label=f"{len(lines)} statements of {len(labels)} transactions in their order",
        class_="lanes",
    )


def _lane(lines: Sequence[StoryLine], label: str, left: float, y: float) -> Content:
    own = [(number, line) for number, line in enumerate(lines, 1) if line.transaction == label]
    parts: list[Content] = [el("text", cut(label, _LABEL), x=0.0, y=y + 4, class_="lane-name")]
    if own:
        parts.append(el("line", x1=_x(left, own[0][0]), x2=_x(left, own[-1][0]), y1=y, y2=y, class_="lane"))
    for at, (number, line) in enumerate(own):
        if line.waited:
            until = own[at + 1][0] if at + 1 < len(own) else len(lines) + 0.5
            parts.append(el("line", x1=_x(left, number), x2=_x(left, until), y1=y, y2=y, class_="lane waits"))
    parts += [_stop(number, line, left, y) for number, line in own]
    return el("g", parts)


def _stop(number: int, line: StoryLine, left: float, y: float) -> Markup:
    x = _x(left, number)
    verb = line.did.split(" ", 1)[0].upper()
    failed = "bad" if "aborted" in line.came else ""
    mark = (
        el("rect", x=x - _RADIUS, y=y - _RADIUS, width=2 * _RADIUS, height=2 * _RADIUS, rx=4.0)
        if verb in ("COMMIT", "ROLLBACK")
        else el("circle", cx=x, cy=y, r=_RADIUS)
    )
    return el(
        "g",
        el("title", f"{number}: {cut(line.did, 200)} → {cut(line.came, 200)}"),
        mark,
        el("text", str(number), x=x, y=y + 4, class_="number"),
        el("text", cut(verb.lower(), _WORD), x=x, y=y + _RADIUS + 14, class_="verb"),
        class_=f"stop {failed}".rstrip(),
    )


def _x(left: float, number: float) -> float:
    return left + _STEP * (number - 0.6)
