"""A matrix as one page."""

from __future__ import annotations

from collections.abc import Sequence

from txfuzz.analysis.checker.consistency import friendly
from txfuzz.common.sentences import counted
from txfuzz.common.version import __version__
from txfuzz.compare.matrix.cell import MatrixCell, Outcome
from txfuzz.compare.matrix.table import LEGEND, MatrixTable, TableCell, TableRow, place_of, remark_of
from txfuzz.compare.matrix.text import summary
from txfuzz.report.html.markup import Content, Markup, cut, el
from txfuzz.report.html.shell import html_page
from txfuzz.report.verdict import TONES

_MOST_LISTED = 200
_TONES = {
    Outcome.NONE: "good",
    Outcome.ALLOWED: "warn",
    Outcome.BROKEN: "bad",
    Outcome.UNKNOWN: "unsure",
    Outcome.NOT_OFFERED: "off",
}
_CSS = """
.matrix { border-collapse: separate; border-spacing: 0; width: auto; min-width: 100%; }
.matrix th, .matrix td { padding: 6px 10px; text-align: center; }
.matrix th.server, .matrix th.level { text-align: left; color: var(--ink); }
.matrix th.server { font-weight: 650; padding-top: 14px; background: var(--card); }
.matrix th.server span { position: sticky; left: 10px; }
.matrix tr:last-child > * { border-bottom: 0; }
.matrix th.level { font-weight: 500; position: sticky; left: 0; background: var(--card); z-index: 1;
  border-right: 1px solid var(--line); }
.matrix th.level .quiet { display: block; font-size: 11.5px; font-weight: 400; }
.sheet { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 4px 6px 6px; }
.mark { display: inline-block; min-width: 30px; padding: 1px 7px; border-radius: 7px; font-weight: 650; }
.mark small { font-weight: 400; font-size: 10.5px; margin-left: 4px; }
.mark.good { color: var(--good); background: var(--good-soft); } .mark.warn { color: var(--warn); background: var(--warn-soft); }
.mark.bad { color: var(--bad); background: var(--bad-soft); } .mark.unsure { color: var(--quiet); background: var(--soft); }
.mark.off { color: var(--quiet); }
.cells { list-style: none; padding: 0; margin: 0; font-size: 13.5px; } .cells li { padding: 5px 0; border-top: 1px solid var(--line); }
.cells .mark { margin-right: 8px; text-align: center; }
.command { background: var(--soft); border-radius: 8px; padding: 8px 12px; overflow-x: auto; margin: 4px 0 10px; }
.legend .mark { text-align: center; }
"""  # noqa: E501


def matrix_page(table: MatrixTable, left: int, remarks: Sequence[str] = ()) -> str:
    """left: cells that were not reached."""
    return html_page(f"txfuzz matrix: {table.name}", _body(table, left, remarks), _CSS)


def _body(table: MatrixTable, left: int, remarks: Sequence[str]) -> Content:
    broken = table.count(Outcome.BROKEN)
    how, badge = ("broken", TONES["broken"]) if broken else ("valid", "promises kept")
    if not broken and not table.judged:
        how, badge = "unknown", "no verdict"
    unsaid = sum(each.unsaid for each in table.cells)
    servers = dict.fromkeys(row.server for row in table.rows)
    tiles = [
        ("databases", f"{len(servers):,}", "each version counts"),
        ("cells", f"{table.judged:,}", f"{left:,} not reached yet" if left else "judged"),
        ("promises broken", f"{broken:,}", None),
        ("allowed anomalies", f"{table.count(Outcome.ALLOWED) - unsaid:,}", "cells that show one"),
        *([("allowed or not", f"{unsaid:,}", "cells of which that cannot be said")] if unsaid else []),
        ("unknown", f"{table.count(Outcome.UNKNOWN):,}", None),
    ]
    return [
        el(
            "header",
            el("p", "txfuzz matrix", class_="kicker"),
            el("h1", cut(table.name, 80)),
            el("p", cut(" ".join(table.about.split()), 400), class_="quiet") if table.about else None,
            el("div", el("span", badge, class_="badge"), el("p", summary(table)), class_=f"verdict {how}"),
            [el("p", cut(each, 600), class_="remark") for each in (*table.remarks, *remarks)],
            el(
                "dl",
                [
                    el(
                        "div",
                        el("dt", name),
                        el("dd", value),
                        el("dd", note, class_="quiet") if note else None,
                    )
                    for name, value, note in tiles
                ],
                class_="tiles",
            ),
        ),
        el(
            "main",
            el("section", el("h2", "What each level lets pass"), _legend(table), _table(table)),
            _listed("Promises that were broken", table, Outcome.BROKEN),
            _next(table),
            _listed("What could not be judged", table, Outcome.UNKNOWN),
            el("section", el("h2", "Every cell"), [_details(row, table) for row in table.rows]),
        ),
        el("footer", f"Written by txfuzz {__version__}."),
    ]


