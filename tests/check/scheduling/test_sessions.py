"""Actors without threads do what the same ones do in threads, on sessions with locks of a dictionary."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from random import Random

import pytest

from txfuzz.check.scheduling.schedule import Abandoned, follow_schedule
from txfuzz.check.scheduling.sessions import SessionActors
from txfuzz.check.scheduling.threads import run_schedule
from txfuzz.check.scheduling.trace import Ended, Trace
from txfuzz.check.serial.outcome import CallOutcome, Ending
from txfuzz.check.transaction import SqlCall, SqlTransaction
from txfuzz.database.api import Outcome, SessionError
from txfuzz.database.scenario import Begin, Cell, Commit, Request, Rollback, Run, StatementAnswer
from txfuzz.transactions.model import Step, Transaction

RETRIED = frozenset({"again"})


class Rowlocks:
    """Statements take locks by name, "fail" and "again" are errors, "lose" loses the connection. Who closes a
    circle is refused."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.holders: dict[str, LockSession] = {}
        self.queues: defaultdict[str, list[LockSession]] = defaultdict(list)
        self.log: list[str] = []

    def waits_for(self, session: LockSession) -> LockSession | None:
        return self.holders.get(session.wanted) if session.wanted else None

    def would_wait_for_itself(self, session: LockSession, lock: str) -> bool:
        other = self.holders.get(lock)
        while other is not None and other is not session:
            other = self.waits_for(other)
        return other is session

    def let_go(self, session: LockSession) -> None:
        for lock, holder in list(self.holders.items()):
            if holder is session:
                del self.holders[lock]
                if self.queues[lock]:
                    following = self.queues[lock].pop(0)
                    self.holders[lock], following.wanted = following, ""
                    following.answer(StatementAnswer(changed=1))
        self.changed.notify_all()


class LockSession:
    """Blocks, or answers later."""

    def __init__(self, name: str, locks: Rowlocks) -> None:
        self.name, self._locks, self.wanted = name, locks, ""
        self._answer: StatementAnswer | SessionError | None = None
        self._read, self._write = os.pipe()
        self.hangs = False
        self.along: list[int] = []

    def fileno(self) -> int:
        return self._read

    def answer(self, answer: StatementAnswer | SessionError) -> None:
        self._answer = answer
        os.write(self._write, b".")

    def ask(self, request: Request, along: int = 0) -> None:
        self.along.append(along)
        with self._locks.changed:
            match request:
                case Run():
                    self._run(request.sql)
                case Begin():
                    self.answer(StatementAnswer())
                case Commit() | Rollback():
                    self._locks.log.append(f"{self.name} {type(request).__name__}")
                    self.answer(StatementAnswer())
                    self._locks.let_go(self)

    def _run(self, sql: str) -> None:
        locks = self._locks
        locks.log.append(f"{self.name} {sql}")
        holder = locks.holders.get(sql)
        if sql in ("fail", "again", "lose"):
            self.answer(SessionError(Outcome.FAIL, sql, "", lost=sql == "lose"))
            if sql == "lose":
                locks.let_go(self)
        elif sql == "hang":
            self.hangs = True
        elif holder in (None, self):
            locks.holders[sql] = self
            self.answer(StatementAnswer(changed=1))
        elif locks.would_wait_for_itself(self, sql):
            self.answer(SessionError(Outcome.FAIL, "circle", ""))
        else:
            self.wanted = sql
            locks.queues[sql].append(self)

    def answered(self) -> StatementAnswer | None:
        with self._locks.changed:
            answer, self._answer = self._answer, None
        if answer is not None:
            os.read(self._read, 1)
        if isinstance(answer, SessionError):
            raise answer
        return answer

    def _await(self, request: Request) -> StatementAnswer:
        self.ask(request)
        while (answer := self.answered()) is None:
            time.sleep(20e-6)
        return answer

    def begin(self, isolation: str, *, read_only: bool = False, deferrable: bool = False) -> None:
        self._await(Begin(isolation))

    def run(self, sql: str, arguments: Mapping[str, Cell]) -> StatementAnswer:
        return self._await(Run(sql))

    def commit(self) -> None:
        self._await(Commit())

    def rollback(self) -> None:
        self._await(Rollback())

    def cancel(self) -> None:
        with self._locks.changed:
            if self.hangs:
                self.hangs = False
                self.answer(SessionError(Outcome.FAIL, "cancelled", ""))

    def close(self) -> None:
        os.close(self._read)
        os.close(self._write)


def calls(*bodies: Sequence[str], retry: int = 0) -> list[SqlCall]:
    return [
        SqlTransaction(Transaction(name, tuple(Step(None, sql=each) for each in body), retry=retry)).call(
            name, {}, "any"
        )
        for name, body in zip("abc", bodies, strict=False)
    ]


