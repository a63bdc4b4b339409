"""Findings: anomalies that contradict the expected model, each signature once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from txfuzz.analysis.result import AnalysisResult, Anomaly
from txfuzz.replay.signature import Signature, signature_of


@dataclass(frozen=True)
class Finding:
    """anomaly: the shortest of the iteration that showed it first. iterations: all that showed it."""

    signature: Signature
    anomaly: Anomaly
    iterations: tuple[int, ...]

    @property
    def first(self) -> int:
        return self.iterations[0]


def findings_in(results: Iterable[tuple[int, AnalysisResult]], isolation: str) -> tuple[Finding, ...]:
    """In the order of their first iterations, in each the shortest first, cycles before others."""
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


def _order(anomaly: Anomaly) -> tuple[bool, int, str]:
    return (not anomaly.edges, len(anomaly.transactions), anomaly.type)
