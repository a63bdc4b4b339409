"""Pauses inside transactions, and statements that are sent one by one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from txfuzz.common.kind import Kind
from txfuzz.execution.fault_injector import PlannedFault, at_times_of
from txfuzz.execution.pace import Pace
from txfuzz.execution.run import execute
from txfuzz.testing import MemoryAdapter
from txfuzz.testing.small_run import pressing
from txfuzz.workload.model import FaultSpec, Scheduling, ThinkTime
from txfuzz_postgres.faults import KillServer


def pauses(before: str) -> list[float]:
    """Those of a transaction that reads, writes, reads and commits."""
    slept: list[float] = []
    think = ThinkTime(0.002, 0.001, before)
    pace = Pace(Scheduling(think_time=think), Random(1), slept.append)
    for writes in (True, False):
        pace.before_step(writes=writes)
    pace.before_commit()
    return slept


def test_a_pause_comes_where_it_should() -> None:
    assert [len(pauses(before)) for before in ("step", "write", "commit")] == [2, 1, 1]
    assert all(0.001 <= seconds <= 0.002 for before in ("step", "commit") for seconds in pauses(before))


def test_what_is_sent_together() -> None:
    def batched(**fields: object) -> bool:
        return Pace(replace(Scheduling(), **fields), Random(1), lambda _: None).batched  # type: ignore[arg-type]

    assert batched()
    assert batched(think_time=ThinkTime(0.001))
    assert not batched(sending="stepped")
    assert not batched(think_time=ThinkTime(0.001, before="commit")), "it could not be paused before"


@pytest.mark.slow
@pytest.mark.parametrize("adapter", ["memory", pytest.param("postgres", marks=pytest.mark.server)])
def test_pauses_take_the_time_that_they_say(adapter: str, tmp_path: Path) -> None:
    """On threads, and on one that all clients share."""
    from txfuzz_postgres.adapter import PostgresAdapter

    opened = (MemoryAdapter() if adapter == "memory" else PostgresAdapter()).open(None)
    with opened as database:
        workload = pressing(Kind.LIST_APPEND, clients=2, transactions=40)
        think = ThinkTime(0.01, 0.01, "commit")
        paced = replace(workload, scheduling=Scheduling(2, 40, think_time=think, sending="stepped"))
        ran = execute(paced, database, tmp_path / "h.edn", isolation="read committed")
    assert (ran.asked, ran.info, ran.stopped) == (40, 0, "")
    assert ran.seconds >= 0.01 * ran.ok / 2


def test_faults_strike_at_the_times_of_the_iteration() -> None:
    planned = (PlannedFault(KillServer(), FaultSpec("kill-server", at=(1.0,))),)
    workload = replace(pressing(Kind.LIST_APPEND), faults=(FaultSpec("kill-server", at=(0.5,)),))
    [moved] = at_times_of(planned, workload)
    assert (moved.spec.at, moved.fault) == ((0.5,), KillServer())
    assert at_times_of(planned, replace(workload, faults=())) == planned
