"""What `txfuzz analyze` prints."""

from __future__ import annotations

import dataclasses
from typing import Any

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


def test_a_found_cycle_is_told_in_full() -> None:
    result = write_skew()
    text = analysis_text(result)
    assert text.startswith("runs/h.edn: invalid. Found G2-item, which contradicts serializable.\n")
    assert "Transactions     3 (list-append): 3 committed, 0 failed, 0 unknown\n" in text
    assert "Dependencies     2 wr, 0 ww, 2 rw\n" in text
    assert "Ruled out        repeatable-read (Adya's PL-2.99)\n" in text
    assert "  and so also    serializable, strong-serializable" in text
    assert "  A cycle of 2 transactions: 3 → 2 → 3\n" in text
    assert "    T1  = transaction 3, right, process 1, 2 ms\n          [:r 2 []] [:append 1 10]\n" in text
    assert "    T2  = transaction 2, left, process 0, 1.5 ms\n          [:r 1 []] [:append 2 20]\n" in text
    words = squeezed(text)
    for edge in result.anomalies[0].edges:
        assert squeezed(edge.why) in words
    assert "Defined in Adya, Liskov, O'Neil, Generalized Isolation Level Definitions, ICDE 2000" in words
    assert "1 strongly connected one, transactions in each: 2" in words


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


def test_figures_have_thousands_separators() -> None:
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
    text = analysis_text(result)
    assert "1,234,567 (rw-register): 1,200,000 committed, 34,000 failed, 567 unknown" in text
    assert "3,000 wr, 1,000 ww, 2,000 rw" in text
    assert "1.50, of which 0.25 between transactions that overlapped in time" in text
    assert "12.5% of the pairs that overlapped and met on a key, 1e-05 of all pairs" in text
    assert "Ruled out" not in text


def test_what_was_left_out_is_counted() -> None:
    result = dataclasses.replace(write_skew(), left_out={"G2-item": 1233, "G1c": 4})
    text = analysis_text(result)
    assert "\nG2-item   (1 of 1,234 shown)\n" in text
    assert "\nNot shown: 4 G1c.\n" in text


def test_anomalies_that_are_no_cycles() -> None:
    views = tuple(TransactionView(row, row, row, None, (MopView("r", 1, (row,)),)) for row in range(30))
    anomaly = Anomaly("incompatible-order", views, "T1 read key 1 as [1]; T2 read it as [2].", "")
    text = analysis_text(clean(anomalies=(anomaly,)))
    assert "  Two reads of a key disagree about the order of its versions.\n" in text
    assert "  30 transactions:\n" in text
    assert "T12 = transaction 11, process 11\n" in text
    assert "T13" not in text
    assert "    … 18 more transactions\n    T1 read key 1 as [1]; T2 read it as [2].\n" in text


def test_the_anomaly_of_another_analyzer() -> None:
    view = TransactionView(0, 9, 1, None, (MopView("r", 1, 5),))
    anomaly = Anomaly("negative-balance", (view,), "", "An account is never in debt (bank plugin).")
    result = clean(anomalies=(anomaly,), parts={"bank": {"verdict": "invalid", "lost": 12}})
    assert "negative-balance\n  An account is never in debt (bank plugin).\n" in analysis_text(result)
    assert "lost" not in analysis_text(result)
    assert 'Analyzer bank\n  {"verdict": "invalid", "lost": 12}\n' in analysis_text(result, verbose=True)


