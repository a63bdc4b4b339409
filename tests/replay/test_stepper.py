"""The stepper on a real server: schedules that block, deadlock, fail, and cannot go on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from compare_histories import differences
from project_fixtures import Ran
from replay_server import playing, read, replayed, server
from txfuzz.common.kind import Kind
from txfuzz.database.api import BoundStep, Database, Session
from txfuzz.errors import UsageError
from txfuzz.history.reader import read_history_bytes
from txfuzz.replay.replayer import Replayer, follow_schedule
from txfuzz.replay.stepper.recorder import recorded_edn, recorded_history
from txfuzz.replay.stepper.session_threads import Limits
from txfuzz.transactions.model import Step

__all__ = ["server"]
pytestmark = pytest.mark.server

HEAD = """\
version: 1
database: {adapter: postgres}
workload:
  transactions:
    - name: update
      steps: [{f: r, key: 1}, {f: append, key: 1}]
    - name: one_two
      steps: [{f: append, key: 1}, {f: append, key: 2}]
    - name: two_one
      steps: [{f: append, key: 2}, {f: append, key: 1}]
    - name: look
      steps: [{f: r, key: 1}, {f: r, key: 2}]
    - name: wrong
      steps: [{f: r, key: 1}, {sql: "SELECT nothing FROM {table}"}]
keys: {rows: inserted}
replay:
"""
LOST = (
    HEAD
    + """\
  transactions: [{alias: a, txn: update}, {alias: b, txn: update}]
  schedule:
    - {alias: a, action: step, steps: 2}
    - {alias: b, action: step, steps: 0}
    - {alias: b, action: commit}
    - {alias: a, action: commit}
"""
)


def test_a_step_that_blocks_is_said_to_and_its_result_comes_later(server: Database) -> None:
    result = replayed(server, LOST, "read committed", attempts=5)
    assert (result.attempts, result.closed) == (5, 5)
    assert result.anomalies == {"G-single-item": 5, "lost-update": 5}
    waits, committed = result.log[3], result.log[4]
    assert (waits.alias, waits.step, waits.blocked, waits.waited_for) == ("b", 1, True, ("a",))
    assert (committed.alias, committed.action) == ("a", "commit")
    assert waits.result_after == 4
    # b's commit stands before a's in the schedule, but b had to wait for that one.
    assert (result.log[5].alias, result.log[5].held_back) == ("b", True)
    assert result.diverged == {"b commit was delayed: b was waiting for a lock": 5}


def test_a_serialization_failure_is_an_outcome(server: Database) -> None:
    result = replayed(server, LOST, "repeatable read", attempts=3)
    assert result.outcomes == {"a": {"ok": 3}, "b": {"40001": 3}}
    assert (result.closed, result.ended) == (0, "")
    assert result.log[3].code == "40001"
    assert "b was aborted at step 1 (40001)" in result.diverged


def test_the_victim_of_a_deadlock_is_an_outcome(server: Database) -> None:
    text = (
        HEAD
        + """\
  transactions: [{alias: a, txn: one_two}, {alias: b, txn: two_one}]
  schedule:
    - {alias: a, action: step}
    - {alias: b, action: step}
    - {alias: a, action: step}
    - {alias: b, action: step}
    - {alias: a, action: commit}
    - {alias: b, action: commit}
"""
    )
    result = replayed(server, text, "read committed", attempts=5)
    ends = [dict(each) for each in result.outcomes.values()]
    assert sum(each.get("40P01", 0) for each in ends) == 5
    assert sum(each.get("ok", 0) for each in ends) == 5
    assert result.log[2].waited_for == ("b",)


def test_three_sessions_give_the_same_every_time(server: Database) -> None:
    text = (
        HEAD
        + """\
  transactions: [{alias: a, txn: update}, {alias: b, txn: update}, {alias: c, txn: look}]
  schedule:
    - {alias: a, action: step, steps: 2}
    - {alias: b, action: step, steps: 2}
    - {alias: c, action: step}
    - {alias: a, action: commit}
    - {alias: c, action: step}
    - {alias: b, action: commit}
    - {alias: c, action: commit}
