"""What to ask of a database: templates, their mix, keys, isolation and scheduling, as values.

A Workload is immutable. The feedback loop makes the next one from it by adjustments
(txfuzz.feedback); the YAML form is read and written by txfuzz.workload.reading and .writing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from txfuzz.kind import Kind
from txfuzz.workload.reading_campaign import Campaign
from txfuzz.workload.replay import Replay
from txfuzz.workload.united import Keys, united


@dataclass(frozen=True, slots=True)
class Choice:
    """A key chosen uniformly when the transaction starts.

    keys: the logical keys to choose from, a tuple or an inclusive run as a `range`.
    name: other steps of the transaction refer to the chosen key by it (`as` in YAML).
    distinct_from: names of earlier choices of the transaction that this one must differ from.
    """

    keys: Keys
    name: str | None = None
    distinct_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ref:
    """The key that an earlier step of the transaction has chosen under this name."""

    name: str


@dataclass(frozen=True, slots=True)
class Returned:
    """What an earlier statement of the transaction has returned under this name (`returns` in YAML)."""

    name: str


@dataclass(frozen=True, slots=True)
class NewValue:
    """In the arguments of a raw SQL step: the unique value that the step writes."""


Key = Choice | Ref
Argument = Choice | Ref | Returned | NewValue


@dataclass(frozen=True, slots=True)
class MicroOperation:
    """What a raw statement does to one key, as an entry of its `elle` stanza says it.

    f: "r", "append" or "w". key: the name of the argument that is its key. value: the name of the
    argument that it writes. column: the result column that holds what a read saw; the first one where
    None. key_column: the result column that holds the key. Together with `key` it tells which row is
    this one's; alone it makes one micro-operation of every row that the statement returns.
    """

    f: str
    key: str | None = None
    value: str | None = None
    column: str | None = None
    key_column: str | None = None

    @property
    def writes(self) -> bool:
        return self.f != "r"


# What becomes of a transaction where a statement found so many rows, or met such an error.
ROW_RULES = ("ok", "empty", "skip", "stop", "abort")
ERROR_RULES = ("skip", "stop", "abort")


@dataclass(frozen=True, slots=True)
class RollbackTo:
    """After an error: roll back to this savepoint and go on with the next step."""

    savepoint: str


@dataclass(frozen=True, slots=True)
class Step:
    """One statement of a transaction. Hashable: sessions cache prepared statements by it.

    f: "r", "append" or "w"; None for a statement that the checker does not see.
    key: where f acts. For raw SQL it is the argument that the `elle` stanza names.
    lock: the adapter's word for a locking read ("update", "share", …).
    sql, args: a raw statement with {table} and :name placeholders.
    key_arg, value_arg: which arguments of raw SQL are the micro-operation's key and value.
    elle: all micro-operations of a raw statement that does more than one thing, or says more about
        it; f, key, key_arg and value_arg are then those of the one that weighs most (a write before a
        read). See `micro_operations`.
    harmless: the workload says that nobody can see what this raw statement changes (`elle: []`).
    own_table: a raw statement on a table of the workload's own: its keys are the logical ones.
    returns: names for later steps → the result columns whose first row they hold.
    rows: number of rows that a raw statement found → one of ROW_RULES.
    on_error: the database's code → one of ERROR_RULES, or a savepoint to roll back to.
    """

    f: str | None
    key: Key | Returned | None = None
    lock: str | None = None
    sql: str | None = None
    args: tuple[tuple[str, Argument], ...] = ()
    key_arg: str | None = None
    value_arg: str | None = None
    elle: tuple[MicroOperation, ...] = ()
    harmless: bool = False
    own_table: bool = False
    returns: tuple[tuple[str, str], ...] = ()
    rows: tuple[tuple[int, str], ...] = ()
    on_error: tuple[tuple[str, str | RollbackTo], ...] = ()

    @property
    def reads(self) -> bool:
        return self.f == "r" or any(each.f == "r" for each in self.elle)

    @property
    def writes(self) -> bool:
        return self.f in ("append", "w")

    @property
    def micro_operations(self) -> tuple[MicroOperation, ...]:
        """All of them. Arguments are those of a raw statement; a step of f and key has none."""
        if self.elle or self.f is None:
            return self.elle
        return (MicroOperation(self.f, self.key_arg, self.value_arg),)

    @property
    def keys_returned(self) -> bool:
        """Is a key of it what a statement returns, so that it is known only once that has run?"""
        if isinstance(self.key, Returned) or any(isinstance(arg, Returned) for _, arg in self.args):
            return True
        return any(each.key is None for each in self.elle)

    def key_terms(self) -> tuple[Key, ...]:
        """Every key expression of this step, in the order in which it is chosen."""
        own = (self.key,) if self.sql is None and isinstance(self.key, Choice | Ref) else ()
        return own + tuple(arg for _, arg in self.args if isinstance(arg, Choice | Ref))


@dataclass(frozen=True, slots=True)
class Mode:
    """How a transaction begins where it differs from the others of its workload.

    isolation: the database's own word for its level; None for that of the workload.
    """

    isolation: str | None = None
    read_only: bool = False
    deferrable: bool = False


@dataclass(frozen=True, slots=True)
class Transaction:
    """A named list of steps whose keys are still to be chosen."""

    name: str
    steps: tuple[Step, ...]
    mode: Mode = Mode()

    @property
    def writes(self) -> int:
        return sum(step.writes for step in self.steps)

    @property
    def reads(self) -> int:
        return sum(step.reads for step in self.steps)


@dataclass(frozen=True, slots=True)
class Weight:
    """How often a transaction is asked, relative to the others."""

    txn: str
    weight: float


@dataclass(frozen=True, slots=True)
class Named:
    """A plugin object by name, with the options that the workload sets on it."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """A fault by name, with its options and when it strikes, in seconds since the clients began.

    at: at these times, each once. every: again and again after so long, the first time included;
    times: at most so often. One of `at` and `every` is set.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    at: tuple[float, ...] = ()
    every: float | None = None
    times: int | None = None


