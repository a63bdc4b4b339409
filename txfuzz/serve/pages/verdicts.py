"""The verdict of a run in colour, in a sign and in words."""

from __future__ import annotations

from txfuzz.campaign.directory.runs import RunSummary
from txfuzz.report.html.markup import Markup, el
from txfuzz.report.verdict import TONES

_SIGNS = {"broken": "✗", "known": "✗", "allowed": "▲", "unknown": "?", "valid": "✓", "none": "–"}


def tone_mark(tone: str) -> Markup:
    return _mark(tone, TONES[tone])


def verdict_mark(run: RunSummary) -> Markup:
    return _mark(run.tone, run.verdict_words)


def _mark(tone: str, words: str) -> Markup:
    return el("span", el("span", _SIGNS[tone], aria_hidden="true"), words, class_=f"verdict-mark {tone}")
