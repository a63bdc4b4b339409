"""The port to a database: what an adapter, a database and a session are.

An adapter is a frozen dataclass; its fields are the options that a workload may set under
`database:`. It opens a Database (a server, ours or somebody else's); a Database hands out
Sessions. A Session is one connection, driven by one client, and blocks. No database is named here.

Outcomes are three-valued, as in Jepsen: an error says whether the transaction certainly had
no effect (fail), may have had one (info), or whether the workload itself is wrong (bug).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType, TracebackType
from typing import Any, ClassVar, NamedTuple, Protocol, Self, runtime_checkable

from txfuzz.common.kind import Kind
from txfuzz.errors import DatabaseUnavailable
from txfuzz.transactions.model import Step


class Outcome(Enum):
    """What an error says about the transaction that met it."""

    FAIL = "fail"  # certainly no effect
    INFO = "info"  # unknown: it may have committed
    BUG = "bug"  # the workload asks for something that the database refuses for good


class SessionError(Exception):
    """A statement, BEGIN or COMMIT did not succeed.

    code: the database's own code (SQLSTATE for SQL databases), never parsed from message text.
    lost: the connection is gone and the session must be closed.
    The transaction is over or doomed in any case; the caller calls rollback() unless `lost`.
    """

    def __init__(self, outcome: Outcome, code: str, message: str, *, lost: bool = False) -> None:
        super().__init__(message)
        self.outcome = outcome
        self.code = code
        self.message = message
        self.lost = lost


class NoMoreSessions(DatabaseUnavailable):
    """The database takes no further session, by a limit that the message names.

    most: how many sessions it would take if nobody else had any.
    """

    def __init__(self, message: str, most: int) -> None:
        super().__init__(message)
        self.most = most


@dataclass(frozen=True)
class Capabilities:
    """What an adapter can do; the rest of the program adapts to it.

    isolation: the database's own words for its levels → the consistency model that each one
        promises, in Elle's words; in order from weak to strong.
    kinds: the kinds of history it can make.
    locks: the words that a reading step may carry as `lock`.
    sql: whether raw SQL steps are understood.
    dialects: whose SQL they may be written in beyond what all understand, by the names that
        templates ask for.
    lock_waits: whether it can tell that a session waits for a lock, and for whom.
    embedded: whether it can start a server of its own when no URL is given.
    faults: the abilities that faults may need of its databases (txfuzz.database.faults).
    savepoints: whether a transaction can go on after an error (GoesOn).
    modes: which of "read_only" and "deferrable" a transaction may be.
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


class BoundStep(NamedTuple):  # tens of thousands a second, which a frozen dataclass would be slow at
    """A step whose keys and values are chosen.

    f, key, value: the micro-operation (`r` has no value); None for a step that carries none or several.
    key is a physical key (see txfuzz.workload.keys). args: the parameters of a raw SQL step. mops: all
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
        """All that are known before it runs."""
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

        Where Capabilities.modes has them it takes `read_only=True` and `deferrable=True`, too.
        """

    def execute(self, step: BoundStep) -> ReadValue:
        """Run one micro-operation inside the transaction; what a read saw, None for anything else.

        A write that changed no row is an error (Outcome.BUG), never a success; a step that
        leaves the transaction ended, whatever the server said, is an error too.
        """

    def commit(self) -> None:
        """Commit. An error whose effect is uncertain is Outcome.INFO."""

    def rollback(self) -> None:
        """Give the transaction up; harmless when none is open."""

    def cancel(self) -> None:
        """Make a blocked call return with an error soon. Called from another thread; never raises."""

    def close(self) -> None:
        """Close the connection; never raises."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a raw statement came to.

    columns, rows: its result, cells as the driver gives them; no columns where it has none.
    changed: how many rows it has changed or found; None where the database does not count.
    decode: what a cell says that a read has selected; ValueError for what is no list, or no register.
    twice: whether it may count a row twice.
    """

    columns: tuple[str, ...] = ()
    rows: Sequence[Sequence[Any]] = ()
    changed: int | None = None
    decode: Callable[[Any], ReadValue] = lambda _: None
    twice: bool = False

    @property
    def count(self) -> int | None:
        """How many rows the statement was about."""
        return len(self.rows) if self.columns else self.changed


@runtime_checkable
class RunsSql(Protocol):
    """What the sessions of an adapter with `sql` offer besides."""

    def execute_sql(self, step: BoundStep) -> Answer:
        """Run one raw statement inside the transaction, its {table} and arguments filled in.

        What its rows mean is decided by the caller. A statement that begins or ends the transaction,
        or changes its level, is refused; one that leaves it ended is an error.
        """


@runtime_checkable
class GoesOn(Protocol):
    """What the sessions of an adapter with `savepoints` offer besides."""

    def rollback_to(self, savepoint: str) -> None:
        """After an error: undo what came after this savepoint, and go on with the transaction."""


class Batching(Protocol):
    """What a session may offer besides: BEGIN and COMMIT travel with a step, which saves round trips."""

    def execute_with(self, step: BoundStep, *, begin: str | None, commit: bool) -> ReadValue:
        """The same as begin(begin), execute(step) and commit(), in as few messages as may be.

        begin: the isolation level, where this is the first step. commit: whether it is the last one.
        Where COMMIT was sent with the step, losing the connection is Outcome.INFO, and so is an
        answer to the step that makes no sense: it has been committed.
        """


