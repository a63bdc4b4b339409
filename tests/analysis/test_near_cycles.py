"""Near-cycles of known shapes, written down by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from txfuzz.analysis.dependencies import metrics as metrics_module
from txfuzz.analysis.dependencies.build import dependencies
from txfuzz.analysis.explain.near_cycles import explain_near_cycle, near_cycle_limits
from txfuzz.analysis.near_cycles import paths as near_cycles_paths
from txfuzz.analysis.near_cycles import search as near_cycles_module
from txfuzz.analysis.near_cycles.search import find_near_cycles
from txfuzz.analysis.result import NearCycle
from txfuzz.history.builder import HistoryBuilder
from txfuzz.history.model import History

Mops = list[tuple[str, Any, Any]]


def invoked(mops: Mops) -> Mops:
    return [(f, key, None if f == "r" else value) for f, key, value in mops]


def together(*groups: Sequence[tuple[str, Mops]], logical: bool = True) -> History:
    """Groups of transactions (template, micro-operations), one group after the other; those of a
    group all overlap. Key 31 is generation 3 of key 1."""
    builder = HistoryBuilder("handmade")
    for group in groups:
        for process, (template, mops) in enumerate(group):
            builder.add(
                "invoke",
                process,
                invoked(mops),
                txn=template,
                steps=range(len(mops)),
                logical=[key % 10 for _, key, _ in mops] if logical else None,
            )
        for process, (_, mops) in enumerate(group):
            builder.add("ok", process, mops)
    return builder.finish()


@dataclass(frozen=True)
class Explained:
    shown: tuple[NearCycle, ...] = ()
    counted: int = 0
    truncated: tuple[str, ...] = ()


def near(history: History, expect: str = "serializable", **options: Any) -> Explained:
    edges = dependencies(history)
    found = find_near_cycles(edges, expect, **options)
    shown = tuple(explain_near_cycle(edges, each) for each in found.nearest)
    return Explained(shown, found.counted, tuple(near_cycle_limits(found.left_out)))


SKEW_FAR: tuple[str, Mops] = ("left", [("r", 4, ()), ("append", 2, 1)])  # so left can write key 2
SKEW: list[tuple[str, Mops]] = [
    ("left", [("r", 1, ()), ("append", 5, 1)]),
    ("right", [("r", 2, (1,)), ("append", 1, 1)]),
]


def test_a_write_skew_that_lacks_its_second_edge() -> None:
    [found] = near(together([SKEW_FAR], SKEW)).shown
    assert [(edge.kind, edge.source, edge.target, edge.key) for edge in found.path] == [("rw", 1, 2, 1)]
    assert "T1 read key 1 as [] (its initial state), before T2 appended 1" in found.path[0].why
    missing = found.missing
    assert (missing.kind, missing.source, missing.target, missing.key) == ("rw", 2, 1, 2)
    assert (missing.source_template, missing.source_step) == ("right", 0)
    assert (missing.target_template, missing.target_step) == ("left", 1)
    assert (found.anomaly, found.breaks, found.keys) == ("G2-item", "repeatable-read", (2, 1))
    assert found.score_parts["dangerous"] == 1.0
    assert [view.row for view in found.transactions] == [1, 2]


def test_the_template_must_be_able_to_reach_the_key() -> None:
    found = near(together([("other", SKEW_FAR[1])], SKEW))
    assert found.shown == ()
    assert found.counted == 1, "a path whose ends overlapped is counted all the same"


def test_a_step_that_an_edge_hangs_on_stays_where_it_is() -> None:
    """The second read of `probe` goes with its append, and without that nothing is left of the path."""
    history = together(
        [("probe", [("r", 3, ()), ("r", 2, ()), ("append", 2, 1)])],
        [("probe", [("r", 5, ()), ("r", 3, ()), ("append", 3, 1)])],
        [
            ("left", [("r", 1, ()), ("append", 2, 2)]),
            ("probe", [("r", 4, ()), ("r", 1, ()), ("append", 1, 1)]),
        ],
    )
    [found] = [each for each in near(history).shown if each.anomaly == "G2-item"]
    assert [(edge.kind, edge.key, edge.target_step) for edge in found.path] == [("rw", 1, 2)]
    missing = found.missing
    assert (missing.kind, missing.key, missing.source_template) == ("rw", 2, "probe")
    assert missing.source_step == 0, "which draws from the same keys, and is free"


def test_steps_that_all_go_together_close_nothing() -> None:
    history = together(
        [("update", [("r", 2, ()), ("append", 2, 1)])],
        [("left", [("r", 1, ()), ("append", 2, 2)]), ("update", [("r", 1, ()), ("append", 1, 1)])],
    )
    found = near(history)
    assert found.shown == (), "an update of key 2 would not have been one of key 1"
    assert found.counted == 1


def test_the_ends_must_overlap() -> None:
    assert near(together([SKEW_FAR], SKEW[:1], SKEW[1:])).shown == ()


def test_an_anomaly_that_is_there_is_no_near_cycle() -> None:
    skew = [("skew", [("r", 1, ()), ("append", 2, 1)]), ("skew", [("r", 2, ()), ("append", 1, 1)])]
    found = near(together(skew))
    assert (found.shown, found.counted) == ((), 0)


def test_a_lost_update_that_another_timing_would_have_made() -> None:
    update = [("update", [("r", 1, ()), ("append", 1, 1)]), ("update", [("r", 1, (1,)), ("append", 1, 2)])]
    for expect in ("serializable", "snapshot-isolation"):
        [found] = near(together(update), expect).shown
        assert [edge.kind for edge in found.path] == ["ww"]
        assert (found.missing.kind, found.missing.key, found.anomaly) == ("rw", 1, "G-single-item")
        assert found.score_parts["met"] == 0.5
        assert found.score_parts["dangerous"] == 0.0


def test_a_lost_update_whose_second_write_is_still_to_come() -> None:
    earlier: Mops = [("r", 3, ()), ("append", 1, 1)]
    history = together(
        [("update", earlier)],
        [("update", [("r", 1, (1,)), ("append", 2, 1)]), ("write", [("append", 1, 2)])],
    )
    [found] = near(history, "snapshot-isolation").shown
    assert [(edge.kind, edge.key) for edge in found.path] == [("rw", 1)]
    assert (found.missing.kind, found.missing.key, found.anomaly) == ("ww", 1, "G-single-item")
    assert near(history, "read-committed").shown == (), "read committed allows it"


def test_a_read_skew_under_weaker_levels() -> None:
    history = together(
        [("both", [("append", 1, 1), ("append", 2, 1)]), ("look", [("r", 1, (1,)), ("r", 2, (1,))])]
    )
    found = near(history, "snapshot-isolation").shown
    assert [(each.missing.kind, each.anomaly) for each in found] == [("rw", "G-single-item")]
    assert {found[0].missing.key, found[0].path[0].key} == {1, 2}, "the path is on the other key"
    assert near(history, "read-committed").shown == ()


def test_only_what_the_model_forbids() -> None:
    history = together([SKEW_FAR], SKEW)
    assert near(history, "snapshot-isolation").shown == ()
    assert near(history, "snapshot-isolation").counted == 1, "a wr edge would have made a G-single"
    assert [each.breaks for each in near(history, "strict-serializable").shown] == ["repeatable-read"]


def test_generations_are_one_logical_key() -> None:
    renamed: list[tuple[str, Mops]] = [
        ("left", [("r", 31, ()), ("append", 5, 1)]),
        ("right", [("r", 32, ()), ("append", 31, 1)]),
    ]
    [found] = near(together([SKEW_FAR], renamed)).shown
    assert (found.path[0].key, found.path[0].logical_key, found.missing.key) == (31, 1, 2)


def test_keys_that_no_workload_can_name_do_not_count() -> None:
    far: Mops = [("r", "d", ()), ("append", "b", 1)]
    one: Mops = [("r", "a", ()), ("append", "e", 1)]
    two: Mops = [("r", "b", (1,)), ("append", "a", 1)]
    found = near(together([("left", far)], [("left", one), ("right", two)], logical=False))
    assert (found.shown, found.counted) == ((), 1)


def test_without_templates_only_what_both_touched_counts() -> None:
    builder = HistoryBuilder("plain")
    mops: list[Mops] = [[("append", 1, 1), ("append", 2, 1)], [("r", 1, (1,)), ("r", 2, (1,))]]
    for process, each in enumerate(mops):
        builder.add("invoke", process, invoked(each))
    for process, each in enumerate(mops):
        builder.add("ok", process, each)
    [found] = near(builder.finish()).shown
    assert (found.missing.kind, found.missing.source_template, found.missing.source_step) == (
        "rw",
        None,
        None,
    )


def test_a_long_fork_is_a_path_of_three() -> None:
    history = together(
        [
            ("one", [("append", 1, 1)]),
            ("reader", [("r", 1, (1,)), ("r", 2, ())]),
            ("two", [("append", 2, 1)]),
            ("reader", [("r", 2, (1,)), ("r", 1, (1,))]),
        ]
    )
    found = [each for each in near(history).shown if len(each.path) == 3]
    assert [[edge.kind for edge in each.path] for each in found] == [["wr", "rw", "wr"]]
    assert (found[0].missing.kind, found[0].anomaly) == ("rw", "G-nonadjacent-item")
    assert found[0].missing.key == 1


def crowd(rounds: int) -> History:
    """Every round overlaps on key 1 with plenty of near-cycles."""
    seen: list[int] = []
    groups: list[list[tuple[str, Mops]]] = []
    for number in range(rounds):
        other = 2 + number % 3
        before = tuple(seen)
        seen.append(number + 1)
        groups.append(
            [
                ("skew", [("r", 1, before), ("append", other, 100 + number)]),
                ("skew", [("r", 5, ()), ("append", 1, number + 1)]),
                ("skew", [("r", 1, tuple(seen)), ("append", 6, number + 1)]),
            ]
        )
    return together(*groups)


def test_the_nearest_come_first_and_the_rest_is_counted() -> None:
    found = near(crowd(12), limit=5)
    assert len(found.shown) == 5
    assert found.counted > 5
    assert [each.score for each in found.shown] == sorted((each.score for each in found.shown), reverse=True)
    everything = near(crowd(12), limit=1000)
    assert everything.shown[:5] == found.shown
    assert near(crowd(12), limit=0).shown == ()


def test_bounded_work_is_said_and_deterministic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_cycles_paths, "MOST_PATHS", 10)
    found = near(crowd(12))
    assert any("paths of 2 dependencies" in sentence for sentence in found.truncated)
    assert near(crowd(12)) == found
    assert found.shown, "paths of one dependency are always looked at"


def test_long_histories_are_searched_in_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    everything = near(crowd(12), limit=1000).shown
    monkeypatch.setattr(metrics_module, "STRETCH", 6)
    monkeypatch.setattr(near_cycles_module, "MOST_TRANSACTIONS", 18)
    found = near(crowd(12), limit=1000)
    assert "18 of 36 transactions were left out" in found.truncated[0]
    rows = {view.row for each in found.shown for view in each.transactions}
    assert found.shown
    assert {row // 6 for row in rows} <= {0, 2, 4}
    members = {frozenset(view.row for view in each.transactions) for each in everything}
    assert {frozenset(view.row for view in each.transactions) for each in found.shown} <= members


@pytest.mark.parametrize("mops", [[], [("r", 1, ())], [("append", 1, 1)]])
def test_histories_without_dependencies(mops: Mops) -> None:
    assert near(together([("one", mops)])) == Explained()
    assert near(HistoryBuilder("empty").finish()) == Explained()


def test_failed_and_unknown_transactions_take_no_part() -> None:
    builder = HistoryBuilder("handmade")
    for process, (template, mops) in enumerate([SKEW_FAR, *SKEW]):
        builder.add("invoke", process, invoked(mops), txn=template, steps=range(2))
    builder.add("ok", 0, SKEW_FAR[1])
    builder.add("ok", 1, SKEW[0][1])
    builder.add("info", 2, SKEW[1][1])
    assert near(builder.finish()).shown == ()
