"""The page of a campaign that is running: its parts, each of which changes by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from txfuzz.analysis.explain.headlines import headline_parts
from txfuzz.analysis.result import Verdict
from txfuzz.common.sentences import counted
from txfuzz.feedback.contract import Adjustment
from txfuzz.report.campaign_result import run_sentence
from txfuzz.report.finding import Finding
from txfuzz.report.html.charts import Line, chart, columns_of
from txfuzz.report.html.markup import Content, Markup, cut, el, joined
from txfuzz.report.html.page import tone
from txfuzz.report.html.time_chart import time_charts
from txfuzz.report.iteration import Iteration, iteration_name
from txfuzz.report.text.notes import target_text
from txfuzz.serve.pages.campaign import finding_link
from txfuzz.serve.pages.frame import bar, own_page
from txfuzz.serve.pages.verdicts import tone_mark
from txfuzz.serve.records.watch import LiveView

_FINDINGS, _DECISIONS, _CORPUS = 25, 12, 12
_TONES = {"invalid": "allowed"}


class LiveParts:
    """The parts of the page of one campaign. Those that only change when an iteration ends are not made
    again before. address: of the run, with a slash at its end."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._of: tuple[object, ...] = ()
        self._slow: dict[str, str] = {}

    def of(self, view: LiveView) -> dict[str, str]:
        """Markup by the part that it goes into."""
        of = (view.state, view.corpus, view.running)
        if not self._of or any(mine is not its for mine, its in zip(self._of, of, strict=True)):
            record = view.state.record
            slow: dict[str, Content] = {
                "head": _head(view),
                "course": _course(view),
                "findings": _findings(record.findings, self._address),
                "decisions": _decisions(record.analysed),
                "coverage": _coverage(view),
                "corpus": _corpus(view.corpus),
            }
            self._of, self._slow = of, {name: joined(part) for name, part in slow.items()}
        return {"now": joined(_now(view)), **self._slow}


def live_page(view: LiveView, directory: Path, address: str) -> str:
    record = view.state.record
    events = f"/events/{quote(address)}"
    inner = LiveParts(address).of(view)
    waiting = "Waiting for what is new."
    body = [
        # Without scripts, the whole page is loaded again
        el("noscript", Markup('<meta http-equiv="refresh" content="5">')) if view.running else None,
        el(
            "div",
            el(
                "header",
                el("p", "txfuzz live", class_="kicker"),
                el("h1", cut(record.name, 80)),
                _part("head", inner),
                el("p", waiting if view.running else "It has ended.", id="status", class_="status",
                   role="status"),
            ),
            el(
                "main",
                _part("now", inner),
                _part("course", inner),
                el("div", _part("findings", inner), _part("decisions", inner), class_="columns"),
                _part("coverage", inner),
                _part("corpus", inner),
                id="content",
                data_events=events if view.running else None,
            ),
            class_="live",
        ),
    ]  # fmt: skip
    return own_page(f"txfuzz live: {record.name}", body, bar(address, directory.name, here="live"),
                    live=view.running)  # fmt: skip


def _part(name: str, inner: Mapping[str, str]) -> Markup:
    return el("div", Markup(inner[name]), id=name)


def _head(view: LiveView) -> Content:
    record = view.state.record
    how = tone(record)
    if view.running and record.verdict is Verdict.UNKNOWN:
        sentence = "Nothing found so far." if record.analysed else "The first iteration is under way."
    else:
        sentence = run_sentence(record)
    numbers = [each.numbers for each in record.iterations]
    asked, ok = sum(each.transactions for each in numbers), sum(each.ok for each in numbers)
    state: Content = el("span", "running", class_="going") if view.running else record.facts.state
    where = " · ".join(filter(None, [record.levels, record.facts.server, record.facts.strategy]))
    tiles = [
        ("iterations", f"{len(numbers):,}"),
        ("transactions", f"{asked:,}"),
        ("committed", f"{ok:,}"),
        ("findings", f"{len(record.findings):,}"),
    ]
    return [
        el("p", where, class_="quiet"),
        el("p", tone_mark(_TONES.get(how, how)), " ", state, " ", cut(sentence, 400)),
        el("dl", [el("div", el("dt", name), el("dd", value)) for name, value in tiles], class_="tiles"),
    ]


