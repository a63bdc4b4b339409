"""A history in, an AnalysisResult out: runs the analyzers and combines their parts."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from txfuzz.analysis.checker.consistency import friendly
from txfuzz.analysis.checker.preconditions import violated_precondition
from txfuzz.analysis.contract import Analyzer, Part, is_checker
from txfuzz.analysis.dependencies.build import dependencies
from txfuzz.analysis.dependencies.columns import columns_of
from txfuzz.analysis.dependencies.metrics import asked_for
from txfuzz.analysis.dependencies.register_versions import VersionOptions
from txfuzz.analysis.elle import DEFAULT_NEAR_CYCLES, ElleAnalyzer
from txfuzz.analysis.explain.headlines import with_headlines
from txfuzz.analysis.result import AnalysisResult, Verdict
from txfuzz.errors import PluginError, TxfuzzError, UsageError
from txfuzz.history.model import FAIL, INFO, OK, History
from txfuzz.history.reader import read_history

# Fields that no analyzer can fill in: they follow from the history and from all parts together.
_OWN = frozenset(
    {"file", "verdict", "expect", "reason", "kind", "anomalies", "transactions", "committed", "failed",
     "unknown", "judged", "operations", "passed_over", "parts"}
)  # fmt: skip
_FIELDS = frozenset(AnalysisResult.__dataclass_fields__) - _OWN
_SEVERITY = (Verdict.VALID, Verdict.UNKNOWN, Verdict.INVALID)


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """Invalid before unknown before valid."""
    return max(verdicts, key=_SEVERITY.index, default=Verdict.VALID)


def analyze_history(
    history: History | str | os.PathLike[str],
    expect: str = "serializable",
    *,
    analyzers: Sequence[Analyzer] | None = None,
    max_near_cycles: int = DEFAULT_NEAR_CYCLES,
) -> AnalysisResult:
    """Check a history against a consistency model (by any of its names).

    history: in memory, or a file in any format that Elle accepts. analyzers: in the order in which they
    judge it; None for the built-in one, which then reports at most `max_near_cycles`.

    Raises HistoryError for a file that is not a history, UsageError for an unknown model or no analyzer,
    and PluginError if an analyzer fails or two of them fill in the same field.
    """
    name = history.source if isinstance(history, History) else os.fspath(history)
    model = friendly(expect)
    if not isinstance(history, History):
        history = read_history(history)
    if analyzers is None:
        analyzers = (ElleAnalyzer(max_near_cycles=max_near_cycles),)
    if not analyzers:
        raise UsageError("no analyzer was given, and without one there is no verdict")
    parts = [(each, _part(each, history, model)) for each in analyzers]
    fields = _fields(parts)
    anomalies = with_headlines(anomaly for _, part in parts for anomaly in part.anomalies)
    types = {*fields.pop("anomaly_types", ()), *(anomaly.type for anomaly in anomalies)}
    verdict = worst([part.verdict for _, part in parts])
    outcomes = np.bincount(history.type, minlength=3)
    return AnalysisResult(
        file=name,
        verdict=verdict,
        expect=model,
        reason=_reason(parts, verdict),
        kind=history.kind.value if history.kind else None,
        anomaly_types=tuple(sorted(types)),
        anomalies=anomalies,
        transactions=len(history),
        committed=int(outcomes[OK]),
        failed=int(outcomes[FAIL]),
        unknown=int(outcomes[INFO]),
        judged=len(history) if _judged(parts) else 0,
        operations=history.operations,
        passed_over=history.passed_over,
        warnings=(*history.warnings, *fields.pop("warnings", ())),
        parts={each.name: _told(part) for each, part in parts if not is_checker(each)},
        **fields,
    )


def _part(analyzer: Analyzer, history: History, expect: str) -> Part:
    """The part of one analyzer; errors in a plugin's analyzer name the plugin."""
    if is_checker(analyzer):
        return analyzer.analyze(history, expect)
    try:
        part = analyzer.analyze(history, expect)
    except PluginError:
        raise
    except UsageError as error:
        raise UsageError(f"analyzer {analyzer.name!r}: {error}") from error
    except TxfuzzError:
        raise
    except Exception as error:
        said = f"analyzer {analyzer.name!r} failed: {type(error).__name__}: {error}"
        raise PluginError(said, analyzer) from error
    if not isinstance(part, Part) or not isinstance(part.verdict, Verdict):
        raise PluginError(f"analyzer {analyzer.name!r} returned {part!r}, expected a txfuzz.Part", analyzer)
    return part


def _judged(parts: Sequence[tuple[Analyzer, Part]]) -> bool:
    """Whether any analyzer judged the history; the checker may do so without reaching a verdict."""
    return any(part.verdict is not Verdict.UNKNOWN or "edge_counts" in part.fields for _, part in parts)


def _fields(parts: Sequence[tuple[Analyzer, Part]]) -> dict[str, Any]:
    """The fields of all parts, each filled in by one analyzer; warnings by any number."""
    fields: dict[str, Any] = {}
    by: dict[str, str] = {}
    for analyzer, part in parts:
        for name, value in part.fields.items():
            if name not in _FIELDS:
                raise PluginError(
                    f"analyzer {analyzer.name!r} cannot fill in the field {name!r} of the analysis", analyzer
                )
            if name == "warnings":  # the one field that several may add to
                fields[name] = (*fields.get(name, ()), *value)
                continue
            if name in by:
                raise PluginError(
                    f"analyzers {by[name]!r} and {analyzer.name!r} both fill in the field {name!r}", analyzer
                )
            by[name], fields[name] = analyzer.name, value
    return fields


def _reason(parts: Sequence[tuple[Analyzer, Part]], verdict: Verdict) -> str:
    """The reasons of the analyzers with this verdict."""
    said = [
        part.reason if is_checker(analyzer) else f"{analyzer.name}: {part.reason}"
        for analyzer, part in parts
        if part.verdict is verdict and part.reason
    ]
    return "; ".join(said)


def _told(part: Part) -> Mapping[str, Any]:
    return {"verdict": part.verdict.value, "reason": part.reason, **part.data}


ONE_CLIENT = "vacuous: one client ran alone, and nothing went wrong that could without others"


def vacuous_reason(history: History, result: AnalysisResult) -> str | None:
    """Why an executed history proves nothing although nothing contradicts the model; None if it does.

    A campaign with nothing but such histories is not valid but unknown.
    """
    if result.verdict is Verdict.INVALID:
        return None
    asked = asked_for(history)
    if not np.any((history.type == OK) & asked):
        return "vacuous: nothing committed"
    if result.concurrent_edges_per_txn > 0 or violated_precondition(columns_of(history), VersionOptions()):
        return None
    edges = dependencies(history)
    between = history.process[edges.source] != history.process[edges.target]
    both = asked[edges.source] & asked[edges.target]
    if len(edges.bicliques) or np.any(between & both):
        return None
    if len(np.unique(history.process[asked])) == 1 and np.any(both):
        return ONE_CLIENT
    return "vacuous: no dependency between two processes"
