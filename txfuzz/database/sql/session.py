"""The common part of sessions for drivers that take SQL as text, one statement at a time."""

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
    """The result of a statement. columns: empty without a result set; changed: number of rows."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]
    changed: int

    @property
    def row(self) -> tuple[Any, ...] | None:
        """The first row."""
        return self.rows[0] if self.rows else None


@dataclass(frozen=True, slots=True)
class SessionCodes:
    """The database's error codes for errors that a session detects itself.

    ended: the transaction is over. not_allowed: a statement may not run here. no_row: a write changed no row.
    unbound: a parameter has no value.
    """

    ended: str
    not_allowed: str
    syntax: str
    wrong_type: str
    no_row: str
    unbound: str


class SqlSession(ABC):
    """The steps of txfuzz.database.api.Session and .RunsSql; lists are text (txfuzz.database.sql.list_text).

    A subclass connects, begins, ends and cancels. `_open`: a transaction is open and has not failed.
    most_changed: the largest row count of a write to one row.
    """

    codes: ClassVar[SessionCodes]

    def __init__(self, tables: Tables, *, most_changed: int = 1) -> None:
        self._tables = tables
        self._most_changed = most_changed
        self._decode = TEXT_DECODERS[tables.kind]
        self._statements: dict[tuple[str | None, str | None, str | None, int], tuple[str, ...]] = {}
        self._open = False
        self._raw_ran = False  # a raw statement has run in the open transaction

    @property
    @abstractmethod
    def in_transaction(self) -> bool:
        """Whether a transaction is open, according to the database."""

    @abstractmethod
    def run(self, sql: str, args: Mapping[str, int] | None = None) -> StatementResult:
        """Run one statement with named parameters. Raises SessionError."""

    @abstractmethod
    def read_sql(self, table: str, lock: str | None) -> str:
        """With a parameter `key`; UsageError for an unknown lock."""

    @abstractmethod
    def write_sql(self, table: str) -> tuple[str, ...]:
        """With parameters `key` and `value`; each runs only if the one before found no row."""

    def form_sql(self, f: str, table: str, form: str, lock: str | None) -> tuple[str, ...]:
        """Another way to write a step, as read_sql() and write_sql(); UsageError for an unknown form."""
        raise UsageError(f"there is no form {form!r} of {f!r}")

    def most_changed(self, sql: str) -> int:
        """The largest row count of this statement, a write to one row."""
        return self._most_changed

    @abstractmethod
    def compile_raw(self, sql: str) -> RawStatement:
        """Compile a raw statement; UsageError if it would end the transaction or change its level."""

    def table(self, index: int) -> str:
        """The table name for SQL."""
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
        changed = None if statement.calls else max(result.changed, 0)  # drivers return -1 for no count
        return Answer(result.columns, result.rows, changed, self._decode, statement.upserts)

    def rollback_to(self, savepoint: str) -> None:
        """See txfuzz.database.api.GoesOn."""
        self.run(f"ROLLBACK TO SAVEPOINT {savepoint}")
        self._open = True

    def require_open(self, what: str) -> None:
        """SessionError if no transaction is open. what: for the message."""
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
        *earlier, last = self._statements_of(step, step.key % self._tables.count)
        # Plain numbers: drivers would use the repr of other types.
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
        if not 1 <= self.run(last, parameters).changed <= self.most_changed(last):
            message = f"the {step.f} to key {step.key} changed no row"
            raise SessionError(Outcome.BUG, self.codes.no_row, message)
        self._check_inside()
        return None

    def _check_inside(self) -> None:
        """A statement outside a transaction has been committed, which must not count as a failure."""
        if not self.in_transaction:
            message = "the database had ended the transaction before this step"
            raise SessionError(Outcome.INFO, self.codes.not_allowed, message)

    def _statements_of(self, step: BoundStep, index: int) -> tuple[str, ...]:
        """Those of a micro-operation; each runs only if the one before found no row."""
        asked = step.f, step.step.lock, step.step.form, index
        found = self._statements.get(asked)
        if found is None:
            found = self._statements[asked] = self._make(step, self.table(index))
        return found

    def _make(self, step: BoundStep, table: str) -> tuple[str, ...]:
        kind, f, form = self._tables.kind, step.f, step.step.form
        if f != "r" and f != WRITE_FUNCTION[kind]:
            message = f"a {kind.value} history has no micro-operation {f!r}"
            raise SessionError(Outcome.BUG, self.codes.wrong_type, message)
        try:
            if form is not None:
                return self.form_sql(f, table, form, step.step.lock)
            return (self.read_sql(table, step.step.lock),) if f == "r" else self.write_sql(table)
        except UsageError as error:
            raise SessionError(Outcome.BUG, self.codes.syntax, str(error)) from None