def _legend(table: MatrixTable) -> Markup:
    used = {cell.mark: cell for row in table.rows for cell in row.cells}
    return el(
        "ul",
        [
            el("li", el("span", mark, class_=f"mark {_tone(used[mark])}"), text)
            for mark, text in LEGEND
            if mark in used
        ],
        class_="legend",
    )


def _table(table: MatrixTable) -> Markup:
    head = el(
        "thead", el("tr", el("th", "level", class_="level"), [el("th", each) for each in table.columns])
    )
    rows, before = [], ""
    for row in table.rows:
        if row.server != before:
            before = row.server
            name = el("th", el("span", row.server), class_="server", colspan=len(table.columns) + 1)
            rows.append(el("tr", name))
        level = el("th", row.level, el("span", friendly(row.promised), class_="quiet"), class_="level")
        rows.append(el("tr", level, [el("td", _mark(cell, title=_title(cell))) for cell in row.cells]))
    return el(
        "div",
        el("div", el("table", head, el("tbody", rows), class_="matrix"), class_="scroll", tabindex="0"),
        class_="sheet",
    )


def _mark(cell: TableCell, title: str | None = None) -> Content:
    if not cell.mark:
        return None
    some = el("small", cell.some) if cell.some else None
    return el("span", cell.mark, some, class_=f"mark {_tone(cell)}", title=title)


def _tone(cell: TableCell) -> str:
    return "off" if cell.outcome is None else _TONES[cell.outcome]


def _title(cell: TableCell) -> str:
    return cut("; ".join(f"{each.question}: {remark_of(each)}" for each in cell.cells), 900)


def _listed(title: str, table: MatrixTable, outcome: Outcome) -> Content:
    found = [each for each in table.cells if each.outcome is outcome]
    if not found:
        return None
    items = [
        el(
            "li",
            el("b", f"{each.server or each.database}, {each.level}, {each.question}"),
            f": {remark_of(each)}",
        )
        for each in found[:_MOST_LISTED]
    ]
    return el(
        "section", el("h2", title), el("p", counted(len(found), "cell"), class_="quiet"), el("ul", items)
    )


def _next(table: MatrixTable) -> Content:
    if not table.steps:
        return None
    items = [
        el(
            "li",
            f"{place_of(step.cell)}:",
            el("pre", step.command, class_="command"),
            el("p", step.remark, class_="quiet") if step.remark else None,
        )
        for step in table.steps[:_MOST_LISTED]
    ]
    about = "Each shows its cell again, with who did what, why that is wrong, and the SQL to type by hand."
    return el("section", el("h2", "Next"), el("p", about, class_="quiet"), el("ul", items))


def _details(row: TableRow, table: MatrixTable) -> Content:
    cells: list[MatrixCell] = [each for column in row.cells for each in column.cells]
    if not cells:
        return None
    return el(
        "details",
        el("summary", f"{row.server}, {row.level}"),
        el(
            "ul",
            [
                el(
                    "li",
                    _mark(TableCell((each,))),
                    el("b", each.question),
                    f": {cut(remark_of(each), 600)}",
                )
                for each in cells
            ],
            class_="cells",
        ),
    )