def test_near_cycles() -> None:
    result = clean(near_cycles=(near_cycle(0.75), near_cycle(0.5)), near_cycles_counted=1557)
    text = analysis_text(result)
    assert "Near-cycles   (nearest first; 1,557 seen in all)\n" in text
    assert "  1. would be G2-item and break repeatable-read (Adya's PL-2.99); score 0.75\n" in text
    assert "     there: 12 -rw key 7-> 17\n" in text
    assert "     missing: rw on key 8 from 17 to 12, reader step 1 → hot_writer step 0\n" in text
    assert "  2. would be G2-item and break repeatable-read (Adya's PL-2.99); score 0.5\n" in text
    assert "[:append 1008 2]" not in text
    verbose = analysis_text(result, verbose=True)
    assert "    T1  = transaction 12, hot_writer, process 3, 1 ms\n" in verbose
    assert "          [:r 1007 [1]] [:append 1008 2]\n" in verbose
    assert "    T1 read key 1007 as [1], before T2 appended 3.\n" in verbose
    assert "    score 0.75: overlap 0.5\n" in verbose


def test_five_near_cycles_unless_more_are_asked_for() -> None:
    result = clean(near_cycles=(near_cycle(),) * 12)
    assert analysis_text(result).count("would be G2-item") == 5
    assert "     … 7 more\n" in analysis_text(result)
    assert analysis_text(result, verbose=True).count("would be G2-item") == 12


def test_a_step_that_the_history_does_not_tell() -> None:
    near = dataclasses.replace(near_cycle(), missing=MissingEdge("rw", 5, 0, 8, None, None, None, None))
    assert "missing: rw on key 8 from 17 to 12\n" in analysis_text(clean(near_cycles=(near,)))


def test_key_pressure_is_a_table_of_the_ten_hardest_pressed() -> None:
    pressed = tuple(KeyPressure(key, 1000 + key, 20, 3, 1) for key in range(14))
    lines = analysis_text(clean(key_pressure=pressed)).splitlines()
    at = lines.index("Key pressure")
    assert lines[at + 1].split() == ["key", "reads", "writes", "edges", "concurrent"]
    assert lines[at + 2].split() == ["0", "1,000", "20", "3", "1"]
    assert len({len(line) for line in lines[at + 1 : at + 12]}) == 1
    assert lines[at + 12] == "  … 4 more keys"
    assert "  13  1,013" in analysis_text(clean(key_pressure=pressed), verbose=True)


def test_suggestions_what_was_cut_short_and_warnings() -> None:
    result = clean(
        suggestions=("Use fewer keys.",), truncated=("1 component was not searched",), warnings=("torn",)
    )
    text = analysis_text(result)
    assert text.endswith(
        "\n\nSuggestions\n  - Use fewer keys.\n\nCut short\n  - 1 component was not searched\n"
        "\nWarnings\n  - torn\n"
    )


def test_components() -> None:
    result = clean(sccs=tuple(Component(1900 - at, (3, 4, 5)) for at in range(10)))
    assert "10 strongly connected ones, transactions in each: 1,900, 1,899," in analysis_text(result)
    assert "3 4 5 …\n" in analysis_text(result, verbose=True)
    acyclic = clean(edge_counts={"wr": 1, "ww": 0, "rw": 0})
    assert "Components       none: the dependencies contain no cycle\n" in analysis_text(acyclic)


def test_a_refused_history_gives_its_reason_and_no_figures_that_nobody_counted() -> None:
    builder = HistoryBuilder("h.edn")
    for process in (0, 1):
        builder.add("invoke", process, [("append", 1, 1)])
        builder.add("ok", process, [("append", 1, 1)])
    text = analysis_text(analyze_history(builder.finish()))
    assert text.startswith(
        "h.edn: unknown. No verdict: duplicate writes: the value 1 of key 1 was appended by"
    )
    assert "Dependencies" not in text
    assert "Components" not in text


def test_what_was_found_and_is_allowed() -> None:
    builder_result = write_skew()
    result = dataclasses.replace(
        builder_result, verdict=Verdict.VALID, anomaly_types=(), anomalies=(), expect="PL-2"
    )
    text = analysis_text(result)
    assert (
        "Nothing in this history contradicts read-committed; G2-item was found, which it allows."
        in squeezed(text)
    )
    assert "Found, allowed   G2-item\n" in text


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