@dataclass(frozen=True, slots=True)
class DatabaseSpec:
    """Which adapter, where, and at which isolation level (the database's own word for it)."""

    adapter: str | None = None
    isolation: str | None = None
    url: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scheduling:
    """How hard to press: concurrent clients, and when to stop.

    transactions: stop after so many have been asked; duration: or after so many seconds.
    Exactly one of them is set. barrier_every: all clients meet after every so many
    transactions of each, so that the next ones start together; 0 for never.
    """

    clients: int = 8
    transactions: int | None = 2000
    duration: float | None = None
    barrier_every: int = 0


@dataclass(frozen=True, slots=True)
class KeyLife:
    """How logical keys live: when one generation has had its share of writes, the next opens.

    writes: the share, counted in writes asked. rows: "fresh" rows come into being by the first
    write; "inserted" rows are committed before the generation is used.
    """

    writes: int = 32
    rows: str = "fresh"


@dataclass(frozen=True, slots=True)
class Workload:
    """What to ask, of what, how hard, and what the result is held against.

    expect: a consistency model in Elle's words; None for what the adapter says that the
        isolation level promises.
    analyzers, heuristics: None means all installed defaults.
    replay: an order of steps to follow instead of fuzzing.
    campaign: how it is to be run where nobody says otherwise.
    """

    name: str
    transactions: tuple[Transaction, ...]
    mix: tuple[Weight, ...]
    about: str = ""
    database: DatabaseSpec = DatabaseSpec()
    expect: str | None = None
    init_schema: bool = True
    seed: int = 0
    scheduling: Scheduling = Scheduling()
    keys: KeyLife = KeyLife()
    analyzers: tuple[Named, ...] | None = None
    heuristics: tuple[Named, ...] | None = None
    faults: tuple[FaultSpec, ...] = ()
    replay: Replay | None = None
    campaign: Campaign | None = None

    @property
    def kind(self) -> Kind:
        """rw-register when any step writes a register, list-append otherwise."""
        return kind_of(self.transactions)

    @property
    def own_lists(self) -> bool:
        """Does it write lists by SQL of its own, which may put a whole list in place of another?"""
        steps = (step for each in self.transactions for step in each.steps)
        return any(step.sql is not None and step.f == "append" for step in steps)

    @property
    def own_tables(self) -> bool:
        """Do its micro-operations act on tables of its own?"""
        return any(step.own_table and step.f for each in self.transactions for step in each.steps)

    def transaction(self, name: str) -> Transaction:
        return next(txn for txn in self.transactions if txn.name == name)

    def logical_keys(self) -> Keys:
        """Every logical key that a transaction may choose, in order; a range where they are one run."""
        steps = (step for txn in self.transactions for step in txn.steps)
        return united(key.keys for step in steps for key in step.key_terms() if isinstance(key, Choice))


def kind_of(transactions: Sequence[Transaction]) -> Kind:
    """rw-register when any step writes a register, list-append otherwise."""
    wrote = any(step.f == "w" for each in transactions for step in each.steps)
    return Kind.RW_REGISTER if wrote else Kind.LIST_APPEND
