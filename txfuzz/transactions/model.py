"""Transactions as values: steps, the micro-operations in them, and keys that are still to be chosen.

This is what a database is asked to do, before anybody decides how often, on how many clients, or for how
long: a workload (txfuzz.workload) puts transactions together, and a session (txfuzz.database.api) runs them
with their keys bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from txfuzz.common.key_ranges import Keys
from txfuzz.common.kind import Kind


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


def kind_of(transactions: Sequence[Transaction]) -> Kind:
    """rw-register when any step writes a register, list-append otherwise."""
    wrote = any(step.f == "w" for each in transactions for step in each.steps)
    return Kind.RW_REGISTER if wrote else Kind.LIST_APPEND
