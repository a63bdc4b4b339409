"""Tests of one session at a time, and of opening and closing."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from txfuzz.analysis.checker.consistency import implies, prohibited
from txfuzz.common.kind import Kind
from txfuzz.database.api import BoundStep, Capabilities, Database, Outcome
from txfuzz.errors import DatabaseUnavailable
from txfuzz.testing.adapters.subject import AdapterSubject
from txfuzz.testing.sessions import WRITE, Later, holding, plain, read, refusal, sessions, transact, write
from txfuzz.testing.subjects import check_identity
from txfuzz.transactions.model import Step

VALUES = (1, 2, 127, 2**31 - 1, 2**31, 2**53 + 1)
LONG = 400  # elements of a list, too many for a short column
EVIL = "update; DROP TABLE txfuzz; --"


class Disguised(int):
    """A number that prints as another, which would end up in SQL built from text."""

    def __str__(self) -> str:
        return "999"

    __repr__ = __str__

    def __format__(self, spec: str) -> str:
        return "999"


class ChecksOfOneSession(AdapterSubject):
    """One session at a time."""

    # -- description ----------------------------------------------------------------------

    def test_it_says_what_it_is(self, subject: Any, database: Database) -> None:
        check_identity(subject, "adapter")
        told = database.describe()
        for word in ("product", "version"):
            assert told.get(word), f"describe() lacks the {word}"
        for name, text in told.items():
            assert isinstance(name, str), f"describe() has the name {name!r}, expected text"
            assert isinstance(text, str), f"describe() has {text!r} as {name}, expected text"
        assert all(isinstance(said, str) for said in database.warnings()), "warnings() must return sentences"

    def test_its_capabilities_make_sense(self, can: Capabilities) -> None:
        assert isinstance(can, Capabilities), f"capabilities() returned {can!r}, expected txfuzz.Capabilities"
        assert can.default_isolation in can.isolation, (
            f"the default level {can.default_isolation!r} is not among {', '.join(can.isolation)}"
        )
        assert can.kinds, "it supports no kind of history"
        assert can.kinds <= set(Kind), f"kinds are {', '.join(map(repr, Kind))}"
        promises = list(can.isolation.items())
        for place, (level, model) in enumerate(promises):
            assert prohibited(model), f"{level!r} promises {model}, which no history contradicts"
            for stronger, its_model in promises[:place]:
                assert implies(model, its_model) or not implies(its_model, model), (
                    f"levels must go from weak to strong: {stronger!r} precedes {level!r} but promises more"
                )

    def test_a_server_that_is_not_there(self, subject: Any) -> None:
        """It raises DatabaseUnavailable, without the password."""
        if self.unreachable is None:
            pytest.skip("set `unreachable`: a URL with a password where no server listens")
        password = urlsplit(self.unreachable).password
        assert password, f"`unreachable` has no password: {self.unreachable}"
        with pytest.raises(DatabaseUnavailable) as told:
            subject.open(self.unreachable).close()
        assert password not in str(told.value), "the error for an unreachable server reveals the password"

    # -- beginning and end ------------------------------------------------------------------

    def test_opening_and_closing_leave_no_trace(
        self, subject: Any, can: Capabilities, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kind = min(can.kinds, key=str)
        for warm in (False, True):  # the first time may load things that stay
            before = held()
            if warm:
                monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
                monkeypatch.setenv("TMPDIR", str(tmp_path))
            with subject.open(self.url) as database:
                assert database.prepare(kind, fresh=False) == 0, (
                    "rows from an earlier opening are still there"
                )
                with sessions(database, kind, 3) as (one, two, _):
                    transact(one, can.default_isolation, write(kind, 1, 1))
                    two.begin(can.default_isolation)
            database.close()  # idempotent
            if warm:
                more = left_behind(before, self.patience / 4)
                assert not more, f"after close() there are {more}"
                files = sorted(path.name for path in tmp_path.rglob("*"))
                assert not files, f"after close() there are temporary files: {', '.join(files)}"

    def test_closing_a_session_gives_its_transaction_up(self, database: Database, can: Capabilities) -> None:
        for kind in can.kinds:
            database.prepare(kind, fresh=True)
            with sessions(database, kind, 2) as (gone, other):
                gone.begin(can.default_isolation)
                gone.execute(write(kind, 1, 1))
                gone.close()
                gone.close()  # never raises
                seen = Later(
                    lambda: transact(other, can.default_isolation, write(kind, 1, 2), read(1)),  # noqa: B023
                    self.patience,
                )
                assert plain(seen.result("a write to a key of a closed session")[0]) == holding(kind, 2), (
                    "a session was closed in mid-transaction, but its writes are visible"
                )

    def test_reset_leaves_an_empty_store(self, database: Database, can: Capabilities) -> None:
        for kind in can.kinds:
            database.prepare(kind, fresh=True)
            with sessions(database, kind, 1) as (session,):
                transact(session, can.default_isolation, write(kind, 3, 1), write(kind, 8, 2))
            database.insert_rows(kind, range(20, 23))
            assert database.prepare(kind, fresh=False) == 22, "prepare() does not return the highest key"
            with sessions(database, kind, 1) as (session,):
                seen = transact(session, can.default_isolation, read(3), read(8), read(22))
                assert list(map(plain, seen)) == [holding(kind, 1), holding(kind, 2), holding(kind)], (
                    "prepare(fresh=False) touched rows, or inserted rows are not empty"
                )
            assert database.prepare(kind, fresh=True) == 0, "prepare(fresh=True) leaves keys behind"
            with sessions(database, kind, 1) as (session,):
                seen = transact(session, can.default_isolation, read(3), read(8), read(22))
                assert list(map(plain, seen)) == [holding(kind)] * 3, "prepare(fresh=True) leaves rows behind"

    # -- one session --------------------------------------------------------------------------

    def test_own_writes_are_read_back(self, database: Database, can: Capabilities) -> None:
        for kind in can.kinds:
            for level in can.isolation:
                database.prepare(kind, fresh=True)
                with sessions(database, kind, 2) as (session, other):
                    steps = (read(1), write(kind, 1, 1), read(1), write(kind, 1, 2), read(1), read(2))
                    seen = list(map(plain, transact(session, level, *steps)))
                    told = [holding(kind), holding(kind, 1), holding(kind, 1, 2), holding(kind)]
                    assert seen == told, f"{level}: a transaction read {seen} of its own writes, not {told}"
                    assert plain(transact(other, level, read(1))[0]) == holding(kind, 1, 2), (
                        f"{level}: another session does not see what was committed"
                    )

    def test_values_round_trip(self, database: Database, can: Capabilities) -> None:
        for kind in can.kinds:
            database.prepare(kind, fresh=True)
            with sessions(database, kind, 1) as (session,):
                for key, value in enumerate(VALUES, 1):
                    transact(session, can.default_isolation, write(kind, key, value))
                    (seen,) = transact(session, can.default_isolation, read(key))
                    assert plain(seen) == holding(kind, value), f"{value} was written, but {seen!r} was read"
                far = 2**31 + 7
                transact(session, can.default_isolation, write(kind, far, 1))
                assert plain(transact(session, can.default_isolation, read(far))[0]) == holding(kind, 1), (
                    f"the key {far} is lost"
                )
                if kind is Kind.LIST_APPEND:
                    values = tuple(range(10**9, 10**9 + LONG))
                    transact(session, can.default_isolation, *(write(kind, 99, value) for value in values))
                    (seen,) = transact(session, can.default_isolation, read(99))
                    assert plain(seen) == values, f"a list of {LONG} elements is not read back in full"

    def test_a_rollback_has_no_effect(self, database: Database, can: Capabilities) -> None:
        for kind in can.kinds:
            database.prepare(kind, fresh=True)
            with sessions(database, kind, 2) as (session, other):
                for level in can.isolation:
                    session.rollback()  # harmless if none is open
                    session.begin(level)
                    session.execute(write(kind, 1, 1))
                    session.rollback()
                    assert plain(transact(other, level, read(1))[0]) == holding(kind), (
                        f"{level}: what was rolled back is visible"
                    )

    def test_a_batch_means_what_its_parts_mean(self, database: Database, can: Capabilities) -> None:
        kind = min(can.kinds, key=str)
        database.prepare(kind, fresh=True)
        with sessions(database, kind, 1) as (session,):
            together: Any = getattr(session, "execute_with", None)
            if together is None:
                pytest.skip("its sessions have no execute_with()")
            for level in can.isolation:
                database.prepare(kind, fresh=True)
                together(write(kind, 1, 1), begin=level, commit=True)
                together(read(1), begin=level, commit=False)
                together(write(kind, 1, 2), begin=None, commit=False)
                seen = together(read(1), begin=None, commit=True)
                assert plain(seen) == holding(kind, 1, 2), f"{level}: read {seen!r} in a batch"
                assert refusal(session.commit) is not None, f"{level}: a batch with COMMIT is still open"
                session.rollback()

    # -- SQL injection -----------------------------------------------------------------------

    def test_no_value_is_interpolated(self, database: Database, can: Capabilities) -> None:
        for kind in can.kinds:
            database.prepare(kind, fresh=True)
            with sessions(database, kind, 1) as (session,):
                step = BoundStep(Step(WRITE[kind]), WRITE[kind], Disguised(5), Disguised(7))
                said = refusal(lambda: transact(session, can.default_isolation, step))  # noqa: B023
                session.rollback()
                seen = transact(session, can.default_isolation, read(5), read(999))
                wanted = [holding(kind), holding(kind)] if said else [holding(kind, 7), holding(kind)]
                assert list(map(plain, seen)) == wanted, (
                    f"the value 7 and the key 5, which print as 999, were written as {seen}: numbers must be "
                    "sent as parameters, never as text in SQL"
                )

    def test_no_word_is_interpolated(self, database: Database, can: Capabilities) -> None:
        for kind in can.kinds:
            database.prepare(kind, fresh=True)
            with sessions(database, kind, 1) as (session,):
                transact(session, can.default_isolation, write(kind, 1, 1))
                session.begin(can.default_isolation)
                refused = refusal(lambda: session.execute(read(1, lock=EVIL)))
                session.rollback()
                assert refused is not None, f"the lock {EVIL!r} was accepted"
                assert refused.outcome is Outcome.BUG, (
                    f"an unknown lock is reported as {refused.outcome}, not as a bug"
                )
                assert _raises(lambda: session.begin(EVIL)), f"the isolation level {EVIL!r} was accepted"
                session.rollback()
                assert plain(transact(session, can.default_isolation, read(1))[0]) == holding(kind, 1)

    def test_every_lock_is_understood(self, database: Database, can: Capabilities) -> None:
        if not can.locks:
            pytest.skip("it has no locking reads (Capabilities.locks is empty)")
        for kind in can.kinds:
            database.prepare(kind, fresh=True)
            with sessions(database, kind, 1) as (session,):
                transact(session, can.default_isolation, write(kind, 1, 1))
                for lock in can.locks:
                    seen = transact(session, can.default_isolation, read(1, lock), read(2, lock))
                    assert list(map(plain, seen)) == [holding(kind, 1), holding(kind)], f"{lock}: {seen}"


def _raises(call: Callable[[], object]) -> bool:
    """Whether it raises any error."""
    try:
        call()
    except Exception:
        return True
    return False


def left_behind(before: dict[str, int], patience: float) -> str:
    """What has increased since, in words; empty if nothing has.

    patience: seconds to wait for resources to be released.
    """
    until = time.monotonic() + patience
    while True:
        now = held()
        more = [f"{now[what] - count} more {what}" for what, count in before.items() if now[what] > count]
        if not more or time.monotonic() > until:
            return ", ".join(more)
        time.sleep(0.02)


def held() -> dict[str, int]:
    """How many threads, open files and child processes this process has, if the system reports them."""
    found = {"threads": threading.active_count()}
    files = Path("/proc/self/fd")
    if files.is_dir():
        found["open files"] = len(os.listdir(files))
    children = list(Path("/proc/self/task").glob("*/children"))
    if children:
        found["child processes"] = sum(len(_words(path)) for path in children)
    return found


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:  # the thread has ended
        return []
