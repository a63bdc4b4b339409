"""The figures of contention, against counting by hand and one by one."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plays import played
from txfuzz.analysis.dependencies import metrics as metrics_module
from txfuzz.analysis.dependencies.build import dependencies
from txfuzz.analysis.dependencies.key_pressure import pressure
from txfuzz.analysis.dependencies.metrics import Metrics, metrics
from txfuzz.analysis.explain.verdict import metrics_limits
from txfuzz.analysis.result import KeyPressure
from txfuzz.history.builder import HistoryBuilder
from txfuzz.history.model import INFO, OK, READ, History


def three() -> History:
    """T0 appends to 1 and 2; T1 (which overlaps) reads 1 without it; T2, later, reads both."""
    builder = HistoryBuilder("three")
    builder.add("invoke", 0, [("append", 1, 1), ("append", 2, 1)], logical=[7, 8])
    builder.add("invoke", 1, [("r", 1, None)], logical=[7])
    builder.add("ok", 1, [("r", 1, ())])
    builder.add("ok", 0, [("append", 1, 1), ("append", 2, 1)])
    builder.add("invoke", 1, [("r", 1, None), ("r", 2, None)], logical=[7, 8])
    builder.add("ok", 1, [("r", 1, (1,)), ("r", 2, (1,))])
    return builder.finish()


def test_figures_of_three_transactions() -> None:
    assert metrics(dependencies(three())) == Metrics(
        edge_counts={"ww": 0, "wr": 2, "rw": 1},
        edges_per_txn=2 / 3,  # T1 → T0 and T0 → T2, the latter for two keys
        concurrent_edges_per_txn=1 / 3,
        dependency_density=1.0,  # of the only pair that overlapped on a key
        graph_density=2 / 6,
    )


def test_pressure_of_three_transactions() -> None:
    assert pressure(dependencies(three())).hardest() == (
        KeyPressure(key=7, reads=2, writes=1, edges=2, concurrent_edges=1),
        KeyPressure(key=8, reads=1, writes=1, edges=1, concurrent_edges=0),
    )


def test_pressure_falls_back_on_physical_keys() -> None:
    builder = HistoryBuilder("plain")
    builder.add("invoke", 0, [("append", "x", 1)])
    builder.add("ok", 0, [("append", "x", 1)])
    assert [each.key for each in pressure(dependencies(builder.finish())).hardest()] == ["x"]


def test_nothing_gives_zeros() -> None:
    nothing = Metrics({"ww": 0, "wr": 0, "rw": 0}, 0.0, 0.0, 0.0, 0.0)
    history = HistoryBuilder("empty").finish()
    assert metrics(dependencies(history)) == nothing
    assert pressure(dependencies(history)).hardest() == ()


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**9), st.booleans(), st.booleans())
def test_figures_counted_one_by_one(seed: int, snapshot: bool, lists: bool) -> None:
    play = played(seed, snapshot=snapshot)
    history = (play if lists else play.registers()).history()
    edges = dependencies(history)
    pairs = {(int(a), int(b)) for a, b in zip(edges.source, edges.target, strict=True)}
    n = len(history)
    begin, end = history.invoke_at.tolist(), history.complete_at.tolist()

    def overlapped(one: int, other: int) -> bool:
        return bool(begin[one] < end[other] and begin[other] < end[one])

    def touched(row: int) -> tuple[set[int], set[int]]:
        mops = range(history.mops[row], history.mops[row + 1])
        reads = {int(history.mop_key[mop]) for mop in mops if history.mop_f[mop] == READ}
        return reads, {int(history.mop_key[mop]) for mop in mops if history.mop_f[mop] != READ}

    def met(one: int, other: int) -> bool:
        (reads, writes), (other_reads, other_writes) = touched(one), touched(other)
        return bool(writes & (other_reads | other_writes) or other_writes & reads)

    ok = [row for row in range(n) if history.type[row] == OK]
    meetings = [
        (one, other) for one, other in combinations(ok, 2) if overlapped(one, other) and met(one, other)
    ]
    joined = [pair for pair in meetings if pair in pairs or pair[::-1] in pairs]
    assert not (history.type == INFO).any()
    found = metrics(edges)
    assert found.edges_per_txn == pytest.approx(len(pairs) / len(ok))
    assert found.concurrent_edges_per_txn == pytest.approx(sum(overlapped(*pair) for pair in pairs) / len(ok))
    assert found.dependency_density == pytest.approx(len(joined) / len(meetings) if meetings else 0.0)
    assert found.graph_density == pytest.approx(
        len(pairs) / (len(ok) * (len(ok) - 1)) if len(ok) > 1 else 0.0
    )
    hardest = pressure(edges).hardest()
    assert sum(each.edges for each in hardest) == len(edges)
    assert sum(each.reads + each.writes for each in hardest) == sum(
        int(history.mops[row + 1] - history.mops[row]) for row in ok
    )
    concurrency = [each.concurrent_edges for each in hardest]
    assert concurrency == sorted(concurrency, reverse=True)


def test_a_density_from_a_sample_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    history = next(
        history
        for seed in range(100)
        if (history := played(seed, snapshot=False).history())
        and metrics(dependencies(history)).dependency_density
    )
    monkeypatch.setattr(metrics_module, "MOST_MEETINGS", 1)
    found = metrics(dependencies(history))
    assert 0.0 <= found.dependency_density <= 1.0
    [said] = metrics_limits(found)
    assert "estimate" in said
