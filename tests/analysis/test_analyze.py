"""analyze_history: parts put together, what is refused, and when a run says nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest
from syrupy.assertion import SnapshotAssertion

import txfuzz
from plays import played
from txfuzz import Anomaly, History, Part, Verdict, analyze_history
from txfuzz.analysis.analyze import ONE_CLIENT, vacuous_reason, worst
from txfuzz.analysis.contract import Analyzer
from txfuzz.analysis.elle import ElleAnalyzer
from txfuzz.common.options import build, options_of
from txfuzz.errors import HistoryError, PluginError, UsageError
from txfuzz.history.builder import HistoryBuilder
from txfuzz.history.model import FINAL_READ

Mops = list[tuple[str, Any, Any]]

SKEW: list[Mops] = [[("r", 1, ()), ("append", 2, 1)], [("r", 2, ()), ("append", 1, 1)]]


def history_of(
    transactions: list[Mops], *, ends: str = "ok", processes: int = 9, overlap: bool = True
) -> History:
    builder = HistoryBuilder("handmade.edn")
    asked = [[(f, key, None if f == "r" else value) for f, key, value in mops] for mops in transactions]
    if overlap:
        for process, mops in enumerate(asked):
            builder.add("invoke", process, mops)
    for number, mops in enumerate(transactions):
        if not overlap:
            builder.add("invoke", number % processes, asked[number])
        builder.add(ends, number if overlap else number % processes, mops)
    return builder.finish()


@dataclass(frozen=True)
class Says:
    """An analyzer that says what it is told to."""

    name: ClassVar[str] = "says"
    about: ClassVar[str] = ""
    part: Any = field(default_factory=Part)

    def analyze(self, history: History, expect: str) -> Part:
        if isinstance(self.part, Exception):
            raise self.part
        return self.part  # type: ignore[no-any-return]


@dataclass(frozen=True)
class AlsoSays(Says):
    name: ClassVar[str] = "also-says"


def test_the_built_in_analyzer_fills_the_result() -> None:
    result = analyze_history(history_of(SKEW))
    assert (result.verdict, result.expect, result.file) == (Verdict.INVALID, "serializable", "handmade.edn")
    assert (result.anomaly_types, result.not_models) == (("G2-item",), ("repeatable-read",))
    assert "serializable" in result.also_not
    assert (result.transactions, result.committed, result.failed, result.unknown) == (2, 2, 0, 0)
    assert (result.kind, result.edge_counts) == ("list-append", {"ww": 0, "wr": 0, "rw": 2})
    assert (result.edges_per_txn, result.concurrent_edges_per_txn) == (1.0, 1.0)
    assert [each.key for each in result.key_pressure] == [1, 2]
    assert result.parts == {}
    [anomaly] = result.anomalies
    assert [edge.kind for edge in anomaly.edges] == ["rw", "rw"]
    assert json.loads(json.dumps(result.to_json()))["not"] == ["repeatable-read"]


def test_the_same_from_a_file(tmp_path: Path) -> None:
    lines = [
        "{:index 0 :type :invoke :process 0 :f :txn :value [[:r 1 nil] [:append 2 1]]}",
        "{:index 1 :type :invoke :process 1 :f :txn :value [[:r 2 nil] [:append 1 1]]}",
        "{:index 2 :type :ok :process 0 :f :txn :value [[:r 1 []] [:append 2 1]]}",
        "{:index 3 :type :ok :process 1 :f :txn :value [[:r 2 []] [:append 1 1]]}",
    ]
    path = tmp_path / "history.edn"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    from_file, in_memory = analyze_history(path), analyze_history(history_of(SKEW))
    assert from_file.file == str(path)
    assert from_file.anomalies == in_memory.anomalies
    with pytest.raises(HistoryError, match=r"missing\.edn"):
        analyze_history(tmp_path / "missing.edn")


def test_expectations_by_any_name() -> None:
    assert analyze_history(history_of(SKEW), "Snapshot Isolation").verdict is Verdict.VALID
    assert analyze_history(history_of(SKEW), "PL-3").expect == "serializable"
    with pytest.raises(UsageError, match="did you mean 'serializable'"):
        analyze_history(history_of(SKEW), "serialisable")


def test_a_refused_history_has_counts_and_a_reason() -> None:
    result = analyze_history(history_of([[("append", 1, 1)], [("append", 1, 1)], [("r", 1, (1,))]]))
    assert result.verdict is Verdict.UNKNOWN
    assert "duplicate writes: the value 1 of key 1" in result.reason
    assert (result.committed, result.near_cycles, result.edges_per_txn) == (3, (), 0.0)


def test_max_near_cycles() -> None:
    history = next(
        history
        for seed in range(1000)
        if len(analyze_history(history := played(seed, snapshot=True).history()).near_cycles) > 3
    )
    everything = analyze_history(history)
    few = analyze_history(history, max_near_cycles=2)
    assert few.near_cycles == everything.near_cycles[:2]
    assert few.near_cycles_counted == everything.near_cycles_counted


def test_parts_of_several_analyzers() -> None:
    odd = Anomaly("odd", (), "an odd thing", "here", headline="Something odd (odd)")
    part = Part(Verdict.UNKNOWN, "not sure", (odd,), {"count": 3}, {"suggestions": ("look again",)})
    plain = Says(part)
    result = analyze_history(history_of(SKEW), "snapshot-isolation", analyzers=[plain])
    assert (result.verdict, result.reason) == (Verdict.UNKNOWN, "says: not sure")
    assert (result.anomaly_types, result.anomalies) == (("odd",), (odd,))
    assert result.suggestions == ("look again",)
    assert result.parts["says"] == {"verdict": "unknown", "reason": "not sure", "count": 3}
    both = analyze_history(
        history_of(SKEW), analyzers=[Says(Part(Verdict.UNKNOWN, "not sure")), ElleAnalyzer()]
    )
    assert (both.verdict, both.anomaly_types) == (Verdict.INVALID, ("G2-item",))
    assert both.reason == "contradicts serializable: G2-item"
    assert list(both.parts) == ["says"]


def test_a_part_may_not_take_what_is_not_its_own() -> None:
    history = history_of(SKEW)
    twice: list[Analyzer] = [Says(Part(fields={"sccs": ()})), AlsoSays(Part(fields={"sccs": ()}))]
    with pytest.raises(PluginError, match="analyzers 'says' and 'also-says' both fill in the field 'sccs'"):
        analyze_history(history, analyzers=twice)
    for name in ("verdict", "transactions", "nonsense"):
        with pytest.raises(PluginError, match=f"analyzer 'says' cannot fill in the field '{name}'"):
            analyze_history(history, analyzers=[Says(Part(fields={name: 1}))])


def test_a_broken_analyzer_is_named() -> None:
    history = history_of(SKEW)
    with pytest.raises(PluginError, match=r"analyzer 'says' failed: ZeroDivisionError: oh"):
        analyze_history(history, analyzers=[Says(ZeroDivisionError("oh"))])
    with pytest.raises(UsageError, match=r"^analyzer 'says': a sentence$"):
        analyze_history(history, analyzers=[Says(UsageError("a sentence"))])
    with pytest.raises(PluginError, match=r"analyzer 'says' returned 3, expected a txfuzz.Part"):
        analyze_history(history, analyzers=[Says(3)])


def test_worst() -> None:
    assert worst([]) is Verdict.VALID
    assert worst([Verdict.VALID, Verdict.UNKNOWN]) is Verdict.UNKNOWN
    assert worst([Verdict.INVALID, Verdict.UNKNOWN]) is Verdict.INVALID


def vacuous(history: History) -> str | None:
    return vacuous_reason(history, analyze_history(history))


def test_what_says_nothing_is_vacuous() -> None:
    write, read = [("append", 1, 1)], [("r", 1, (1,))]
    assert vacuous(HistoryBuilder("empty").finish()) == "vacuous: nothing committed"
    assert vacuous(history_of([write, read], ends="fail")) == "vacuous: nothing committed"
    nothing = "vacuous: no dependency between two processes"
    assert vacuous(history_of([write, [("append", 2, 1)]])) == nothing
    assert vacuous(history_of([write, [("append", 2, 1)]], overlap=False, processes=1)) == nothing
    alone = vacuous(history_of([write, read], overlap=False, processes=1))
    assert alone == "vacuous: one client ran alone, and nothing went wrong that could without others"
    assert vacuous(history_of([write, read], overlap=False, processes=2)) is None
    assert vacuous(history_of([write, read])) is None
    assert vacuous(history_of(SKEW)) is None, "a contradiction says something"


@pytest.mark.parametrize("ends", ["ok", "fail"])
def test_the_final_read_does_not_count(ends: str) -> None:
    builder = HistoryBuilder("executed")
    for number in (1, 2):
        builder.add("invoke", 0, [("append", 1, number)], txn="writer")
        builder.add(ends, 0, [("append", 1, number)])
    builder.add("invoke", 1, [("r", 1, None)], txn=FINAL_READ)
    builder.add("ok", 1, [("r", 1, (1, 2) if ends == "ok" else ())])
    said = vacuous(builder.finish())
    assert said == (ONE_CLIENT if ends == "ok" else "vacuous: nothing committed")


def test_a_refused_history_is_not_called_vacuous() -> None:
    assert vacuous(history_of([[("append", 1, 1)], [("append", 1, 1)]])) is None


def test_options_of_the_analyzer() -> None:
    assert [each.name for each in options_of(ElleAnalyzer)] == [
        "budget_seconds",
        "shown",
        "max_near_cycles",
        "wfr_keys",
        "sequential_keys",
        "linearizable_keys",
    ]
    assert all(each.help for each in options_of(ElleAnalyzer))
    assert build(ElleAnalyzer, {"max_near_cycles": 3}, "analyzer 'elle'") == ElleAnalyzer(max_near_cycles=3)
    with pytest.raises(UsageError, match="max_near_cycles must be at least 0"):
        build(ElleAnalyzer, {"max_near_cycles": -1}, "analyzer 'elle'")
    assert isinstance(ElleAnalyzer(), txfuzz.Analyzer)


def test_suggestions_are_about_this_history(snapshot: SnapshotAssertion) -> None:
    failed = analyze_history(history_of([[("append", 1, 1)], [("r", 1, (1,))]], ends="fail"))
    assert failed.suggestions == snapshot(name="nothing committed")
    only_writes = analyze_history(history_of([[("append", 1, 1)], [("append", 1, 2)]]))
    assert only_writes.suggestions == snapshot(name="only writes")
    one_client = history_of([[("append", 1, 1)], [("r", 1, (1,))]], overlap=False, processes=1)
    assert analyze_history(one_client).suggestions == snapshot(name="one client")
    many: list[Mops] = [[("append", key, 1)] for key in range(20)] + [[("r", 3, (1,))]]
    assert analyze_history(history_of(many, overlap=False)).suggestions == snapshot(name="many keys")
    assert analyze_history(history_of(SKEW)).suggestions == ()
    assert analyze_history(HistoryBuilder("empty").finish()).suggestions == ()
