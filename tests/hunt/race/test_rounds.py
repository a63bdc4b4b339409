"""Rounds on sessions that answer when the test says so."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from tests.hunt.samples import DELETE, INSERT, PRESENT, SELECT, UPDATE, program
from txfuzz.database.scenario import Rows, SentAnswer, SentScript, StatementAnswer
from txfuzz.errors import UsageError
from txfuzz.hunt.form import RowState
from txfuzz.hunt.race import rounds
from txfuzz.hunt.race.offsets import Timing
from txfuzz.hunt.race.race import Race
from txfuzz.hunt.race.rounds import RacedSession, RoundFailed, RoundRunner

SKEW = program((PRESENT, PRESENT), ((SELECT, 0), (UPDATE, 1)), ((SELECT, 1), (UPDATE, 0)))
Log = list[tuple[str, str]]
# What a script comes to: its answers, None to leave it without one for now
Server = Callable[[str, str], tuple[SentAnswer, ...] | None]


def done(name: str, script: str) -> tuple[SentAnswer, ...]:
    return tuple(SentAnswer(each.encode()) for each in script.split(";") if not each.startswith("BEGIN"))


class FakeSession:
    """Its socket can be read as soon as it has an answer."""

    def __init__(self, name: str, log: Log, server: Server) -> None:
        self.name, self._log, self._server = name, log, server
        self._ours, self._theirs = socket.socketpair()
        self._answers: tuple[SentAnswer, ...] | None = None
        self.cancelled = False
        self.pid: int | None = None

    def process(self) -> int | None:
        return self.pid

    def script(self, statements: Sequence[str], *, begin: str = "") -> SentScript:
        return SentScript(";".join([f"BEGIN {begin}", *statements] if begin else statements).encode())

    def send(self, script: SentScript) -> None:
        text = script.text.decode()
        self._log.append((self.name, text))
        answers = self._server(self.name, text)
        if answers is not None:
            self.answered(answers)

    def answered(self, answers: tuple[SentAnswer, ...]) -> None:
        self._answers = answers
        self._theirs.send(b"!")

    def poll(self) -> tuple[SentAnswer, ...] | None:
        if self._answers is None:
            return None
        self._ours.recv(1)
        answers, self._answers = self._answers, None
        return answers

    def fileno(self) -> int:
        return self._ours.fileno()

    def answer(self, sent: SentAnswer) -> StatementAnswer:
        raise NotImplementedError

    def cancel(self) -> None:
        self.cancelled = True
        self.answered((SentAnswer(b"", code="57014"),))

    def close(self) -> None:
        self._ours.close()
        self._theirs.close()

    begin = run = commit = rollback = close  # not for races


class FakeTables:
    def __init__(self, names: Sequence[str] = ("a", "b")) -> None:
        self.names, self.resets = names, 0

    def reset(self) -> None:
        self.resets += 1

    def tables(self) -> Mapping[str, Rows]:
        return {name: Rows(("k", "v"), ()) for name in self.names}


class Table:
    """A runner with what its sessions were sent."""

    def __init__(self, race: Race, server: Server = done, names: Sequence[str] = ("a", "b")) -> None:
        self.log: Log = []
        labels = [*race.program.labels, "control"]
        self.sessions = {label: FakeSession(label, self.log, server) for label in labels}
        self.tables: Any = FakeTables(names)
        raced: list[Any] = list(self.sessions.values())
        self.runner = RoundRunner(self.tables, [RacedSession(each) for each in raced], race, "high")


def test_each_is_brought_to_where_it_is_held_and_let_go_by_its_offset() -> None:
    table = Table(Race(SKEW, (2, 1)))
    result = table.runner.round(Timing((40e-6, 0.0)))
    assert table.log == [
        ("T1", "BEGIN high;SELECT v FROM a WHERE k = 1;UPDATE b SET v = 2 WHERE k = 1"),
        ("T2", "BEGIN high;SELECT v FROM b WHERE k = 1"),
        ("T2", "UPDATE a SET v = 8 WHERE k = 1"),
        ("T1", "COMMIT"),
        ("T2", "COMMIT"),
        (
            "control",
            "SELECT * FROM a;SELECT * FROM b;UPDATE a SET v = 0 WHERE k = 1;UPDATE b SET v = 0 WHERE k = 1",
        ),
    ]
    assert result.sent == (1, 0)
    assert [[sent.tag for sent in answers][-1] for answers in result.answers] == [b"COMMIT", b"COMMIT"]
    assert [len(answers) for answers in result.answers] == [3, 3]
    assert [sent.tag for sent in result.tables] == [b"SELECT * FROM a", b"SELECT * FROM b"]


def test_a_transaction_held_at_its_beginning_begins_with_the_race() -> None:
    table = Table(Race(SKEW, (0, 2)))
    table.runner.round(Timing((0.0, 0.0)))
    assert ("T1", "BEGIN high;SELECT v FROM a WHERE k = 1") in table.log
    assert table.log.index(("T2", "COMMIT")) > table.log.index(
        ("T1", "BEGIN high;SELECT v FROM a WHERE k = 1")
    )


def test_who_waits_for_a_lock_is_let_go_by_the_end_of_another() -> None:
    def server(name: str, script: str) -> tuple[SentAnswer, ...] | None:
        if (name, script[:6]) == ("T1", "UPDATE"):
            return None
        if (name, script) == ("T2", "COMMIT"):
            table.sessions["T1"].answered(done("T1", "UPDATE"))
        return done(name, script)

    table = Table(Race(SKEW, (1, 1)), server)
    result = table.runner.round(Timing((0.0, 0.0)))
    assert [name for name, script in table.log if script == "COMMIT"] == ["T2", "T1"]
    assert [len(answers) for answers in result.answers] == [3, 3]


@pytest.fixture
def signals(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What stop() and resume() are asked for."""
    sent: list[tuple[str, int]] = []
    monkeypatch.setattr(rounds, "stop", lambda process: sent.append(("stop", process)))
    monkeypatch.setattr(rounds, "resume", lambda process: sent.append(("resume", process)))
    return sent


