"""Tests of raw SQL, savepoints and transaction modes."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from txfuzz.database.api import Answer, BoundStep, Capabilities, Database, GoesOn, Outcome, RunsSql
from txfuzz.execution.transaction import begin
from txfuzz.testing.adapters.subject import AdapterSubject
from txfuzz.testing.sessions import holding, plain, read, refusal, sessions, transact, write
from txfuzz.transactions.model import Choice, Mode, Step

_ROWS = "SELECT key, val FROM {table} WHERE key = :k"
_REMOVE = "DELETE FROM {table} WHERE key = :k"


def _raw(sql: str, **args: int) -> BoundStep:
    step = Step(None, sql=sql, args=tuple((name, Choice((key,))) for name, key in args.items()))
    return BoundStep(step, None, args=args)


class ChecksOfSql(AdapterSubject):
    """Raw SQL, if Capabilities.sql is set, in statements that all SQL databases understand."""

    def test_raw_sql_says_what_it_found(self, database: Database, can: Capabilities) -> None:
        for kind in _kinds_in_sql(can):
            database.prepare(kind, fresh=True)
            with sessions(database, kind, 1) as (session,):
                assert isinstance(session, RunsSql), (
                    "sessions of an adapter with `sql` must have execute_sql()"
                )
                transact(session, can.default_isolation, write(kind, 1, 7))
                session.begin(can.default_isolation)
                found: Any = session.execute_sql(_raw(_ROWS, k=1))
                assert isinstance(found, Answer), f"execute_sql() returned {found!r}, expected an Answer"
                assert [name.lower() for name in found.columns] == ["key", "val"], found.columns
                ((key, cell),) = found.rows
                assert (int(key), plain(found.decode(cell))) == (1, holding(kind, 7)), (
                    f"{cell!r} is decoded wrongly"
                )
                absent = session.execute_sql(_raw(_ROWS, k=2))
                assert (absent.count, plain(absent.decode(None))) == (0, holding(kind)), (
                    "an absent row must have no value"
                )
                assert session.execute_sql(_raw(_REMOVE, k=2)).count == 0, (
                    "a delete counts a row that does not exist"
                )
                assert session.execute_sql(_raw(_REMOVE, k=1)).count == 1, (
                    "a delete does not count the row it deleted"
                )
                session.commit()
                assert plain(transact(session, can.default_isolation, read(1))[0]) == holding(kind)

    def test_raw_sql_stays_inside_its_transaction(self, database: Database, can: Capabilities) -> None:
        for kind in _kinds_in_sql(can):
            database.prepare(kind, fresh=True)
            with sessions(database, kind, 1) as (session,):
                assert isinstance(session, RunsSql), (
                    "sessions of an adapter with `sql` must have execute_sql()"
                )
                for sql in ("COMMIT", "ROLLBACK", "BEGIN"):
                    session.begin(can.default_isolation)
                    session.execute(write(kind, 1, 1))
                    refused = refusal(lambda: session.execute_sql(_raw(sql)))  # noqa: B023
                    session.rollback()
                    assert refused is not None, f"the step {sql} was run"
                    assert refused.outcome is Outcome.BUG, (
                        f"{sql} is reported as {refused.outcome}, not as a bug"
                    )
                assert plain(transact(session, can.default_isolation, read(1))[0]) == holding(kind)

    def test_a_transaction_goes_on_after_an_error(self, database: Database, can: Capabilities) -> None:
        if not can.savepoints:
            pytest.skip("no transaction continues after an error (Capabilities.savepoints is off)")
        for kind in _kinds_in_sql(can):
            database.prepare(kind, fresh=True)
            with sessions(database, kind, 1) as (session,):
                assert isinstance(session, GoesOn), (
                    "sessions of an adapter with `savepoints` must have rollback_to()"
                )
                assert isinstance(session, RunsSql), (
                    "sessions of an adapter with `sql` must have execute_sql()"
                )
                session.begin(can.default_isolation)
                session.execute(write(kind, 1, 1))
                session.execute_sql(_raw("SAVEPOINT here"))
                session.execute(write(kind, 2, 2))
                assert refusal(lambda: session.execute_sql(_raw("SELECT nothing FROM nowhere"))) is not None
                session.rollback_to("here")
                session.execute(write(kind, 3, 3))
                session.commit()
                seen = transact(session, can.default_isolation, read(1), read(2), read(3))
                assert list(map(plain, seen)) == [holding(kind, 1), holding(kind), holding(kind, 3)]

    def test_a_read_only_transaction_writes_nothing(self, database: Database, can: Capabilities) -> None:
        if "read_only" not in can.modes:
            pytest.skip("it has no read-only transactions (Capabilities.modes)")
        for kind in can.kinds:
            database.prepare(kind, fresh=True)
            with sessions(database, kind, 1) as (session,):
                begin(session, can.default_isolation, Mode(read_only=True))
                assert plain(session.execute(read(1))) == holding(kind)
                refused = refusal(partial(session.execute, write(kind, 1, 1)))
                session.rollback()
                assert refused is not None, "a read-only transaction wrote"
                transact(session, can.default_isolation, write(kind, 1, 1))  # the next one may


def _kinds_in_sql(can: Capabilities) -> list[Any]:
    if not can.sql:
        pytest.skip("it takes no raw SQL (Capabilities.sql is off)")
    return list(can.kinds)
