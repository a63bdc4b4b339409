"""The course of a run, stretch by stretch."""

from __future__ import annotations

from pathlib import Path

import pytest

from txfuzz.history.course import STRETCHES, course_of
from txfuzz.history.reader import read_history

MILLISECOND = 1_000_000


def history(path: Path, transactions: list[tuple[float, float, str, str]]) -> Path:
    """(begin and end in milliseconds, outcome, template)"""
    lines = []
    for key, (begin, end, outcome, name) in enumerate(transactions):
        for at, kind in ((begin, "invoke"), (end, outcome)):
            lines.append(
                f'{{:type :{kind}, :process {key}, :f :txn, :time {int(at * MILLISECOND)}, :txn "{name}", '
                f":value [[:append {key} 1]]}}\n"
            )
    path.write_text("".join(lines))
    return path


def test_commits_and_latencies_by_stretch(tmp_path: Path) -> None:
    run = [(at * 10.0, at * 10.0 + 1 + (at >= 30) * 4, "ok", "t") for at in range(60)]
    found = course_of(read_history(history(tmp_path / "h.edn", run)))
    assert len(found) == STRETCHES
    assert sum(each.committed for each in found) == 60
    assert [each.p50 for each in found] == pytest.approx([1.0] * 3 + [5.0] * 3)
    assert [each.at for each in found] == pytest.approx([at * found[0].seconds for at in range(STRETCHES)])
    assert sum(each.per_second * each.seconds for each in found) == pytest.approx(60)


def test_only_what_committed_counts(tmp_path: Path) -> None:
    run = [
        (0.0, 1.0, "ok", "t"),
        (0.0, 2.0, "fail", "t"),
        (1.0, 900.0, "ok", "final-read"),
        (0.0, 9.0, "fail", "t"),
    ]
    found = course_of(read_history(history(tmp_path / "h.edn", run)))
    assert [each.committed for each in found] == [1] + [0] * (STRETCHES - 1)
    assert [each.p95 for each in found[1:]] == [None] * (STRETCHES - 1)
    assert sum(each.seconds for each in found) == pytest.approx(0.009, rel=0.01)


def test_a_history_without_times_has_no_course(tmp_path: Path) -> None:
    path = tmp_path / "h.edn"
    path.write_text(
        "{:type :invoke, :process 0, :f :txn, :value [[:append 1 1]]}\n"
        "{:type :ok, :process 0, :f :txn, :value [[:append 1 1]]}\n"
    )
    assert course_of(read_history(path)) == ()