@pytest.mark.parametrize("late", [False, True])
def test_one_is_stopped_until_the_others_have_answered(signals: list[tuple[str, int]], late: bool) -> None:
    def server(name: str, script: str) -> tuple[SentAnswer, ...] | None:
        if (name, script) == ("T1", "COMMIT"):
            return None  # stopped in the middle of it
        signals.append((f"{name} {script[:6]}", 0))
        return done(name, script)

    table = Table(Race(SKEW, (2, 1)), server)
    table.sessions["T1"].pid, table.sessions["T2"].pid = 11, 12
    original = rounds.resume

    def resume(process: int) -> None:
        original(process)
        table.sessions["T1"].answered(done("T1", "COMMIT"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rounds, "resume", resume)
        result = table.runner.round(Timing((0.0, 60e-6), 0, 30e-6, late))
    assert result.sent == (0, 1)
    last = ["resume", "T2 COMMIT"]
    between = [what for what, _ in signals if not what.endswith(("BEGIN ", "SELECT"))]
    assert between == ["stop", "T2 UPDATE", *(reversed(last) if late else last)]
    assert {process for what, process in signals if what in ("stop", "resume")} == {11}


def test_who_waits_for_the_one_that_is_stopped_lets_it_go_on(signals: list[tuple[str, int]]) -> None:
    def server(name: str, script: str) -> tuple[SentAnswer, ...] | None:
        return None if script in ("COMMIT", "UPDATE a SET v = 8 WHERE k = 1") else done(name, script)

    table = Table(Race(SKEW, (2, 1)), server)
    table.sessions["T1"].pid = 11
    patience = pytest.MonkeyPatch()
    with patience.context() as patch:
        patch.setattr(rounds, "_PATIENCE", 0.05)
        with pytest.raises(RoundFailed):
            table.runner.round(Timing((0.0, 0.0), 0, 0.0, True))
    assert signals == [("stop", 11), ("resume", 11)]


def test_a_transaction_that_is_refused_is_rolled_back() -> None:
    def server(name: str, script: str) -> tuple[SentAnswer, ...]:
        return (
            (SentAnswer(b"", code="40001"),) if (name, script[:6]) == ("T1", "UPDATE") else done(name, script)
        )

    table = Table(Race(SKEW, (1, 1)), server)
    first, second = table.runner.round(Timing((0.0, 0.0))).answers
    assert first[-1].code == "40001"
    assert len(second) == 3
    assert [name for name, script in table.log if script == "ROLLBACK"] == ["T1"]
    assert ("T1", "COMMIT") not in table.log


def test_transactions_that_wait_before_the_race_make_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "_BEFORE", 0.02)
    waits = [True]

    def server(name: str, script: str) -> tuple[SentAnswer, ...] | None:
        return None if name == "T2" and waits and waits.pop() else done(name, script)

    table = Table(Race(SKEW, (2, 2)), server)
    with pytest.raises(RoundFailed, match="one of its transactions waits for another") as failed:
        table.runner.round(Timing((0.0, 0.0)))
    assert not failed.value.lost
    assert table.sessions["T2"].cancelled
    assert [name for name, script in table.log if script == "ROLLBACK"] == ["T1", "T2"]
    assert table.tables.resets == 2  # in the beginning, and to go on
    table.runner.round(Timing((0.0, 0.0)))


def test_transactions_that_never_end_cost_their_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "_PATIENCE", 0.05)

    def server(name: str, script: str) -> tuple[SentAnswer, ...] | None:
        return None if script in ("COMMIT", "ROLLBACK") else done(name, script)

    with pytest.raises(RoundFailed) as failed:
        Table(Race(SKEW, (2, 2)), server).runner.round(Timing((0.0, 0.0)))
    assert failed.value.lost


@pytest.mark.parametrize(
    ("states", "fresh", "restored"),
    [
        ((PRESENT, RowState.ABSENT), False,
         "DELETE FROM a;DELETE FROM b;INSERT INTO a (k, v) VALUES (1, 0)"),
        ((RowState.ABSENT, RowState.ABSENT), True, "TRUNCATE TABLE a;TRUNCATE TABLE b"),
    ],
)  # fmt: skip
def test_rows_that_come_and_go_are_made_anew(
    states: tuple[RowState, ...], fresh: bool, restored: str
) -> None:
    small = program(states, ((SELECT, 0), (INSERT, 1)), ((SELECT, 1), (DELETE, 0)))
    table = Table(Race(small, (2, 2), fresh))
    table.runner.round(Timing((0.0, 0.0)))
    assert table.log[-1] == ("control", f"SELECT * FROM a;SELECT * FROM b;{restored}")


def test_tables_that_hold_more_than_the_keys_restore_themselves() -> None:
    table = Table(Race(SKEW, (2, 2)), names=("a", "a_log", "b"))
    table.runner.round(Timing((0.0, 0.0)))
    assert table.log[-1] == ("control", "SELECT * FROM a;SELECT * FROM a_log;SELECT * FROM b")
    assert table.tables.resets == 2


def test_a_session_that_cannot_send_ahead_cannot_race() -> None:
    plain: Any = object()
    with pytest.raises(UsageError, match="cannot send without waiting"):
        RacedSession(plain)
