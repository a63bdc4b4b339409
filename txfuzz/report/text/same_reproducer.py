"""What a finding stands for, in words: anomalies that shrank to the same reproducer."""

from __future__ import annotations

from collections import Counter

from txfuzz.report.finding import Finding
from txfuzz.report.text.lines import counted, paragraph

_NAMED = 6


def standing_sentence(finding: Finding) -> str:
    """One sentence; empty where it stands for itself alone."""
    if not finding.also:
        return ""
    names = [_named(each) for each in finding.also[:_NAMED]]
    if len(finding.also) > _NAMED:
        names.append(f"{len(finding.also) - _NAMED:,} more")
    others = counted(len(finding.also), "more anomaly", "more anomalies")
    return f"It stands for {others}, which shrank to the same reproducer: {'; '.join(names)}."


def standing_for(finding: Finding) -> list[str]:
    """The sentence as lines of text."""
    sentence = standing_sentence(finding)
    return paragraph(sentence, 2) if sentence else []


def _named(finding: Finding) -> str:
    counts = Counter((name or "?")[:30] for name in finding.signature.templates[:8])
    names = (f"{count} × {name}" if count > 1 else name for name, count in counts.items())
    return f"{finding.anomaly.type} between {', '.join(names)}"
