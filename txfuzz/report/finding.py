"""Findings: anomalies that contradict the expected model, one per signature or per reproducer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from txfuzz.analysis.explain.headlines import telling
from txfuzz.analysis.result import AnalysisResult, Anomaly
from txfuzz.replay.signature import Signature, signature_of
from txfuzz.report.verdict import against


@dataclass(frozen=True)
class Finding:
    """anomaly: the shortest in the first iteration that showed it. iterations: all that showed it.

    also: findings with other signatures that shrank to the same reproducer, which it represents.
    """

    signature: Signature
    anomaly: Anomaly
    iterations: tuple[int, ...]
    also: tuple[Finding, ...] = ()

    @property
    def name(self) -> str:
        """That of its signature."""
        return self.signature.name

    @property
    def first(self) -> int:
        return self.iterations[0]

    @property
    def everywhere(self) -> tuple[int, ...]:
        """The iterations that showed it, or a finding that it represents."""
        return tuple(sorted({number for each in self.parts for number in each.iterations}))

    @property
    def parts(self) -> tuple[Finding, ...]:
        """Itself and the findings that it represents, each with its signature."""
        return (replace(self, also=()), *self.also)


def findings_in(results: Iterable[tuple[int, AnalysisResult]], isolation: str) -> tuple[Finding, ...]:
    """By first iteration; within one, cycles before others, shortest first."""
    found: dict[Signature, Finding] = {}
    for number, result in results:
        for anomaly in sorted(result.anomalies, key=_order):
            signature = signature_of(anomaly, isolation)
            known = found.get(signature)
            if known is None:
                found[signature] = Finding(signature, anomaly, (number,))
            elif known.iterations[-1] != number:
                found[signature] = replace(known, iterations=(*known.iterations, number))
    return tuple(found.values())


def most_telling(result: AnalysisResult, promised: str | None = None) -> Anomaly | None:
    """What a reader wants to see first. promised: the model that the database answers for, if any."""
    broken = against(result, promised)
    return min(result.anomalies, key=lambda each: telling(each, broken), default=None)


def merge_by_reproducer(findings: Iterable[Finding], same: Sequence[Sequence[str]]) -> tuple[Finding, ...]:
    """One finding for all that shrank to the same reproducer.

    same: names of signatures that did; the first of them that was found represents the others.
    """
    group = {name: at for at, names in reversed(list(enumerate(same))) for name in names}
    together: dict[int | str, list[Finding]] = {}
    for each in findings:
        together.setdefault(group.get(each.name, each.name), []).append(each)
    rank = {name: at for names in same for at, name in enumerate(names)}
    merged = []
    for alike in together.values():
        first, *others = sorted(alike, key=lambda each: rank.get(each.name, 0))
        merged.append(replace(first, also=tuple(others)))
    return tuple(merged)


def _order(anomaly: Anomaly) -> tuple[bool, int, str]:
    return (not anomaly.edges, len(anomaly.transactions), anomaly.type)
