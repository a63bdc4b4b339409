"""All runs on one page: filtered, sorted and in parts, by the address alone."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode

from txfuzz.campaign.directory.run_records import RunKind
from txfuzz.campaign.directory.runs import RunSummary
from txfuzz.common.sentences import counted, listed
from txfuzz.report.html.markup import Content, Markup, cut, el
from txfuzz.report.html.view import pager
from txfuzz.report.verdict import TONES
from txfuzz.serve.pages.frame import bar, own_page
from txfuzz.serve.pages.verdicts import verdict_mark

SIZE = 100  # runs on a page
_LONGEST = 200  # characters of a word to look for
_DATABASES = 100
_KINDS = {each.value: each for each in RunKind}
_SORTS: Mapping[str, tuple[str, Callable[[RunSummary], tuple[object, ...]]]] = {
    "verdict": ("verdict", lambda run: (list(TONES).index(run.tone), -run.written)),
    "name": ("run", lambda run: (run.path.name.lower(),)),
    "kind": ("kind", lambda run: (_kind(run), -run.written)),
    "database": ("database", lambda run: (run.facts.database.lower(), -run.written)),
    "found": ("found", lambda run: (-len(run.facts.found), -run.written)),
    "written": ("written", lambda run: (-run.written,)),
}


@dataclass(frozen=True)
class Wanted:
    """What of the runs is asked for, as in the address. text: words that all have to occur. first: the first
    run of the page."""

    verdict: str = ""
    kind: str = ""
    database: str = ""
    state: str = ""
    text: str = ""
    sort: str = "written"
    backwards: bool = False
    first: int = 0

    @classmethod
    def asked(cls, query: Mapping[str, str]) -> Wanted:
        """Whatever is not understood is left out."""
        first = query.get("first", "")
        return cls(
            query.get("verdict", "") if query.get("verdict") in TONES else "",
            query.get("kind", "") if query.get("kind") in _KINDS else "",
            query.get("database", "")[:_LONGEST],
            "running" if query.get("state") == "running" else "",
            query.get("text", "")[:_LONGEST],
            query.get("sort", "") if query.get("sort") in _SORTS else "written",
            query.get("backwards") == "1",
            int(first) if first.isascii() and first.isdigit() and len(first) < 9 else 0,
        )

    @property
    def address(self) -> str:
        given = {
            name: value
            for name, value in (
                ("verdict", self.verdict), ("kind", self.kind), ("database", self.database),
                ("state", self.state), ("text", self.text),
                ("sort", self.sort if self.sort != "written" else ""),
                ("backwards", "1" if self.backwards else ""), ("first", str(self.first or "")),
            )
            if value
        }  # fmt: skip
        return f"/?{urlencode(given)}" if given else "/"

    def among(self, runs: Sequence[RunSummary]) -> list[RunSummary]:
        """Those that are asked for, in the order that is asked for."""
        words = self.text.lower().split()
        kept = [run for run in runs if self._fits(run) and all(word in _text(run) for word in words)]
        return sorted(kept, key=_SORTS[self.sort][1], reverse=self.backwards)

    def _fits(self, run: RunSummary) -> bool:
        return (
            (not self.verdict or run.tone == self.verdict)
            and (not self.kind or _kind(run) == self.kind)
            and (not self.database or run.facts.database == self.database)
            and (not self.state or run.facts.state == self.state)
        )


def list_page(
    runs: Sequence[RunSummary], wanted: Wanted, place: str, address: Callable[[RunSummary], str]
) -> str:
    """place: the directory, as it is shown. address: of a run, relative to it."""
    kept = wanted.among(runs)
    first = wanted.first if wanted.first < len(kept) else 0
    shown = kept[first : first + SIZE]
    body = el(
        "div",
        el(
            "header",
            el("p", "txfuzz", class_="kicker"),
            el("h1", "Runs"),
            el("p", _summary(runs, place), class_="quiet"),
            _filters(runs, wanted),
        ),
        el(
            "main", _table(shown, wanted, address), _parts(wanted, first, len(shown), len(kept)), id="content"
        ),
        class_="list",
    )
    return own_page(f"txfuzz: {place}", body, bar())


def _summary(runs: Sequence[RunSummary], place: str) -> str:
    if not runs:
        return f"There is no run in {place} yet: `txfuzz run` leaves one in runs/."
    counts = {name: sum(run.tone == name for run in runs) for name in TONES}
    told = [f"{count:,} × {TONES[name]}" for name, count in counts.items() if count]
    running = sum(run.facts.state == "running" for run in runs)
    goes = f"; {running:,} running" if running else ""
    return f"{counted(len(runs), 'run')} in {place}: {listed(told)}{goes}."


def _filters(runs: Sequence[RunSummary], wanted: Wanted) -> Markup:
    databases = sorted({run.facts.database for run in runs if run.facts.database})[:_DATABASES]
    kinds = sorted({_kind(run) for run in runs if run.kind})
    return el(
        "form",
        _choice("verdict", wanted.verdict, list(TONES.items())),
        _choice("kind", wanted.kind, [(name, name) for name in kinds]),
        _choice("database", wanted.database, [(name, cut(name, 40)) for name in databases]),
        _choice("state", wanted.state, [("running", "running")]),
        el("label", "text", el("input", type="search", name="text", value=wanted.text, maxlength=_LONGEST)),
        el("input", type="hidden", name="sort", value=wanted.sort) if wanted.sort != "written" else None,
        el("button", "Filter", class_="button"),
        el("a", "all runs", href="/") if wanted.address != "/" else None,
        class_="filters",
        role="search",
        action="/",
    )


def _choice(name: str, chosen: str, options: Sequence[tuple[str, str]]) -> Markup:
    every = [
        el("option", text, value=value, selected="" if value == chosen else None)
        for value, text in [("", "any"), *options]
    ]
    return el("label", name, el("select", every, name=name))


def _table(runs: Sequence[RunSummary], wanted: Wanted, address: Callable[[RunSummary], str]) -> Content:
    if not runs:
        return el("p", "No run fits.", class_="remark")
    heads = [_head(name, title, wanted) for name, (title, _) in _SORTS.items()]
    rows = [_row(run, address(run)) for run in runs]
    return el("div", el("table", el("thead", el("tr", heads)), el("tbody", rows)), class_="runs")


def _head(name: str, title: str, wanted: Wanted) -> Markup:
    current = wanted.sort == name
    link = replace(wanted, sort=name, backwards=current and not wanted.backwards, first=0).address
    sign = ("▲" if wanted.backwards else "▼") if current else ""
    order = ("descending" if wanted.backwards else "ascending") if current else None
    return el("th", el("a", title, " ", el("span", sign, aria_hidden="true"), href=link), aria_sort=order,
              scope="col")  # fmt: skip


def _row(run: RunSummary, address: str) -> Markup:
    facts = run.facts
    running = facts.state == "running" and run.kind is RunKind.CAMPAIGN
    link = f"/{'live' if running else 'run'}/{quote(address)}"
    state: Content = None
    if facts.state == "running":
        state = el("span", "running", class_="going")
    elif facts.state != "ended":
        state = el("span", cut(facts.state, 90), class_="quiet")
    what = " · ".join(filter(None, [cut(facts.subject, 80), cut(facts.level, 80)]))
    told = run.unreadable or ", ".join(facts.names[:6]) + (" …" if len(facts.names) > 6 else "")
    return el(
        "tr",
        el("td", verdict_mark(run)),
        el("th", el("a", cut(run.path.name, 80), href=link),
           el("div", what, class_="quiet") if what else None, scope="row"),
        el("td", _kind(run), " ", state),
        el("td", cut(facts.database, 60)),
        el("td", cut(told, 160)),
        el("td", _when(run.written), class_="when"),
    )  # fmt: skip


def _parts(wanted: Wanted, first: int, shown: int, total: int) -> Content:
    return pager(first, shown, total, SIZE, lambda at: replace(wanted, first=at).address, "runs")


def _kind(run: RunSummary) -> str:
    return run.kind.value if run.kind else "unreadable"


def _when(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M")


def _text(run: RunSummary) -> str:
    """What a run is searched by."""
    facts = run.facts
    words = (run.path.name, facts.subject, facts.database, facts.level, facts.state, _kind(run), *facts.names)
    return " ".join(words).lower()
