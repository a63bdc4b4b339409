"""When each method of a plugin is called: docs/pictures/lifecycle.svg.

    python docs/makers/lifecycle_picture.py --write docs/pictures

A test runs a campaign and compares its calls with the order of CALLS.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from html import escape
from pathlib import Path


@dataclass(frozen=True)
class Call:
    """who.what(…), in this stage. depth: how deep the stage is nested."""

    stage: str
    depth: int
    who: str
    what: str
    told: str

    @property
    def text(self) -> str:
        return f"{self.who}.{self.what}" if self.who else self.what


BEGIN, READ, OPEN = "A command begins", "The workload is read", "The campaign begins"
TURN, TRANSACTION, FAULT = "Each iteration", "Each transaction, by each client", "Each time a fault is due"
READS, JUDGE, END = "When the clients are done", "When the history is whole", "In the end"

CALLS = (
    Call(BEGIN, 0, "", "txfuzz_register_…()", "the hooks of all plugins, once"),
    Call(READ, 0, "Adapter", "capabilities()", "what it can do; the rest is refused here"),
    Call(READ, 0, "Template", "filled(with)", "where a transaction names it"),
    Call(OPEN, 0, "Adapter", "open(url)", "one database for the whole campaign"),
    Call(OPEN, 0, "Database", "injector()", "where the workload has faults; in each iteration again"),
    Call(OPEN, 0, "Fault", "cautions(database)", "sentences for the reader"),
    Call(OPEN, 0, "Database", "warnings()", "sentences for the reader"),
    Call(OPEN, 0, "Database", "describe()", "what campaign.json says of it"),
    Call(TURN, 1, "Database", "prepare(kind, fresh)", "the tables; fresh ones at first"),
    Call(TURN, 1, "Database", "session(kind)", "one for each client"),
    Call(TRANSACTION, 2, "Database", "insert_rows(kind, keys)", "of a new key, where rows come beforehand"),
    Call(TRANSACTION, 2, "Session", "begin(isolation)", "at the level of the workload"),
    Call(TRANSACTION, 2, "Session", "execute(step)", "each of its steps"),
    Call(TRANSACTION, 2, "Session", "commit()", "or rollback(), where a step has failed"),
    Call(FAULT, 2, "Fault", "inject(injector, chance)", "while the clients go on"),
    Call(FAULT, 2, "Fault", "heal(injector)", "after lasts seconds"),
    Call(READS, 1, "Session", "close()", "all of them, once every key was read again"),
    Call(JUDGE, 1, "Analyzer", "analyze(history, expect)", "each, in the order of the workload"),
    Call(JUDGE, 1, "Heuristic", "propose(feedback, workload, random)", "each sees what those before changed"),
    Call(END, 0, "Database", "close()", "whatever has happened"),
)

WIDTH, ROW, HEAD, GAP, INDENT = 860, 24, 26, 12, 26
COLOURS = {
    "": "#555555", "Template": "#8250df", "Adapter": "#0a6847", "Database": "#0a6847", "Session": "#0a6847",
    "Fault": "#b3261e", "Analyzer": "#0b57d0", "Heuristic": "#a15c00",
}  # fmt: skip


def picture() -> str:
    """The SVG: a box for each stage, those of an iteration within the box of the iteration."""
    drawn: list[str] = []
    y, stage, top = GAP, "", 0
    for call in CALLS:
        if call.stage != stage:
            y += 0 if not stage else GAP
            if call.stage == TURN:
                top = y
                y += HEAD
            elif call.depth < 2 and top and call.stage == END:
                drawn.insert(0, _box(GAP, top, WIDTH - 2 * GAP, y - top, "#f6f8fa"))
                drawn.append(_label(GAP, top, f"{TURN}: asked, recorded, judged, changed"))
                y += GAP
            y = _stage(drawn, call, y)
            stage = call.stage
        drawn += _row(call, y)
        y += ROW
    height = y + GAP
    box = f'viewBox="0 0 {WIDTH} {height}"'
    style = "font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 13px"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {box} style="{style}" role="img">',
            "<title>When what of a plugin is called</title>",
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
            *drawn,
            "</svg>",
            "",
        ]
    )


def _stage(drawn: list[str], call: Call, y: int) -> int:
    """The box and the name of a stage; where its first row goes."""
    rows = sum(each.stage == call.stage for each in CALLS)
    left = GAP + INDENT * call.depth
    name = "Before the clients begin" if call.stage == TURN else call.stage
    drawn.append(
        _box(left, y, WIDTH - left - GAP - 12 * bool(call.depth), HEAD + rows * ROW + 4, _fill(call))
    )
    drawn.append(_label(left, y, name))
    return y + HEAD


def _fill(call: Call) -> str:
    return "#ffffff" if call.depth == 1 else "#fff8e6" if call.depth == 2 else "#eef4ff"


def _box(x: int, y: int, width: int, height: int, fill: str) -> str:
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6" fill="{fill}" stroke="#b6bec8"/>'


def _label(x: int, y: int, text: str) -> str:
    return (
        f'<text x="{x + 12}" y="{y + 18}" font-family="system-ui, sans-serif" font-weight="600" '
        f'fill="#1f2328">{escape(text)}</text>'
    )


def _row(call: Call, y: int) -> list[str]:
    left = GAP + INDENT * call.depth + 24
    plain = 'font-family="system-ui, sans-serif" fill="#57606a"'
    return [
        f'<text x="{left}" y="{y + 16}" fill="{COLOURS[call.who]}">{escape(call.text)}</text>',
        f'<text x="470" y="{y + 16}" {plain}>{escape(call.told)}</text>',
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", type=Path, required=True, metavar="DIR")
    (parser.parse_args().write / "lifecycle.svg").write_text(picture(), encoding="utf-8")


if __name__ == "__main__":
    main()
