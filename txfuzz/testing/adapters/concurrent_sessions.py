"""Tests of concurrent sessions."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from txfuzz.analysis.checker.consistency import prohibited
from txfuzz.analysis.result import Verdict
from txfuzz.common.kind import Kind
from txfuzz.database.api import (
    BoundStep,
    Capabilities,
    Database,
    Outcome,
    ReadValue,
    SeesWaits,
    Session,
    SessionError,
)
from txfuzz.testing.adapters.subject import AdapterSubject
from txfuzz.testing.scenarios import SCENARIOS, Scenario, forbidden, play, scenario
from txfuzz.testing.sessions import (
    SOON,
    Later,
    holding,
    plain,
    read,
    refusal,
    sessions,
    transact,
    write,
)
from txfuzz.testing.small_run import fuzzed, pressing

LOST_UPDATE = "lost-update"
TRIES = 6  # lost COMMITs, in both directions


class ChecksOfSeveralSessions(AdapterSubject):
    """Isolation, conflicts, lock waits and lost connections."""

    # -- isolation ----------------------------------------------------------------------------

    def test_each_level_keeps_its_promise(
        self, database: Database, can: Capabilities, levels: tuple[str, ...]
    ) -> None:
        """The classic interleavings, one by one."""
        for level in self.chosen(levels, can):
            for kind in can.kinds:
                for each in SCENARIOS:
                    self._keeps(database, each, kind, level, can.isolation[level])

    def test_many_clients_find_what_is_promised(
        self, database: Database, can: Capabilities, levels: tuple[str, ...]
    ) -> None:
        for level in self.chosen(levels, can):
            for kind in can.kinds:
                promised = can.isolation[level]
                summary, result, vacuous = fuzzed(database, pressing(kind), level, promised)
                assert summary.ok, f"{level}: none of {summary.asked} transactions committed"
                assert result.verdict is not Verdict.INVALID, (
                    f"{level} promises {promised}, but {kind.value} shows {', '.join(result.anomaly_types)}"
                )
                assert vacuous is None, f"{level}: {vacuous}"

    def test_weaker_levels_are_weaker(self, database: Database, can: Capabilities) -> None:
        if not self.shows:
            pytest.skip("there are no `shows` to check: set it, such as {'read committed': ('G2-item',)}")
        for level, anomalies in self.shows.items():
            for anomaly in anomalies:
                each = next(each for each in SCENARIOS if each.anomaly == anomaly)
                for kind in can.kinds:
                    found = play(database, each, kind, level, "serializable").anomalies
                    assert anomaly in found, (
                        f"{level} shows no {anomaly} in a {each.name}: is another level in force?"
                    )

    def _keeps(self, database: Database, each: Scenario, kind: Kind, level: str, promised: str) -> None:
        result = play(database, each, kind, level, promised)
        assert not result.ended, f"{level}: a {each.name} did not finish: {result.ended}"
        bad = forbidden(result, promised)
        assert not bad, f"{level} promises {promised}, but a {each.name} shows {', '.join(bad)}"

    # -- conflicts ----------------------------------------------------------------------------

    def test_a_write_conflict_is_a_failure(
        self, database: Database, can: Capabilities, levels: tuple[str, ...]
    ) -> None:
        """Two transactions read and write a key: one certainly has no effect, where that is forbidden."""
        asked = [each for each in self.chosen(levels, can) if LOST_UPDATE in prohibited(can.isolation[each])]
        if not asked:
            pytest.skip("lost updates are allowed here")
        for level in asked:
            for kind in can.kinds:
                result = play(database, scenario("lost update"), kind, level, can.isolation[level])
                ends = sorted(next(iter(ends)) == "ok" for ends in result.outcomes.values())
                assert ends != [True, True], (
                    f"{level}: two transactions read and wrote the same key, and both committed"
                )
                assert ends == [False, True], (
                    f"{level}: two transactions read and wrote the same key, and neither committed"
                )
                self._fails(database, kind, level)

    def _fails(self, database: Database, kind: Kind, level: str) -> None:
        """The same, to check the error itself."""
        with sessions(database, kind, 2) as (one, two):
            conflict = self._conflict(database, kind, level, one, two)
            assert conflict is not None, (
                f"{level}: two transactions read and wrote the same key, and neither failed"
            )
            error = conflict.error
            assert error.outcome is Outcome.FAIL, (
                f"{level}: a write conflict ({error.code}) is reported as {error.outcome}, not as a failure"
            )
            assert not error.lost, (
                f"{level}: a write conflict ({error.code}) is reported as a lost connection"
            )
            assert error.code, f"{level}: a write conflict has no code"

    def test_nothing_runs_once_a_transaction_has_failed(self, database: Database, can: Capabilities) -> None:
        """The server has ended it: later statements must not run on their own or in a new transaction."""
        level, model = list(can.isolation.items())[-1]
        if LOST_UPDATE not in prohibited(model):
            pytest.skip(f"no conflict is possible: {level}, its strongest level, allows lost updates")
        for kind in can.kinds:
            with sessions(database, kind, 3) as (one, two, other):
                conflict = self._conflict(database, kind, level, one, two)
                assert conflict is not None, (
                    f"{level}: two transactions read and wrote the same key, and neither failed"
                )
                self._over(conflict, other, kind, level)

    def test_nothing_runs_once_a_deadlock_has_been_broken(
        self, database: Database, can: Capabilities, levels: tuple[str, ...]
    ) -> None:
        """The same for the victim of a deadlock, which is possible at any level."""
        kind, broken = min(can.kinds, key=str), False
        for level in levels or can.isolation:
            with sessions(database, kind, 3) as (one, two, other):
                conflict = self._deadlock(database, kind, level, one, two)
                if conflict is not None:
                    broken = True
                    self._over(conflict, other, kind, level)
        if not broken:
            pytest.skip("writing two keys in opposite order causes no deadlock here")

    def _over(self, conflict: Conflict, other: Session, kind: Kind, level: str) -> None:
        """The loser's transaction is over, whatever it does next."""
        loser, code = conflict.loser, conflict.error.code
        refusal(lambda: loser.execute(write(kind, 3, 7)))
        committed = refusal(loser.commit)
        loser.rollback()
        conflict.finish()
        seen = plain(transact(other, level, read(3))[0])
        assert seen == holding(kind), f"{level}: {code} ended a transaction, but what it did next is visible"
        assert committed is not None, f"{level}: {code} ended a transaction, but then it committed"

    def _conflict(
        self, database: Database, kind: Kind, level: str, one: Session, two: Session
    ) -> Conflict | None:
        """Have both read and write key 1; the conflict, before any rollback."""
        self._begun(database, kind, level, one, two)
        for session in (one, two):
            session.execute(read(1))
        calls = []
        for value, session in enumerate((one, two), 1):
            calls.append((session, Later(_writing(session, kind, value), self.patience)))
            calls[-1][1].done(SOON)
        return self._failed(calls)

    def _deadlock(
        self, database: Database, kind: Kind, level: str, one: Session, two: Session
    ) -> Conflict | None:
        """Have both write keys 1 and 2 in opposite order; None if neither fails."""
        self._begun(database, kind, level, one, two)
        one.execute(write(kind, 1, 1))
        first = Later(lambda: two.execute(write(kind, 2, 2)), self.patience)
        if not first.done(SOON) or first.error is not None:
            return None  # one writer at a time: a deadlock is impossible
        calls = []
        for session, step in ((one, write(kind, 2, 1)), (two, write(kind, 1, 2))):
            calls.append((session, Later(_executing(session, step), self.patience)))
            calls[-1][1].done(SOON)
        return self._failed(calls)

    def _begun(self, database: Database, kind: Kind, level: str, *begun: Session) -> None:
        database.prepare(kind, fresh=True)
        database.insert_rows(kind, range(1, 4))
        for session in begun:
            session.begin(level)

    def _failed(self, calls: Sequence[tuple[Session, Later[None]]]) -> Conflict | None:
        """The first that fails; None if all succeed or time runs out."""
        until = time.monotonic() + self.patience
        while time.monotonic() < until:
            for session, call in calls:
                if isinstance(call.error, SessionError):
                    return Conflict(session, call.error, tuple(other for _, other in calls))
                if call.error is not None:
                    raise call.error
            if all(call.done(0.01) for _, call in calls):
                break
        return None

    # -- lost connections ---------------------------------------------------------------------

    def test_a_connection_lost_at_commit_is_unknown(self, database: Database, can: Capabilities) -> None:
        """Whether it committed is unknown, whichever way the message was lost."""
        kind, level = min(can.kinds, key=str), can.default_isolation
        database.prepare(kind, fresh=True)
        for key in range(1, TRIES + 1):
            with sessions(database, kind, 1) as (session,):
                session.begin(level)
                session.execute(write(kind, key, 1))
                self.cut_at_commit(database, session, Random(key))
                self._lost(key, session.commit)
            with sessions(database, kind, 1) as (session,):
                together: Any = getattr(session, "execute_with", None)
                if together is not None:
                    self.cut_at_commit(database, session, Random(key))
                    step = write(kind, TRIES + key, 1)
                    self._lost(key, lambda: together(step, begin=level, commit=True))  # noqa: B023
        with sessions(database, kind, 1) as (session,):
            seen = [plain(transact(session, level, read(key))[0]) for key in range(1, 2 * TRIES + 1)]
        assert all(each in (holding(kind), holding(kind, 1)) for each in seen), (
            f"neither committed nor rolled back as a whole: {seen}"
        )

    def _lost(self, key: int, commit: Callable[[], object]) -> None:
        error = refusal(commit)
        assert error is not None, "the connection was lost at COMMIT, but COMMIT succeeded"
        assert error.outcome is Outcome.INFO, (
            f"the connection was lost at COMMIT ({error.code}), which was reported as {error.outcome}, "
            "though it is unknown whether it committed"
        )
        assert error.lost, "the connection was lost at COMMIT, but the error does not say so (`lost`)"

    # -- side by side ---------------------------------------------------------------------------

    def test_two_sessions_are_concurrent(self, database: Database, can: Capabilities) -> None:
        """One begins, reads and commits while another transaction is open."""
        for kind in can.kinds:
            for level in can.isolation:
                database.prepare(kind, fresh=True)
                database.insert_rows(kind, range(1, 3))
                with sessions(database, kind, 2) as (one, two):
                    one.begin(level)
                    one.execute(read(1))
                    other = Later(lambda: transact(two, level, read(2), read(1)))  # noqa: B023
                    assert other.done(self.patience / 2), (
                        f"{level}: while one transaction has read, another cannot even read: sessions "
                        "are not concurrent"
                    )
                    other.result("a read")
                    one.commit()

    def test_lock_waits_are_reported(self, database: Database, can: Capabilities) -> None:
        if not can.lock_waits:
            pytest.skip("it cannot report lock waits (Capabilities.lock_waits)")
        assert isinstance(database, SeesWaits), (
            "Capabilities.lock_waits is set, but the database has no waiting()"
        )
        waited = False
        for level in can.isolation:
            with self._blocking(database, can, level) as (held_by, waiter, call):
                if call is None:
                    continue
                waited = True
                both = (held_by, waiter)
                _until(lambda: dict(database.waiting(both)), {1: frozenset({0})}, level, self.patience)  # noqa: B023
                assert dict(database.waiting([waiter])) == {0: frozenset()}, (
                    f"{level}: a session that waits for an unlisted one must be reported with an empty set"
                )
                held_by.commit()
                refusal(lambda: call.result("a write whose lock was released"))
                _until(lambda: dict(database.waiting(both)), {}, level, self.patience)  # noqa: B023
        assert waited, "Capabilities.lock_waits is set, but no write ever waits for another to the same key"

    def test_a_blocked_call_can_be_cancelled(self, database: Database, can: Capabilities) -> None:
        blocked = False
        for level in can.isolation:
            with self._blocking(database, can, level) as (held_by, waiter, call):
                if call is None:
                    continue
                blocked = True
                waiter.cancel()
                error = refusal(lambda: call.result("a cancelled call"))
                assert error is not None, f"{level}: a cancelled call succeeded"
                assert error.outcome is not Outcome.BUG, f"{level}: a cancelled call must not be a bug"
                held_by.commit()
        if not blocked:
            pytest.skip("no write waits for another one here")

    @contextmanager
    def _blocking(
        self, database: Database, can: Capabilities, level: str
    ) -> Iterator[tuple[Session, Session, Later[ReadValue] | None]]:
        """A session that has written key 1, one that tries to, and its call if that blocks."""
        kind = min(can.kinds, key=str)
        database.prepare(kind, fresh=True)
        database.insert_rows(kind, range(1, 3))
        with sessions(database, kind, 2) as (held_by, waiter):
            held_by.begin(level)
            waiter.begin(level)
            held_by.execute(write(kind, 1, 1))
            call = Later(lambda: waiter.execute(write(kind, 1, 2)), self.patience)
            yield held_by, waiter, None if call.done(SOON) else call
            held_by.rollback()


@dataclass(frozen=True)
class Conflict:
    """loser: the session whose transaction failed. calls: of both sessions."""

    loser: Session
    error: SessionError
    calls: tuple[Later[None], ...]

    def finish(self) -> None:
        """Once the loser has rolled back, the other session can finish."""
        for call in self.calls:
            assert call.done(call.patience), "a session still waits for one that has rolled back"


def _writing(session: Session, kind: Kind, value: int) -> Callable[[], None]:
    def write_and_commit() -> None:
        session.execute(write(kind, 1, value))
        session.commit()

    return write_and_commit


def _executing(session: Session, step: BoundStep) -> Callable[[], None]:
    def execute() -> None:
        session.execute(step)

    return execute


def _until(returned: Callable[[], object], wanted: object, level: str, patience: float) -> None:
    until = time.monotonic() + patience
    while (now := returned()) != wanted:
        assert time.monotonic() < until, f"{level}: waiting() returned {now}, expected {wanted}"
        time.sleep(0.005)
