"""Jepsen's bank, set and counter histories, judged as its checkers do."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from project_fixtures import Ran
from txfuzz import Part, Verdict
from txfuzz.analysis.calls import analyze_calls
from txfuzz.errors import HistoryError, UsageError
from txfuzz.history.calls import Call, Calls, read_calls
from txfuzz_templates.analyzers.bank import BankTotal
from txfuzz_templates.analyzers.counter import CounterBounds
from txfuzz_templates.analyzers.sets import SetElements

CASES = Path(__file__).parents[3] / "tests" / "cases" / "jepsen"
VALID, INVALID, UNKNOWN = Verdict.VALID, Verdict.INVALID, Verdict.UNKNOWN


def in_a_row(*calls: tuple[Any, ...]) -> Calls:
    """(f, asked, value, type): each ends before the next begins."""
    made = [
        Call(f, (type or ["ok"])[0], asked, value, at, 2 * at + 1, 2 * at, 2 * at + 1, line=2 * at + 2)
        for at, (f, asked, value, *type) in enumerate(calls)
    ]
    return Calls(made, "h")


def read(value: Any) -> tuple[Any, ...]:
    return ("read", None, value)


def add(value: Any, type: str = "ok") -> tuple[Any, ...]:
    return ("add", value, value, type)


def types(part: Part) -> list[str]:
    return [anomaly.type for anomaly in part.anomalies]


# Reading


def test_calls_are_paired() -> None:
    calls = read_calls(CASES / "bank.edn")
    assert (calls.operations, calls.passed_over) == (9, {"nemesis": 1})
    assert [call.f for call in calls.calls] == ["read", "transfer", "read", "read"]
    transfer = calls.calls[1]
    assert (transfer.began, transfer.ended, transfer.index, transfer.type) == (2, 5, 6, "ok")
    assert (transfer.start, transfer.end) == (3000, 6000)


def test_what_is_open_at_the_end_has_an_unknown_outcome(tmp_path: Path) -> None:
    path = tmp_path / "h.edn"
    path.write_text(
        "{:type :ok, :f :add, :value 7, :process 9}\n{:type :invoke, :f :add, :value 1, :process :w}\n"
    )
    calls = read_calls(path)
    lonely, open_ = calls.calls
    assert (lonely.type, lonely.began, lonely.ended, lonely.process) == ("ok", -1, 0, 9)
    assert (open_.type, open_.asked, open_.ended) == ("info", 1, -1)
    assert calls.warnings == ("completions without an invocation: 1",)


def test_two_open_calls_of_a_process(tmp_path: Path) -> None:
    path = tmp_path / "h.edn"
    path.write_text("{:type :invoke, :f :add, :value 1, :process 3}\n" * 2)
    with pytest.raises(HistoryError, match=r"h\.edn:2: process 3 invokes an operation while its previous"):
        read_calls(path)


# Bank


def bank(*calls: tuple[Any, ...], **options: Any) -> Part:
    return BankTotal(**options).judge(in_a_row(*calls), "bank")


@pytest.mark.parametrize(
    ("balances", "options", "found"),
    [
        ([{0: 5, 1: 5}, {0: 4, 1: 6}], {}, []),
        ([{0: 5, 1: 5}, {0: 4, 1: 7}], {}, ["bank-total"]),
        ([{0: 5, 1: 5}, {0: -1, 1: 11}], {}, ["bank-negative"]),
        ([{0: 5, 1: 5}, {0: -1, 1: 11}], {"allow_negative_balances": True}, []),
        ([{0: 5, 1: 5}, {0: 5}], {}, ["bank-total"]),
        ([{0: 5, 1: 5}, {0: 5, 2: 5}], {}, ["bank-account"]),
        ([{0: 5, 1: 5}, {0: 10, 1: None}], {}, ["bank-nil"]),
        ([{0: 5, 1: 5}], {"total_amount": 11}, ["bank-total"]),
        ([{0: 5, 1: 5}], {"total_amount": 10}, []),
        ([{0: 5, 1: 5}, {0: -1, 1: 6}], {}, ["bank-total"]),  # the first thing that is wrong
    ],
)
def test_bank(balances: Sequence[dict[Any, Any]], options: dict[str, Any], found: list[str]) -> None:
    part = bank(*map(read, balances), **options)
    assert types(part) == found
    assert part.verdict is (INVALID if found else VALID)


def test_a_bank_in_words(snapshot: SnapshotAssertion) -> None:
    result = analyze_calls(read_calls(CASES / "bank.edn"), "bank", BankTotal())
    assert (result.verdict, result.kind, result.expect) == (INVALID, "bank", "bank")
    assert (result.transactions, result.committed, result.operations) == (4, 4, 9)
    [anomaly] = result.anomalies
    assert anomaly.explanation == snapshot
    assert [view.text for view in anomaly.transactions] == ["read {0 10, 1 7}", "read {0 10, 1 12}"]
    assert anomaly.record == {"op": 5, "total": 17, "expected": 22}
    assert result.parts["bank-total"]["holds"] == 22


def test_a_bank_that_nobody_looked_at() -> None:
    transfer = ("transfer", {"from": 0}, {"from": 0})
    for calls in ([transfer], [transfer, ("read", None, {0: 1}, "fail")], [transfer, read(None)]):
        assert bank(*calls).verdict is UNKNOWN


def test_what_no_bank_has() -> None:
    with pytest.raises(HistoryError, match="h:2: expected :f to be :transfer or :read in a bank history, f"):
        bank(("deposit", 1, 1))
    with pytest.raises(HistoryError, match="h:2: expected a read of accounts and their balances, found 7"):
        bank(read(7))
    with pytest.raises(HistoryError, match='h:2: expected a number as a balance, found "x"'):
        bank(read({0: "x"}))


def test_more_of_a_type_than_are_shown() -> None:
    calls = in_a_row(read({0: 1}), *(read({0: 2}) for _ in range(9)))
    result = analyze_calls(calls, "bank", BankTotal(shown=2))
    assert (len(result.anomalies), result.left_out) == (2, {"bank-total": 7})


# Counter


def counter(*calls: tuple[Any, ...]) -> Part:
    return CounterBounds().judge(in_a_row(*calls), "counter")


@pytest.mark.parametrize(
    ("calls", "found"),
    [
        ([add(2), read(2)], []),
        ([add(2), read(1)], ["counter-below"]),
        ([add(2), read(3)], ["counter-above"]),
        ([add(2, "info"), read(0), read(2)], []),
        ([add(2, "fail"), read(2)], ["counter-above"]),
        ([add(2), read(2), add(-1), read(1)], []),
        ([add(2), add(-1), read(2)], ["counter-above"]),
        ([read(0), add(3), read(0), read(4)], ["counter-below", "counter-above"]),
    ],
)
def test_counter(calls: list[tuple[Any, ...]], found: list[str]) -> None:
    part = counter(*calls)
    assert types(part) == found
    assert part.verdict is (INVALID if found else VALID)


def test_a_counter_from_json(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    calls = read_calls(CASES / "counter.json")
    assert CounterBounds().judge(calls, "counter").verdict is VALID
    path = tmp_path / "h.json"
    path.write_text((CASES / "counter.json").read_text().replace('"value":5', '"value":6'))
    part = CounterBounds().judge(read_calls(path), "counter")
    assert part.reason == "1 read of 2 outside the bounds of the counter"
    assert part.anomalies[0].explanation == snapshot
    assert part.anomalies[0].record == {"op": 5, "count": 6, "least": 2, "most": 5}


def test_a_counter_that_nobody_read() -> None:
    assert counter(add(1)).verdict is UNKNOWN
    with pytest.raises(HistoryError, match="h:2: expected a number to add, found"):
        counter(add("x"))


def jepsens_counter(calls: Calls) -> list[bool]:
    """For each read, in order of completion, whether it is in bounds: the checker's loop, op by op."""
    events = sorted(
        [(call.began, "invoke", call) for call in calls.calls]
        + [(call.ended, "ok", call) for call in calls.calls],
        key=lambda event: event[0],
    )
    lower = upper = 0
    pending: dict[Any, int] = {}
    told = []
    for _, what, call in events:
        if call.type == "fail" or (what == "ok" and call.type != "ok"):
            continue
        if what == "invoke" and call.f == "read":
            pending[call.process] = lower
        elif what == "ok" and call.f == "read":
            told.append(pending[call.process] <= call.value <= upper)
        elif what == "invoke":
            upper += call.asked
        else:
            lower += call.asked
    return told


