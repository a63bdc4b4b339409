"""Directed schedules beside the clients, on the database in memory: what is recorded, and what came of
them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from directed_schedules import CLASH, LOOK, WORKLOAD, database
from txfuzz.common.kind import Kind
from txfuzz.database.api import NoMoreSessions, Session
from txfuzz.execution.directed.team import playable, team_size
from txfuzz.execution.run import execute
from txfuzz.execution.summary import ExecutionSummary
from txfuzz.history.model import FINAL_READ, OK, History
from txfuzz.history.reader import read_history
from txfuzz.testing.memory.database import MemoryDatabase
from txfuzz.workload.model import Weight, Workload


def run(path: Path, workload: Workload = WORKLOAD) -> tuple[ExecutionSummary, History]:
    with database() as opened:
        summary = execute(workload, opened, path / "h.edn", isolation="snapshot")
    return summary, read_history(path / "h.edn")


def test_plays_are_recorded_as_transactions_of_processes_of_their_own(tmp_path: Path) -> None:
    summary, history = run(tmp_path)
    assert summary.asked == 300
    assert summary.plays
    names = Counter(history.templates[each] for each in history.template.tolist())
    assert names["book"] + names["look"] == 300
    assert names["book"] == 2 * len(summary.plays)
    by_crowd = {
        int(process)
        for process, name in zip(history.process, history.template, strict=True)
        if history.templates[name] == "look"
    }
    assert by_crowd <= {0, 1}
    assert {process for play in summary.plays for process, _ in play.transactions} == {2, 3}


def test_a_play_forces_the_order_of_its_steps(tmp_path: Path) -> None:
    """Snapshot isolation lets write skew pass, so each play commits, and no read sees the other's append."""
    summary, history = run(tmp_path)
    assert all(play.codes == ("", "") for play in summary.plays)
    books = [row for row in range(len(history)) if history.templates[history.template[row]] == "book"]
    assert all(history.type[row] == OK for row in books)


def test_who_waits_for_a_lock_is_passed_over_and_refused(tmp_path: Path) -> None:
    summary, _ = run(tmp_path, replace(WORKLOAD, directed=(CLASH,)))
    assert summary.plays
    assert all(play.waited for play in summary.plays)
    assert all(play.codes == ("", "conflict") for play in summary.plays)


def test_both_transactions_of_a_play_meet_on_one_generation(tmp_path: Path) -> None:
    few = replace(WORKLOAD.keys, writes=1)
    _, history = run(tmp_path, replace(WORKLOAD, keys=few))
    books = [row for row in range(len(history)) if history.templates[history.template[row]] == "book"]
    touched = [
        frozenset(history.mop_key[history.mops[row] : history.mops[row + 1]].tolist()) for row in books
    ]
    assert all(count % 2 == 0 for count in Counter(touched).values())


def test_only_what_fits_is_played() -> None:
    assert team_size(WORKLOAD) == 2
    one = replace(WORKLOAD, scheduling=replace(WORKLOAD.scheduling, directed=1))
    assert (playable(one), team_size(one)) == ([], 0)
    other = replace(WORKLOAD, transactions=(LOOK,), mix=(Weight("look", 1),))
    assert team_size(other) == 0


def test_without_directed_schedules_nothing_is_played(tmp_path: Path) -> None:
    summary, history = run(tmp_path, replace(WORKLOAD, directed=()))
    assert (summary.plays, summary.undirected) == ((), "")
    assert {history.templates[each] for each in history.template.tolist()} == {"look", FINAL_READ}


def test_without_room_for_more_sessions_the_crowd_runs_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Session] = []
    real = MemoryDatabase.session

    def session(self: MemoryDatabase, kind: Kind) -> Session:
        if len(opened) >= 2:
            raise NoMoreSessions("two are enough", 2)
        opened.append(real(self, kind))
        return opened[-1]

    monkeypatch.setattr(MemoryDatabase, "session", session)
    monkeypatch.setattr("txfuzz.execution.run.final_read", lambda *_: 0)
    summary, _ = run(tmp_path)
    assert summary.asked == 300
    assert summary.plays == ()
    assert "no room for further sessions" in summary.undirected
