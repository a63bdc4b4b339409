"""The exact place of the first finding in a history: how many transactions had been attempted by then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from txfuzz.analysis.analyze import analyze_history
from txfuzz.analysis.contract import Analyzer
from txfuzz.analysis.result import AnalysisResult, Verdict
from txfuzz.history.model import FINAL_READ, History
from txfuzz.history.reader import read_history_bytes

_FIRST_LOOK = 64  # operations


@dataclass(frozen=True)
class FirstFinding:
    """attempted: the transactions that had begun when the history first contradicted the expected model, from
    1. anomalies: the types that it showed then."""

    attempted: int
    anomalies: tuple[str, ...]


def first_finding(history: bytes, expect: str, analyzers: Sequence[Analyzer]) -> FirstFinding | None:
    """Where a history of ours first contradicts `expect`; None if it never does.

    history: the file, one operation per line; an unfinished last line does not count. Beginnings of the
    history are judged: longer and longer ones until one contradicts the model, then those in between by
    bisection. What takes later reads to be seen counts from the read that shows it.
    """
    lines = history.splitlines(keepends=True)
    if lines and not lines[-1].endswith(b"\n"):
        lines.pop()

    def shown(length: int) -> tuple[History, AnalysisResult] | None:
        beginning = read_history_bytes(b"".join(lines[:length]))
        result = analyze_history(beginning, expect, analyzers=analyzers)
        return (beginning, result) if result.verdict is Verdict.INVALID else None

    clean, length = 0, min(_FIRST_LOOK, len(lines))
    found = shown(length) if length else None
    while found is None:
        if length == len(lines):
            return None
        clean, length = length, min(2 * length, len(lines))
        found = shown(length)
    while length - clean > 1:
        middle = (clean + length) // 2
        earlier = shown(middle)
        if earlier is None:
            clean = middle
        else:
            length, found = middle, earlier
    beginning, result = found
    return FirstFinding(attempted(beginning), result.anomaly_types)


def attempted(history: History) -> int:
    """The transactions of the workload that were begun; the reads at the end of a run are not its own."""
    reads = [number for number, name in enumerate(history.templates) if name == FINAL_READ]
    return len(history) - sum(int((history.template == number).sum()) for number in reads)
