"""What the small-scope search of a campaign showed, pair by pair and triple by triple."""

from __future__ import annotations

from collections.abc import Sequence

from txfuzz.common.sentences import counted
from txfuzz.replay.small_scope.result import CombinationResult, VariationResult
from txfuzz.report.campaign_result import CampaignResult
from txfuzz.report.html.markup import Content, Markup, cut, el
from txfuzz.report.text.small_scope import VARIED, anomalies_text, small_scope_text, variation_text

_ROWS = 60
_COLUMNS = ("transactions", "schedules", "dangerous", "refused", "anomalies")


def small_scope_part(record: CampaignResult) -> Content:
    found = None if record.small_scope is None else record.small_scope.searched
    if found is None:
        return None
    ranked = sorted(found.combinations, key=lambda each: (-each.found, -each.refused, len(each.transactions)))
    head = el("tr", [el("th", name) for name in _COLUMNS])
    more = len(ranked) - _ROWS
    return el(
        "section",
        el("h2", "Small scope"),
        el("p", f"Before the first iteration: {small_scope_text(found)}. Dangerous are schedules in which a "
           "weaker database would show a cycle; refused are those of them in which this one aborted a "
           "transaction.", class_="quiet"),
        el(
            "details",
            el("summary", "The transactions that ran together"),
            el("div", el("table", el("thead", head), el("tbody", [_row(each) for each in ranked[:_ROWS]])),
               class_="scroll", tabindex="0"),
            el("p", f"{counted(more, 'more combination')} in small_scope.json.", class_="quiet")
            if more > 0 else None,
            open="" if len(ranked) <= 12 else None,
        ),
        _varied(found.variations),
        id="small-scope",
    )  # fmt: skip


def _varied(variations: Sequence[VariationResult]) -> Content:
    if not variations:
        return None
    head = el("tr", [el("th", name) for name in ("variation", "schedules", "anomalies")])
    rows = [
        el("tr", el("th", cut(each.change.reason, 120)), el("td", f"{each.schedules:,}"),
           el("td", cut(variation_text(each), 120), class_="words"))
        for each in variations
    ]  # fmt: skip
    return [
        el("p", f"{VARIED}:", class_="quiet"),
        el("div", el("table", el("thead", head), el("tbody", rows)), class_="scroll", tabindex="0"),
    ]


def _row(each: CombinationResult) -> Markup:
    names = " × ".join(cut(name, 40) for name in each.transactions)
    numbers = (each.schedules, each.dangerous, each.refused)
    return el(
        "tr",
        el("th", names),
        [el("td", f"{number:,}") for number in numbers],
        el("td", cut(anomalies_text(each), 120), class_="words"),
    )