def followed(
    made: Sequence[SqlCall], schedule: Sequence[str], *, threads: bool, seconds: float = 5.0
) -> tuple[Trace, list[str], dict[str, list[int]]]:
    locks = Rowlocks()
    sessions = {each.label: LockSession(each.label, locks) for each in made}

    def waits(names: Sequence[str]) -> Mapping[str, frozenset[str]]:
        with locks.changed:
            found = {name: locks.waits_for(sessions[name]) for name in names}
        return {name: frozenset({other.name}) for name, other in found.items() if other is not None}

    try:
        if threads:
            bodies = {each.label: each.body(sessions[each.label], RETRIED) for each in made}
            trace = run_schedule(
                bodies, schedule, waits, seconds=seconds, cancel=lambda name: sessions[name].cancel()
            )
        else:
            actors = SessionActors({each.label: each.steps(RETRIED) for each in made}, sessions)
            trace = follow_schedule(actors, tuple(sessions), schedule, waits, seconds=seconds)
        return trace, locks.log, {name: each.along for name, each in sessions.items()}
    finally:
        for each in sessions.values():
            each.close()


def seen(trace: Trace, log: list[str]) -> tuple[object, ...]:
    ended = {name: (each.value, repr(each.error)) for name, each in trace.ended.items()}
    return trace.steps, ended, trace.stuck, log


def programs() -> Iterator[tuple[list[SqlCall], list[str]]]:
    random = Random(5)
    for number in range(150):
        sessions = random.choice((2, 2, 3))
        words = ["x", "y", "x", "y", "z", random.choice(("fail", "again", "z", "lose"))]
        bodies = [random.choices(words, k=random.randint(1, 3)) for _ in range(sessions)]
        yield calls(*bodies, retry=number % 2), random.choices("abc"[:sessions], k=10)


def test_the_same_schedule_is_the_same_in_both_ways() -> None:
    waited, codes = 0, set[str]()
    for made, schedule in programs():
        in_threads, log, _ = followed(made, schedule, threads=True)
        without, other_log, _ = followed(made, schedule, threads=False)
        assert seen(in_threads, log) == seen(without, other_log), (made, schedule)
        waited += any(step.waited for step in without.steps)
        codes |= {each.value.code for each in without.ended.values() if isinstance(each.value, CallOutcome)}
    assert waited > 20
    assert codes == {"", "fail", "again", "lose", "circle"}


@pytest.mark.parametrize("threads", [True, False])
def test_what_hangs_is_cancelled_and_who_waits_at_a_point_is_let_go(threads: bool) -> None:
    trace, _, _ = followed(calls(("x", "hang"), ("y",)), "aa", threads=threads, seconds=0.2)
    assert trace.stuck == "it did not end within 0.2 s: a was at step 2 (hang), b was at step 1 (y)"
    outcome = trace.ended["a"].value
    assert (outcome.ending, outcome.code) == (Ending.ABORTED, "cancelled")
    assert isinstance(trace.ended["b"].error, Abandoned)


def test_what_a_session_does_alone_may_be_sent_together() -> None:
    made = calls(("x", "x"), ("y", "y"))
    _, _, along = followed(made, "aababb", threads=False)
    assert along["a"][0] == 2, "BEGIN may take two statements with it, before b begins"
    assert along["a"][3] == 0, "b is under way"
    assert along["b"][2] > 1, "a has ended"
    _, _, along = followed(made, "", threads=False)
    assert along["a"][0] > 2
    assert along["b"][0] > 2


class BufferedSession(LockSession):
    """What was sent together is answered together, up to an error: "again" is one the first time."""

    def __init__(self, name: str, locks: Rowlocks) -> None:
        super().__init__(name, locks)
        self._ahead, self._failed, self._refuses, self._unread = 0, False, 1, False
        self._came: list[StatementAnswer | SessionError] = []

    def ask(self, request: Request, along: int = 0) -> None:
        if self._ahead and not self._failed:
            self._ahead -= 1
            return
        together = (request, *request.then[:along])
        self._ahead, self._failed, self._came = len(together) - 1, False, []
        for each in together:
            if isinstance(each, Run) and each.sql == "again" and self._refuses:
                self._refuses -= 1
                self._came.append(SessionError(Outcome.FAIL, "again", ""))
                break
            self._came.append(StatementAnswer(changed=1))
        os.write(self._write, b".")
        self._unread = True

    def answered(self) -> StatementAnswer | None:
        if self._unread:
            os.read(self._read, 1)
            self._unread = False
        if not self._came:
            return None
        answer = self._came.pop(0)
        if isinstance(answer, SessionError):
            self._failed = True
            raise answer
        return answer


@pytest.mark.parametrize("body", [("x", "x"), ("again", "x", "x", "x")], ids=["all succeed", "once again"])
def test_an_answer_that_has_come_with_another_is_not_waited_for(body: tuple[str, ...]) -> None:
    [call] = calls(body, retry=1)
    session = BufferedSession("a", Rowlocks())
    with contextlib.closing(session):
        actors = SessionActors({"a": call.steps(RETRIED)}, {"a": session})
        began = time.monotonic()
        actors.begin("a")
        while (arrival := actors.arrived(2.0)) is not None and not isinstance(arrival.at, Ended):
            actors.go_on("a", 100)
        assert time.monotonic() - began < 1.0
        assert arrival is not None
        assert arrival.at.value.ending is Ending.COMMITTED
