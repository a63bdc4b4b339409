"""The port for tables of somebody's own design: plain SQL on any schema, restored before every attempt.

Where txfuzz.database.api is about keys in tables that this program has made, this is about whatever the
user's own setup makes, and statements that nobody has to describe. What a database offers here is enough
to run a few transactions in a chosen order, again and again, and to see all that they can be seen by.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self, TypeVar, runtime_checkable

from txfuzz.database.api import SessionError

Result = TypeVar("Result")
# A cell as the driver gives it: None, bool, int, Decimal, str, bytes, a time, a list, a dict, a UUID, …
Cell = Any


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a result or of a table.

    ordered: the statement says in which order they come; else they are compared as a multiset.
    origins: for each column the "table.column" that it shows unchanged, None for what is computed; empty
        where the database does not tell.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    ordered: bool = False
    origins: tuple[str | None, ...] = ()

    def origin(self, column: int) -> str | None:
        return self.origins[column] if self.origins else None


@dataclass(frozen=True, slots=True)
class StatementAnswer:
    """rows: what the statement returned, None for one that returns none. changed: how many rows it changed,
    None where the database does not count."""

    rows: Rows | None = None
    changed: int | None = None


@dataclass(frozen=True, slots=True)
class Accesses:
    """What one step of a transaction has read and changed, as names that the database chooses.

    Two steps of different transactions that do not conflict give the same in either order: the same
    answers, the same rows, and nobody waits. Too many names only cost time; one too few loses schedules.
    """

    read: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()

    def conflicts(self, other: Accesses) -> bool:
        return bool(self.changed & other.changed or self.changed & other.read or self.read & other.changed)


@dataclass(frozen=True)
class ColumnFacts:
    """What the schema says of columns that no two runs fill alike.

    clocks: "table.column" of those with a default that a clock or chance gives. generated: "table.column" of
    those with generated identifiers, and of foreign keys to them → the column that generates them.
    """

    clocks: frozenset[str] = frozenset()
    generated: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """What a session is asked to do: one of the following. then: what is asked next, unless this or one of
    those is answered by an error; empty where that depends on the answers."""

    then: tuple[Request, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True, slots=True)
class Begin(Request):
    isolation: str
    read_only: bool = False
    deferrable: bool = False


@dataclass(frozen=True, slots=True)
class Run(Request):
    """One statement, with its :name placeholders."""

    sql: str
    arguments: Mapping[str, Cell] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Commit(Request): ...


@dataclass(frozen=True, slots=True)
class Rollback(Request): ...


class ScenarioSession(Protocol):
    """One connection; every method but cancel() and close() may raise txfuzz.SessionError."""

    def begin(self, isolation: str, *, read_only: bool = False, deferrable: bool = False) -> None: ...

    def run(self, sql: str, arguments: Mapping[str, Cell]) -> StatementAnswer:
        """Run one statement, with its :name placeholders bound."""

    def commit(self) -> None:
        """An error whose effect is uncertain is Outcome.INFO."""

    def rollback(self) -> None:
        """Harmless when no transaction is open."""

    def cancel(self) -> None:
        """Make a blocked call return soon. From another thread; never raises."""

    def close(self) -> None:
        """Never raises."""


@runtime_checkable
class AnswersLater(ScenarioSession, Protocol):
    """A ScenarioSession that can take a request and go on before the answer is there, so that one
    thread can serve several sessions, of which some wait. ask() and answered() may raise SessionError."""

    def ask(self, request: Request, along: int = 0) -> None:
        """As the method of that name. Not before the one before has been answered.

        along: so many of request.then may be sent along with it, to run only if all before them succeed.
        They are still asked, one after the other.
        """

    def answered(self) -> StatementAnswer | None:
        """To the last request; None as long as the answer is not there. To all but Run, it says nothing."""

    def fileno(self) -> int | None:
        """Of a socket that can be read when answered() is worth asking. None where nothing comes by itself:
        whatever does not have to wait is answered at once, all else when another session has gone on."""


class SentScript(NamedTuple):
    """Statements as one message to the database. unanswered: how many answers at its beginning are to BEGIN
    and its like, and so are not told."""

    text: bytes
    unanswered: int = 0


class SentAnswer(NamedTuple):
    """What one statement of a script came to, as the database has sent it: equal for equal answers, and made
    thousands of times a second. tag: its own word for what it did. columns: names and types. cells: None for
    NULL. code, message: of the error that ended the script."""

    tag: bytes
    columns: tuple[tuple[bytes, int], ...] = ()
    cells: tuple[tuple[bytes | None, ...], ...] = ()
    code: str = ""
    message: str = ""


@runtime_checkable
class SendsScripts(Protocol):
    """What a ScenarioSession can do beside: send, and go on before the answer is there, so that one thread
    can have several sessions at work in the same microseconds. send() and poll() may raise SessionError."""

    def script(self, statements: Sequence[str], *, begin: str = "") -> SentScript:
        """begin: the isolation level of a transaction that is begun before them; empty for none."""

    def send(self, script: SentScript) -> None:
        """Not before the answers to the one before have been taken."""

    def poll(self) -> tuple[SentAnswer, ...] | None:
        """The answers up to the end of the script, or up to an error; None as long as they are not there."""

    def fileno(self) -> int:
        """Of a socket that can be read when poll() is worth asking."""

    def answer(self, sent: SentAnswer) -> StatementAnswer:
        """As run() gives it; of one without an error."""


@runtime_checkable
class HasProcess(Protocol):
    """What a ScenarioSession can do beside."""

    def process(self) -> int | None:
        """The number of the process that serves it, where that runs on this machine and is ours to move from
        one processor to another, and to stop for a moment; else None."""


class AdoptedSession(Protocol):
    """A connection that somebody else uses: whom it waits for can be asked, and it can be cancelled.

    connection: the driver's. Called by the thread that uses it, but for cancel().
    """

    def begin_at(self, isolation: str) -> None:
        """Called before every statement: what begins with it is at this level, unless the code has chosen
        one itself. Harmless inside a transaction that has begun."""

    def run(self, call: Callable[[], Result], statement: str) -> Result:
        """What `call` returns, which runs this statement (or "COMMIT") with the driver. Where the driver
        itself would wait for a lock and nobody could see it, `call` is called again instead, when another
        session has gone on, and waiting() tells of it."""

    def code(self, error: BaseException) -> str:
        """The database's code of an error that the driver has raised; empty for any other error."""

    def leave(self) -> None:
        """Undo what adopting it and begin_at() have set, for whoever uses the connection afterwards. Called
        where no transaction is open; never raises."""

    def cancel(self) -> None:
        """Make a blocked call return soon. From another thread; never raises."""


