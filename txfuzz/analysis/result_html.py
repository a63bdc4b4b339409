"""Results as small pieces of HTML, for notebooks. Everything that a history says is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from txfuzz.analysis.checker.consistency import model_text

if TYPE_CHECKING:
    from txfuzz.analysis.result import AnalysisResult, Anomaly, NearCycle, TransactionView
from txfuzz.common.sanitize import printable

_LONGEST = 600  # characters of one text
_SHOWN = 3  # anomalies, near-cycles
_TRANSACTIONS = 12


def result_html(result: AnalysisResult) -> str:
    """The verdict, the numbers, the first anomalies or near-cycles."""
    rows = [
        ("transactions", f"{result.transactions:,}, {result.committed:,} of them committed"),
        ("dependencies", ", ".join(f"{count:,} {kind}" for kind, count in result.edge_counts.items())),
        ("a transaction", f"{result.edges_per_txn:.2f} ({result.concurrent_edges_per_txn:.2f} concurrent)"),
        ("near-cycles", f"{result.near_cycles_counted:,}"),
        *([("ruled out", ", ".join(result.not_models))] if result.not_models else []),
        *([("reason", result.reason)] if result.reason else []),
    ]
    first: Iterable[str] = map(anomaly_html, result.anomalies[:_SHOWN])
    if not result.anomalies:
        first = map(near_cycle_html, result.near_cycles[:_SHOWN])
    found = f": {', '.join(result.anomaly_types)}" if result.anomaly_types else ""
    head = f"{result.verdict.value} against {result.expect}{found}"
    return f"<div><p><b>{text(head)}</b></p>{table(rows)}{''.join(first)}</div>"


def anomaly_html(anomaly: Anomaly) -> str:
    """The transactions, and what each edge follows from."""
    lines = anomaly.explanation.splitlines() or [edge.why for edge in anomaly.edges]
    told = "".join(f"<li>{text(line)}</li>" for line in lines[:_TRANSACTIONS])
    return f"<div><p><b>{text(anomaly.type)}</b></p>{_views(anomaly.transactions)}<ul>{told}</ul></div>"


def near_cycle_html(near: NearCycle) -> str:
    """The path, and the edge that is missing."""
    missing = near.missing
    told = "".join(f"<li>{text(edge.why)}</li>" for edge in near.path[:_TRANSACTIONS])
    lacks = f"missing: {missing.kind} on key {missing.key}"
    head = f"would be {near.anomaly} and break {model_text(near.breaks)}; score {near.score:.3g}"
    return (
        f"<div><p><b>{text(head)}</b></p>{_views(near.transactions)}"
        f"<ul>{told}<li><i>{text(lacks)}</i></li></ul></div>"
    )


def table(rows: Sequence[tuple[object, ...]], head: Sequence[str] = ()) -> str:
    """A plain table; notebooks bring their own look."""
    names = "".join(f"<th>{text(name)}</th>" for name in head)
    top = f"<thead><tr>{names}</tr></thead>" if head else ""
    lines = ["".join(f"<td>{text(str(cell))}</td>" for cell in row) for row in rows]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table>{top}<tbody>{body}</tbody></table>"


def text(value: str) -> str:
    """A text, cut to a bounded length."""
    return escape(printable(value if len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…"))


def _views(views: Sequence[TransactionView]) -> str:
    rows = [
        (f"T{at}", view.index, view.template or "", f"process {view.process}", view.text)
        for at, view in enumerate(views[:_TRANSACTIONS], 1)
    ]
    more = len(views) - len(rows)
    return table(rows) + (f"<p>… {more:,} more transactions</p>" if more > 0 else "")
