"""A check as one page: the tables, the stories with their pictures, and what mends them."""

from __future__ import annotations

from txfuzz.check.finding.result import CheckResult, Finding, SetResult
from txfuzz.check.story import explanation, story
from txfuzz.common.sentences import listed
from txfuzz.common.version import __version__
from txfuzz.report.check.picture import SCHEDULE_CSS, schedule_part
from txfuzz.report.check.story import remarks
from txfuzz.report.check.table import head, table_rows
from txfuzz.report.check.text import fix_text, hints, notes, verdict
from txfuzz.report.html.markup import Content, Markup, cut, el
from txfuzz.report.html.shell import html_page
from txfuzz.report.verdict import NOT_SAFE, TONES

_CSS = """
section li pre { white-space: pre-wrap; }
.check td:first-child { white-space: normal; min-width: 130px; }
.check td, .check th { padding: 5px 12px; text-align: left; font-variant-numeric: tabular-nums; }
.check th { font-weight: 600; } .check tr + tr td { border-top: 1px solid var(--line); }
.check td.fails { color: var(--bad); font-weight: 600; }
"""


def check_page(found: CheckResult) -> str:
    return html_page(f"txfuzz check: {found.name}", _body(found), _CSS + SCHEDULE_CSS)


def tone(found: CheckResult) -> str:
    """As of the page of a campaign: broken, allowed, valid or unknown."""
    if any(finding.blames_database for finding in found.findings):
        return "broken"
    if found.failing:
        return "allowed"
    return "unknown" if found.unjudged or found.interrupted or found.lost else "valid"


_BADGES = {**TONES, "allowed": NOT_SAFE}


def _body(found: CheckResult) -> Content:
    how = tone(found)
    return [
        el(
            "header",
            el("p", "txfuzz check", class_="kicker"),
            el("h1", cut(found.name, 80)),
            el("p", head(found), class_="quiet"),
            el(
                "div",
                el("span", _BADGES[how], class_="badge"),
                el("p", cut(verdict(found), 2_000)),
                class_=f"verdict {how}",
            ),
            [el("p", note, class_="remark") for note in notes(found)],
        ),
        el("main", [_set(found, one) for one in found.sets]),
        el("footer", f"Written by txfuzz {__version__}."),
    ]


def _set(found: CheckResult, one: SetResult) -> Markup:
    rows = [
        el("tr", el("td", name), [el("td", cell, class_=_class(name, cell, one)) for cell in cells])
        for name, cells in table_rows(one)
    ]
    heads = [
        el("th", each.isolation, "" if each.isolation in found.asked else " (to compare)")
        for each in one.levels
    ]
    advice = [
        *(
            el("li", el("b", "fix: "), fix_text(fix), el("pre", fix.sql) if fix.sql else None)
            for fix in one.fixes
        ),
        *(el("li", el("b", "hint: "), hint) for hint in hints(found, one)),
    ]
    return el(
        "section",
        el("h2", one.name),
        el(
            "div",
            el("table", el("tr", el("th", ""), heads), rows, class_="check"),
            class_="scroll",
            tabindex="0",
        ),
        el("ul", advice) if advice else None,
        [_finding(one, finding) for finding in one.findings],
    )


def _class(name: str, cell: str, one: SetResult) -> str | None:
    failures = {failure for each in one.levels for failure in each.failures}
    return "fails" if name in failures and any(digit.isdigit() for digit in cell) else None


def _finding(one: SetResult, finding: Finding) -> Markup:
    lines, labels = story(finding.attempt), finding.attempt.program.labels
    return el(
        "article",
        el("h3", f"{finding.isolation.upper()}: {listed(finding.failures)}"),
        schedule_part(lines, labels),
        [el("p", sentence) for sentence in (*explanation(finding.attempt), *remarks(finding))],
    )
