"""notes.md: what a reader learns from it who has nothing else."""

from __future__ import annotations

from dataclasses import replace

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


def test_the_table_names_transactions_and_all_keys() -> None:
    text = notes_text(0, WORKLOAD, result(near(2.0, 3, 4, "probe", "probe")), ())
    assert (
        "| 1 | 2.00 | G2-item | 10 –rw on 4→ 11 | rw on key 3 | probe step 0 (11) | probe step 1 (10) |"
        in text
    )
    assert "30 near-cycles in all, those out of reach included; the nearest 1 within reach" in text
    assert "`--max-near-cycles`" in text
    none = notes_text(0, WORKLOAD, result(counted=1), ())
    assert "Nothing: no dependency was one edge short" in none
    assert "(1 near-cycle out of reach)" in none


def test_only_what_all_decisions_leave_possible_is_hoped_for() -> None:
    given = result(near(3.0, 3, 4, "probe", "probe"), near(2.0, 7, 9, "probe", "look"))
    keys, clients = changes(given, KEYS, CLIENTS)
    hope = "It hopes to force the rw edge on key 7 from look step 0 to probe step 1 (near-cycle 2)."
    assert keys.endswith(f"because two keys are enough. {hope}")
    assert clients.endswith(f"because 0.1 concurrent edges. {hope}"), "the keys of near-cycle 1 are gone"
    (alone,) = changes(given, CLIENTS)
    assert "on key 3 from probe step 0 to probe step 1 (near-cycle 1)." in alone
    held = Transaction("held", (Step("r", Choice((4,))), Step("append", Choice((7, 9, 11)))))
    beside = replace(WORKLOAD, transactions=(*WORKLOAD.transactions, held))
    fixed = notes_text(0, beside, result(near(3.0, 7, 4, "probe", "probe")), (KEYS,))
    assert "It hopes to force the rw edge on key 7" in fixed, "key 4 is fixed, so that it stays"
    assert "The next iteration pursues near-cycle 1, the first in minimal_dependency_graph.png, and" in fixed
    never = Adjustment("mix", {"probe": 1, "look": 1}, {"probe": 1, "look": 0}, "why not", "mix")
    assert not any("hopes" in line for line in changes(given, KEYS, never, CLIENTS))
    fewer = replace(CLIENTS, after=4)
    assert not any("hopes" in line for line in changes(given, fewer))


def test_the_anomaly_names_its_transactions_and_the_keys_of_the_workload() -> None:
    builder = HistoryBuilder("handmade")
    mops = [[("r", 21, None), ("append", 22, 1)], [("r", 22, None), ("append", 21, 1)]]
    for process, each in enumerate(mops):
        logical = [key % 10 for _, key, _ in each]
        builder.add("invoke", process, each, txn="probe", steps=range(2), logical=logical)
    for process, each in enumerate(mops):
        builder.add("ok", process, [(f, key, () if f == "r" else value) for f, key, value in each])
    found = analyze_history(builder.finish())
    text = notes_text(1, WORKLOAD, found, ())
    assert "The shortest G2-item, of 2 transactions:\n\n- T1 is transaction 3 of the history (probe, " in text
    assert "- T2 is transaction 2 of the history (probe, process 0)\n\n> T1 read key 22 as []" in text
    assert "The keys of a history are generations of the workload's: 22 of key 2 and 21 of key 1." in text


def test_decisions_in_words() -> None:
    assert [value_text(each) for each in (True, 7, [3], range(1, 1001), {"a": 0.25, "b": 1}, [])] == [
        "yes", "7", "key 3", "1,000 keys", "a 0.25 and b 1", "0 keys",
    ]  # fmt: skip
    assert target_text("keys") == "the choice of keys"
    assert target_text("something.else") == "something.else"
