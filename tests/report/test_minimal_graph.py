"""The minimal picture: what it shows, and that everything in it is readable."""

from __future__ import annotations

import dataclasses
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.image import imread

from txfuzz.analysis.analyze import analyze_history
from txfuzz.analysis.describe import transaction_view
from txfuzz.analysis.result import (
    AnalysisResult,
    Anomaly,
    Edge,
    MissingEdge,
    NearCycle,
    TransactionView,
    Verdict,
)
from txfuzz.analysis.views.mop_view import MopView
from txfuzz.errors import OutputError
from txfuzz.history.builder import HistoryBuilder
from txfuzz.history.model import History
from txfuzz.report.cycle.layout import CycleLayout, lay_out
from txfuzz.report.cycle.view import MOST
from txfuzz.report.pictures.minimal_graph import minimal_figure
from txfuzz.report.pictures.panels import panels_of
from txfuzz.report.pictures.png import draw_minimal_graph
from txfuzz.report.pictures.style import EDGE_COLOURS, MISSING
from txfuzz.report.pictures.style import width as text_width

Mops = list[tuple[str, Any, Any]]


def overlapping(*transactions: Mops, **more: Any) -> History:
    """All invoked, then all completed, a process each."""
    builder = HistoryBuilder("test")
    for process, mops in enumerate(transactions):
        asked = [(f, key, None if f == "r" else value) for f, key, value in mops]
        builder.add("invoke", process, asked, time=process * 1000, txn=f"template_{process}", **more)
    for process, mops in enumerate(transactions):
        builder.add("ok", process, mops, time=100_000 + process * 1000)
    return builder.finish()


def write_skew() -> History:
    return overlapping(
        [("r", 1, ()), ("append", 2, 20)],
        [("r", 2, ()), ("append", 1, 10)],
        [("r", 1, (10,)), ("r", 2, (20,))],
    )


def long_fork() -> History:
    return overlapping(
        [("append", 1, 1)],
        [("append", 2, 1)],
        [("r", 1, (1,)), ("r", 2, ())],
        [("r", 1, ()), ("r", 2, (1,))],
    )


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def artists(figure: Figure, name: str) -> int:
    return sum(str(patch.get_gid() or "").startswith(name) for patch in figure.axes[0].patches)


def near(history: History, *path: Edge, missing: MissingEdge) -> NearCycle:
    views = tuple(transaction_view(history, row) for row in range(len(history)))
    return NearCycle(0.75, path, missing, "G2-item", "serializable", views)


def clean(**fields: Any) -> AnalysisResult:
    return AnalysisResult("h.edn", Verdict.VALID, "serializable", committed=1812, **fields)


def layouts_of(history: History, result: AnalysisResult) -> list[CycleLayout]:
    return [lay_out(panel.cycle, text_width) for panel in panels_of(result, history)]


def test_write_skew_shows_two_transactions_and_why() -> None:
    history = write_skew()
    figure = minimal_figure(history, analyze_history(history))
    shown = texts(figure)
    assert "G2-item · contradicts serializable" in shown
    assert {"rw on key 1", "rw on key 2", "saw [], 10 followed", "saw [], 20 followed"} <= set(shown)
    assert {"T3", "T4", "r 1 []", "append 2 20", "r 2 []", "append 1 10"} <= set(shown)
    assert "template_0 · process 0 · 100 µs" in shown
    assert "T5" not in shown
    assert artists(figure, "box") == 2
    assert artists(figure, "edge rw") == 2


def test_the_transactions_of_a_replay_have_the_names_of_their_sessions() -> None:
    history = dataclasses.replace(write_skew(), session_names=("t1", "t2"))
    result = analyze_history(history)
    assert "t1 < t2, because t1 read" in result.anomalies[0].explanation
    shown = texts(minimal_figure(history, result))
    assert {"t1", "t2"} <= set(shown)
    assert not {"T3", "T4"} & set(shown)
    assert any("2 transactions of a replay" in text for text in shown)


def test_long_fork_shows_a_cycle_of_four_with_both_kinds_of_edges() -> None:
    history = long_fork()
    figure = minimal_figure(history, analyze_history(history))
    assert artists(figure, "box") == 4
    assert artists(figure, "edge rw") == 2
    assert artists(figure, "edge wr") == 2
    legend = [text for text in texts(figure) if text in ("wr", "ww", "rw")]
    assert legend == ["wr", "rw"]


