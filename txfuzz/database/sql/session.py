"""A session that sends one statement at a time: what all drivers have in common that take SQL as text."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from txfuzz.database.api import Answer, BoundStep, Outcome, ReadValue, SessionError
from txfuzz.database.sql.list_text import TEXT_DECODERS
from txfuzz.database.sql.raw_statements import RawStatement, table_index
from txfuzz.database.sql.tables import WRITE_FUNCTION, Tables
from txfuzz.errors import UsageError


@dataclass(frozen=True, slots=True)
class StatementResult:
    """What a statement came to. columns: of its result, where it is one that has rows; changed: rows."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]
    changed: int

    @property
    def row(self) -> tuple[Any, ...] | None:
        """The first one."""
        return self.rows[0] if self.rows else None


@dataclass(frozen=True, slots=True)
class SessionCodes:
    """The database's own codes for what a session finds out by itself.

    ended: the transaction is over. not_allowed: a statement may not run here. syntax, wrong_type: as they
    say. no_row: a write has changed none. unbound: a parameter without a value.
    """

    ended: str
    not_allowed: str
    syntax: str
    wrong_type: str
    no_row: str
    unbound: str


class SqlSession(ABC):
    """The steps of txfuzz.database.api.Session and .RunsSql; lists are text (txfuzz.database.sql.list_text).

    A subclass connects, begins, ends and cancels. It has a transaction open, without an error, where
    `_open` is true. most_changed: how many rows a write of one row may count.
    """

    codes: ClassVar[SessionCodes]

    def __init__(self, tables: Tables, *, most_changed: int = 1) -> None:
        self._tables = tables
        self._most_changed = most_changed
        self._decode = TEXT_DECODERS[tables.kind]
        self._statements: dict[tuple[str | None, str | None, int], tuple[str, ...]] = {}
        self._open = False
        self._raw_ran = False  # a raw statement has run in the open transaction

    @property
    @abstractmethod
    def in_transaction(self) -> bool:
        """Whether the database says that a transaction is open."""

    @abstractmethod
    def run(self, sql: str, args: Mapping[str, int] | None = None) -> StatementResult:
        """One statement, its parameters by name. SessionError where it fails."""

    @abstractmethod
    def read_sql(self, table: str, lock: str | None) -> str:
        """With a parameter `key`; UsageError for a lock that there is not."""

    @abstractmethod
    def write_sql(self, table: str) -> tuple[str, ...]:
        """With parameters `key` and `value`; a later one runs only where the one before found no row."""

    @abstractmethod
    def compile_raw(self, sql: str) -> RawStatement:
        """UsageError for a statement that would end the transaction or change its level."""

    def table(self, index: int) -> str:
        """As it is written into statements."""
        return self._tables.qualified(index)

    def execute(self, step: BoundStep) -> ReadValue:
        self.require_open("this step")
        self._open = False  # until all is well
        seen = self._execute(step)
        self._open = True
        return seen

    def execute_sql(self, step: BoundStep) -> Answer:
        """See txfuzz.database.api.RunsSql."""
        self.require_open("this step")
        self._open = False  # until all is well
        sql = step.step.sql or ""
        try:
            statement = self.compile_raw(sql)
        except UsageError as error:
            raise SessionError(Outcome.BUG, self.codes.not_allowed, str(error)) from None
        self._raw_ran = True
        index = table_index(step, sql, self._tables.count, self.codes.syntax)
        result = self.run(statement.on(self.table(index)), statement.arguments(step, self.codes.unbound))
        if not self.in_transaction:
            raise SessionError(Outcome.BUG, self.codes.not_allowed, f"the step ended its transaction: {sql}")
        self._open = True
        changed = None if statement.calls else max(result.changed, 0)  # drivers say -1 for what counts none
        return Answer(result.columns, result.rows, changed, self._decode, statement.upserts)

    def rollback_to(self, savepoint: str) -> None:
        """See txfuzz.database.api.GoesOn."""
        self.run(f"ROLLBACK TO SAVEPOINT {savepoint}")
        self._open = True

    def require_open(self, what: str) -> None:
        """SessionError where there is no transaction for what is to come."""
        if not (self._open and self.in_transaction):
            self._open = False
            raise SessionError(Outcome.FAIL, self.codes.ended, f"the transaction ended before {what}")

    def require_closed(self) -> None:
        """SessionError where a transaction is already open."""
        if self._open:
            raise SessionError(Outcome.BUG, self.codes.not_allowed, "a transaction is already open")
        self._raw_ran = False

    def _execute(self, step: BoundStep) -> ReadValue:
        """A step that is a micro-operation."""
        assert step.key is not None
        *earlier, last = self._statements_of(step.f, step.step.lock, step.key % self._tables.count)
        # Plain numbers: drivers write what another kind of number says of itself.
        parameters = {"key": int(step.key)}
        if step.f == "r":
            row = self.run(last, parameters).row
            self._check_inside()
            try:
                return self._decode(row[0] if row else None)
            except ValueError as error:
                raise SessionError(Outcome.BUG, self.codes.wrong_type, f"key {step.key}: {error}") from None
        assert step.value is not None
        parameters["value"] = int(step.value)
        for sql in earlier:
            if self.run(sql, parameters).changed == 1:
                self._check_inside()
                return None
        if not 1 <= self.run(last, parameters).changed <= self._most_changed:
            message = f"the {step.f} to key {step.key} changed no row"
            raise SessionError(Outcome.BUG, self.codes.no_row, message)
        self._check_inside()
        return None

    def _check_inside(self) -> None:
        """A statement that ran by itself has been committed by itself: that would be no fail."""
        if not self.in_transaction:
            message = "the database had ended the transaction before this step"
            raise SessionError(Outcome.INFO, self.codes.not_allowed, message)

    def _statements_of(self, f: str | None, lock: str | None, index: int) -> tuple[str, ...]:
        found = self._statements.get((f, lock, index))
        if found is None:
            found = self._statements[f, lock, index] = self._make(f, lock, self.table(index))
        return found

    def _make(self, f: str | None, lock: str | None, table: str) -> tuple[str, ...]:
        kind = self._tables.kind
        if f == "r":
            try:
                return (self.read_sql(table, lock),)
            except UsageError as error:
                raise SessionError(Outcome.BUG, self.codes.syntax, str(error)) from None
        if f != WRITE_FUNCTION[kind]:
            message = f"a {kind.value} history has no micro-operation {f!r}"
            raise SessionError(Outcome.BUG, self.codes.wrong_type, message)
        return self.write_sql(table)
