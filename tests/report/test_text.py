"""What `txfuzz analyze` prints."""

from __future__ import annotations

import dataclasses
from typing import Any

from syrupy.assertion import SnapshotAssertion

from txfuzz.analysis.analyze import analyze_history
from txfuzz.analysis.result import (
    AnalysisResult,
    Anomaly,
    Component,
    Edge,
    KeyPressure,
    MissingEdge,
    NearCycle,
    TransactionView,
    Verdict,
)
from txfuzz.analysis.views.mop_view import MopView
from txfuzz.history.builder import HistoryBuilder
from txfuzz.report.text.analysis import analysis_text
from txfuzz.report.text.lines import WIDTH, paragraph, printable


def write_skew() -> AnalysisResult:
    builder = HistoryBuilder("runs/h.edn")
    builder.add("invoke", 0, [("r", 1, None), ("append", 2, 20)], time=0, txn="left")
    builder.add("invoke", 1, [("r", 2, None), ("append", 1, 10)], time=1_000, txn="right")
    builder.add("ok", 0, [("r", 1, ()), ("append", 2, 20)], time=1_500_000)
    builder.add("ok", 1, [("r", 2, ()), ("append", 1, 10)], time=2_001_000)
    builder.add("invoke", 0, [("r", 1, None), ("r", 2, None)])
    builder.add("ok", 0, [("r", 1, (10,)), ("r", 2, (20,))])
    return analyze_history(builder.finish())


def near_cycle(score: float = 0.75) -> NearCycle:
    views = (
        TransactionView(
            0, 12, 3, "hot_writer", (MopView("r", 1007, (1,)), MopView("append", 1008, 2)), 0, 1_000_000
        ),
        TransactionView(5, 17, 4, "reader", (MopView("append", 1007, 3), MopView("r", 1009, ()))),
    )
    path = (Edge("rw", 0, 5, 1007, 7, 1, 3, 0, 1, "T1 read key 1007 as [1], before T2 appended 3"),)
    missing = MissingEdge("rw", 5, 0, 8, "reader", 1, "hot_writer", 0)
    return NearCycle(score, path, missing, "G2-item", "repeatable-read", views, {"overlap": 0.5})


def clean(**fields: Any) -> AnalysisResult:
    return AnalysisResult("h.edn", Verdict.VALID, "serializable", **fields)


def squeezed(text: str) -> str:
    """The words of a text, wherever its lines end."""
    return " ".join(text.split())


def test_a_found_cycle_is_told_in_full(snapshot: SnapshotAssertion) -> None:
    result = write_skew()
    text = analysis_text(result)
    assert text == snapshot
    words = squeezed(text)
    for edge in result.anomalies[0].edges:
        assert squeezed(edge.why) in words


