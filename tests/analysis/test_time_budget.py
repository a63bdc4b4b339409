"""Large components: judged to the end, or undecided in so many words."""

from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion

from small_histories import history_of, txn
from txfuzz.analysis.checker.check import check
from txfuzz.analysis.checker.cycle_search import Budget
from txfuzz.analysis.result import Verdict
from txfuzz.history.model import History


def long_forks(count: int) -> History:
    """One component: writer i, a reader that saw it but not writer i + 1, and so on in a circle."""
    writers = [txn(f"ok append {key} 1", key, 4 * count + key, key) for key in range(count)]
    readers = [
        txn(f"ok r {key} [1], r {(key + 1) % count} nil", count + key, 5 * count + key, count + key)
        for key in range(count)
    ]
    return history_of([*writers, *readers])


def skews(count: int) -> History:
    """One component of nothing but anti-dependencies, in a circle."""
    return history_of(
        [
            txn(f"ok r {key} nil, append {(key + 1) % count} 1", key, 2 * count + key, key)
            for key in range(count)
        ]
    )


@pytest.fixture(scope="module")
def forks() -> History:
    return long_forks(2500)


def test_a_large_component_is_judged_to_the_end(forks: History) -> None:
    result = check(forks, "consistent-view")
    assert result.verdict is Verdict.VALID
    assert result.truncated == ()
    assert result.all_types == ("G-nonadjacent-item",)
    assert [component.size for component in result.sccs] == [5000]


def test_without_time_the_verdict_is_undecided(forks: History, snapshot: SnapshotAssertion) -> None:
    result = check(forks, "consistent-view", budget_seconds=0)
    assert result.verdict is Verdict.UNKNOWN
    assert result.reason == snapshot
    assert result.truncated == (result.reason,)


def test_what_is_found_counts_though_more_is_undecided(forks: History) -> None:
    result = check(forks, "snapshot-isolation", budget_seconds=0)
    assert result.verdict is Verdict.INVALID
    assert result.anomaly_types == ("G-nonadjacent-item",)
    assert "undecided" in result.truncated[0]
    assert len(result.anomalies[0].edges) == 5000


def test_the_longest_cycle_is_found_where_it_is_the_only_one() -> None:
    result = check(skews(3000), "serializable")
    assert result.anomaly_types == ("G2-item",)
    assert {edge.kind for edge in result.anomalies[0].edges} == {"rw"}
    assert len(result.cycles[0]) == 3000
    assert check(skews(3000), "snapshot-isolation").verdict is Verdict.VALID


def test_many_readers_of_what_many_overwrite() -> None:
    """Readers of the initial state times unordered writers: more edges than are multiplied out."""
    count = 2000
    readers = [f"ok r 0 nil, append {1 + at} 1" for at in range(count)]
    writers = [f"ok append 0 {at + 1}, r {1 + at} nil" for at in range(count)]
    every = [*readers, *writers]
    history = history_of([txn(text, at, 2 * count + at, at) for at, text in enumerate(every)])
    result = check(history, "serializable")
    assert result.dependencies is not None
    assert len(result.dependencies.bicliques) == 1
    assert result.dependencies.counts()["rw"] == count * count + count
    assert result.anomaly_types == ("G2-item",)
    assert len(result.anomalies[0].edges) == 2
    assert check(history, "snapshot-isolation").verdict is Verdict.VALID


def test_budgets() -> None:
    assert Budget(0).spent()
    assert not Budget(3600).spent()
    assert not Budget(None).spent()