"""
    )
    assembled = read(text, "read committed")
    with playing(server, assembled) as player:
        prepared = player.prepare(assembled.workload)
        attempts = [prepared.run() for _ in range(30)]
    assert len({attempt.judgement_key for attempt in attempts}) == 1
    assert attempts[0].seen["b"] == (("r", 1, ()), ("append", 1, 2))


def test_rolled_back_as_asked(server: Database) -> None:
    text = HEAD + (
        "  transactions: [{alias: a, txn: update}, {alias: c, txn: look}]\n"
        "  schedule: [{alias: a, action: step, steps: 0}, {alias: a, action: rollback},\n"
        "    {alias: c, action: step, steps: 0}, {alias: c, action: commit}]\n"
    )
    result = replayed(server, text, "serializable")
    assert result.outcomes == {"a": {"ROLLBACK": 1}, "c": {"ok": 1}}
    assert result.diverged == {}
    assert [entry.saw for entry in result.log if entry.alias == "c"][:2] == [(), ()]


def test_what_is_left_open_is_finished_at_the_end(server: Database) -> None:
    text = HEAD + (
        "  transactions: [{alias: a, txn: update}, {alias: c, txn: look}]\n"
        "  schedule: [{alias: a, action: step}, {action: sleep, ms: 1}]\n"
    )
    result = replayed(server, text, "serializable")
    assert result.outcomes == {"a": {"ok": 1}, "c": {"ok": 1}}
    assert [(entry.alias, entry.action, entry.added) for entry in result.log] == [
        ("a", "step", False),
        (None, "sleep", False),
        ("a", "step", True),
        ("a", "commit", True),
        ("c", "step", True),
        ("c", "step", True),
        ("c", "commit", True),
    ]
    assert "the schedule leaves a unfinished: it was completed at the end" in result.diverged


def test_pauses_instead_of_a_schedule(server: Database) -> None:
    text = HEAD + (
        "  transactions: [{alias: a, txn: update}, {alias: b, txn: update}]\n  pause_after: {a: 1, b: 1}\n"
    )
    result = replayed(server, text, "read committed")
    assert [(entry.alias, entry.action) for entry in result.log] == [
        ("a", "step"), ("b", "step"), ("a", "step"), ("a", "commit"), ("b", "step"), ("b", "commit"),
    ]  # fmt: skip
    assert "lost-update" in result.anomalies


def test_a_statement_that_the_database_refuses_is_named(server: Database) -> None:
    text = HEAD + "  transactions: [{alias: a, txn: wrong}, {alias: b, txn: look}]\n"
    with pytest.raises(UsageError, match=r'rejects a at step 1: 42703 column "nothing" does not exist'):
        replayed(server, text, "serializable")


def test_a_schedule_that_cannot_go_on_ends_with_a_sentence(server: Database) -> None:
    """A stranger holds the lock, so nothing that the schedule does can free it."""
    assembled = read(LOST, "read committed")
    kind = Kind.LIST_APPEND
    with Replayer(server, kind, "read committed", limits=Limits(attempt_seconds=0.6)) as player:
        prepared = player.prepare(assembled.workload)
        key = next(iter(prepared.run().logical)) + 1  # that of the next attempt
        stranger = server.session(kind)
        stranger.begin("read committed")
        stranger.execute(BoundStep(Step("append"), "append", key, 99))
        started = time.monotonic()
        attempt = prepared.run()
        took = time.monotonic() - started
        stranger.rollback()
        stranger.close()
        again = prepared.run()
    assert attempt.ended == (
        "the schedule could not continue: 0.6 s passed while a waited at step 1 for another session, "
        "b waited at step 1 for a"
    )
    assert took < 5
    assert {each.type for each in attempt.outcomes.values()} == {"fail"}
    assert again.ended == ""
    assert not differences(
        recorded_history(attempt.operations), read_history_bytes(recorded_edn(attempt.operations))
    )
    history = recorded_history(attempt.operations)
    assert history.type.tolist() == [1, 1]


def test_it_can_be_broken_off(server: Database) -> None:
    stop = threading.Event()
    text = LOST.replace("  schedule:\n", "  schedule:\n    - {action: sleep, ms: 60000}\n")
    assembled = read(text, "read committed")
    threading.Timer(0.1, stop.set).start()
    started = time.monotonic()
    with Replayer(server, Kind.LIST_APPEND, "read committed", stop=stop) as player:
        follow_schedule(player, assembled.workload, "serializable", attempts=1000)
    assert time.monotonic() - started < 10


class Blind:
    """The same database without the gift of telling who waits."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def prepare(self, kind: Kind, *, fresh: bool) -> int:
        return self._database.prepare(kind, fresh=fresh)

    def insert_rows(self, kind: Kind, keys: range) -> None:
        self._database.insert_rows(kind, keys)

    def session(self, kind: Kind) -> Session:
        return self._database.session(kind)


