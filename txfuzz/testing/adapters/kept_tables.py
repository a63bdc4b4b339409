"""What is used again and again: connections, tables that rest, rows that come back. Part of
ScenarioConformance."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from txfuzz.database.api import Capabilities, SessionError
from txfuzz.database.reuse import CanRest, KeepsPlans, KeepsSettings, RunsAfterReset
from txfuzz.database.scenario import (
    Rows,
    ScenarioSession,
    ScenarioTables,
)

PEOPLE = (
    "CREATE TABLE people (name varchar(40) PRIMARY KEY, age int, pay decimal(10, 2))",
    "INSERT INTO people VALUES ('ann', 30, 10.50), ('bob', NULL, NULL)",
)
CID = "INSERT INTO people VALUES ('cid', 5, 1)"


class KeptTablesChecks:
    outlives: ClassVar[tuple[str, ...]] = ()

    def test_connections_come_back_as_they_were(
        self,
        made: Callable[..., ScenarioTables],
        session_on: Callable[[ScenarioTables], ScenarioSession],
        can: Capabilities,
    ) -> None:
        if not self.outlives:
            pytest.skip("set `outlives`, if something of a session can outlive its transaction")
        tables = made(*PEOPLE)
        session = session_on(tables)
        for statement in self.outlives:
            for _ in range(2):
                tables.reset()
                session.begin(can.default_isolation)
                session.run(statement, {})
                session.commit()

    def test_settings_are_there_after_each_reset(
        self,
        made: Callable[..., ScenarioTables],
        session_on: Callable[[ScenarioTables], ScenarioSession],
        can: Capabilities,
    ) -> None:
        """Also where a statement has outlived its transaction, so that the connection is another one."""
        tables = made(*PEOPLE)
        session = session_on(tables)
        if not isinstance(session, KeepsSettings):
            pytest.skip("the sessions are no KeepsSettings")
        session.settle(("CREATE TEMPORARY TABLE kept (n int)", "INSERT INTO kept VALUES (7)"))
        for statement in ("SELECT name FROM people", *self.outlives, "SELECT name FROM people"):
            tables.reset()
            session.begin(can.default_isolation)
            session.run(statement, {})
            rows = session.run("SELECT n FROM kept", {}).rows
            session.commit()
            assert rows is not None
            assert rows.rows == ((7,),), statement

    def test_statements_answer_the_same_by_a_plan_that_is_kept(
        self,
        made: Callable[..., ScenarioTables],
        session_on: Callable[[ScenarioTables], ScenarioSession],
        can: Capabilities,
    ) -> None:
        """Also those that are refused, and also on another connection."""
        tables = made(*PEOPLE)
        session = session_on(tables)
        if not isinstance(session, KeepsPlans):
            pytest.skip("the sessions are no KeepsPlans")
        session.keep_plans()
        before = bag(tables.tables()["people"])
        for _ in range(3):
            tables.reset()
            session.begin(can.default_isolation)
            assert session.run("UPDATE people SET age = 31 WHERE name = 'ann'", {}).changed == 1
            rows = session.run("SELECT name FROM people WHERE age = 31", {}).rows
            assert rows is not None
            assert rows.rows == (("ann",),)
            assert session.run("SELECT name FROM people WHERE age = :age", {"age": 31}).rows == rows
            session.commit()
            assert bag(tables.tables()["people"]) != before
            for refused in ("INSERT INTO people VALUES ('ann', 1, 1)", "SELECT nothing FROM nowhere"):
                session.begin(can.default_isolation)
                with pytest.raises(SessionError):
                    session.run(refused, {})
                session.rollback()
            for statement in self.outlives:
                session.begin(can.default_isolation)
                session.run(statement, {})
                session.commit()
        tables.reset()
        assert bag(tables.tables()["people"]) == before

    def test_tables_that_rest_are_used_again(
        self, made: Callable[..., ScenarioTables], can: Capabilities
    ) -> None:
        tables = made(*PEOPLE)
        if not isinstance(tables, CanRest):
            pytest.skip("the tables are no CanRest")
        before = bag(tables.tables()["people"])
        for _ in range(3):
            with contextlib.closing(tables.session()) as session:
                session.begin(can.default_isolation)
                session.run(CID, {})
                session.commit()
            tables.rest()
            assert len(tables.tables()["people"].rows) == 3
            tables.rest()
            tables.reset()
            assert bag(tables.tables()["people"]) == before

    def test_statements_run_after_each_reset(self, made: Callable[..., ScenarioTables]) -> None:
        tables = made(*PEOPLE)
        if not isinstance(tables, RunsAfterReset):
            pytest.skip("the tables are no RunsAfterReset")
        before = bag(tables.tables()["people"])
        for _ in range(2):
            tables.reset_and_run((CID, "DELETE FROM people WHERE name = 'bob'"))
            assert sorted(row[0] for row in tables.tables()["people"].rows) == ["ann", "cid"]
        tables.reset()
        assert bag(tables.tables()["people"]) == before


def bag(rows: Rows) -> Counter[Any]:
    return Counter(tuple(map(str, row)) for row in rows.rows)
