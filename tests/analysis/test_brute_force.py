"""The checker against a second one that lists all pairs and all cycles."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings

from brute_force import (
    PROCESS,
    REALTIME,
    RW,
    WR,
    WW,
    Truth,
    Txn,
    broken_models,
    cycle_types,
    order_edges,
    reachable,
)
from brute_force_lists import list_truth, longest_reads
from brute_force_registers import register_truth
from small_histories import history_of, list_histories, register_histories
from txfuzz.analysis.checker.check import check
from txfuzz.analysis.checker.consistency import generalisations, prohibited, ruled_out
from txfuzz.analysis.checker.cycle_types import CYCLE_EXISTS, CYCLE_TYPES
from txfuzz.analysis.dependencies.build import dependencies
from txfuzz.analysis.dependencies.edges import KINDS
from txfuzz.analysis.dependencies.register_versions import VersionOptions
from txfuzz.analysis.result import Verdict
from txfuzz.history.model import OK

CYCLES = {cycle_type.name for cycle_type in CYCLE_TYPES}
MODELS = {"serializable": None, "strong-session-serializable": PROCESS, "strict-serializable": REALTIME}
LISTS = (WW, WR, RW, PROCESS, REALTIME)
REGISTERS = (WR, WW, RW, PROCESS, REALTIME)


def judge(txns: list[Txn], truth: Truth, model: str, explained_by: tuple[str, ...], options: VersionOptions):
    order = MODELS[model]
    edges = {pair: set(kinds) for pair, kinds in truth.edges.items()}
    for pair in order_edges(txns, order) if order else ():
        edges.setdefault(pair, set()).add(order)
    types = cycle_types(edges, explained_by)
    if any((at, at) in reachable(set(edges)) for at in truth.own):
        types.add("G1c")  # a transaction on some cycle that also reads what it wrote only later
    exists = {spec.name for spec in CYCLE_EXISTS if spec.model in broken_models(truth, edges)}
    result = check(history_of(txns), model, options=options, budget_seconds=None, shown=1000)
    found = {*result.all_types}

    assert found - CYCLES - exists == truth.types
    assert found & CYCLES <= types, "a type of cycle that is not there"
    closed = {other for name in found for other in generalisations(name)}
    assert types <= closed, "a type of cycle that was missed"
    not_models, also_not = ruled_out({*truth.types, *types, *exists})
    if result.verdict is Verdict.VALID:
        assert not (truth.types | types | exists) & prohibited(model)
    else:
        assert (result.not_models, result.also_not) == (not_models, also_not)
        assert (result.verdict is Verdict.INVALID) == bool((truth.types | types | exists) & prohibited(model))


@pytest.mark.parametrize("model", MODELS)
@given(txns=list_histories())
@settings(max_examples=150, deadline=None)
def test_lists_are_judged_as_by_brute_force(model: str, txns: list[Txn]) -> None:
    assume(all(len(values) == 1 for values in longest_reads(txns).values()))
    assume(any(f == "append" for txn in txns for f, _, _ in txn.mops))
    judge(txns, list_truth(txns), model, LISTS, VersionOptions())


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("wfr_keys", [False, True])
@given(txns=register_histories())
@settings(max_examples=80, deadline=None)
def test_registers_are_judged_as_by_brute_force(wfr_keys: bool, model: str, txns: list[Txn]) -> None:
    assume(any(f == "w" for txn in txns for f, _, _ in txn.mops))
    judge(txns, register_truth(txns, wfr_keys), model, REGISTERS, VersionOptions(wfr_keys=wfr_keys))


@given(txns=list_histories(most=8))
@settings(max_examples=150, deadline=None)
def test_dependencies_of_lists_are_those_of_all_pairs(txns: list[Txn]) -> None:
    assume(all(len(values) == 1 for values in longest_reads(txns).values()))
    assume(any(f == "append" for txn in txns for f, _, _ in txn.mops))
    found = dependencies(history_of(txns))
    edges = zip(found.source.tolist(), found.target.tolist(), found.kind.tolist(), strict=True)
    expected = {(a, b, kind) for (a, b), kinds in list_truth(txns).edges.items() for kind in kinds}
    assert {(a, b, KINDS[kind]) for a, b, kind in edges} == expected


@given(txns=list_histories())
@settings(max_examples=100, deadline=None)
def test_every_cycle_shown_is_one(txns: list[Txn]) -> None:
    """Each edge of a cycle joins its neighbours, and its values are those that the history has."""
    assume(any(f == "append" for txn in txns for f, _, _ in txn.mops))
    history = history_of(txns)
    result = check(history, "strict-serializable")
    for anomaly in result.anomalies:
        for edge, after in zip(anomaly.edges, [*anomaly.edges[1:], *anomaly.edges[:1]], strict=True):
            assert edge.target == after.source
            before, behind = txns[edge.source], txns[edge.target]
            if edge.kind in ("ww", "wr"):
                assert ("append", edge.key, edge.value) in before.mops
            if edge.kind in ("ww", "rw"):
                assert ("append", edge.key, edge.next_value) in behind.mops
            if edge.kind == "wr":
                assert any(k == edge.key and v and v[-1] == edge.value for k, v in behind.reads())
            if edge.kind == "rw":
                last = [v[-1] if v else None for k, v in before.reads() if k == edge.key]
                assert edge.value in last
            if edge.kind == "realtime":
                assert history.type[edge.source] == OK
                assert before.complete_at is not None
                assert before.complete_at < behind.invoke_at
