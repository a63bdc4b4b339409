"""What must not change an answer: other names for keys, processes and values, other indices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brute_force import Txn
from elle_verdicts import all_runs
from small_histories import edn_of, history_of, list_histories, register_histories, txn
from txfuzz.analysis.checker.check import CheckResult, check
from txfuzz.analysis.dependencies.build import dependencies
from txfuzz.analysis.dependencies.register_versions import VersionOptions
from txfuzz.common.kind import Kind
from txfuzz.history.reader import read_history_bytes

pytestmark = pytest.mark.slow

HISTORIES = st.one_of(list_histories(most=8), register_histories(most=8))
MODELS = ("serializable", "strong-session-serializable", "strict-serializable")
ALL_OPTIONS = VersionOptions(wfr_keys=True, sequential_keys=True, linearizable_keys=True)


def answer(result: CheckResult) -> tuple[object, ...]:
    counted = {name: result.left_out.get(name, 0) for name in result.all_types}
    edges = result.dependencies.counts() if result.dependencies else None
    return (
        result.verdict,
        result.anomaly_types,
        result.all_types,
        result.not_models,
        result.also_not,
        counted,
        edges,
        sorted(component.size for component in result.sccs),
    )


def answers(txns: list[Txn]) -> list[tuple[object, ...]]:
    history = history_of(txns)
    return [
        answer(check(history, model, options=options))
        for model in MODELS
        for options in (VersionOptions(), *([ALL_OPTIONS] if history.kind is Kind.RW_REGISTER else []))
    ]


def renamed(txns: list[Txn], key: Callable[[int], int], value: Callable[[int], int]) -> list[Txn]:
    def of(seen: object) -> object:
        if isinstance(seen, tuple):
            return tuple(map(value, seen))
        return None if seen is None else value(seen)

    return [replace(each, mops=tuple((f, key(k), of(v)) for f, k, v in each.mops)) for each in txns]


@given(txns=HISTORIES, shift=st.integers(1, 10**12))
@settings(max_examples=60, deadline=None)
def test_other_keys(txns: list[Txn], shift: int) -> None:
    assert answers(renamed(txns, lambda key: shift - key, lambda value: value)) == answers(txns)


@given(txns=register_histories(most=8), shift=st.integers(1, 10**12))
@settings(max_examples=40, deadline=None)
def test_other_values(txns: list[Txn], shift: int) -> None:
    assert answers(renamed(txns, lambda key: key, lambda value: shift - value)) == answers(txns)


@given(txns=HISTORIES, shift=st.integers(1, 10**6))
@settings(max_examples=60, deadline=None)
def test_other_processes(txns: list[Txn], shift: int) -> None:
    others = [replace(each, process=shift * (100 - each.process)) for each in txns]
    assert answers(others) == answers(txns)


@given(txns=HISTORIES, shift=st.integers(1, 10**9))
@settings(max_examples=60, deadline=None)
def test_other_indices(txns: list[Txn], shift: int) -> None:
    plain = check(history_of(txns), "strict-serializable")
    other = read_history_bytes(edn_of(txns, first_index=shift).encode(), "small.edn")
    shifted = check(other, "strict-serializable")
    assert answer(plain) == answer(shifted)
    assert [tuple(at + shift for at in cycle) for cycle in plain.cycles] == [*shifted.cycles]


@given(txns=HISTORIES, before=st.booleans())
@settings(max_examples=60, deadline=None)
def test_an_unrelated_transaction(txns: list[Txn], before: bool) -> None:
    """One that runs before or after all others, on a key and a process of its own."""
    move = 2 if before else 0
    end = 2 * len(txns)
    moved = [
        replace(
            each,
            invoke_at=each.invoke_at + move,
            complete_at=None if each.complete_at is None else each.complete_at + move,
        )
        for each in txns
    ]
    mops = [mop for each in txns for mop in each.mops]
    register = any(f == "w" or type(value) is int for f, _, value in mops if f != "append")
    f = "w" if register else "append"
    at = 0 if before else end
    other = txn(f"ok {f} 77 1", at, at + 1, 77)
    plain, more = (check(history_of(each), "serializable") for each in (moved, [*moved, other]))
    assert more.all_types == plain.all_types
    assert more.anomaly_types == plain.anomaly_types
    assert more.cycles == plain.cycles


@given(first=list_histories(most=5), second=list_histories(most=5))
@settings(max_examples=60, deadline=None)
def test_two_histories_in_a_row_show_what_each_shows(first: list[Txn], second: list[Txn]) -> None:
    start = 2 * len(first)
    later = [
        replace(
            each,
            process=each.process + 1000,
            invoke_at=each.invoke_at + start,
            complete_at=None if each.complete_at is None else each.complete_at + start,
        )
        for each in renamed(second, lambda key: key + 10, lambda value: value)
    ]
    one, two, both = (
        check(history_of(each), "strict-serializable") for each in (first, second, [*first, *later])
    )
    cycle_exists = {name for name in both.all_types if name.endswith("-cycle-exists")}
    assert {*both.all_types} - cycle_exists == {
        name for name in {*one.all_types, *two.all_types} if not name.endswith("-cycle-exists")
    }


@given(txns=HISTORIES)
@settings(max_examples=60, deadline=None)
def test_checking_twice_says_the_same(txns: list[Txn]) -> None:
    history = history_of(txns)
    once, twice = (check(history, "strict-serializable") for _ in range(2))
    assert (once.anomalies, once.cycles) == (twice.anomalies, twice.cycles)
    assert dependencies(history).counts() == dependencies(history).counts()


@pytest.mark.parametrize("model", ["read-committed", "snapshot-isolation", "serializable"])
def test_a_stronger_model_never_forgives(model: str) -> None:
    """What contradicts a model contradicts strict-serializable."""
    for _, elle, history in all_runs():
        if elle.model == "strict-serializable" and not elle.options:
            weak, strict = check(history, model), check(history, "strict-serializable")
            assert not weak.anomaly_types or strict.verdict.value == "invalid"
