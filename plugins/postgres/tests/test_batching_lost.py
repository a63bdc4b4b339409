"""BEGIN and COMMIT in one message with a step: connections that are lost, and whole runs."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from postgres_sessions import (
    LISTS,
    SERIALIZABLE,
    Later,
    administrator,
    append,
    at_commit,
    r,
    refused,
    run,
    wait_until,
)
from txfuzz.analysis.analyze import analyze_history
from txfuzz.analysis.result import AnalysisResult
from txfuzz.database.api import BoundStep, Outcome
from txfuzz.execution.run import execute
from txfuzz.history.model import FINAL_READ, INFO
from txfuzz.history.reader import read_history
from txfuzz.transactions.model import Choice, Ref, Step, Transaction
from txfuzz.workload.model import Scheduling, Weight, Workload
from txfuzz_postgres.adapter import PostgresAdapter
from txfuzz_postgres.database import PostgresDatabase

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def opened() -> Iterator[PostgresDatabase]:
    with PostgresAdapter(append="on-conflict").open(None) as database:
        yield database


@pytest.fixture
def upserting(opened: PostgresDatabase) -> PostgresDatabase:
    """With appends in one statement, which COMMIT can be sent with."""
    opened.prepare(LISTS, fresh=True)
    return opened


# -- a connection that is lost ------------------------------------------------------------


@pytest.mark.parametrize("last", [r(1), append(2, 2)], ids=["read", "append"])
def test_a_server_process_that_ends_at_commit_is_info(upserting: PostgresDatabase, last: BoundStep) -> None:
    at_commit(upserting, "PERFORM pg_sleep(30)")
    s = upserting.session(LISTS)
    committing = Later(lambda: run(s, append(1, 1), last))
    wait_until(upserting, s, "PgSleep")
    with administrator(upserting) as admin:
        admin.execute("SELECT pg_terminate_backend(%s)", [s.number])
    error = committing.outcome()
    assert (error.outcome, error.lost) == (Outcome.INFO, True)
    s.close()


def test_a_line_cut_at_commit_is_info(upserting: PostgresDatabase) -> None:
    at_commit(upserting, "PERFORM pg_sleep(30)")
    s = upserting.session(LISTS)
    committing = Later(lambda: run(s, r(1), append(1, 1)))
    wait_until(upserting, s, "PgSleep")
    pid = s.number
    os.kill(pid, signal.SIGSTOP)  # so that it cannot hear of a cancellation
    s.cancel()
    s.cancel()
    error = committing.outcome()
    with administrator(upserting) as admin:
        admin.execute("SELECT pg_terminate_backend(%s)", [pid])
    os.kill(pid, signal.SIGCONT)
    assert (error.outcome, error.lost) == (Outcome.INFO, True)
    s.close()


@pytest.mark.parametrize(("how", "happened"), [(socket.SHUT_RD, True), (socket.SHUT_RDWR, False)])
def test_both_ways_to_cut_a_commit_are_info(upserting: PostgresDatabase, how: int, happened: bool) -> None:
    s, other = upserting.session(LISTS), upserting.session(LISTS)
    s.execute_with(r(1), begin=SERIALIZABLE, commit=False)
    s.cut_next_commit(how)  # type: ignore[attr-defined]
    error = refused(lambda: s.execute_with(append(1, 1), begin=None, commit=True))
    assert (error.outcome, error.lost) == (Outcome.INFO, True)
    s.close()
    wanted = (1,) if happened else ()
    for _ in range(200):
        if (seen := run(other, r(1))[0]) == wanted:
            break
        time.sleep(0.01)
    assert seen == wanted
    other.close()


def test_a_connection_lost_before_the_last_step_is_sent_is_fail(upserting: PostgresDatabase) -> None:
    s = upserting.session(LISTS)
    s.execute_with(append(1, 1), begin=SERIALIZABLE, commit=False)
    with administrator(upserting) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", [s.number])
    error = refused(lambda: s.execute_with(r(1), begin=None, commit=False))
    assert (error.outcome, error.lost) == (Outcome.FAIL, True)
    error = refused(lambda: s.execute_with(r(1), begin=SERIALIZABLE, commit=True))
    assert (error.outcome, error.lost) == (Outcome.FAIL, True)
    s.close()


def test_nobody_else_stands_still_while_commit_takes_long(upserting: PostgresDatabase) -> None:
    """A notice ahead of the results must not make us wait with the GIL held."""
    at_commit(upserting, "RAISE NOTICE 'slowly'; PERFORM pg_sleep(0.5)")
    s = upserting.session(LISTS)
    committing = Later(lambda: run(s, append(1, 1), r(1)))
    ticks = 0
    while committing.is_alive():
        time.sleep(0.01)
        ticks += 1
    assert committing.error is None
    assert ticks > 10
    s.close()


# -- whole runs ---------------------------------------------------------------------------

KEYS = (1, 2, 3)
WORKLOAD = Workload(
    "w",
    (
        Transaction("add", (Step("r", Choice(KEYS, "k")), Step("append", Ref("k")))),
        Transaction("look", (Step("append", Choice(KEYS)), Step("r", Choice(KEYS)))),
        Transaction("one", (Step("append", Choice(KEYS)),)),
    ),
    (Weight("add", 1), Weight("look", 1), Weight("one", 1)),
    scheduling=Scheduling(clients=6, transactions=1500),
)


# The structure that this server rarely permits during a commit (docs/reference/faults.md)
COMMIT_WINDOW = {("G2-item", "rw", "rw", "wr"), ("G2-item", "rw", "rw", "ww")}


def shapes_of(result: AnalysisResult) -> set[tuple[str, ...]]:
    return {(each.type, *sorted(edge.kind for edge in each.edges)) for each in result.anomalies}


@pytest.mark.flaky(reruns=2)
def test_a_run_under_contention_keeps_its_promise(upserting: PostgresDatabase, tmp_path: Path) -> None:
    summary = execute(WORKLOAD, upserting, tmp_path / "h.edn", isolation=SERIALIZABLE)
    history = read_history(tmp_path / "h.edn")
    assert summary.ok + summary.fail == 1500
    assert summary.fail > 10
    assert shapes_of(analyze_history(history, "serializable")) <= COMMIT_WINDOW


@pytest.mark.slow
@pytest.mark.flaky(reruns=2)
def test_commits_cut_in_a_run_are_unknown_and_no_lie(upserting: PostgresDatabase, tmp_path: Path) -> None:
    ended = threading.Event()

    def cut() -> None:
        chance = Random(1)
        while not ended.wait(0.02):
            upserting.injector().cut_commits(2, chance)

    cutting = threading.Thread(target=cut, daemon=True)
    cutting.start()
    summary = execute(WORKLOAD, upserting, tmp_path / "h.edn", isolation=SERIALIZABLE)
    ended.set()
    cutting.join()
    history = read_history(tmp_path / "h.edn")
    assert summary.info > 0
    reading_all = list(history.templates).index(FINAL_READ)
    assert ((history.type == INFO) & (history.template != reading_all)).sum() == summary.info
    assert shapes_of(analyze_history(history, "strict-serializable")) <= COMMIT_WINDOW
