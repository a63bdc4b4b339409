"""Did the edge that a near-cycle lacked arise? Held against histories in which the answer is plain."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from txfuzz import AnalysisResult, NearCycle, Verdict, Workload, analyze_history
from txfuzz.analysis.near_cycles.pursuit import Pursuit, pursuit
from txfuzz.analysis.result import Edge, MissingEdge
from txfuzz.history.builder import HistoryBuilder
from txfuzz.history.model import History
from txfuzz.report.text.near_cycle_notes import pursued_text
from txfuzz.transactions.model import Choice, Step, Transaction
from txfuzz.workload.model import Weight

MISSING = MissingEdge("rw", 1, 0, 42, "book", 0, "pay", 1)
NEAR = NearCycle(2.0, (Edge("rw", 0, 1, 142, 7),), MISSING, "G2-item", "repeatable-read", ())
EARLIER = AnalysisResult("h", Verdict.VALID, "serializable", near_cycles=(NEAR,))

Mops = list[tuple[str, int, Any]]


def workload(*keys: int) -> Workload:
    book = Transaction("book", (Step("r", Choice(keys)), Step("append", Choice(keys))))
    pay = replace(book, name="pay")
    return Workload("w", (book, pay), (Weight("book", 1), Weight("pay", 1)))


def history(*transactions: tuple[str, Mops], one_by_one: bool = False, ends: str = "ok") -> History:
    """Keys from 100 on stand for those from 0 on. All at the same time, or one after the other."""
    builder = HistoryBuilder("test")

    def invoke(process: int, name: str, mops: Mops) -> None:
        logical = [key - 100 for _, key, _ in mops]
        asked = [(f, key, None if f == "r" else value) for f, key, value in mops]
        builder.add("invoke", process, asked, txn=name, steps=range(len(mops)), logical=logical)

    for process, (name, mops) in enumerate(transactions):
        invoke(process, name, mops)
        if one_by_one:
            builder.add(ends, process, mops)
    for process, (_, mops) in enumerate(() if one_by_one else transactions):
        builder.add(ends, process, mops)
    return builder.finish()


READS, WRITES = [("r", 142, ())], [("append", 142, 1)]
SEES: Mops = [("r", 142, (1,))]


def pursued(given: History, *keys: int) -> Pursuit:
    made = pursuit(3, EARLIER, given, analyze_history(given), workload(*(keys or (7, 42))))
    assert made is not None
    assert (made.iteration, made.missing) == (3, MISSING)
    return made


def test_forced_where_it_arose_between_transactions_of_these_names_at_the_same_time() -> None:
    found = pursued(history(("book", READS), ("book", READS), ("pay", WRITES), ("book", SEES)))
    assert (found.outcome, found.times, found.closed) == ("forced", 2, ())
    assert pursued_text(found) == "the missing rw edge book → pay on key 42 of iteration 3: forced 2 times"
    assert pursued_text(replace(found, times=1)).endswith("iteration 3: forced once")


@pytest.mark.parametrize(
    "given",
    [
        history(("pay", READS), ("book", WRITES), ("book", SEES)),
        history(("book", [("r", 143, ())]), ("pay", [("append", 143, 1)]), ("pay", [("r", 143, (1,))])),
        history(("book", READS), ("pay", WRITES), ("book", SEES), one_by_one=True),
        history(("book", SEES), ("pay", WRITES)),
        history(),
    ],
    ids=["other names", "another key", "one after the other", "another kind", "nothing"],
)
def test_not_forced(given: History) -> None:
    found = pursued(given)
    assert (found.outcome, found.times) == ("not forced", 0)
    assert pursued_text(found).endswith("on key 42 of iteration 3: not forced")


def test_one_client_alone_does_not_attempt_it() -> None:
    one_by_one = history(("book", READS), ("pay", WRITES), ("book", SEES), one_by_one=True)
    alone = workload(7, 42)
    alone = replace(alone, scheduling=replace(alone.scheduling, clients=1))
    made = pursuit(3, EARLIER, one_by_one, analyze_history(one_by_one), alone)
    assert made is not None
    assert made.outcome == "one client"
    assert pursued_text(made).endswith("of iteration 3: not attempted, because one client ran alone")
    overlapping = history(("book", READS), ("pay", WRITES))
    beside = pursuit(3, EARLIER, overlapping, analyze_history(overlapping), alone)
    assert beside is not None
    assert beside.outcome == "forced", "another runner may have had more clients"


def test_the_anomaly_that_it_closes_is_named() -> None:
    found = pursued(
        history(
            ("book", [("r", 142, ()), ("append", 107, 1)]),
            ("pay", [("r", 107, ()), ("append", 142, 1)]),
            ("book", [("r", 142, (1,)), ("r", 107, (1,))]),
        )
    )
    assert (found.outcome, found.closed) == ("forced", ("G2-item",))
    assert pursued_text(found).endswith("forced once, and part of G2-item")


def test_keys_that_are_no_longer_chosen_and_histories_that_are_refused(
    snapshot: SnapshotAssertion,
) -> None:
    gone = pursued(history(("book", READS), ("pay", WRITES)), 7, 8)
    assert gone.outcome == "not asked"
    assert pursued_text(gone) == snapshot(name="keys gone")
    twice = pursued(history(("book", READS), ("pay", WRITES), ("pay", WRITES)))
    assert twice.outcome == "unknown"
    assert pursued_text(twice) == snapshot(name="refused")


def test_of_transactions_without_names_any_will_do_and_without_near_cycles_nothing_is_said() -> None:
    nameless = replace(NEAR, missing=replace(MISSING, source_template=None, target_template=None))
    given = history(("book", READS), ("pay", WRITES), ("book", SEES))
    made = pursuit(
        0, replace(EARLIER, near_cycles=(nameless,)), given, analyze_history(given), workload(7, 42)
    )
    assert made is not None
    assert made.outcome == "forced"
    assert "the missing rw edge ? → ? on key 42" in pursued_text(made)
    none = replace(EARLIER, near_cycles=())
    assert pursuit(0, none, given, analyze_history(given), workload(7, 42)) is None
