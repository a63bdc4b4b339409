"""Anomalies and near-cycles in words, and the anomalies that one finding represents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from txfuzz.analysis.checker.consistency import model_text
from txfuzz.analysis.explain.headlines import headline, telling_type
from txfuzz.analysis.result import AnalysisResult, Anomaly, NearCycle, TransactionView
from txfuzz.common.sentences import counted
from txfuzz.report.cycle.labels import meaning_of, missing_ends, transaction_note
from txfuzz.report.finding import Finding
from txfuzz.report.text.lines import paragraph, width

_TRANSACTIONS = 12  # listed individually for one anomaly
_ALSO = 6  # anomalies with the same reproducer
_NEAR = 5  # near-cycles unless verbose


def anomaly_lines(result: AnalysisResult) -> list[str]:
    """Each type with its definition and the anomalies of that type that are shown."""
    lines: list[str] = []
    ordered = sorted(result.anomalies, key=lambda anomaly: telling_type(anomaly.type))
    for name, group in groupby(ordered, key=lambda anomaly: anomaly.type):
        shown = list(group)
        more = result.left_out.get(name, 0)
        count = f"{len(shown)} of {len(shown) + more:,} shown" if more else ""
        lines += ["", f"{name}{f'   ({count})' if count else ''}", *definition(shown[0])]
        for anomaly in shown:
            lines += ["", *paragraph(headline(anomaly), 2), *one_anomaly(anomaly)]
    left = {name: count for name, count in result.left_out.items() if name not in _types(result)}
    if left:
        rest = ", ".join(f"{count:,} {name}" for name, count in left.items())
        lines += ["", *paragraph(f"Not shown: {rest}.")]
    return lines


def near_cycle_lines(result: AnalysisResult, *, verbose: bool) -> list[str]:
    """The near-cycles by rank: what each would be, and the edge that is missing."""
    shown = result.near_cycles
    if not shown:
        return []
    seen = max(result.near_cycles_counted, len(shown))
    lines = ["", f"Near-cycles   (nearest first; {seen:,} in all)"]
    for rank, near in enumerate(shown if verbose else shown[:_NEAR], 1):
        lines += [*([""] if verbose else []), *_near_cycle(near, rank, verbose=verbose)]
    if not verbose and len(shown) > _NEAR:
        lines += paragraph(f"… {len(shown) - _NEAR} more", 5)
    return lines


def _types(result: AnalysisResult) -> set[str]:
    return {anomaly.type for anomaly in result.anomalies}


def definition(anomaly: Anomaly) -> list[str]:
    """What this type of anomaly is, and where it is defined."""
    meaning, source = meaning_of(anomaly)
    return [*paragraph(meaning, 2), *(paragraph(f"Defined in {source}.", 2) if source else [])]


def anomaly_in_full(anomaly: Anomaly, finding: Finding | None = None) -> list[str]:
    """Its definition, what the finding that it belongs to represents, and the anomaly itself."""
    also = same_reproducer_sentence(finding) if finding is not None else ""
    return [*definition(anomaly), *paragraph(also, 2), "", *one_anomaly(anomaly)]


def one_anomaly(anomaly: Anomaly) -> list[str]:
    """Its transactions, and the reason for each edge of its cycle."""
    views = anomaly.transactions
    names = " → ".join(str(view.index) for view in views[:_TRANSACTIONS])
    more = len(views) - _TRANSACTIONS
    rest = f" → … {more:,} more" if more > 0 else ""
    first = str(views[0].index) if views else ""
    head = (
        f"A cycle of {counted(len(views), 'transaction')}: {names}{rest} → {first}"
        if anomaly.edges
        else f"{counted(len(views), 'transaction')}:"
    )
    told = anomaly.explanation or "\n".join(edge.why for edge in anomaly.edges)
    return [*paragraph(head, 2), *_transactions(views), *paragraph(told, 4, 2)]


def _transactions(views: Sequence[TransactionView]) -> list[str]:
    lines: list[str] = []
    for at, view in enumerate(views[:_TRANSACTIONS], 1):
        name = f"T{at}"
        lines += paragraph(f"{name:<3} = transaction {view.index}, {transaction_note(view, ', ')}", 4, 6)
        lines += _mops(view)
    if len(views) > _TRANSACTIONS:
        lines += paragraph(f"… {len(views) - _TRANSACTIONS:,} more transactions", 4)
    return lines


def _mops(view: TransactionView) -> list[str]:
    """Micro-operations, as many whole ones per line as fit."""
    lines: list[str] = []
    for mop in [view.call] if view.call else [*(mop.text for mop in view.mops), *["…"] * bool(view.left_out)]:
        joined = f"{lines[-1]} {mop}" if lines else mop
        if lines and len(joined) + 10 <= width():
            lines[-1] = joined
        else:
            lines.append(mop)
    return [line for each in lines for line in paragraph(each, 10, 2)]


def _near_cycle(near: NearCycle, rank: int, *, verbose: bool) -> list[str]:
    lines = paragraph(
        f"{rank:>3}. would be {near.anomaly} and break {model_text(near.breaks)}; score {near.score:.3g}",
        hang=5,
    )
    names = {view.row: view.index for view in near.transactions}
    missing = near.missing
    lines += paragraph(f"present: {path_text(near)}", 5, 7)
    ends = missing_ends(missing)
    between = f"from {names.get(missing.source, '?')} to {names.get(missing.target, '?')}"
    lines += paragraph(
        f"missing: {missing.kind} on key {missing.key} {between}{', ' if ends else ''}{ends}", 5, 9
    )
    if verbose:
        lines += _transactions(near.transactions)
        lines += [line for edge in near.path for line in paragraph(f"{edge.why}.", 4, 2)]
        parts = ", ".join(f"{name} {value:.3g}" for name, value in near.score_parts.items())
        lines += paragraph(f"score {near.score:.3g}: {parts}", 4, 2) if parts else []
    return lines


def path_text(near: NearCycle) -> str:
    """12 –rw on 3→ 15 –wr on 4→ 20: the transactions by index, each edge with its kind and key."""
    names = {view.row: view.index for view in near.transactions}
    text = str(names.get(near.path[0].source, "?")) if near.path else ""
    for edge in near.path:
        key = edge.key if edge.logical_key is None else edge.logical_key
        text += f" –{edge.kind} on {key}→ {names.get(edge.target, '?')}"
    return text


def same_reproducer_sentence(finding: Finding) -> str:
    """Which anomalies shrank to the same reproducer; empty if none did."""
    if not finding.also:
        return ""
    names = [_finding(each) for each in finding.also[:_ALSO]]
    if len(finding.also) > _ALSO:
        names.append(f"{len(finding.also) - _ALSO:,} more")
    others = counted(len(finding.also), "more anomaly", "more anomalies")
    return f"It represents {others}, which shrank to the same reproducer: {'; '.join(names)}."


def _finding(finding: Finding) -> str:
    counts = Counter((name or "?")[:30] for name in finding.signature.templates[:8])
    names = (f"{count} × {name}" if count > 1 else name for name, count in counts.items())
    return f"{finding.anomaly.type} between {', '.join(names)}"
