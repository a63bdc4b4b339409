"""Transactions as values: steps, their micro-operations, and keys that are still to be chosen.

A workload (txfuzz.workload) combines transactions; a session (txfuzz.database.api) runs them with their keys
bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from txfuzz.common.key_ranges import Keys
from txfuzz.common.kind import Kind


@dataclass(frozen=True, slots=True)
class Choice:
    """A key chosen uniformly when the transaction starts.

    keys: the logical keys to choose from.
    name: by which later steps refer to the chosen key (`as` in YAML).
    distinct_from: names of earlier choices that this one must differ from.
    """

    keys: Keys
    name: str | None = None
    distinct_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ref:
    """The key that an earlier step chose under this name."""

    name: str


@dataclass(frozen=True, slots=True)
class Returned:
    """What an earlier statement returned under this name (`returns` in YAML)."""

    name: str


@dataclass(frozen=True, slots=True)
class NewValue:
    """An argument of a raw SQL step: the unique value that it writes."""


@dataclass(frozen=True, slots=True)
class Param:
    """In the arguments of a raw SQL step: the value of this parameter of the transaction."""

    name: str


Key = Choice | Ref
Argument = Choice | Ref | Returned | Param | NewValue


@dataclass(frozen=True, slots=True)
class MicroOperation:
    """What a raw statement does to one key: an entry of its `elle` stanza.

    f: "r", "append" or "w". key: name of the argument that is the key. value: name of the argument that is
    written. column: the result column with the value read; None for the first one. key_column: the result
    column with the key. With `key` it selects the row of this micro-operation; without, every returned row
    is a micro-operation.
    """

    f: str
    key: str | None = None
    value: str | None = None
    column: str | None = None
    key_column: str | None = None

    @property
    def writes(self) -> bool:
        return self.f != "r"


# What a transaction does after a statement that found some number of rows, or failed.
ROW_RULES = ("ok", "empty", "skip", "stop", "abort")
ERROR_RULES = ("skip", "stop", "abort")


@dataclass(frozen=True, slots=True)
class RollbackTo:
    """After an error: roll back to this savepoint and go on with the next step."""

    savepoint: str


COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")


@dataclass(frozen=True, slots=True)
class StepCondition:
    """A step runs only where this holds (`when` in YAML): a name, of `returns` or `params`, compared.

    test: one of COMPARISONS. value: what it is compared with: a constant, or what stands under `other`.
    Nothing is less or greater than null; null equals null.
    """

    name: str
    test: str
    value: Any = None
    other: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One statement of a transaction. Hashable: sessions cache prepared statements by it.

    f: "r", "append" or "w"; None for a statement that the checker does not see.
    key: where f acts; for raw SQL the argument that the `elle` stanza names.
    lock: the adapter's word for a locking read ("update", "share", …).
    sql, args: a raw statement with {table} and :name placeholders.
    key_arg, value_arg: the arguments of raw SQL that are the micro-operation's key and value.
    elle: the micro-operations of a raw statement with several of them, or with columns; f, key, key_arg
        and value_arg are then those of the first write, else of the first read. See `micro_operations`.
    harmless: the workload declares that no read sees the changes of this statement (`elle: []`).
    own_table: a raw statement on one of the workload's own tables, whose keys are logical ones.
    returns: names for later steps → result columns, of which they hold the first row.
    rows: number of rows found → one of ROW_RULES.
    on_error: the database's error code → one of ERROR_RULES, or a savepoint to roll back to.
    when: the step is skipped unless all of these hold.
    form: the adapter's word for another way to write a step without sql; None for the usual one.
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
    when: tuple[StepCondition, ...] = ()
    form: str | None = None

    @property
    def reads(self) -> bool:
        return self.f == "r" or any(each.f == "r" for each in self.elle)

    @property
    def writes(self) -> bool:
        return self.f in ("append", "w")

    @property
    def micro_operations(self) -> tuple[MicroOperation, ...]:
        """All micro-operations; those of a step with f and key name no arguments."""
        if self.elle or self.f is None:
            return self.elle
        return (MicroOperation(self.f, self.key_arg, self.value_arg),)

    @property
    def keys_returned(self) -> bool:
        """Does one of its keys come from a statement, so that it is known only after that has run?"""
        if isinstance(self.key, Returned) or any(isinstance(arg, Returned) for _, arg in self.args):
            return True
        return any(each.key is None for each in self.elle)

    def key_terms(self) -> tuple[Key, ...]:
        """Every key expression of this step, in the order of choice."""
        own = (self.key,) if self.sql is None and isinstance(self.key, Choice | Ref) else ()
        return own + tuple(arg for _, arg in self.args if isinstance(arg, Choice | Ref))


@dataclass(frozen=True, slots=True)
class Mode:
    """How a transaction begins, and where.

    isolation: the database's word for its level; None for the workload's. at: the names of the endpoints that
    it may go to, each with its share; of a transaction that is about to run at most one.
    """

    isolation: str | None = None
    read_only: bool = False
    deferrable: bool = False
    at: tuple[tuple[str, float], ...] = ()

    @property
    def endpoint(self) -> str | None:
        """The first of them; None for a workload without endpoints."""
        return self.at[0][0] if self.at else None


@dataclass(frozen=True, slots=True)
class Transaction:
    """A named list of steps whose keys are still to be chosen.

    params: names for values of any kind, each with those that it may have. retry: how often it is run
    again after the database has aborted it in favour of others.
    """

    name: str
    steps: tuple[Step, ...]
    mode: Mode = Mode()
    params: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    retry: int = 0

    @property
    def writes(self) -> int:
        return sum(step.writes for step in self.steps)

    @property
    def reads(self) -> int:
        return sum(step.reads for step in self.steps)


def kind_of(transactions: Sequence[Transaction]) -> Kind:
    """rw-register if any step writes a register, otherwise list-append."""
    wrote = any(step.f == "w" for each in transactions for step in each.steps)
    return Kind.RW_REGISTER if wrote else Kind.LIST_APPEND