def test_a_database_that_cannot_tell_waits_is_given_time(server: Database) -> None:
    assembled = read(LOST, "read committed")
    blind: Database = Blind(server)  # type: ignore[assignment]
    with Replayer(blind, Kind.LIST_APPEND, "read committed", limits=Limits(wait_seconds=0.3)) as player:
        result, _ = follow_schedule(player, assembled.workload, "serializable")
    assert result.closed == 1
    assert (result.log[3].blocked, result.log[3].waited_for) == (True, ())


def test_the_history_is_one_that_elle_reads(server: Database) -> None:
    assembled = read(LOST, "read committed")
    with playing(server, assembled) as player:
        _, recorded = follow_schedule(player, assembled.workload, "serializable", attempts=4)
    history = read_history_bytes(recorded_edn(recorded))
    assert len(history) == 4 * 3
    assert list(history.templates) == ["update", "final-read"]
    assert [each.index for each in recorded] == list(range(len(recorded)))
    assert not differences(recorded_history(recorded), history)


def test_the_server_says_who_waits(server: Database) -> None:
    waiting: Callable[[Sequence[Session]], Mapping[int, frozenset[int]]] = server.waiting  # type: ignore[attr-defined]
    kind = Kind.LIST_APPEND
    key = server.prepare(kind, fresh=False) + 5000
    server.insert_rows(kind, range(key, key + 1))
    sessions = [server.session(kind) for _ in range(3)]
    for session in sessions:
        session.begin("read committed")
    step = BoundStep(Step("append"), "append", key, 1)
    sessions[1].execute(step)
    assert waiting(sessions) == {}
    thread = threading.Thread(target=sessions[2].execute, args=(step,))
    thread.start()
    until = time.monotonic() + 10
    while not (told := waiting(sessions)):
        assert time.monotonic() < until
    assert told == {2: frozenset({1})}
    assert waiting([sessions[0], sessions[2]]) == {1: frozenset()}
    sessions[1].rollback()
    thread.join(10)
    assert waiting(sessions) == {}
    for session in sessions:
        session.close()


def test_execute_follows_a_replay(tmp_path: Path, txfuzz: Callable[..., Ran]) -> None:
    path = tmp_path / "replay.yaml"
    path.write_text(LOST)
    ran = txfuzz(
        "execute", "--config", path, "--out", "h.edn", "--isolation", "read committed", "--attempts", 3
    )
    assert ran.code == 0
    assert "append 1 2 waits for a …" in ran.out
    assert "lost-update in 3" in ran.out
    assert txfuzz("analyze", "h.edn", "--skip-graph").code == 1
    path.write_text(LOST.replace("{alias: b, action: commit}", "{alias: d, action: commit}"))
    ran = txfuzz("execute", "--config", path, "--out", "h.edn")
    assert (ran.code, ran.out) == (2, "")
    assert "replay.yaml:21:15: found the unknown alias 'd'" in ran.err