def _now(view: LiveView) -> Content:
    if not view.running or not view.now:
        return None
    tail = view.tail
    outcomes = {} if tail is None else tail.outcomes
    total = sum(outcomes.values())
    told = f"{counted(total, 'transaction')} so far: {outcomes.get('ok', 0):,} committed, " \
           f"{outcomes.get('fail', 0):,} failed, {outcomes.get('info', 0):,} unknown."  # fmt: skip
    charts = None if tail is None else time_charts(tail.points(), tail.active_bands())
    return el(
        "section",
        el("h2", "Small-scope search" if view.now == "small-scope" else f"Iteration {view.now}"),
        el("p", told if total else "No transaction has ended yet.", class_="quiet"),
        charts if view.now != "small-scope" else None,
    )


def _course(view: LiveView) -> Content:
    charts = time_charts(view.state.points, view.state.bands)
    if charts is None:
        return None
    return el("section", el("h2", "The iterations that have ended"), charts)


def _findings(findings: Sequence[Finding], address: str) -> Content:
    items = [
        el(
            "li",
            el("p", el("a", headline_parts(each.anomaly)[0], href=finding_link(address, each))),
            el("p", f"{' × '.join(cut(name or '?', 30) for name in each.signature.templates[:4])} · "
               f"in {counted(len(each.everywhere), 'iteration')}, first in {iteration_name(each.first)}",
               class_="quiet"),
        )
        for each in findings[:_FINDINGS]
    ]  # fmt: skip
    more = len(findings) - len(items)
    return el(
        "section",
        el("h2", f"Findings ({len(findings):,})" if findings else "Findings"),
        el("ul", items, class_="log") if items else el("p", "Nothing so far.", class_="quiet"),
        el("p", f"… and {more:,} more on ", el("a", "its page", href=f"/run/{quote(address)}#further"), ".",
           class_="quiet") if more > 0 else None,
    )  # fmt: skip


def _decisions(iterations: Sequence[Iteration]) -> Content:
    """The last ones, the newest first."""
    items: list[Markup] = []
    for iteration in reversed(iterations):
        items += [_decision(each, iteration) for each in iteration.decisions]
        if len(items) >= _DECISIONS:
            break
    return el(
        "section",
        el("h2", "Decisions"),
        el("ul", items[:_DECISIONS], class_="log") if items else el("p", "None so far.", class_="quiet"),
    )


def _decision(made: Adjustment, iteration: Iteration) -> Markup:
    changed = f" changed {target_text(made.target)} after iteration {iteration.name}"
    return el(
        "li",
        el("p", el("b", cut(made.heuristic, 40)), changed),
        el("p", cut(made.reason, 300), class_="quiet"),
    )


def _coverage(view: LiveView) -> Content:
    """How much was seen for the first time, added up by iteration; without a corpus what was found."""
    record = view.state.record
    entries = [each for each in view.corpus.get("entries", ()) if isinstance(each, Mapping)]
    news: dict[int, int] = {}
    if entries:
        title, what = "Coverage", "different dependencies and refusals that were seen"
        for entry in entries:
            at, first = entry.get("iteration"), entry.get("first")
            if isinstance(at, int) and isinstance(first, list):
                news[at] = news.get(at, 0) + len(first)
    else:
        title, what = "Coverage", "different findings; this strategy keeps no coverage of its own"
        for finding in record.findings:
            at = max(0, finding.first)
            news[at] = news.get(at, 0) + 1
    sums: dict[int, float] = {}
    total = 0
    for each in record.iterations:
        total += news.get(each.number, 0)
        sums[each.number] = float(total)
    if not total:
        return None
    drawn = chart(
        f"{total:,} {what}",
        [Line("", lambda each: sums.get(each.number))],
        columns_of(record.iterations),
        lambda value: f"{value:,.4g}",
    )
    return el("section", el("h2", title), el("div", drawn, class_="charts"))


def _corpus(corpus: Mapping[str, Any]) -> Content:
    entries = [each for each in corpus.get("entries", ()) if isinstance(each, Mapping)]
    if not entries:
        return None
    rows = [
        el(
            "tr",
            el("th", str(each.get("number"))),
            el("td", str(each.get("iteration"))),
            el("td", cut(", ".join(map(str, each.get("by") or ())) or "a new start", 60), class_="words"),
            el("td", str(each.get("features"))),
            el("td", cut("; ".join(map(str, (each.get("first") or ())[:2])), 120), class_="words"),
        )
        for each in entries[: -_CORPUS - 1 : -1]
    ]
    head = [el("th", name) for name in ("entry", "iteration", "made by", "features", "the first to show")]
    return el(
        "section",
        el("h2", f"Corpus ({len(entries):,})"),
        el("div", el("table", el("thead", el("tr", head)), el("tbody", rows)), class_="scroll", tabindex="0"),
    )