class ScenarioTables(Protocol):
    """The tables of one scenario, in a schema of ours. A context manager: leaving it drops them.

    retried: the codes by which this database asks for another try (serialization failures, deadlocks).
    """

    @property
    def retried(self) -> frozenset[str]: ...

    def facts(self) -> ColumnFacts: ...

    def reset(self) -> None:
        """Every table as the setup has left it, sequences included."""

    def tables(self) -> Mapping[str, Rows]:
        """All rows of all tables, by the names that the setup gave them."""

    def query(self, sql: str) -> Rows:
        """What a query returns, outside of every transaction: invariants are asked so."""

    def session(self) -> ScenarioSession: ...

    def keep(self) -> None:
        """What is in the schema now, tables and rows, is what reset() restores from here on."""

    def url(self) -> str:
        """A database URL as SQLAlchemy reads it, with which code of the user's own gets to these tables by
        their plain names. It may hold a password."""

    def adopt(self, connection: Any) -> AdoptedSession:
        """The session behind a driver's connection that code of the user's own has opened to url()."""

    def waiting(self, sessions: Sequence[ScenarioSession | AdoptedSession]) -> Mapping[int, frozenset[int]]:
        """As txfuzz.database.api.SeesWaits: by place, those that wait for a lock → for which others."""

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...


