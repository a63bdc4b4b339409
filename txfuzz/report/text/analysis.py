"""An analysis as plain text: what `txfuzz analyze` prints."""

from __future__ import annotations

from txfuzz.analysis.checker.consistency import friendly, model_text
from txfuzz.analysis.explain.headlines import headline
from txfuzz.analysis.result import AnalysisResult, Verdict, as_data
from txfuzz.common.json_text import json_text
from txfuzz.common.kind import Kind
from txfuzz.common.sentences import counted
from txfuzz.report.finding import most_telling
from txfuzz.report.text.anomalies import anomaly_in_full, anomaly_lines, near_cycle_lines
from txfuzz.report.text.lines import labelled, paragraph, table
from txfuzz.report.verdict import allowed_types, verdict_sentence

_COLUMN = 19
_KINDS = ("wr", "ww", "rw")
_PRESSED = 10  # keys
_COMPONENTS = 8
_PROCESSES = 4
KINDS = {kind.value for kind in Kind}


def analysis_text(result: AnalysisResult, *, verbose: bool = False) -> str:
    """A result as plain text, wrapped between words; the verdict comes last.

    verbose: also the transactions and proofs of near-cycles, every key, members of components,
    and what other analyzers measured.
    """
    return f"{analysis_body(result, verbose=verbose)}\n{verdict_text(result)}\n"


def analysis_body(result: AnalysisResult, *, verbose: bool = False) -> str:
    """The same without the verdict."""
    lines = [
        *paragraph(f"{result.file or 'history'}: {result.verdict.value}"),
        "",
        *_counts(result, verbose=verbose),
        *anomaly_lines(result),
        *near_cycle_lines(result, verbose=verbose),
        *_key_pressure(result, verbose=verbose),
        *_bullets("Suggestions", result.suggestions),
        *(_parts(result) if verbose else []),
        *_bullets("Cut short", result.truncated),
        *_bullets("Warnings", result.warnings),
    ]
    return "\n".join(lines) + "\n"


def leading_anomaly_text(result: AnalysisResult, promised: str | None = None) -> str:
    """The anomaly that a reader wants to see first, with its headline. promised: the model that the database
    answers for."""
    anomaly = most_telling(result, promised)
    if anomaly is None:
        return ""
    return "\n".join([*paragraph(headline(anomaly)), *anomaly_in_full(anomaly)]) + "\n"


def verdict_text(result: AnalysisResult) -> str:
    return "\n".join(paragraph(verdict_sentence(result, None, None)))


def _counts(result: AnalysisResult, *, verbose: bool) -> list[str]:
    outcomes = [f"{result.committed:,} committed", f"{result.failed:,} failed", f"{result.unknown:,} unknown"]
    kind = f" ({result.kind})" if result.kind else ""
    lines = _operations(result)
    what = "Calls" if _of_calls(result) else "Transactions"
    lines += labelled(what, f"{result.transactions:,}{kind}: {', '.join(outcomes)}", _COLUMN)
    if _of_calls(result):
        return lines
    if result.verdict is not Verdict.UNKNOWN or any(result.edge_counts.values()):
        lines += _dependencies(result)
    lines += labelled("Components", _components(result, verbose=verbose), _COLUMN)
    if result.verdict is not Verdict.VALID or result.not_models:
        lines += labelled("Ruled out", ", ".join(map(model_text, result.not_models)), _COLUMN)
        lines += labelled("  and therefore", ", ".join(map(friendly, result.also_not)), _COLUMN)
    lines += labelled("Found but allowed", ", ".join(allowed_types(result)), _COLUMN)
    return lines


def _of_calls(result: AnalysisResult) -> bool:
    """Whether the history consists of an analyzer's own calls (bank, for instance), not of transactions."""
    return result.kind is not None and result.kind not in KINDS


def _operations(result: AnalysisResult) -> list[str]:
    """What was read, and which part of it was ignored because it belongs to no transaction."""
    if not result.operations:
        return []
    what = "call" if _of_calls(result) else "transaction"
    judged = counted(result.judged, what) if result.judged else f"no {what}"
    text = f"{result.operations:,} read, {judged} judged"
    if result.passed_over:
        processes = [f"{count:,} of process {name}" for name, count in result.passed_over.items()]
        passed = ", ".join(processes[:_PROCESSES]) + (", …" if len(processes) > _PROCESSES else "")
        why = "" if _of_calls(result) else " (no micro-operations)"
        text += f", {sum(result.passed_over.values()):,} ignored{why}: {passed}"
    return labelled("Operations", text, _COLUMN)


def _dependencies(result: AnalysisResult) -> list[str]:
    kinds = sorted(result.edge_counts, key=_KINDS.index)
    counts = ", ".join(f"{result.edge_counts[kind]:,} {kind}" for kind in kinds)
    per_transaction = (
        f"{result.edges_per_txn:.2f}, of which {result.concurrent_edges_per_txn:.2f} between transactions "
        "that overlapped in time"
    )
    density = (
        f"edges join {_share(result.dependency_density)} of the pairs that overlapped and shared a key, "
        f"{_share(result.graph_density)} of all pairs"
    )
    return [
        *labelled("Dependencies", counts, _COLUMN),
        *labelled("  per transaction", per_transaction, _COLUMN),
        *labelled("  density", density, _COLUMN),
    ]


def _share(value: float) -> str:
    return f"{value:.1%}" if value >= 0.001 or not value else f"{value:.2g}"


def _components(result: AnalysisResult, *, verbose: bool) -> str:
    """The strongly connected ones; without any there is no cycle."""
    if not result.sccs:
        return "none: the dependencies contain no cycle" if any(result.edge_counts.values()) else ""
    sizes = ", ".join(f"{component.size:,}" for component in result.sccs[:_COMPONENTS])
    more = ", …" if len(result.sccs) > _COMPONENTS else ""
    text = f"{len(result.sccs):,} strongly connected, with this many transactions: {sizes}{more}"
    if verbose:
        for component in result.sccs[:_COMPONENTS]:
            members = " ".join(map(str, component.transactions))
            text += (
                f"\n{' ' * _COLUMN}{members}{' …' if component.size > len(component.transactions) else ''}"
            )
    return text


def _key_pressure(result: AnalysisResult, *, verbose: bool) -> list[str]:
    pressed = result.key_pressure if verbose else result.key_pressure[:_PRESSED]
    if not pressed:
        return []
    rows = [
        [str(key.key), f"{key.reads:,}", f"{key.writes:,}", f"{key.edges:,}", f"{key.concurrent_edges:,}"]
        for key in pressed
    ]
    left = len(result.key_pressure) - len(pressed)
    more = [f"  … {counted(left, 'more key')}"] if left else []
    return ["", "Key pressure", *table(["key", "reads", "writes", "edges", "concurrent"], rows, 2), *more]


def _bullets(title: str, sentences: tuple[str, ...]) -> list[str]:
    if not sentences:
        return []
    return ["", title, *(line for sentence in sentences for line in paragraph(f"- {sentence}", 2, 2))]


def _parts(result: AnalysisResult) -> list[str]:
    """Measurements of analyzers other than the built-in one."""
    lines: list[str] = []
    for name, part in result.parts.items():
        told = json_text(as_data(part))
        lines += ["", f"Analyzer {name}", *paragraph(told, 2, 2)]
    return lines
