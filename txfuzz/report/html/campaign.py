"""How the campaign went: charts, a table of the iterations, and what was changed between them."""

from __future__ import annotations

from collections import Counter

from txfuzz.common.sentences import counted
from txfuzz.feedback.contract import Adjustment
from txfuzz.feedback.directed.direction import DirectedOutcome
from txfuzz.report.campaign_result import CampaignResult
from txfuzz.report.html.charts import LETTERS, MOST, Line, chart, columns_of
from txfuzz.report.html.markup import Content, Markup, cut, el
from txfuzz.report.html.view import WHOLE, View, pager
from txfuzz.report.iteration import Iteration
from txfuzz.report.text.notes import target_text, value_text

_ROWS = 100  # of the table
_TOLD = 40  # iterations whose decisions are listed
_SENTENCE = 800
_CODES = 12


def iterations_part(record: CampaignResult, view: View = WHOLE) -> Content:
    if not record.iterations:
        return None
    columns = columns_of(record.iterations)
    charts = [
        chart(
            "Dependent pairs per transaction",
            [
                Line("all", lambda each: each.numbers.edges_per_txn),
                Line(
                    "between transactions that overlapped", lambda each: each.numbers.concurrent_edges_per_txn
                ),
            ],
            columns,
            lambda value: f"{value:.3g}",
        ),
        chart("Near-cycles", [Line("", lambda each: each.numbers.near_cycles)], columns, _short),
        chart("Aborted or unknown", [Line("", lambda each: each.numbers.aborted)], columns, _percent),
        chart("Committed per second", [Line("", lambda each: each.numbers.per_second)], columns, _short),
    ]
    bundled = " Each point is the mean of several iterations." if len(record.iterations) > MOST else None
    return el(
        "section",
        el("h2", "How it went"),
        el("p", "Red points are iterations in which anomalies were found; dashed lines mark changes "
           "made by the feedback.", bundled, class_="quiet"),
        el("div", charts, class_="charts"),
        _letters(record),
        _counts("Aborts by error code", record, "aborts"),
        _counts("Faults injected", record, "faults"),
        _table(record.analysed, view),
        _directed(record.analysed),
        _decisions(record.analysed),
        id="iterations",
    )  # fmt: skip


def _short(value: float) -> str:
    if value >= 1e6:
        return f"{value / 1e6:.3g} M"
    return f"{value / 1e3:.3g} k" if value >= 1e4 else f"{value:,.4g}"


def _percent(value: float) -> str:
    return f"{value * 100:.3g} %"


def _letters(record: CampaignResult) -> Content:
    targets = {each.target for one in record.analysed for each in one.decisions}
    known = [(letter, target_text(target)) for target, letter in LETTERS.items() if target in targets]
    if not known:
        return None
    return el(
        "ul", [el("li", el("b", letter, class_="letter"), name) for letter, name in known], class_="legend"
    )


def _counts(title: str, record: CampaignResult, field: str) -> Content:
    counts: Counter[str] = Counter()
    for each in record.iterations:
        counts.update(getattr(each.numbers, field))
    if not counts:
        return None
    shown = [
        el("li", el("code", cut(name, 40)), f" ×{count:,}") for name, count in counts.most_common(_CODES)
    ]
    return el("div", el("span", f"{title}: ", class_="quiet"), el("ul", shown, class_="codes"))


_COLUMNS = ("", "verdict", "transactions", "committed", "aborted", "per second", "clients", "keys", "edges",
            "concurrent", "near-cycles", "found")  # fmt: skip


def _table(iterations: tuple[Iteration, ...], view: View) -> Markup:
    shown = iterations[view.row : view.row + _ROWS]
    head = el("tr", [el("th", name) for name in _COLUMNS])
    more = len(iterations) - len(shown)
    note: Content = None
    if view.address is not None:
        note = pager(view.row, len(shown), len(iterations), _ROWS, view.at_row, "iterations")
    elif more > 0:
        note = el("p", f"{counted(more, 'more iteration')} in progress.csv.", class_="quiet")
    return el(
        "details",
        el("summary", "The iterations in numbers"),
        el("div", el("table", el("thead", head), el("tbody", [_row(each) for each in shown])),
           class_="scroll", tabindex="0"),
        note,
        open="" if len(iterations) <= 12 or view.address is not None else None,
    )  # fmt: skip


