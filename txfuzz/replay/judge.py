"""Judges attempts: their anomalies and dependencies, according to the checker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from txfuzz.analysis.analyze import analyze_history
from txfuzz.analysis.checker.check import check, order_for
from txfuzz.analysis.checker.consistency import canonical, prohibited
from txfuzz.analysis.dependencies.edges import KINDS
from txfuzz.analysis.elle import ElleAnalyzer
from txfuzz.analysis.result import AnalysisResult, Anomaly, Verdict
from txfuzz.history.model import History
from txfuzz.replay.signature import Signature, signature_of
from txfuzz.replay.stepper.attempt import Attempt
from txfuzz.replay.stepper.recorder import recorded_history

_SHOWN = 64  # anomalies per type, since an attempt has few transactions


@dataclass(frozen=True)
class Judgement:
    """types: anomalies that violate the model; all_types: all of them. edges: dependencies as
    (kind, alias, alias, logical key). signatures: of the anomalies that violate the model.
    judged: there are anomalies, or dependencies between transactions."""

    types: tuple[str, ...]
    all_types: tuple[str, ...]
    edges: frozenset[tuple[str, str, str, int]]
    signatures: Mapping[Signature, Anomaly]
    judged: bool = False


class Judge:
    """Judges attempts; equivalent ones are judged once.

    expect: the model that they are checked against. isolation: the level at which they run. origins:
    transaction → the template that signatures name instead of it.
    """

    def __init__(self, expect: str, isolation: str, origins: Mapping[str, str] | None = None) -> None:
        self.expect, self.isolation = expect, isolation
        self._origins = origins or {}
        self._ordered = order_for(prohibited(canonical(expect))) is not None
        self._known: dict[tuple[object, ...], Judgement] = {}

    def judge(self, attempt: Attempt) -> Judgement:
        judgement_key = (*attempt.judgement_key, attempt.order if self._ordered else ())
        found = self._known.get(judgement_key)
        if found is None:
            found = self._known[judgement_key] = self._judge(attempt)
        return found

    def _judge(self, attempt: Attempt) -> Judgement:
        if not attempt.begun:
            return Judgement((), (), frozenset(), {})
        history = recorded_history(attempt.operations)
        result = check(history, self.expect, shown=_SHOWN)
        edges = set()
        if result.dependencies is not None:
            found = result.dependencies.unfolded()
            for kind, source, target, key in zip(
                found.kind.tolist(),
                found.source.tolist(),
                found.target.tolist(),
                found.key.tolist(),
                strict=True,
            ):
                if max(source, target) < len(attempt.begun):
                    logical = attempt.logical[history.keys[key]]
                    edges.add((KINDS[kind], attempt.begun[source], attempt.begun[target], logical))
        signatures: dict[Signature, Anomaly] = {}
        for anomaly in result.anomalies:
            signatures.setdefault(signature_of(anomaly, self.isolation, self._origins), anomaly)
        judged = bool(result.all_types) or (bool(edges) and result.verdict is not Verdict.UNKNOWN)
        return Judgement(result.anomaly_types, result.all_types, frozenset(edges), signatures, judged)

    def analyze(self, attempt: Attempt) -> tuple[History, AnalysisResult]:
        """The full analysis, for reports."""
        history = replace(recorded_history(attempt.operations), session_names=tuple(attempt.begun))
        return history, analyze_history(history, self.expect, analyzers=[ElleAnalyzer(max_near_cycles=0)])
