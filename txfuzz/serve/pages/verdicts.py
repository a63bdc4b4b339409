"""The verdict of a run in colour, in a sign and in words."""

from __future__ import annotations

from txfuzz.analysis.result import Verdict
from txfuzz.campaign.directory.runs import RunSummary
from txfuzz.report.html.markup import Markup, el

# Class → sign and words; in the order of a list that is sorted by verdict
VERDICTS = {
    "broken": ("✗", "promise broken"),
    "known": ("✗", "promise broken (known)"),
    "allowed": ("▲", "anomalies found"),
    "unknown": ("?", "no verdict"),
    "valid": ("✓", "nothing found"),
    "none": ("–", "not judged"),
}


def verdict_of(run: RunSummary) -> str:
    if run.facts.broken:
        return "broken"
    if run.facts.known:
        return "known"
    match run.verdict:
        case Verdict.INVALID:
            return "allowed"
        case Verdict.VALID:
            return "valid"
        case Verdict.UNKNOWN:
            return "unknown"
        case _:
            return "unknown" if run.unreadable else "none"


def verdict_mark(name: str) -> Markup:
    sign, words = VERDICTS[name]
    return el("span", el("span", sign, aria_hidden="true"), words, class_=f"verdict-mark {name}")