@st.composite
def overlapping(draw: st.DrawFn, value: st.SearchStrategy[Any], asked: st.SearchStrategy[Any]) -> Calls:
    """Up to eight calls whose beginnings and ends are in any order."""
    count = draw(st.integers(1, 8))
    places = draw(st.permutations([at for at in range(count) for _ in range(2)]))
    spans = [[place for place, at in enumerate(places) if at == call] for call in range(count)]
    calls = []
    for at, (began, ended) in enumerate(spans):
        type = draw(st.sampled_from(["ok", "ok", "ok", "info", "fail"]))
        if draw(st.booleans()):
            amount = draw(asked)
            calls.append(Call("add", type, amount, amount, at, at, began, ended))  # type: ignore[arg-type]
        else:
            calls.append(Call("read", type, None, draw(value), at, at, began, ended))  # type: ignore[arg-type]
    return Calls(sorted(calls, key=lambda call: call.began), "h")


@given(calls=overlapping(st.integers(0, 9), st.integers(0, 4)))
@settings(max_examples=300, deadline=None)
def test_counters_are_judged_as_by_jepsen(calls: Calls) -> None:
    part = CounterBounds().judge(calls, "counter")
    told = jepsens_counter(calls)
    assert part.verdict is (UNKNOWN if not told else VALID if all(told) else INVALID)
    assert part.data["below"] + part.data["above"] == told.count(False)