def _row(iteration: Iteration) -> Markup:
    numbers = iteration.numbers
    found = iteration.found
    cells = [
        f"{numbers.transactions:,}", f"{numbers.ok:,}",
        "" if numbers.aborted is None else f"{numbers.aborted:.1%}",
        _optional(numbers.per_second, "{:,.0f}"), _optional(numbers.clients), _optional(numbers.keys, "{:,}"),
        _optional(numbers.edges_per_txn, "{:.2f}"), _optional(numbers.concurrent_edges_per_txn, "{:.2f}"),
        _optional(numbers.near_cycles, "{:,}"),
    ]  # fmt: skip
    return el(
        "tr",
        el("th", iteration.name),
        el("td", el("span", iteration.verdict.value, class_=f"is-{iteration.verdict.value}")),
        [el("td", cell) for cell in cells],
        el("td", cut(found, 120), class_="words"),
        id=f"iteration-{iteration.name}",
    )


def _optional(value: float | None, form: str = "{}") -> str:
    return "" if value is None else form.format(value)


_PLAYS = ("", "missing edge", "played", "forced", "committed", "waited", "refused")


def _directed(iterations: tuple[Iteration, ...]) -> Content:
    """What came of the directed schedules; nothing where there were none."""
    outcomes = [(each, one) for each in iterations for one in each.directed]
    if not outcomes:
        return None
    rows = [
        el(
            "tr",
            el("th", iteration.name),
            el("td", cut(one.schedule.text, 120), class_="words"),
            [el("td", f"{count:,}") for count in (one.played, one.forced, one.committed, one.waited)],
            el("td", cut(_refused(one), 120), class_="words"),
        )
        for iteration, one in outcomes[:_ROWS]
    ]
    more = len(outcomes) - len(rows)
    return el(
        "details",
        el("summary", "Directed schedules, and what came of them"),
        el(
            "p",
            f"In {sum(one.forced for _, one in outcomes):,} of "
            f"{counted(sum(one.played for _, one in outcomes), 'play')} the missing edge arose.",
            class_="quiet",
        ),
        el("div",
           el("table", el("thead", el("tr", [el("th", name) for name in _PLAYS])), el("tbody", rows)),
           class_="scroll", tabindex="0"),
        el("p", f"{counted(more, 'more schedule')} in stats.json.", class_="quiet") if more > 0 else None,
        open="" if len(outcomes) <= 12 else None,
    )  # fmt: skip


def _refused(outcome: DirectedOutcome) -> str:
    """The codes by which the database refused; of one that was not played, why."""
    if not outcome.played:
        return f"not played: {outcome.reason}" if outcome.reason else "not played"
    return ", ".join(f"{code} ×{count:,}" for code, count in outcome.refused.items())


def _decisions(iterations: tuple[Iteration, ...]) -> Content:
    """What the feedback changed, and why."""
    decided = [each for each in iterations if each.decisions]
    if not decided:
        return el("p", "The feedback changed nothing.", class_="quiet")
    told = [
        el(
            "li",
            el("b", f"After iteration {each.name}"),
            el("ul", [_decision(one) for one in each.decisions[:12]]),
        )
        for each in decided[:_TOLD]
    ]
    more = len(decided) - len(told)
    return el(
        "details",
        el("summary", "What the feedback changed, and why"),
        el("ol", told, class_="decisions"),
        el("p", f"… and after {counted(more, 'more iteration')}; see decisions.json.", class_="quiet")
        if more > 0 else None,
        open="" if len(decided) <= 6 else None,
    )  # fmt: skip


def _decision(decision: Adjustment) -> Markup:
    letter = LETTERS.get(decision.target, "·")
    target = cut(target_text(decision.target), 60)
    before, after = (
        cut(value_text(value, decision.target), _SENTENCE) for value in (decision.before, decision.after)
    )
    return el(
        "li",
        el("b", letter, class_="letter"),
        el("div",
           el("p", el("b", cut(decision.heuristic, 60)), f" · {target}: ",
              el("span", before, class_="before"), " → ",
              el("span", after, class_="after")),
           el("p", cut(decision.reason, _SENTENCE), class_="quiet")),
    )  # fmt: skip