@runtime_checkable
class Patient(Protocol):
    """What a session may offer besides: it says what it waits for, so that one thread can drive many.

    Worth it where the driver is Python: a thread for each client costs about twice as much of the
    client's time. Sessions that do not offer it get a thread each.
    """

    def wait_with(self, wait: Callable[[int], None]) -> None:
        """From now on wait for answers by wait(file descriptor), which returns once it can be read.

        begin(), execute(), commit() and rollback() must wait in no other way, least of all for a
        lock: the client that holds it may be driven by the same thread.
        """


@runtime_checkable
class SeesWaits(Protocol):
    """What the Database of an adapter with `lock_waits` can do beside."""

    def waiting(self, sessions: Sequence[Session]) -> Mapping[int, frozenset[int]]:
        """Which of these sessions wait for a lock at this moment, and for whom.

        Sessions are named by their places; one that waits for none of the others (but for some
        stranger) has an empty set. Callable while the sessions are at work, from one thread.
        """


def waits_by_place(
    numbers: Mapping[int, int], among: Callable[[Sequence[int]], Mapping[int, frozenset[int]]]
) -> Mapping[int, frozenset[int]]:
    """The answer of SeesWaits.waiting(), from a server that knows sessions by numbers of its own.

    numbers: place of a session → the server's number of it. among: asks the server, in such numbers.
    """
    places = {number: place for place, number in numbers.items()}
    return {
        places[waits]: frozenset(places[other] for other in blockers if other in places)
        for waits, blockers in among(list(places)).items()
    }


@dataclass(frozen=True, slots=True)
class ScriptLine:
    """One statement of a reproducer, in the order in which it is issued.

    session: a label. action: step, commit or rollback. begins: the transaction begins before it.
    saw: what a read saw. blocked: it waits for a lock at first. code: how it fails, if it does.
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
    """A few transactions, statement by statement. keys: those that they touch; rows: those of them
    whose rows are there, and empty, before it begins. title: a line for comments."""

    title: str
    kind: Kind
    isolation: str
    lines: tuple[ScriptLine, ...]
    keys: tuple[int, ...]
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ScriptFile:
    """A file beside a finding. about: what it is, in a phrase for the list of files."""

    text: str
    about: str = "the same as SQL, to be typed by hand, one window per session"


@runtime_checkable
class WritesScripts(Protocol):
    """What a Database can do beside: put a reproducer into the words of its own tools."""

    def scripts(self, script: Script) -> Mapping[str, ScriptFile]:
        """Files by their names, for people who know the database and not this program.

        All are called `repro.…`; reports show the one called `repro.sql`.
        """

    def try_scripts(
        self, script: Script, scripts: Mapping[str, ScriptFile]
    ) -> tuple[Mapping[str, ScriptFile], str]:
        """Run what can be run by itself: further files, and a sentence about what came of it."""


class Database(Protocol):
    """A reachable server with a place of ours in it. A context manager: leaving it cleans up."""

    def describe(self) -> Mapping[str, str]:
        """What was found: product, version, settings that matter, a URL without password."""

    def warnings(self) -> tuple[str, ...]:
        """Sentences about settings that make the results slower or weaker."""

    def prepare(self, kind: Kind, *, fresh: bool) -> int:
        """Make the tables for this kind of history exist; drop them first when `fresh`.

        Returns the highest physical key present, 0 when there is none. The rows that are
        there are never touched.
        """

    def insert_rows(self, kind: Kind, keys: range) -> None:
        """Commit an empty row for each of these physical keys (never used before)."""

    def session(self, kind: Kind) -> Session:
        """A new connection; DatabaseUnavailable when there is none to be had (NoMoreSessions where the
        database could say that there are too many)."""

    def close(self) -> None:
        """Remove what is ours and stop what we started; idempotent."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


@runtime_checkable
class Embeds(Protocol):
    """What an adapter with `embedded` can do beside."""

    def servers(self) -> Sequence[str]:
        """Which servers it could start, in words, the one that it would start first."""


@runtime_checkable
class MakesRoom(Protocol):
    """What an adapter with `embedded` can do beside, where its server takes so many sessions only."""

    def with_room_for(self, clients: int) -> Adapter:
        """The same adapter, whose own server takes at least so many sessions and those of its own.

        Where an option of the adapter says how many there are to be, that is left as it is.
        """


@runtime_checkable
class Adapter(Protocol):
    """A way to reach one kind of database. Frozen dataclass; its fields are its options.

    One that is not for real work (a database for tests) may have the class attribute
    `only_by_name = True`: a workload that names no adapter never means it.
    """

    name: ClassVar[str]
    about: ClassVar[str]

    def capabilities(self) -> Capabilities:
        """Known without a connection."""

    def open(self, url: str | None) -> Database:
        """Connect to `url`, or start a server of our own when it is None.

        Raises DatabaseUnavailable (wrong password, refused, not installed; never naming a
        password) and UsageError for a URL that this adapter does not understand.
        """