# Sets


def judged_set(*calls: tuple[Any, ...], model: str = "set") -> Part:
    return SetElements().judge(in_a_row(*calls), model)


@pytest.mark.parametrize(
    ("calls", "of_set", "of_full"),
    [
        ([add(1), read({1})], [], []),
        ([add(1), add(2), read({1})], ["set-lost"], ["set-lost"]),
        ([add(1), read({1, 7})], ["set-unexpected"], ["set-unexpected"]),
        ([add(1), read((1, 1))], ["set-duplicate"], ["set-duplicate"]),
        ([add(1, "info"), add(2), read({2})], [], []),
        ([add(1, "info"), add(2), read({1, 2})], [], []),
        # it was there once, but no longer is
        ([add(1, "info"), add(2), read({1, 2}), read({2})], [], ["set-lost"]),
        # stale for a while
        ([add(1), read(frozenset()), read({1})], [], []),
        # acknowledged after the last read
        ([add(1), read({1}), add(2)], [], []),
        ([add((0, 1)), add((0, 2)), read((1, 2))], [], []),  # jepsen.independent: a key and an element
    ],
)
def test_sets(calls: list[tuple[Any, ...]], of_set: list[str], of_full: list[str]) -> None:
    for model, found in (("set", of_set), ("set-full", of_full)):
        part = judged_set(*calls, model=model)
        assert types(part) == found, model
        assert part.verdict is (INVALID if found else VALID), model


def test_stale_elements_are_counted() -> None:
    part = judged_set(add(1), read(frozenset()), read({1}), model="set-full")
    assert (part.data["stale"], part.data["stable"], part.data["lost"]) == (1, 1, 0)


def test_a_lost_element_in_words(snapshot: SnapshotAssertion) -> None:
    result = analyze_calls(read_calls(CASES / "set.edn"), "set-full", SetElements())
    assert (result.verdict, result.reason) == (INVALID, "1 element lost")
    assert result.anomalies[0].explanation == snapshot
    assert [view.index for view in result.anomalies[0].transactions] == [3, 5, 9]
    assert analyze_calls(read_calls(CASES / "set.edn"), "set", SetElements()).verdict is VALID


def test_sets_that_say_nothing() -> None:
    assert judged_set(add(1)).verdict is UNKNOWN
    assert judged_set(add(1), model="set-full").verdict is UNKNOWN
    assert judged_set(add(1, "info"), read(frozenset()), model="set-full").verdict is UNKNOWN
    with pytest.raises(HistoryError, match="h:2: expected a collection as what a set shows, found 7"):
        judged_set(read(7))
    with pytest.raises(HistoryError, match="expected the sets of one key: split the history by key"):
        judged_set(add((0, 1)), add((1, 1)), read((1,)))


def jepsens_set_full(calls: Calls) -> tuple[int, int]:
    """How many elements are lost and how many stable, by the definitions of the checker."""
    lost = stable = 0
    reads = [call for call in calls.calls if call.f == "read" and call.type == "ok"]
    for element in {call.asked for call in calls.calls if call.f == "add"}:
        adds = [call for call in calls.calls if call.f == "add" and call.asked == element]
        having = [call for call in reads if element in call.value]
        known = [call.ended for call in [*having, *(call for call in adds if call.type == "ok")]]
        asked = min(call.began for call in adds)
        present = max((call.began for call in having), default=-1)
        absent = max(
            (call.began for call in reads if element not in call.value and asked < call.ended), default=-1
        )
        stable += bool(having) and absent < present
        lost += bool(known) and absent > present and min(known) < absent
    return lost, stable


