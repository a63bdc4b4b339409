"""The picture of a whole history."""

from __future__ import annotations

import random
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.image import imread

from txfuzz.analysis.analyze import analyze_history
from txfuzz.analysis.dependencies.build import dependencies
from txfuzz.analysis.dependencies.edges import KINDS
from txfuzz.history.builder import HistoryBuilder
from txfuzz.history.model import OK, History
from txfuzz.report.pictures.dependency_graph import dependency_figure, drawn_rows
from txfuzz.report.pictures.history_layout import boxes_of, curves_of
from txfuzz.report.pictures.png import draw_dependency_graph
from txfuzz.report.pictures.style import EDGE_COLOURS


def serial(transactions: int, clients: int = 4, seed: int = 1) -> History:
    """Each transaction appends to a key and reads another, of three; two clients overlap at a time."""
    chance = random.Random(seed)
    builder = HistoryBuilder("test")
    lists: dict[int, tuple[int, ...]] = dict.fromkeys(range(3), ())
    running: dict[int, tuple[int, int]] = {}
    begun = 0
    while begun < transactions or running:
        process = chance.randrange(clients)
        if process in running:
            wrote, read = running.pop(process)
            lists[wrote] = (*lists[wrote], len(lists[wrote]) * clients + process)
            value = lists[wrote][-1]
            builder.add(
                "ok", process, [("append", wrote, value), ("r", read, lists[read])], time=begun * 1000
            )
        elif begun < transactions:
            begun += 1
            wrote, read = chance.sample(range(3), 2)
            running[process] = wrote, read
            value = len(lists[wrote]) * clients + process
            builder.add("invoke", process, None, time=begun * 1000)
    return builder.finish()


def write_skew() -> History:
    builder = HistoryBuilder("test")
    builder.add("invoke", 0, [("r", 1, None), ("append", 2, 20)])
    builder.add("invoke", 1, [("r", 2, None), ("append", 1, 10)])
    builder.add("ok", 0, [("r", 1, ()), ("append", 2, 20)])
    builder.add("ok", 1, [("r", 2, ()), ("append", 1, 10)])
    builder.add("invoke", 0, [("r", 1, None), ("r", 2, None)])
    builder.add("ok", 0, [("r", 1, (10,)), ("r", 2, (20,))])
    return builder.finish()


def transactions_of(figure: Figure) -> list[int]:
    names = [str(patch.get_gid() or "") for patch in figure.axes[0].patches]
    return [int(name.removeprefix("transaction ")) for name in names if name.startswith("transaction ")]


def drawn_curves(figure: Figure) -> LineCollection:
    (lines,) = (each for each in figure.axes[0].collections if isinstance(each, LineCollection))
    return lines


def test_it_says_that_time_is_not_to_scale() -> None:
    history = serial(10)
    shown = [
        text.get_text().replace("\n", " ")
        for text in dependency_figure(history, analyze_history(history)).axes[0].texts
    ]
    assert any("history order (not to scale)" in text for text in shown)


def test_every_transaction_is_a_bar_and_every_edge_a_curve_with_a_head() -> None:
    history = serial(60)
    figure = dependency_figure(history, analyze_history(history))
    found = dependencies(history)
    edges = set(zip(found.source.tolist(), found.target.tolist(), found.kind.tolist(), strict=True))
    assert transactions_of(figure) == list(range(60))
    assert len(edges) > 100
    assert len(drawn_curves(figure).get_segments()) == len(edges)
    (heads,) = (each for each in figure.axes[0].collections if isinstance(each, PolyCollection))
    assert len(heads.get_paths()) == len(edges)


def test_edges_have_the_colours_of_their_kinds() -> None:
    history = write_skew()
    figure = dependency_figure(history, analyze_history(history))
    colours = {tuple(np.round(colour[:3], 3)) for colour in drawn_curves(figure).get_colors()}
    assert colours == {tuple(np.round(to_rgb(EDGE_COLOURS[kind]), 3)) for kind in ("wr", "rw")}
    shown = [text.get_text() for text in figure.axes[0].texts]
    assert "3 transactions and their dependencies · G2-item · contradicts serializable" in shown
    assert any(text.startswith("4 edges, 2 of them between transactions that overlapped") for text in shown)
    assert {"wr", "rw", "pale", "yellow box", "process 0", "process 1", "T2", "T3", "T5"} <= set(shown)


def test_the_found_cycle_stands_out() -> None:
    history = write_skew()
    lines = drawn_curves(dependency_figure(history, analyze_history(history)))
    widths, alphas = np.array(lines.get_linewidths()), lines.get_colors()[:, 3]
    assert (widths == widths.max()).sum() == 2
    assert (alphas == 1).sum() == 2
    assert alphas[widths == widths.max()].tolist() == [1, 1]


