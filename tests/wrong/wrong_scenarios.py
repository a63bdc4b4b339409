"""Databases that hold scenarios, with one defect each, and the checks that must catch it. Run by
test_conformance.py."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from txfuzz.check.transaction import performed_once
from txfuzz.database.api import Outcome, SessionError
from txfuzz.database.scenario import Cell, ColumnFacts, Commit, Request, Rows, StatementAnswer
from txfuzz.testing import ScenarioConformance
from txfuzz_sqlite.adapter import SqliteAdapter
from txfuzz_sqlite.database import SqliteDatabase
from txfuzz_sqlite.files import new_database_file
from txfuzz_sqlite.scenario.sessions import SqliteAdoptedSession, SqliteScenarioSession
from txfuzz_sqlite.scenario.tables import SqliteScenario


class Tables(SqliteScenario):
    wrapped: ClassVar[Callable[[SqliteScenarioSession], Any]] = staticmethod(lambda session: session)

    def session(self) -> Any:
        return type(self).wrapped(super().session())


class Conformance(ScenarioConformance):
    """caught_by: the checks that must fail. tables: what is wrong."""

    patience = 1.0
    numbered = "id INTEGER PRIMARY KEY AUTOINCREMENT"
    caught_by: ClassVar[tuple[str, ...]]


def wrong(tables: type[SqliteScenario]) -> Any:
    class Database(SqliteDatabase):
        def scenario(self, setup: Sequence[str]) -> SqliteScenario:
            return tables(new_database_file(self._options.mode), self._options, setup)

    @dataclass(frozen=True)
    class Adapter(SqliteAdapter):
        def open(self, url: str | None) -> Any:
            return Database(self, new_database_file(self.mode), ours=True)

    return Adapter(mode="rollback-journal")


class TestForgetsNames(Conformance):
    caught_by = ("test_rows_are_shown_by_the_names_of_the_setup",)

    class Lower(Tables):
        def tables(self) -> Mapping[str, Rows]:
            return {name.replace(" ", "_"): rows for name, rows in super().tables().items()}

    adapter = wrong(Lower)


class TestAcceptsEverySetup(Conformance):
    caught_by = ("test_a_setup_that_is_refused_leaves_nothing",)

    class Lenient(Tables):
        def __init__(self, file: Any, options: Any, setup: Sequence[str]) -> None:
            super().__init__(file, options, [each for each in setup if "nowhere" not in each])

    adapter = wrong(Lenient)


class TestRestoresNothing(Conformance):
    caught_by = ("test_everything_is_restored", "test_what_is_kept_is_what_comes_back")

    class Lazy(Tables):
        def reset(self) -> None:
            pass

    adapter = wrong(Lazy)


class TestSeesNoClocks(Conformance):
    caught_by = ("test_clocks_and_numbers_are_known",)

    class Blind(Tables):
        def facts(self) -> ColumnFacts:
            return ColumnFacts()

    adapter = wrong(Blind)


@dataclass
class Session:
    """A session, or one that lets something go wrong."""

    real: SqliteScenarioSession

    def __getattr__(self, name: str) -> Any:
        if name in ("ask", "answered", "fileno"):  # else what goes wrong would be passed by
            raise AttributeError(name)
        return getattr(self.real, name)


class TestReplacesPercentSigns(Conformance):
    caught_by = ("test_values_arrive_as_they_are",)

    class Wrong(Tables):
        @dataclass
        class wrapped(Session):
            def run(self, sql: str, arguments: Mapping[str, Cell]) -> StatementAnswer:
                return self.real.run(sql.replace("%", "%%"), arguments)

    adapter = wrong(Wrong)


class TestBlamesNobody(Conformance):
    caught_by = ("test_errors_say_what_they_mean",)

    class Wrong(Tables):
        @dataclass
        class wrapped(Session):
            def run(self, sql: str, arguments: Mapping[str, Cell]) -> StatementAnswer:
                try:
                    return self.real.run(sql, arguments)
                except SessionError as error:
                    raise SessionError(Outcome.FAIL, error.code, error.message) from None

    adapter = wrong(Wrong)


class TestSeesNoWaits(Conformance):
    caught_by = (
        "test_whoever_waits_is_known_and_can_be_cancelled",
        "test_connections_of_others_are_sessions_too",
    )

    class Blind(Tables):
        def waiting(self, sessions: Sequence[Any]) -> Mapping[int, frozenset[int]]:
            return {}

    adapter = wrong(Blind)


class TestKnowsNoErrorsOfOthers(Conformance):
    caught_by = ("test_connections_of_others_are_sessions_too",)

    class Wrong(Tables):
        def adopt(self, connection: Any) -> SqliteAdoptedSession:
            adopted = super().adopt(connection)
            adopted.code = lambda error: ""  # type: ignore[method-assign]
            return adopted

    adapter = wrong(Wrong)


class TestCommitsEachStatement(Conformance):
    """So nothing is a transaction."""

    caught_by = ("test_what_a_level_promises_holds_in_every_schedule",)

    class Wrong(Tables):
        @dataclass
        class wrapped(Session):
            def begin(self, isolation: str, **modes: bool) -> None:
                pass

            def commit(self) -> None:
                pass

    adapter = wrong(Wrong)


class TestDoesSomethingElseEachTime(Conformance):
    caught_by = ("test_the_same_schedules_come_to_the_same",)

    class Wrong(Tables):
        begun: ClassVar[list[str]] = []

        def session(self) -> Any:
            session = super().session()
            ask = session.ask

            def sometimes(request: Request, along: int = 0) -> None:
                self.begun.extend(["again"] * isinstance(request, Commit))
                if isinstance(request, Commit) and len(self.begun) % 7 == 0:
                    raise SessionError(Outcome.FAIL, "SQLITE_BUSY", "chance")
                ask(request, along)

            session.ask = sometimes
            return session

    adapter = wrong(Wrong)


class TestMovesNoNumbers(Conformance):
    caught_by = ("test_numbers_are_moved_once",)

    class Wrong(Tables):
        moves_numbers = True

        def reset_numbers_moved(self) -> None:
            self.reset()

    adapter = wrong(Wrong)


class TestKeepsWhatBelongsToAConnection(Conformance):
    """SQLite itself does: a temporary table is there until its connection is closed."""

    caught_by = ("test_connections_come_back_as_they_were",)
    outlives = ("CREATE TEMPORARY TABLE mine (n int)",)
    adapter = wrong(Tables)


class TestForgetsSettings(Conformance):
    caught_by = ("test_settings_are_there_after_each_reset",)

    class Wrong(Tables):
        @dataclass
        class wrapped(Session):
            def settle(self, settings: Sequence[str]) -> None:
                for each in settings:
                    self.real.run(each, {})

        def session(self) -> Any:
            self.last = super().session()
            return self.last

        def reset(self) -> None:
            super().reset()
            self.last.real.run("DELETE FROM kept", {})

    adapter = wrong(Wrong)


class TestKeepsAnswersInPlaceOfPlans(Conformance):
    caught_by = ("test_statements_answer_the_same_by_a_plan_that_is_kept",)

    class Wrong(Tables):
        @dataclass
        class wrapped(Session):
            answers: dict[str, StatementAnswer] | None = None

            def keep_plans(self) -> None:
                self.answers = {}

            def run(self, sql: str, arguments: Mapping[str, Cell]) -> StatementAnswer:
                if self.answers is None:
                    return self.real.run(sql, arguments)
                if sql not in self.answers:
                    self.answers[sql] = self.real.run(sql, arguments)
                return self.answers[sql]

    adapter = wrong(Wrong)


class TestNeverWakesUp(Conformance):
    caught_by = ("test_tables_that_rest_are_used_again",)

    class Wrong(Tables):
        def rest(self) -> None:
            self._control.close()

    adapter = wrong(Wrong)


class TestRunsWithoutReset(Conformance):
    caught_by = ("test_statements_run_after_each_reset",)

    class Wrong(Tables):
        def reset_and_run(self, statements: Sequence[str]) -> None:
            for each in statements:
                self._control.execute(each)

    adapter = wrong(Wrong)


class TestCountsNothingLater(Conformance):
    caught_by = ("test_answers_that_come_later_are_the_same",)

    class Wrong(Tables):
        @dataclass
        class wrapped(Session):
            def __post_init__(self) -> None:
                self._readable, self._written = os.pipe()
                os.write(self._written, b".")

            def begin(self, isolation: str, **modes: bool) -> None:
                self.real.begin(isolation, **modes)

            def run(self, sql: str, arguments: Mapping[str, Cell]) -> StatementAnswer:
                return self.real.run(sql, arguments)

            def commit(self) -> None:
                self.real.commit()

            def rollback(self) -> None:
                self.real.rollback()

            def cancel(self) -> None:
                self.real.cancel()

            def close(self) -> None:
                os.close(self._readable)
                os.close(self._written)
                self.real.close()

            def ask(self, request: Request, along: int = 0) -> None:
                self._answer = replace(performed_once(request, self.real), changed=None)

            def answered(self) -> StatementAnswer | None:
                return self._answer

            def fileno(self) -> int:
                return self._readable

    adapter = wrong(Wrong)