@runtime_checkable
class SeesAccesses(Protocol):
    """What ScenarioTables can do beside."""

    def accesses(self, session: ScenarioSession | AdoptedSession) -> Accesses | None:
        """Those of the step that this session has just ended; None where the database cannot tell.

        Asked once after each step, while no session is in the middle of one. COMMIT is a step.
        """


@runtime_checkable
class ReversesRows(Protocol):
    """What ScenarioTables can do beside, where the order in which rows are stored can show in answers."""

    def reset_reversed(self) -> None:
        """As reset(), but for the order in which the rows of each table are stored."""


@runtime_checkable
class MovesNumbers(Protocol):
    """What ScenarioTables can do beside, where a rollback does not give back the numbers of sequences, so
    that the numbers that a transaction gets say nothing about the order of transactions."""

    @property
    def moves_numbers(self) -> bool:
        """Is there anything that gives out numbers?"""

    def reset_numbers_moved(self) -> None:
        """As reset(), but that sequences give out other numbers next, in the opposite direction where the
        database can do that."""


@runtime_checkable
class HoldsScenarios(Protocol):
    """What a Database can do beside."""

    def scenario(self, setup: Sequence[str]) -> ScenarioTables:
        """A schema of ours in which these statements have been run; SetupRefused where one is refused."""


@runtime_checkable
class WritesBegin(Protocol):
    """What a Database can do beside, for scripts that people type."""

    def begin_statements(
        self, isolation: str, *, read_only: bool = False, deferrable: bool = False
    ) -> tuple[str, ...]:
        """What begins a transaction at this level in the database's own tool."""


@runtime_checkable
class OwnsServer(Protocol):
    """What a Database can do beside, where it may have started its server itself."""

    def server_log(self) -> Path | None:
        """The file in which that server writes what happens to it; None for a server of somebody else."""

    def server_runs(self) -> bool:
        """Whether the process of that server is there."""


@dataclass(frozen=True, slots=True)
class PlayedStep:
    """A statement of a schedule as it was followed. action: "statement" or "commit". waits: it had to wait.
    failed: it ended the transaction with an error."""

    session: str
    action: str
    sql: str
    begins: bool
    waits: bool = False
    failed: bool = False


@dataclass(frozen=True, slots=True)
class PlayedSchedule:
    """title: one line. setup: makes the tables, with their rows. settings: of each session, when it opens."""

    title: str
    isolation: str
    setup: tuple[str, ...]
    settings: tuple[str, ...]
    steps: tuple[PlayedStep, ...]


@runtime_checkable
class WritesPlays(Protocol):
    """What a Database can do beside: write a schedule for tools of its own."""

    def plays(self, played: PlayedSchedule) -> Mapping[str, str]:
        """Name of a file → its text."""


class SetupRefused(SessionError):
    """The database refuses a statement of the setup."""

    def __init__(self, statement: str, error: SessionError) -> None:
        super().__init__(error.outcome, error.code, error.message, lost=error.lost, position=error.position)
        self.statement = statement


def run_setup(setup: Sequence[str], run: Callable[[str], object]) -> None:
    """For those who hold scenarios. run: runs one statement; it may raise SessionError."""
    for statement in setup:
        try:
            run(statement)
        except SessionError as error:
            raise SetupRefused(statement, error) from None


@runtime_checkable
class SeesTables(Protocol):
    """What an Adapter can do beside."""

    def existing(self, url: str) -> ScenarioTables:
        """The user's own tables, where connections to the URL find them by their plain names. They are
        neither made nor restored nor dropped here: keep() reads the schema again, reset() and close() leave
        them alone. Raises UsageError, DatabaseUnavailable."""