@pytest.mark.parametrize("history", [write_skew(), long_fork()], ids=["write skew", "long fork"])
def test_nothing_covers_anything_else(history: History) -> None:
    (layout,) = layouts_of(history, analyze_history(history))
    labels = [
        (arrow.label.left, arrow.label.y - arrow.label.height / 2, arrow.label.width, arrow.label.height)
        for arrow in layout.arrows
    ]
    boxes = [(box.x, box.y, box.width, box.height) for box in layout.boxes]
    for (x, y, width, height), (u, v, wide, high) in combinations(boxes + labels, 2):
        assert x + width <= u or u + wide <= x or y + height <= v or v + high <= y
    for box in layout.boxes:
        for cell in box.cells:
            assert box.x < cell.x < cell.x + cell.width < box.right
            assert box.y < cell.y < box.top
        for one, other in combinations(box.cells, 2):
            assert one.x + one.width <= other.x or other.x + other.width <= one.x or one.y != other.y
    for x, y, width, height in boxes + labels:
        assert 0 <= x <= x + width <= layout.width + 1e-9
        assert -1e-9 <= y <= y + height <= layout.height


def test_edges_begin_and_end_at_their_transactions_and_cross_no_card() -> None:
    history = long_fork()
    (layout,) = layouts_of(history, analyze_history(history))
    assert [arrow.around for arrow in layout.arrows] == [False, False, False, True]
    assert [arrow.link.source for arrow in layout.arrows] == [0, 1, 2, 3]
    for arrow in layout.arrows:
        source, target = layout.boxes[arrow.link.source], layout.boxes[arrow.link.target]
        ends = source.cell(arrow.link.source_mop), target.cell(arrow.link.target_mop)
        assert None not in ends
        if arrow.around:
            assert [arrow.points[0], arrow.points[-1]] == [(cell.centre, cell.top) for cell in ends if cell]
            assert arrow.points[2][0] < min(box.x for box in layout.boxes)
        else:
            assert arrow.points[0][1] == source.y
            assert arrow.points[-1][1] == target.top


def test_without_an_anomaly_the_nearest_near_cycles_with_the_missing_edge_dashed() -> None:
    history = overlapping(
        [("r", 1, ()), ("append", 2, 20)], [("r", 3, ()), ("append", 1, 10)], [("r", 1, (10,))]
    )
    path = Edge("rw", 0, 1, 1, 1, None, 10, 0, 1, "T1 read key 1 as [], before T2 appended 10")
    missing = MissingEdge("rw", 1, 0, 2, "template_1", 0, "template_0", 1)
    figure = minimal_figure(history, clean(near_cycles=(near(history, path, missing=missing),)))
    shown = texts(figure)
    assert "nearest near-cycle: would be G2-item on key 2" in shown
    assert "1,812 committed transactions · nothing contradicts serializable" in shown
    assert {"missing: rw on key 2", "template_1 step 0 → template_0 step 1", "missing"} <= set(shown)
    assert artists(figure, "edge rw") == 2
    assert artists(figure, "edge rw missing") == 1
    (dashed,) = (patch for patch in figure.axes[0].patches if patch.get_gid() == "edge rw missing")
    assert dashed.get_linestyle() not in ("-", "solid")


def test_at_most_three_near_cycles() -> None:
    history = overlapping([("r", 1, ()), ("append", 2, 20)], [("r", 3, ()), ("append", 1, 10)])
    path = Edge("rw", 0, 1, 1, 1, None, 10)
    missing = MissingEdge("rw", 1, 0, 2, None, None, None, None)
    figure = minimal_figure(history, clean(near_cycles=(near(history, path, missing=missing),) * 9))
    assert artists(figure, "box") == 6
    assert [text for text in texts(figure) if text.startswith("#")] == [
        f"#{rank} would be G2-item on key 2" for rank in (1, 2, 3)
    ]


def generations() -> tuple[History, Edge]:
    """Two transactions on physical keys, and the edge between them on 1007, which stands for 7."""
    builder = HistoryBuilder("test")
    asked = [
        [("r", 1007, ()), ("r", 1003, ()), ("append", 1003, 1)],
        [("r", 1009, ()), ("r", 1007, ()), ("append", 1007, 1)],
    ]
    for process, mops in enumerate(asked):
        logical = [key - 1000 for _, key, _ in mops]
        builder.add("invoke", process, mops, txn="probe", steps=range(3), logical=logical)
    for process, mops in enumerate(asked):
        builder.add("ok", process, mops)
    return builder.finish(), Edge("rw", 0, 1, 1007, 7, None, 1, 0, 2)