@given(calls=overlapping(st.frozensets(st.integers(0, 3)), st.integers(0, 3)))
@settings(max_examples=400, deadline=None)
def test_full_sets_are_judged_as_by_jepsen(calls: Calls) -> None:
    added = {call.asked for call in calls.calls if call.f == "add"}
    seen = [replace(call, value=call.value & added) if call.f == "read" else call for call in calls.calls]
    of_known = Calls(seen, "h")
    part = SetElements().judge(of_known, "set-full")
    lost, stable = jepsens_set_full(of_known)
    reads = [call for call in of_known.calls if call.f == "read" and call.type == "ok"]
    assert (part.data["lost"], part.data["stable"]) == (lost, stable)
    assert part.verdict is (INVALID if lost else VALID if stable and reads else UNKNOWN)


# The command


def test_analyze_tells_what_a_history_is_of(txfuzz: Callable[..., Ran]) -> None:
    ran = txfuzz("analyze", CASES / "bank.edn")
    assert ran.code == 1
    said = " ".join(ran.out.split())
    assert "Found bank-total, which contradicts the model bank." in said
    assert (
        "Operations 9 read, 4 calls judged, 1 ignored: 1 of process nemesis Calls 4 (bank): 4 committed"
        in said
    )
    assert txfuzz("analyze", CASES / "counter.json").code == 0
    told = json.loads(txfuzz("analyze", "--json", CASES / "counter.json").out)
    assert (told["verdict"], told["kind"], told["expect"]) == ("valid", "counter", "counter")
    ran = txfuzz("analyze", CASES / "set.edn")
    assert ran.code == 3
    assert "the operations fit the models set and set-full: choose one with --model" in " ".join(
        ran.out.split()
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--model", "bank", "bank.edn"], 1),
        (["--model", "set", "set.edn"], 0),
        (["--model", "set-full", "set.edn"], 1),
        (["--model", "counter", "counter.json"], 0),
        (["--model", "counter", "counter.json", "bank.edn"], 2),
    ],
)
def test_models_that_are_named(txfuzz: Callable[..., Ran], arguments: list[str], code: int) -> None:
    named = [CASES / each if "." in each else each for each in arguments]
    ran = txfuzz("analyze", *named)
    assert ran.code == code, ran.err


LISTS = Path(__file__).parents[3] / "tests" / "cases" / "fractured-read.edn"


BANK, COUNTER, SET = CASES / "bank.edn", CASES / "counter.json", CASES / "set.edn"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--model", "bnak", BANK], "no installed analyzer knows the model 'bnak'; did you mean 'bank'?"),
        (
            ["--model", "bank", "--expect", "serializable", BANK],
            "--expect does not apply to the model bank",
        ),
        (
            ["--model", "set", "--linearizable-keys", SET],
            "--linearizable-keys does not apply to the model",
        ),
        (
            ["--expect", "serializable", BANK],
            "bank.edn: --expect does not apply to the model bank",
        ),
        (
            ["--model", "counter", "--total-amount", 3, COUNTER],
            "the model 'counter' has no option 'total_amount'",
        ),
        (["--total-amount", 3, LISTS], "--total-amount does not apply to a history of transactions"),
        (["--model", "rw-register", LISTS], "is a history of list-append, not of rw-register"),
        (["--model", "bank", LISTS], "expected :f to be :transfer or :read in a bank history, found :txn"),
    ],
)
def test_what_does_not_fit_is_said(txfuzz: Callable[..., Ran], arguments: list[Any], said: str) -> None:
    ran = txfuzz("analyze", *arguments)
    assert ran.code == 2
    assert said in " ".join(ran.err.split())


def test_the_kind_of_a_history_can_be_named(txfuzz: Callable[..., Ran]) -> None:
    assert txfuzz("analyze", "--model", "list-append", "--skip-graph", LISTS).code == 1


def test_a_model_that_an_analyzer_does_not_judge() -> None:
    with pytest.raises(UsageError, match="does not judge the model 'set'"):
        analyze_calls(in_a_row(read({0: 1})), "set", BankTotal())
