"""The interface to databases: adapters, databases and sessions.

An adapter is a frozen dataclass; its fields are the options that a workload may set under `database:`. It
opens a Database (a server, embedded or external), which creates Sessions. A Session is one blocking
connection, used by one client. No database is named here.

Outcomes are three-valued, as in Jepsen: an error says whether the transaction certainly had no effect
(fail), may have had one (info), or whether the workload itself is wrong (bug).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType, TracebackType
from typing import Any, ClassVar, NamedTuple, Protocol, Self, runtime_checkable

from txfuzz.common.kind import Kind
from txfuzz.database.endpoints import Endpoint, EndpointRole
from txfuzz.errors import DatabaseUnavailable
from txfuzz.transactions.model import Step


class Outcome(Enum):
    """What an error says about its transaction."""

    FAIL = "fail"  # certainly no effect
    INFO = "info"  # unknown: it may have committed
    BUG = "bug"  # the workload contains something that the database always rejects


class SessionError(Exception):
    """A statement, BEGIN or COMMIT did not succeed.

    code: the database's own code (SQLSTATE for SQL databases), never parsed from the message.
    lost: the connection is gone and the session must be closed.
    position: the character of the statement at which the database sees the error, from 1; 0 if it tells none.
    The transaction is over or doomed in any case; the caller calls rollback() unless `lost`.
    """

    def __init__(
        self, outcome: Outcome, code: str, message: str, *, lost: bool = False, position: int = 0
    ) -> None:
        super().__init__(message)
        self.outcome = outcome
        self.code = code
        self.message = message
        self.lost = lost
        self.position = position


class NoMoreSessions(DatabaseUnavailable):
    """The database accepts no further session because of a limit, named in the message.

    most: number of sessions that it would accept if there were no others.
    """

    def __init__(self, message: str, most: int) -> None:
        super().__init__(message)
        self.most = most


@dataclass(frozen=True)
class Capabilities:
    """What an adapter supports.

    isolation: the database's word for each level → the consistency model that it promises, in Elle's
        terms; from weak to strong.
    kinds: of histories that it can produce.
    locks: allowed values of `lock` in reading steps.
    sql: it accepts raw SQL steps.
    dialects: of raw SQL beyond the common part, by the names that templates use.
    lock_waits: it can tell which sessions wait for locks, and for whom (SeesWaits).
    embedded: it can start its own server if no URL is given.
    faults: abilities of its databases that faults may need (txfuzz.database.faults).
    savepoints: a transaction can continue after an error (GoesOn).
    modes: which of "read_only" and "deferrable" transactions may be.
    internal_errors: how the codes of errors begin that are the database's own fault.
    forms: for `r`, `append` and `w` the allowed values of `form` in steps: other ways to write the same
        statement. Without a form, the adapter's usual way.
    deleted_rows: its databases can delete rows (txfuzz.database.variations.DeletesRows).
    backslash_escapes: in strings of its SQL a backslash escapes what follows, and # begins a comment.
    endpoints: the roles of the places that transactions can go to, the one of Database.session() first
        (txfuzz.database.endpoints).
    """

    isolation: Mapping[str, str]
    default_isolation: str
    kinds: frozenset[Kind] = frozenset(Kind)
    locks: frozenset[str] = frozenset()
    sql: bool = False
    dialects: frozenset[str] = frozenset()
    lock_waits: bool = False
    embedded: bool = False
    faults: frozenset[str] = frozenset()
    savepoints: bool = False
    modes: frozenset[str] = frozenset()
    backslash_escapes: bool = False
    internal_errors: frozenset[str] = frozenset()
    endpoints: Mapping[str, EndpointRole] = field(default_factory=dict)
    forms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    deleted_rows: bool = False


class BoundStep(NamedTuple):  # made tens of thousands of times per second: dataclasses are slower
    """A step whose keys and values are chosen.

    f, key, value: the micro-operation (`r` has no value); None for a step with none or several. key is a
    physical key (see txfuzz.workload.keys). args: the parameters of a raw SQL step. mops: all
    micro-operations of a raw SQL step that are known before it runs, as (f, key, value).
    """

    step: Step
    f: str | None
    key: int | None = None
    value: int | None = None
    args: Mapping[str, int] = MappingProxyType({})
    mops: tuple[tuple[str, int, int | None], ...] = ()

    @property
    def micro_operations(self) -> tuple[tuple[str, int | None, int | None], ...]:
        """All micro-operations that are known before it runs."""
        if self.mops or self.f is None or (self.key is None and self.step.keys_returned):
            return self.mops
        return ((self.f, self.key, self.value),)


# What a read saw: the list (list-append), the value (rw-register), or None for an absent
# register. An absent list is the empty tuple.
ReadValue = tuple[int, ...] | int | None


class Session(Protocol):
    """One connection, used by one thread at a time. Every method but cancel() may raise SessionError."""

    def begin(self, isolation: str) -> None:
        """Start a transaction at this isolation level (the database's word for it).

        It also accepts `read_only=True` and `deferrable=True` if Capabilities.modes has them.
        """

    def execute(self, step: BoundStep) -> ReadValue:
        """Run one micro-operation inside the transaction; the value of a read, else None.

        A write that changed no row is an error (Outcome.BUG), never a success. A step that ends the
        transaction is an error, too, whatever the server replied.
        """

    def commit(self) -> None:
        """Commit. An error whose effect is uncertain is Outcome.INFO."""

    def rollback(self) -> None:
        """Abort the transaction; harmless if none is open."""

    def cancel(self) -> None:
        """Make a blocked call return soon with an error. Called from another thread; never raises."""

    def close(self) -> None:
        """Close the connection; never raises."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a raw statement.

    columns, rows: as returned by the driver; no columns if there is no result set. changed: number of rows
    changed or found; None if the database does not count them. decode: parses a cell that a read selected;
    ValueError if it is not a list, or not a register. twice: it may count a row twice.
    """

    columns: tuple[str, ...] = ()
    rows: Sequence[Sequence[Any]] = ()
    changed: int | None = None
    decode: Callable[[Any], ReadValue] = lambda _: None
    twice: bool = False

    @property
    def count(self) -> int | None:
        """The number of rows found or changed."""
        return len(self.rows) if self.columns else self.changed


@runtime_checkable
class RunsSql(Protocol):
    """Additional methods of sessions if the adapter has `sql`."""

    def execute_sql(self, step: BoundStep) -> Answer:
        """Run one raw statement inside the transaction, with {table} and arguments filled in.

        The caller interprets its rows. A statement that would begin or end the transaction, or change its
        level, is rejected; one that leaves it ended is an error.
        """


@runtime_checkable
class GoesOn(Protocol):
    """Additional methods of sessions if the adapter has `savepoints`."""

    def rollback_to(self, savepoint: str) -> None:
        """After an error: undo everything since this savepoint and continue the transaction."""


class Batching(Protocol):
    """An optional method of sessions: sends BEGIN and COMMIT with a step, which saves round trips."""

    def execute_with(self, step: BoundStep, *, begin: str | None, commit: bool) -> ReadValue:
        """The same as begin(begin), execute(step) and commit(), in as few messages as possible.

        begin: the isolation level, for the first step. commit: this is the last step. If COMMIT was sent
        with the step, a lost connection is Outcome.INFO, and so is an invalid response to the step, which
        has been committed.
        """


@runtime_checkable
class Patient(Protocol):
    """An optional method of sessions: it says what it waits for, so that one thread can drive many.

    Worthwhile for drivers in Python: a thread for each client costs about twice as much CPU time. Sessions
    without it get a thread each.
    """

    def wait_with(self, wait: Callable[[int], None]) -> None:
        """From now on, wait for responses with wait(file descriptor), which returns when it is readable.

        begin(), execute(), commit() and rollback() must not wait in any other way, in particular not for
        locks: the client that holds one may be driven by the same thread.
        """


@runtime_checkable
class SeesWaits(Protocol):
    """Additional methods of a Database if the adapter has `lock_waits`."""

    def waiting(self, sessions: Sequence[Session]) -> Mapping[int, frozenset[int]]:
        """Which of these sessions are waiting for a lock, and for whom.

        Sessions are identified by index; one that waits only for other sessions has an empty set. May be
        called from one thread while the sessions are in use.
        """


def waits_by_place(
    numbers: Mapping[int, int], among: Callable[[Sequence[int]], Mapping[int, frozenset[int]]]
) -> Mapping[int, frozenset[int]]:
    """The result of SeesWaits.waiting() for a server with its own session numbers.

    numbers: index of a session → the server's number. among: queries the server, with its numbers.
    """
    places = {number: place for place, number in numbers.items()}
    return {
        places[waits]: frozenset(places[other] for other in blockers if other in places)
        for waits, blockers in among(list(places)).items()
    }


@dataclass(frozen=True, slots=True)
class ScriptLine:
    """One statement of a reproducer.

    session: a label. action: step, commit or rollback. begins: the transaction begins before it. saw: the
    value of a read. blocked: it first waits for a lock. code: the error code, if it fails.
    """

    session: str
    action: str
    step: BoundStep | None = None
    begins: bool = False
    saw: ReadValue = None
    blocked: bool = False
    code: str = ""


@dataclass(frozen=True)
class Script:
    """A few transactions, statement by statement. keys: that they touch; rows: keys with an empty row at
    the start. title: a line for comments. why: sentences that say why it is wrong, in which the transactions
    have the labels of the sessions."""

    title: str
    kind: Kind
    isolation: str
    lines: tuple[ScriptLine, ...]
    keys: tuple[int, ...]
    rows: tuple[int, ...]
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScriptFile:
    """A file of a finding. about: a phrase for the list of files."""

    text: str
    about: str = "the same as SQL, to be typed by hand, one window per session"


@runtime_checkable
class WritesScripts(Protocol):
    """An optional method of a Database: writes reproducers for its own tools."""

    def scripts(self, script: Script) -> Mapping[str, ScriptFile]:
        """Name → file, for people who know the database but not this program.

        All names begin with `repro.`; reports show `repro.sql`.
        """

    def try_scripts(
        self, script: Script, scripts: Mapping[str, ScriptFile]
    ) -> tuple[Mapping[str, ScriptFile], str]:
        """Run the scripts that can be run: further files, and a sentence about the result."""


class Database(Protocol):
    """A reachable server with a schema for us. A context manager that cleans up at the end."""

    def describe(self) -> Mapping[str, str]:
        """Product, version, relevant settings, and the URL without its password."""

    def warnings(self) -> tuple[str, ...]:
        """Sentences about settings that make runs slower or results weaker."""

    def prepare(self, kind: Kind, *, fresh: bool) -> int:
        """Create the tables for this kind of history if necessary; drop them first if `fresh`.

        Returns the highest physical key present, or 0. Existing rows are never touched.
        """

    def insert_rows(self, kind: Kind, keys: range) -> None:
        """Commit an empty row for each of these physical keys (never used before)."""

    def session(self, kind: Kind) -> Session:
        """A new connection. Raises DatabaseUnavailable (NoMoreSessions if there are too many)."""

    def close(self) -> None:
        """Remove what we created and stop what we started; idempotent."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


@runtime_checkable
class ReachesEndpoints(Protocol):
    """Additional methods of a Database if the adapter has `endpoints`."""

    def session_at(self, kind: Kind, endpoint: Endpoint) -> Session:
        """A new connection there, like Database.session(). The endpoint may move to another server (a
        failover), but an open session never does."""

    def settle(self, endpoints: Sequence[Endpoint]) -> None:
        """Wait until transactions at all these endpoints see everything that has been committed so far.

        Without it, what an earlier run left would be read. Raises DatabaseUnavailable if one does not catch
        up.
        """


@runtime_checkable
class Embeds(Protocol):
    """An additional method of adapters with `embedded`."""

    def servers(self) -> Sequence[str]:
        """Descriptions of the servers that it can start, the preferred one first."""


@runtime_checkable
class MakesRoom(Protocol):
    """An additional method of adapters with `embedded` whose server has a limit of sessions."""

    def with_room_for(self, clients: int) -> Adapter:
        """The same adapter, whose embedded server accepts at least this many sessions of clients.

        If an option of the adapter sets the limit, it stays as it is.
        """


@runtime_checkable
class Adapter(Protocol):
    """Access to one kind of database. A frozen dataclass whose fields are its options.

    An adapter for tests may have the class attribute `only_by_name = True`: workloads that name no adapter
    never use it.
    """

    name: ClassVar[str]
    about: ClassVar[str]

    def capabilities(self) -> Capabilities:
        """Known without a connection."""

    def open(self, url: str | None) -> Database:
        """Connect to `url`, or start an embedded server if it is None.

        Raises DatabaseUnavailable (wrong password, connection refused, not installed; the message contains
        no password) and UsageError for a URL that this adapter does not understand.
        """