def test_lines_stay_within_the_width() -> None:
    builder = HistoryBuilder("h.edn")
    for value in range(60):
        builder.add(
            "invoke", value % 5, [("r", 1, None), ("append", 1, 1000 + value)], txn="a_rather_long_name"
        )
        builder.add(
            "ok",
            value % 5,
            [("r", 1, tuple(range(1000, 1000 + value // 2 * 2))), ("append", 1, 1000 + value)],
        )
    result = analyze_history(builder.finish())
    assert result.verdict is Verdict.INVALID
    text = analysis_text(result, verbose=True)
    assert max(map(len, text.splitlines())) <= WIDTH
    assert not [line for line in text.splitlines() if line != line.rstrip()]
    assert "\n\n\n" not in text
    assert "   (3 of " in text


def test_figures_have_thousands_separators(snapshot: SnapshotAssertion) -> None:
    result = clean(
        kind="rw-register",
        transactions=1_234_567,
        committed=1_200_000,
        failed=34_000,
        unknown=567,
        edge_counts={"ww": 1000, "rw": 2000, "wr": 3000},
        edges_per_txn=1.5,
        concurrent_edges_per_txn=0.25,
        dependency_density=0.125,
        graph_density=0.00001,
    )
    assert analysis_text(result) == snapshot


def test_what_was_left_out_is_counted(snapshot: SnapshotAssertion) -> None:
    text = analysis_text(dataclasses.replace(write_skew(), left_out={"G2-item": 1233, "G1c": 4}))
    assert [line for line in text.splitlines() if "hown" in line] == snapshot


def test_anomalies_that_are_no_cycles(snapshot: SnapshotAssertion) -> None:
    views = tuple(TransactionView(row, row, row, None, (MopView("r", 1, (row,)),)) for row in range(30))
    anomaly = Anomaly("incompatible-order", views, "T1 read key 1 as [1]; T2 read it as [2].", "")
    text = analysis_text(clean(anomalies=(anomaly,)))
    assert "T12 " in text
    assert "T13 " not in text
    assert text == snapshot


def test_the_anomaly_of_another_analyzer(snapshot: SnapshotAssertion) -> None:
    view = TransactionView(0, 9, 1, None, (MopView("r", 1, 5),))
    anomaly = Anomaly("negative-balance", (view,), "", "An account is never in debt (bank plugin).")
    result = clean(anomalies=(anomaly,), parts={"bank": {"verdict": "invalid", "lost": 12}})
    assert "lost" not in analysis_text(result)
    assert analysis_text(result, verbose=True) == snapshot


def test_near_cycles(snapshot: SnapshotAssertion) -> None:
    result = clean(near_cycles=(near_cycle(0.75), near_cycle(0.5)), near_cycles_counted=1557)
    text = analysis_text(result)
    assert "[:append 1008 2]" not in text
    assert text == snapshot
    assert analysis_text(result, verbose=True) == snapshot(name="verbose")


def test_five_near_cycles_unless_more_are_asked_for() -> None:
    result = clean(near_cycles=(near_cycle(),) * 12)
    assert analysis_text(result).count("would be G2-item") == 5
    assert "     … 7 more\n" in analysis_text(result)
    assert analysis_text(result, verbose=True).count("would be G2-item") == 12


def test_a_step_that_the_history_does_not_tell() -> None:
    near = dataclasses.replace(near_cycle(), missing=MissingEdge("rw", 5, 0, 8, None, None, None, None))
    assert "missing: rw on key 8 from 17 to 12\n" in analysis_text(clean(near_cycles=(near,)))


def test_key_pressure_is_a_table_of_the_ten_hardest_pressed(snapshot: SnapshotAssertion) -> None:
    result = clean(key_pressure=tuple(KeyPressure(key, 1000 + key, 20, 3, 1) for key in range(14)))
    text = analysis_text(result)
    table = text[text.index("Key pressure\n") :]
    assert table == snapshot
    assert len({len(line) for line in table.splitlines()[1:12]}) == 1
    assert "  13  1,013" in analysis_text(result, verbose=True)


def test_suggestions_what_was_cut_short_and_warnings(snapshot: SnapshotAssertion) -> None:
    result = clean(
        suggestions=("Use fewer keys.",), truncated=("1 component was not searched",), warnings=("torn",)
    )
    assert analysis_text(result) == snapshot


def test_components(snapshot: SnapshotAssertion) -> None:
    result = clean(sccs=tuple(Component(1900 - at, (3, 4, 5)) for at in range(10)))
    assert analysis_text(result) == snapshot
    assert analysis_text(result, verbose=True) == snapshot(name="verbose")
    assert analysis_text(clean(edge_counts={"wr": 1, "ww": 0, "rw": 0})) == snapshot(name="none")


def test_a_refused_history_gives_its_reason_and_no_figures_that_nobody_counted(
    snapshot: SnapshotAssertion,
) -> None:
    builder = HistoryBuilder("h.edn")
    for process in (0, 1):
        builder.add("invoke", process, [("append", 1, 1)])
        builder.add("ok", process, [("append", 1, 1)])
    text = analysis_text(analyze_history(builder.finish()))
    assert "Dependencies" not in text
    assert "Components" not in text
    assert text == snapshot


def test_what_was_found_and_is_allowed(snapshot: SnapshotAssertion) -> None:
    result = dataclasses.replace(
        write_skew(), verdict=Verdict.VALID, anomaly_types=(), anomalies=(), expect="PL-2"
    )
    assert analysis_text(result) == snapshot


def test_values_cannot_reach_for_the_terminal() -> None:
    view = TransactionView(0, 9, 1, "\x1b[31mred", (MopView("r", 1, "\x07\x9b2J"),))
    anomaly = Anomaly("G1a", (view,), "T1 read \x1b]0;title\x07 in key 1\u202e.", "")
    text = analysis_text(clean(anomalies=(anomaly,)))
    assert "red" in text
    assert not set(text) & set("\x1b\x07\x9b\u202e")
    assert printable("tab\tand\nnewline") == "tab\tand\nnewline"


def test_paragraphs_hang() -> None:
    lines = paragraph("word " * 50, 2, 3)
    assert lines[0].startswith("  word")
    assert all(line.startswith("     word") for line in lines[1:])
    assert max(map(len, lines)) <= WIDTH
    assert paragraph("x" * 150, 2) == ["  " + "x" * 150]
