"""Histories of calls, judged by the rules of their model: bank, set, counter, …"""

from __future__ import annotations

from collections import Counter
from typing import Any

from txfuzz.analysis.contract import CallAnalyzer, Part
from txfuzz.analysis.explain.headlines import with_headlines
from txfuzz.analysis.result import AnalysisResult, TransactionView, Verdict
from txfuzz.errors import UsageError
from txfuzz.history.calls import Call, Calls
from txfuzz.history.values import display_name, edn

_SHOWN = 400  # characters of a value
_OUTCOMES = {"ok": "committed", "info": "may have committed", "fail": "failed"}


def analyze_calls(calls: Calls, model: str, analyzer: CallAnalyzer) -> AnalysisResult:
    """Check a history of calls against the rules of one of the analyzer's models.

    `expect` and `kind` of the result are the model. Raises UsageError for a model that is not one of the
    analyzer's.
    """
    if model not in analyzer.models:
        raise UsageError(f"the analyzer {analyzer.name!r} does not judge the model {model!r}")
    part: Part = analyzer.judge(calls, model)
    outcomes = Counter(call.type for call in calls.calls)
    told = {"verdict": part.verdict.value, "reason": part.reason, **part.data}
    return AnalysisResult(
        file=calls.source,
        verdict=part.verdict,
        expect=model,
        reason=part.reason,
        kind=model,
        anomaly_types=tuple(sorted({anomaly.type for anomaly in part.anomalies})),
        all_types=tuple(sorted({anomaly.type for anomaly in part.anomalies})),
        anomalies=with_headlines(part.anomalies),
        left_out=part.fields.get("left_out", {}),
        transactions=len(calls.calls),
        committed=outcomes["ok"],
        failed=outcomes["fail"],
        unknown=outcomes["info"],
        judged=0 if part.verdict is Verdict.UNKNOWN else len(calls.calls),
        operations=calls.operations,
        passed_over=calls.passed_over,
        warnings=(*calls.warnings, *part.fields.get("warnings", ())),
        parts={analyzer.name: told},
    )


def call_view(calls: Calls, at: int) -> TransactionView:
    """A call by number, for display."""
    call = calls.calls[at]
    process: Any = "?" if call.process is None else call.process
    return TransactionView(
        at,
        call.index,
        process if isinstance(process, int) else display_name(process),
        call.f or None,
        start=call.start,
        end=call.end,
        outcome=_OUTCOMES[call.type],
        invoke_at=None if call.began < 0 else call.began,
        complete_at=None if call.ended < 0 else call.ended,
        call=call_text(call),
    )


def call_text(call: Call) -> str:
    """The argument of a call, or its result: `transfer {:from 1, :to 0, :amount 5}`."""
    value = call.asked if call.value is None else call.value
    text = "nothing" if value is None else edn(value)
    return f"{call.f} {text if len(text) <= _SHOWN else text[:_SHOWN] + ' …'}"