def test_the_missing_edge_is_on_a_key_that_a_box_shows_and_ends_at_the_steps() -> None:
    history, path = generations()
    missing = MissingEdge("rw", 1, 0, 9, "probe", 0, "probe", 2, 0, 2)
    result = clean(near_cycles=(near(history, path, missing=missing),))
    figure = minimal_figure(history, result)
    shown = texts(figure)
    assert "nearest near-cycle: would be G2-item on key 1009 (logical 9)" in shown
    assert {"missing: rw on key 1009 (logical 9)", "r 1009 []", "append 1003 1"} <= set(shown)
    assert "probe step 0\n→ probe step 2,\nhere on key 1003 (logical 3)" in "\n".join(shown)
    (layout,) = layouts_of(history, result)
    (arrow,) = (each for each in layout.arrows if each.link.missing)
    top, bottom = layout.boxes
    first, last = bottom.cell(0), top.cell(2)
    assert first is not None
    assert last is not None
    assert (first.text, last.text) == ("r 1009 []", "append 1003 1")
    assert (first.kind, last.kind) == ("missing", "missing")
    assert arrow.points[0] == (first.centre, first.top)
    assert arrow.points[-1] == (last.centre, last.top)
    for (_, y), cell, box in ((arrow.points[1], first, bottom), (arrow.points[-2], last, top)):
        assert y > max(each.top for each in box.cells if each.y == cell.y), "in the passage above the cells"
        assert y < box.top - 0.25, "below the header"


def test_the_missing_edge_has_a_colour_of_its_own() -> None:
    history, path = generations()
    missing = MissingEdge("rw", 1, 0, 9, "probe", 0, "probe", 2, 0, 2)
    figure = minimal_figure(history, clean(near_cycles=(near(history, path, missing=missing),)))
    colours = {str(patch.get_gid()): patch.get_edgecolor() for patch in figure.axes[0].patches}
    assert to_hex(colours["edge rw missing"]).upper() == MISSING
    assert MISSING not in EDGE_COLOURS.values()
    assert to_hex(colours["edge rw"]).upper() == EDGE_COLOURS["rw"]


def test_a_key_that_no_box_shows_goes_by_its_logical_name() -> None:
    history, path = generations()
    missing = MissingEdge("rw", 1, 0, 8, None, None, None, None)
    shown = texts(minimal_figure(history, clean(near_cycles=(near(history, path, missing=missing),))))
    assert "nearest near-cycle: would be G2-item on logical key 8" in shown
    assert "rw on key 1007 (logical 7)" in shown


def test_adyas_repeatable_read_is_told_apart_from_that_of_databases() -> None:
    history, path = generations()
    missing = MissingEdge("rw", 1, 0, 9, "probe", 0, "probe", 2, 0, 2)
    one = dataclasses.replace(near(history, path, missing=missing), breaks="repeatable-read")
    result = dataclasses.replace(clean(near_cycles=(one,)), expect="repeatable-read")
    shown = " ".join(texts(minimal_figure(history, result))).replace("\n", " ")
    assert "would break repeatable-read (Adya's PL-2.99)" in shown
    assert "nothing contradicts repeatable-read (Adya's PL-2.99)" in shown
    found = dataclasses.replace(analyze_history(write_skew()), expect="repeatable-read")
    assert "G2-item · contradicts repeatable-read (Adya's PL-2.99)" in texts(
        minimal_figure(write_skew(), found)
    )


def test_neither_anomaly_nor_near_cycle_is_a_note() -> None:
    history = overlapping([("append", 1, 1)])
    figure = minimal_figure(history, clean(edge_counts={"wr": 1204, "ww": 3, "rw": 0}))
    shown = "\n".join(texts(figure))
    assert "no anomaly and no near-cycle" in shown
    assert "1,204 wr, 3 ww, 0 rw" in shown
    assert artists(figure, "box") == 0


def test_no_verdict_is_not_passed_off_as_a_clean_one() -> None:
    history = overlapping([("append", 1, 1)], [("append", 1, 1)])
    shown = "\n".join(texts(minimal_figure(history, analyze_history(history))))
    assert "no verdict" in shown
    assert "duplicate writes" in shown
    assert "no anomaly" not in shown