def test_bars_never_overlap_and_their_extent_tells_who_overlapped() -> None:
    history = serial(80, clients=5)
    boxes = boxes_of(history, np.arange(len(history)), 0.1, 0.5)
    assert len(boxes.lanes) == 5
    for one, other in combinations(range(len(history)), 2):
        apart = boxes.right[one] < boxes.left[other] or boxes.right[other] < boxes.left[one]
        overlapped = (
            history.invoke_at[one] < history.complete_at[other]
            and history.invoke_at[other] < history.complete_at[one]
        )
        assert apart != overlapped
        if history.process[one] == history.process[other]:
            assert boxes.y[one] == boxes.y[other]
            assert apart
        else:
            assert abs(boxes.y[one] - boxes.y[other]) > boxes.thickness


def test_curves_run_from_bar_to_bar() -> None:
    history = serial(80, clients=5)
    boxes = boxes_of(history, np.arange(len(history)), 0.1, 0.5)
    curves = curves_of(dependencies(history), boxes)
    assert len(curves.kind)
    for ends, point in ((curves.source, curves.points[:, 0]), (curves.target, curves.points[:, -1])):
        assert ((boxes.left[ends] <= point[:, 0]) & (point[:, 0] <= boxes.right[ends])).all()
        np.testing.assert_allclose(abs(point[:, 1] - boxes.y[ends]), boxes.thickness / 2)


def test_transactions_of_unknown_outcome_are_drawn_where_others_depend_on_them() -> None:
    builder = HistoryBuilder("test")
    for process, value in ((0, 1), (1, 2)):
        builder.add("invoke", process, [("append", process, value)])
        builder.add("info", process, [("append", process, value)])
    builder.add("invoke", 2, [("append", 7, 1)])
    builder.add("fail", 2, [("append", 7, 1)])
    builder.add("invoke", 3, [("r", 0, None), ("r", 9, None)])
    builder.add("ok", 3, [("r", 0, (1,)), ("r", 9, ())])
    history = builder.finish()
    assert drawn_rows(history, dependencies(history)).tolist() == [0, 3]
    figure = dependency_figure(history, analyze_history(history))
    assert transactions_of(figure) == [0, 3]


def test_the_file_is_a_png_wide_enough_to_read(tmp_path: Path) -> None:
    history = serial(200, clients=8)
    path = tmp_path / "graph.png"
    assert draw_dependency_graph(history, analyze_history(history), path) is None
    assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    height, width, _ = imread(path).shape
    assert 2000 < width < 4000
    assert 800 < height < 2500
    assert list(tmp_path.iterdir()) == [path]


def test_too_many_transactions_are_not_drawn_and_it_is_said(tmp_path: Path) -> None:
    builder = HistoryBuilder("test")
    for value in range(1812):
        builder.add("invoke", 0, [("append", value, 1)])
        builder.add("ok", 0, [("append", value, 1)])
    history = builder.finish()
    path = tmp_path / "graph.png"
    said = draw_dependency_graph(history, analyze_history(history), path)
    assert said == "not drawn: 1,812 transactions are more than --max-graph-nodes 200"
    assert not list(tmp_path.iterdir())


def test_the_limit_is_the_callers(tmp_path: Path) -> None:
    history = serial(30)
    result = analyze_history(history)
    path = tmp_path / "graph.png"
    assert int((history.type == OK).sum()) == 30
    assert draw_dependency_graph(history, result, path, max_nodes=29) is not None
    assert not path.exists()
    assert draw_dependency_graph(history, result, path, max_nodes=30) is None
    assert path.exists()


@pytest.mark.parametrize("type", ["fail", "info"])
def test_nothing_to_draw_is_said(tmp_path: Path, type: str) -> None:
    builder = HistoryBuilder("test")
    builder.add("invoke", 0, [("append", 1, 1)])
    builder.add(type, 0, [("append", 1, 1)])
    history = builder.finish()
    said = draw_dependency_graph(history, analyze_history(history), tmp_path / "graph.png")
    assert said == "not drawn: no transaction committed"


def test_a_history_that_cannot_be_judged_is_not_drawn(tmp_path: Path) -> None:
    builder = HistoryBuilder("test")
    for process in (0, 1):
        builder.add("invoke", process, [("append", 1, 1)])
        builder.add("ok", process, [("append", 1, 1)])
    history = builder.finish()
    said = draw_dependency_graph(history, analyze_history(history), tmp_path / "graph.png")
    assert said is not None
    assert said.startswith("not drawn: duplicate writes: the value 1 of key 1")


def test_one_client_is_one_lane_with_arches() -> None:
    history = serial(25, clients=1)
    boxes = boxes_of(history, np.arange(25), 0.3, 2.0)
    curves = curves_of(dependencies(history), boxes)
    assert not curves.concurrent.any()
    middle = curves.points[:, curves.points.shape[1] // 2, 1]
    assert (middle > boxes.y[0] + boxes.thickness / 2).all()
    assert {KINDS[kind] for kind in curves.kind} == {"ww", "wr", "rw"}
