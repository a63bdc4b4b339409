"""notes.md: what a reader learns from it who has nothing else."""

from __future__ import annotations

from dataclasses import replace

from syrupy.assertion import SnapshotAssertion

from txfuzz import Adjustment, AnalysisResult, NearCycle, Verdict, analyze_history
from txfuzz.analysis.result import Edge, MissingEdge, TransactionView
from txfuzz.analysis.views.mop_view import MopView
from txfuzz.history.builder import HistoryBuilder
from txfuzz.report.text.notes import notes_text, target_text, value_text
from txfuzz.transactions.model import Choice, Step, Transaction
from txfuzz.workload.model import Weight, Workload

WORKLOAD = Workload(
    "small",
    (
        Transaction("probe", (Step("r", Choice(range(1, 101))), Step("append", Choice(range(1, 101))))),
        Transaction("look", (Step("r", Choice(range(1, 101))),)),
    ),
    (Weight("probe", 1), Weight("look", 1)),
)
KEYS = Adjustment("keys", list(range(1, 101)), [7, 9], "two keys are enough", "hot-keys")
CLIENTS = Adjustment("scheduling.clients", 8, 10, "0.1 concurrent edges", "scheduling")


def near(score: float, missing: int, on: int, *templates: str) -> NearCycle:
    views = tuple(
        TransactionView(row, 10 + row, row, template, (MopView("r", 1, ()),))
        for row, template in enumerate(templates)
    )
    path = (Edge("rw", 0, 1, key=1000 + on, logical_key=on, why="T1 read first"),)
    end = MissingEdge("rw", 1, 0, missing, templates[1], 0, templates[0], 1)
    return NearCycle(score, path, end, "G2-item", "repeatable-read", views, {"dangerous": 1.0})


def result(*near_cycles: NearCycle, counted: int = 30) -> AnalysisResult:
    return AnalysisResult(
        "h", Verdict.VALID, "serializable", transactions=3, committed=3,
        near_cycles=near_cycles, near_cycles_counted=counted,
    )  # fmt: skip


def changes(given: AnalysisResult, *decisions: Adjustment) -> list[str]:
    text = notes_text(0, WORKLOAD, given, decisions)
    return text.partition("## What changes next\n\n")[2].strip().splitlines()


def test_the_table_names_transactions_and_all_keys(snapshot: SnapshotAssertion) -> None:
    assert notes_text(0, WORKLOAD, result(near(2.0, 3, 4, "probe", "probe")), ()) == snapshot
    assert notes_text(0, WORKLOAD, result(counted=1), ()) == snapshot(name="none")


def test_only_what_all_decisions_leave_possible_is_hoped_for(snapshot: SnapshotAssertion) -> None:
    given = result(near(3.0, 3, 4, "probe", "probe"), near(2.0, 7, 9, "probe", "look"))
    both = changes(given, KEYS, CLIENTS)
    assert all("(near-cycle 2)" in each for each in both), "the keys of near-cycle 1 are gone"
    assert both == snapshot
    (alone,) = changes(given, CLIENTS)
    assert "(near-cycle 1)" in alone
    assert alone == snapshot(name="one decision")
    held = Transaction("held", (Step("r", Choice((4,))), Step("append", Choice((7, 9, 11)))))
    beside = replace(WORKLOAD, transactions=(*WORKLOAD.transactions, held))
    fixed = notes_text(0, beside, result(near(3.0, 7, 4, "probe", "probe")), (KEYS,))
    assert "It hopes to force the rw edge on key 7" in fixed, "key 4 is fixed, so that it stays"
    assert fixed == snapshot(name="a fixed key")
    never = Adjustment("mix", {"probe": 1, "look": 1}, {"probe": 1, "look": 0}, "why not", "mix")
    assert not any("hopes" in line for line in changes(given, KEYS, never, CLIENTS))
    one = replace(CLIENTS, after=1)
    kept = notes_text(0, WORKLOAD, given, (replace(KEYS, after=[3, 4]), one))
    assert "hopes" not in kept, "one client alone forces nothing"
    assert "The next iteration pursues" not in kept
    fewer = replace(CLIENTS, after=4)
    assert not any("hopes" in line for line in changes(given, fewer))


def test_the_anomaly_names_its_transactions_and_the_keys_of_the_workload(
    snapshot: SnapshotAssertion,
) -> None:
    builder = HistoryBuilder("handmade")
    mops = [[("r", 21, None), ("append", 22, 1)], [("r", 22, None), ("append", 21, 1)]]
    for process, each in enumerate(mops):
        logical = [key % 10 for _, key, _ in each]
        builder.add("invoke", process, each, txn="probe", steps=range(2), logical=logical)
    for process, each in enumerate(mops):
        builder.add("ok", process, [(f, key, () if f == "r" else value) for f, key, value in each])
    found = analyze_history(builder.finish())
    assert notes_text(1, WORKLOAD, found, ()) == snapshot


def test_of_hundreds_of_weights_the_highest_are_told() -> None:
    weights = {f"t{at}": 1.0 for at in range(300)}
    told = value_text({**weights, "t299": 5.0}, "mix")
    assert told.startswith("t299 5, t0 1, ")
    assert told.endswith(" and 288 more")
    assert value_text({"a": 1, "b": 2}, "mix") == "a 1 and b 2"


def test_decisions_in_words() -> None:
    assert [value_text(each) for each in (True, 7, [3], range(1, 1001), {"a": 0.25, "b": 1}, [])] == [
        "yes", "7", "key 3", "1,000 keys", "a 0.25 and b 1", "0 keys",
    ]  # fmt: skip
    assert target_text("keys") == "the choice of keys"
    assert target_text("something.else") == "something.else"
