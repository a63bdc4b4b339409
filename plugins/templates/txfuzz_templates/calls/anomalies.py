"""Shared by the judges of calls: validation of functions, and the verdict from anomalies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from txfuzz.plugin_api import (
    Anomaly,
    Call,
    Calls,
    HistoryError,
    Keyword,
    Part,
    Verdict,
    call_view,
    edn_text,
)


@dataclass(frozen=True)
class Explanation:
    """One anomaly. calls: their numbers, in the order of T1, T2, … in the explanation."""

    calls: tuple[int, ...]
    explanation: str
    record: Mapping[str, Any]


@dataclass(frozen=True)
class AnomaliesOfType:
    """All anomalies of one type. tell: explains one of `hits`."""

    type: str
    definition: str
    hits: Sequence[Any]
    tell: Callable[[Any], Explanation]


def verdict(
    calls: Calls, found: Sequence[AnomaliesOfType], reason: str, data: Mapping[str, Any], shown: int
) -> Part:
    """Invalid if anything was found, else valid; anomalies beyond `shown` per type are only counted."""
    anomalies: list[Anomaly] = []
    for each in found:
        for hit in each.hits[:shown]:
            told = each.tell(hit)
            views = tuple(call_view(calls, at) for at in told.calls)
            anomalies.append(
                Anomaly(each.type, views, told.explanation, each.definition, record=dict(told.record))
            )
    left_out = {each.type: len(each.hits) - shown for each in found if len(each.hits) > shown}
    if anomalies:
        return Part(Verdict.INVALID, reason, tuple(anomalies), data, {"left_out": left_out})
    return Part(data=data)


def functions(calls: Calls) -> set[str]:
    return {call.f for call in calls.calls}


def check_functions(calls: Calls, known: Sequence[str], model: str) -> None:
    """HistoryError for a function that the model lacks."""
    expected = f":f to be {' or '.join(f':{each}' for each in known)} in a {model} history"
    for call in calls.calls:
        if call.f not in known:
            raise wrong(calls, call, expected, Keyword(call.f) if call.f else None)


def wrong(calls: Calls, call: Call, expected: str, found: Any) -> HistoryError:
    return HistoryError(f"{calls.source}:{call.line}: expected {expected}, found {edn_text(found):.60}")


def ok_reads(calls: Calls) -> list[int]:
    """The numbers of successful reads with a value, in order of completion."""
    reads = [
        at
        for at, call in enumerate(calls.calls)
        if call.f == "read" and call.type == "ok" and call.value is not None
    ]
    return sorted(reads, key=lambda at: calls.calls[at].ended)


def is_number(value: Any) -> bool:
    return not isinstance(value, bool) and hasattr(value, "__add__") and hasattr(value, "__float__")
