"""Samples of all sorts of feedback and workloads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from txfuzz.analysis.result import Edge, KeyPressure, MissingEdge, NearCycle, Verdict
from txfuzz.common.kind import Kind
from txfuzz.feedback.contract import FeedbackResult
from txfuzz.testing.small_run import pressing
from txfuzz.transactions.model import Choice, NewValue, Ref, Step, Transaction
from txfuzz.workload.allowed_changes import EVERYTHING
from txfuzz.workload.model import FaultSpec, Scheduling, Weight, Workload

_MANY = 2000


def near_cycle(missing: Any, *path: Any, score: float = 1.0, template: str | None = "rmw") -> NearCycle:
    """A near-cycle over these logical keys."""
    edges = tuple(
        Edge("rw", 0, 1, key=1000 + place, logical_key=key, value=None, next_value=1, source_step=0)
        for place, key in enumerate(path)
    )
    end = MissingEdge("rw", 1, 0, missing, template, 0, template, 1)
    return NearCycle(score, edges, end, "G2-item", "repeatable-read", ())


def _pressure(keys: Iterable[Any], concurrent: int = 5) -> tuple[KeyPressure, ...]:
    return tuple(KeyPressure(key, 10, 10, 20, concurrent) for key in keys)


def _feedback(**values: Any) -> FeedbackResult:
    usual = {"transactions": 2000, "committed": 1800, "aborted": 150, "unknown": 50}
    return FeedbackResult(**{"iteration": 3, "verdict": Verdict.VALID, **usual, **values})


FEEDBACKS: Mapping[str, FeedbackResult] = {
    "of nothing": FeedbackResult(0, Verdict.UNKNOWN),
    "of a single transaction": FeedbackResult(0, Verdict.VALID, transactions=1, committed=1),
    "without near-cycles": _feedback(edges_per_txn=0.4, concurrent_edges_per_txn=0.2),
    "in which nothing committed": _feedback(committed=0, aborted=2000, unknown=0, verdict=Verdict.UNKNOWN),
    "in which everything is unknown": _feedback(committed=0, aborted=0, unknown=2000),
    "on one key": _feedback(
        near_cycles=(near_cycle(1, 1),), key_pressure=_pressure([1]), edges_per_txn=1.0,
        concurrent_edges_per_txn=1.0,
    ),
    "with a near-cycle": _feedback(
        near_cycles=(near_cycle(2, 1, 3, score=4.5),), key_pressure=_pressure(range(1, 5)),
        edges_per_txn=1.7, concurrent_edges_per_txn=0.8, failed_replays={2: 3},
    ),
    "with thousands of near-cycles": _feedback(
        near_cycles=tuple(near_cycle(1 + at % 97, 1 + at % 13, 1 + at % 31, score=_MANY - at)
                          for at in range(_MANY)),
        key_pressure=_pressure(range(1, _MANY)), edges_per_txn=250.0, concurrent_edges_per_txn=90.0,
        failed_replays={key: key % 7 for key in range(1, 500)},
    ),
    "with anomalies": _feedback(
        verdict=Verdict.INVALID, anomaly_types=("G-single-item", "G2-item", "lost-update"),
        near_cycles=(near_cycle(1, 2),), concurrent_edges_per_txn=3.5, edges_per_txn=4.0,
    ),
    "about keys that are no numbers": _feedback(
        near_cycles=(near_cycle("x", "y"), near_cycle(None, 1)), key_pressure=_pressure(["x", None, "y"]),
    ),
    "about keys that the workload has not": _feedback(
        near_cycles=(near_cycle(77777, 88888, template="gone"),), key_pressure=_pressure([77777, 0, -4]),
    ),
    "without pressure": _feedback(key_pressure=_pressure(range(1, 5), concurrent=0)),
}  # fmt: skip

_WIDE = range(1, 1001)
_SQL = "UPDATE {table} SET val = val || :v WHERE key = :k"


def _workload(name: str, *transactions: Transaction, weights: Iterable[float] = ()) -> Workload:
    given = tuple(weights) or (1.0,) * len(transactions)
    mix = tuple(Weight(each.name, weight) for each, weight in zip(transactions, given, strict=True))
    return Workload(name, transactions, mix, scheduling=Scheduling(8, 200))


_RMW = Transaction("rmw", (Step("r", Choice(_WIDE, "k")), Step("append", Ref("k"))))
_READS = Transaction("reads", (Step("r", Choice(_WIDE, "a")), Step("r", Choice(_WIDE, "b", ("a",)))))
_FIXED = Transaction("fixed", (Step("append", Choice((7,), "k")), Step("r", Choice((1, 2), "o", ("k",)))))
_THREE = Transaction(
    "three",
    (
        Step("r", Choice((1, 2, 3), "a")),
        Step("r", Choice((1, 2, 3), "b", ("a",))),
        Step("append", Choice((1, 2, 3), "c", ("a", "b"))),
    ),
)
_RAW = Transaction(
    "raw",
    (
        Step(
            "append",
            Choice(_WIDE, "k"),
            sql=_SQL,
            args=(("k", Choice(_WIDE, "k")), ("v", NewValue())),
            key_arg="k",
            value_arg="v",
        ),
    ),
)

_PRESSING = pressing(Kind.LIST_APPEND)
WORKLOADS: Mapping[str, Workload] = {
    "of four transactions": _PRESSING,
    "of registers": pressing(Kind.RW_REGISTER),
    "on many keys": _workload("wide", _RMW, _READS),
    "on one key": _workload(
        "one", Transaction("one", (Step("r", Choice((5,))), Step("append", Choice((5,)))))
    ),
    "with fixed keys": _workload("fixed", _FIXED, _RMW),
    "that needs three keys": _workload("three", _THREE),
    "that only reads": _workload("reads", _READS),
    "of raw SQL": _workload("raw", _RAW, _RMW),
    "with a transaction that is never asked": _workload("never", _RMW, _READS, weights=(1.0, 0.0)),
    "with tiny weights": _workload("tiny", _RMW, _READS, weights=(1e-9, 3e-9)),
    "of one client": replace(_PRESSING, scheduling=Scheduling(clients=1, transactions=1)),
    "of many clients": replace(_PRESSING, scheduling=Scheduling(64, None, 2.5, barrier_every=1)),
    "without fresh tables": replace(_PRESSING, init_schema=False),
}

_PLANS, _LAYOUT = {"plan": ("default", "scan")}, {"layout": ("plain", "hashed"), "tables": (1, 3)}
_ALL = replace(
    EVERYTHING,
    levels=("read committed", "serializable"),
    locks=("share", "update"),
    rows=("fresh", "inserted", "deleted"),
    forms={"r": ("range",), "append": ("merge", "replace"), "w": ("replace",)},
    plans=_PLANS,
    layout=_LAYOUT,
)
_OPTIONS = {name: values[0] for name, values in (*_PLANS.items(), *_LAYOUT.items())}
_FAULTS = (FaultSpec("pause-server", at=(1.0, 2.0)), FaultSpec("kill-server", every=2.0))


def allowing_everything(workload: Workload) -> Workload:
    """The workload, with a level, with options that may vary, and with faults to move.

    Its own words are kept if it has some.
    """
    own = workload.mutate
    return replace(
        workload,
        database=replace(workload.database, adapter="memory", isolation="read committed", options=_OPTIONS),
        mutate=own if own.levels or own.locks else _ALL,
        faults=workload.faults or _FAULTS,
    )
