"""Whatever a process is called, what it did counts; what is passed over is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from compare_histories import differences, disagreements
from txfuzz import Verdict, analyze_history
from txfuzz.errors import HistoryError
from txfuzz.history.model import OK, History
from txfuzz.history.reader import read_history, read_history_bytes
from txfuzz.history.values import Keyword
from txfuzz.history.writer import history_lines
from txfuzz.report.text.analysis import analysis_text

CASES = Path(__file__).parents[2] / "tests" / "cases"
NEMESIS = (
    b"{:type :info, :process :nemesis, :f :kill, :value {:n1 :killed}}\n"
    b'{:type :info, :process :nemesis, :f :partition, :value [:isolated "n1"]}\n'
)
NAMED = (
    b'{:type :invoke, :process "worker-1", :value [[:append 1 1]]}\n'
    b"{:type :invoke, :process 7, :value [[:r 1 nil]]}\n"
    b"{:type :invoke, :process :w/2, :value [[:append 1 2]]}\n"
    b'{:type :ok, :process "worker-1", :value [[:append 1 1]]}\n'
    b"{:type :info, :process :w/2, :value nil}\n"
    b"{:type :ok, :process 7, :value [[:r 1 [1 2]]]}\n"
)


def both(data: bytes) -> History:
    """The history, read the same with and without the fast path."""
    quick, slow = (read_history_bytes(data, "h", fast=fast) for fast in (True, False))
    assert disagreements(quick, slow) == []
    return quick


@pytest.mark.parametrize(
    ("file", "verdict", "types"),
    [
        ("process-names-false-valid.edn", Verdict.INVALID, ("G-single-item",)),
        ("process-names-false-invalid.edn", Verdict.VALID, ()),
    ],
)
def test_verdicts_do_not_depend_on_what_processes_are_called(
    file: str, verdict: Verdict, types: tuple[str, ...]
) -> None:
    result = analyze_history(CASES / file)
    assert (result.verdict, result.anomaly_types) == (verdict, types)


def test_names_and_numbers_do_not_get_mixed_up() -> None:
    h = both(NAMED)
    assert h.process.tolist() == [8, 7, 9]
    assert h.process_names == {8: "worker-1", 9: Keyword("w/2")}
    assert h.type.tolist() == [OK, OK, 2]
    assert [h.process_name(row) for row in range(2)] == ["worker-1", 7]
    assert not h.warnings


def test_many_operations_of_named_processes_take_the_fast_path() -> None:
    lines = [
        b'{:type %b, :process "w%d", :value [[:append 1 %d]]}\n' % (type, at % 3, at)
        for at in range(300)
        for type in (b":invoke", b":ok")
    ]
    h = both(b"".join(lines))
    assert len(h) == 300
    assert list(h.process_names.values()) == ["w0", "w1", "w2"]


def test_process_order_holds_for_names() -> None:
    lines = [
        b"{:type :invoke, :process :a, :value [[:append 1 1]]}",
        b"{:type :ok, :process :a, :value [[:append 1 1]]}",
        b"{:type :invoke, :process :a, :value [[:r 1 nil]]}",
        b"{:type :ok, :process :a, :value [[:r 1 []]]}",
    ]
    result = analyze_history(both(b"\n".join(lines)), "strong-session-serializable")
    assert result.anomaly_types == ("G-single-item-process",)
    assert "process a completed T1" in result.anomalies[0].explanation
    assert result.anomalies[0].transactions[0].process == "a"


def test_the_nemesis_is_passed_over_and_counted() -> None:
    h = both(NAMED + NEMESIS)
    assert h.passed_over == {"nemesis": 2}
    assert h.operations == 8
    result = analyze_history(h)
    assert (result.operations, result.passed_over) == (8, {"nemesis": 2})
    said = " ".join(analysis_text(result).split())
    assert (
        "Operations 8 read, 3 transactions judged, 2 ignored (no micro-operations): 2 of process nemesis"
        in said
    )


def test_a_nemesis_with_micro_operations_is_a_client() -> None:
    data = NAMED.replace(b'"worker-1"', b":nemesis") + NEMESIS
    h = both(data)
    assert h.passed_over == {"nemesis": 2}
    assert len(h) == 3


def test_what_a_client_says_beside_micro_operations_is_not_swallowed() -> None:
    h = both(NAMED + b'{:type :invoke, :process "worker-1", :f :read, :value 5}\n')
    assert [text for _, text in h.unknown_mops] == ["5"]
    assert analyze_history(h).verdict is Verdict.UNKNOWN


def test_an_invocation_without_a_value_is_paired_with_its_completion() -> None:
    h = both(b"{:type :invoke, :process :w, :value nil}\n{:type :ok, :process :w, :value [[:append 1 1]]}\n")
    assert h.invoke_at.tolist() == [0]
    assert not h.warnings


def test_two_open_transactions_of_a_name() -> None:
    twice = b'{:type :invoke, :process "w", :value [[:append 1 1]]}\n' * 2
    with pytest.raises(HistoryError, match="h:2: process w invokes a transaction while"):
        read_history_bytes(twice, "h")


def test_names_are_written_again() -> None:
    h = both(NAMED)
    again = read_history_bytes(b"".join(history_lines(h)), "h")
    assert differences(h, again, ("source", "warnings")) == []
    named = read_history(CASES / "process-names-false-valid.edn")
    with pytest.raises(HistoryError, match="JSON cannot represent"):
        b"".join(history_lines(h, "json"))
    assert len(b"".join(history_lines(named)).splitlines()) == 6


@pytest.mark.parametrize("name", ["read-of-two-elements.edn", "read-of-two-elements.json"])
def test_reads_of_two_elements_are_reads_of_nothing_yet(name: str) -> None:
    h = both((CASES / name).read_bytes())
    result = analyze_history(h)
    assert (result.verdict, result.edge_counts["wr"], h.warnings) == (Verdict.VALID, 1, [])


@pytest.mark.parametrize("write", ["append", "w"])
def test_reads_of_two_elements_read_as_those_of_nil(write: str) -> None:
    lines = [
        f"{{:type :invoke, :process 0, :value [[:r 1 nil] [:{write} 2 1] [:r :k nil]]}}",
        f'{{:type :invoke, :process 1, :value [[:r "a" nil] [:{write} 2 2]]}}',
        f"{{:type :info, :process 0, :value [[:r 1 nil] [:{write} 2 1] [:r :k nil]]}}",
        f'{{:type :fail, :process 1, :value [[:r "a" nil] [:{write} 2 2]]}}',
        "{:type :invoke, :process 1, :value [[:r 2 nil]]}",
        f"{{:type :ok, :process 1, :value [[:r 2 {'[]' if write == 'append' else '1'}]]}}",
    ]
    with_nil = "\n".join(lines).encode()
    assert disagreements(both(with_nil), both(with_nil.replace(b" nil]", b"]"))) == []


def test_a_committed_read_without_a_value_is_told() -> None:
    data = (
        b"{:type :invoke, :process 0, :value [[:r 1] [:append 2 1]]}\n"
        b"{:type :ok, :process 0, :value [[:r 1] [:append 2 1]]}\n"
    )
    h = both(data)
    assert h.warnings == ["reads of committed transactions without a value, treated as reads of nothing: 1"]
    assert h.nil_literal.tolist() == [True, False]


@pytest.mark.parametrize("mop", [b"[:append 1]", b"[:w 1]", b"[:r]", b"[]"])
def test_other_short_micro_operations_are_unknown(mop: bytes) -> None:
    h = both(b"{:type :invoke, :process 0, :value [[:append 5 5] %b]}\n" % mop)
    assert [text.encode() for _, text in h.unknown_mops] == [mop]