def test_an_anomaly_that_is_no_cycle_shows_its_transactions() -> None:
    builder = HistoryBuilder("test")
    builder.add("invoke", 0, [("append", 1, 5)])
    builder.add("invoke", 1, [("r", 1, None)])
    builder.add("fail", 0, [("append", 1, 5)])
    builder.add("ok", 1, [("r", 1, (5,))])
    history = builder.finish()
    figure = minimal_figure(history, analyze_history(history, "read-committed"))
    shown = texts(figure)
    assert "G1a · contradicts read-committed" in shown
    assert "process 0 · failed" in shown
    assert artists(figure, "box") == 2
    assert artists(figure, "edge") == 0


def test_of_several_types_each_has_a_panel() -> None:
    history = overlapping(
        [("r", 1, ()), ("append", 1, 1)], [("r", 1, ()), ("append", 1, 2)], [("r", 1, (1, 2))]
    )
    result = analyze_history(history)
    figure = minimal_figure(history, result)
    assert result.anomaly_types == ("G-single-item", "lost-update")
    assert "G-single-item, lost-update · contradict serializable" in texts(figure)
    assert {"G-single-item", "lost-update"} <= set(texts(figure))
    assert artists(figure, "box") == 4


def test_what_is_found_and_allowed_is_said() -> None:
    history = write_skew()
    result = analyze_history(history, "snapshot-isolation")
    assert result.verdict is Verdict.VALID
    shown = " ".join(texts(minimal_figure(history, result))).replace("\n", " ")
    assert "nothing contradicts snapshot-isolation · found and allowed: G2-item" in shown


def test_a_chain_that_is_too_long_is_cut_in_the_middle() -> None:
    length = 40
    history = overlapping(*([("append", key, 1), ("r", (key + 1) % length, ())] for key in range(length)))
    result = analyze_history(history)
    (panel,) = panels_of(result, history)
    assert len(panel.cycle.nodes) <= MOST
    figure = minimal_figure(history, result)
    assert artists(figure, "box") == 8
    assert any("32 more transactions" in text for text in texts(figure))


def test_long_transactions_keep_what_the_cycle_is_made_of() -> None:
    fillers: Mops = [("r", key, ()) for key in range(100, 130)]
    history = overlapping(
        [*fillers, ("r", 1, ()), ("append", 2, 20)],
        [*fillers, ("r", 2, ()), ("append", 1, 10)],
        [("r", 1, (10,)), ("r", 2, (20,))],
    )
    figure = minimal_figure(history, analyze_history(history))
    assert {"r 1 []", "append 2 20", "r 2 []", "append 1 10", "…"} <= set(texts(figure))
    assert figure.get_size_inches()[0] < 14


def test_keys_and_values_are_no_tex_and_need_no_glyph(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    view = TransactionView(0, 1, 0, "$x$ \\frac \u65e5\u672c \x1b[31m", (MopView("r", 1),))
    anomaly = Anomaly("$\\alpha", (view,), "", "Of a plugin: $\\frac{")
    history = overlapping([("append", 1, 1)])
    builder = HistoryBuilder("test")
    builder.add("invoke", 0, [("append", 1, 1)], txn="$x$ \\frac \u65e5\u672c \x1b")
    builder.add("ok", 0, [("append", 1, 1)])
    history = builder.finish()
    result = dataclasses.replace(clean(), anomalies=(anomaly,), verdict=Verdict.INVALID)
    draw_minimal_graph(history, result, tmp_path / "odd.png")
    assert not [warning for warning in recwarn if "Glyph" in str(warning.message)]
    assert any("$x$ \\frac \u25a1\u25a1 \u25a1" in text for text in texts(minimal_figure(history, result)))


def test_registers_are_worded_as_such() -> None:
    history = overlapping(
        [("r", 1, None), ("w", 2, 20)], [("r", 2, None), ("w", 1, 10)], [("r", 1, 10), ("r", 2, 20)]
    )
    figure = minimal_figure(history, analyze_history(history))
    assert {"r 1 nil", "w 2 20", "saw nil, 20 followed"} <= set(texts(figure))


def test_the_file_is_a_png_and_no_other_file_is_left(tmp_path: Path) -> None:
    history = write_skew()
    path = tmp_path / "minimal.png"
    path.write_bytes(b"of an earlier run")
    assert draw_minimal_graph(history, analyze_history(history), path) is None
    assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    height, width, _ = imread(path).shape
    assert 600 < width < 2000
    assert 400 < height < 2000
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    history = write_skew()
    with pytest.raises(OutputError, match=r"nowhere/minimal\.png: cannot be written: No such file"):
        draw_minimal_graph(history, analyze_history(history), tmp_path / "nowhere" / "minimal.png")
