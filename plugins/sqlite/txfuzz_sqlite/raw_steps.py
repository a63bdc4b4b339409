"""Steps that are SQL of the workload's own, tied to the micro-operations that the checker understands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from txfuzz.database.port import BoundStep, Outcome, ReadValue, SessionError
from txfuzz.errors import UsageError

from .statements import RawStatement, Tables, compile_raw
from .values import DECODE

MISUSE = "SQLITE_MISUSE"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a statement came to. returns: whether it is one that has rows; changed: rows."""

    returns: bool
    rows: list[tuple[Any, ...]]
    changed: int

    @property
    def first(self) -> Any:
        return self.rows[0][0] if self.rows else None


Run = Callable[[str, Mapping[str, int]], Answer]


class RawSteps:
    """The raw statements of one session. written: write micro-operations of the open transaction so far."""

    def __init__(self, run: Run, tables: Tables) -> None:
        self._run = run
        self._tables = tables
        self.begin()

    def begin(self) -> None:
        """A new transaction."""
        self.written = 0
        self._at_savepoint: int | None = None  # writes before the first savepoint

    def run(self, step: BoundStep, sql: str) -> ReadValue:
        try:
            statement = compile_raw(sql)
        except UsageError as error:
            raise SessionError(Outcome.BUG, MISUSE, str(error)) from None
        self._watch_savepoints(statement)
        answer = self._run(self._on_table(statement, step), step.args)
        if step.f == "r":
            return self._read(answer, sql)
        if step.f is not None:
            self._check_write(answer.changed, sql)
            self.written += 1
        return None

    def _watch_savepoints(self, statement: RawStatement) -> None:
        """A write that ROLLBACK TO undoes would stand in the history as if it had happened."""
        if statement.opens and self._at_savepoint is None:
            self._at_savepoint = self.written
        if statement.undoes and self.written != (self._at_savepoint or 0):
            message = "ROLLBACK TO would undo a write that the history has recorded"
            raise SessionError(Outcome.BUG, MISUSE, message)

    def _on_table(self, statement: RawStatement, step: BoundStep) -> str:
        """The statement on the table of its key: the micro-operation's, else its first argument."""
        if not statement.names_table or self._tables.count == 1:
            return statement.on(self._tables.name(0))
        key = step.key
        if key is None and step.step.args:
            key = step.args.get(step.step.args[0][0])
        if key is None:
            message = f"{{table}} needs a key, since there are {self._tables.count} tables: {statement.sql}"
            raise SessionError(Outcome.BUG, MISUSE, message)
        return statement.on(self._tables.name(key % self._tables.count))

    def _read(self, answer: Answer, sql: str) -> ReadValue:
        if not answer.returns:
            raise SessionError(Outcome.BUG, MISUSE, f"a read must return rows: {sql}")
        try:
            return DECODE[self._tables.kind](answer.first)
        except ValueError as error:
            raise SessionError(Outcome.BUG, "SQLITE_MISMATCH", f"{error}: {sql}") from None

    def _check_write(self, changed: int, sql: str) -> None:
        """One micro-operation writes one key, which is one row."""
        if changed < 1:
            raise SessionError(Outcome.BUG, MISUSE, f"a write changed no row: {sql}")
        if changed > 1:
            raise SessionError(Outcome.BUG, MISUSE, f"a write of one key changed {changed} rows: {sql}")
