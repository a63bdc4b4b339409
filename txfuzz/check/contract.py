"""What a check is about: transactions, invariants and tables, whether they are SQL or somebody's own code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from txfuzz.check.scheduling.threads import Body
from txfuzz.database.api import Database
from txfuzz.database.scenario import Cell, Rows, ScenarioSession, ScenarioTables

Arguments = Mapping[str, Cell]


class Call(Protocol):
    """One transaction of a program, with its arguments, at one isolation level.

    label: unique in its program. isolation: the database's word. points: the most switch points that it
    comes to, repeated attempts included.
    """

    @property
    def label(self) -> str: ...

    @property
    def isolation(self) -> str: ...

    @property
    def points(self) -> int: ...

    def at(self, isolation: str) -> Call:
        """The same at this level, whatever its own one is."""

    def body(self, session: ScenarioSession, retried: frozenset[str]) -> Body:
        """Its body returns a CallOutcome. retried: codes by which the database asks for another try."""


class CheckedTransaction(Protocol):
    """A transaction that is still to be given its arguments. params: names with the values to choose from."""

    @property
    def name(self) -> str: ...

    @property
    def params(self) -> tuple[tuple[str, tuple[Cell, ...]], ...]: ...

    def call(self, label: str, arguments: Arguments, isolation: str) -> Call:
        """isolation: unless the transaction has a level of its own."""


@runtime_checkable
class RunsCode(Protocol):
    """What a ScenarioSession can be beside: the thread in which somebody's code runs."""

    def where(self) -> str:
        """The line of that code that it is at, "app.py:12 (in book)"; empty where there is none."""

    def stands(self) -> object:
        """Where it is now, equal as long as it has not gone on; None where it waits for the database, which
        can be asked for what, or for us."""


class CheckedInvariant(Protocol):
    @property
    def name(self) -> str: ...

    def rows(self, tables: ScenarioTables) -> Rows:
        """Those that break it. Asked while no transaction is open."""


@dataclass(frozen=True)
class SqlInvariant:
    """sql: a query that returns no rows whenever no transaction is open."""

    name: str
    sql: str

    def rows(self, tables: ScenarioTables) -> Rows:
        return tables.query(self.sql)


@dataclass(frozen=True, slots=True)
class FunctionRows(Rows):
    """What a function that is an invariant has found. raised: the AssertionError that it has raised instead,
    in words."""

    function: str = ""
    raised: str = ""


@dataclass(frozen=True)
class CheckSubject:
    """What is to be checked, wherever it comes from: a scenario file, or Python code.

    make_tables: makes the tables, with their rows, on a database that is a HoldsScenarios. ignored:
    "table.column" of what is no evidence. source: the file, for messages.
    """

    name: str
    transactions: tuple[CheckedTransaction, ...]
    invariants: tuple[CheckedInvariant, ...]
    make_tables: Callable[[Database], ScenarioTables]
    ignored: frozenset[str] = frozenset()
    source: str = ""
