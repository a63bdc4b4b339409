"""Steps that are SQL of the workload's own, tied to the micro-operations that the checker understands."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from txfuzz.database.port import BoundStep, Outcome, ReadValue, SessionError
from txfuzz.errors import UsageError

from .codes import NO_ROW, NOT_IN_TRANSACTION, SYNTAX_ERROR, TOO_MANY_ROWS, UNDECLARED, WRONG_TYPE
from .connection import Answer
from .statements import RawStatement, Tables, compile_raw
from .values import DECODE

Run = Callable[[str, Mapping[str, int] | None], Answer]


class RawSteps:
    """The raw statements of one session. written: write micro-operations of the open transaction so far."""

    def __init__(self, run: Run, in_transaction: Callable[[], bool], tables: Tables) -> None:
        self._run = run
        self._in_transaction = in_transaction
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
            raise SessionError(Outcome.BUG, NOT_IN_TRANSACTION, str(error)) from None
        self._watch_savepoints(statement)
        answer = self._run(self._on_table(statement, step), self._parameters(statement, step))
        if not self._in_transaction():
            raise SessionError(Outcome.BUG, NOT_IN_TRANSACTION, f"the step ended its transaction: {sql}")
        if step.f == "r":
            return self._read(answer, sql)
        if step.f is not None:
            self._check_write(answer, statement, sql)
            self.written += 1
        return None

    def _watch_savepoints(self, statement: RawStatement) -> None:
        """A write that ROLLBACK TO undoes would stand in the history as if it had happened."""
        if statement.opens and self._at_savepoint is None:
            self._at_savepoint = self.written
        if statement.undoes and self.written != (self._at_savepoint or 0):
            message = "ROLLBACK TO would undo a write that the history has recorded"
            raise SessionError(Outcome.BUG, NOT_IN_TRANSACTION, message)

    def _on_table(self, statement: RawStatement, step: BoundStep) -> str:
        """The statement on the table of its key: the micro-operation's, else its first argument."""
        if not statement.names_table or self._tables.count == 1:
            return statement.on(self._tables.qualified(0))
        key = step.key
        if key is None and step.step.args:
            key = step.args.get(step.step.args[0][0])
        if key is None:
            message = f"{{table}} needs a key, since there are {self._tables.count} tables: {statement.sql}"
            raise SessionError(Outcome.BUG, SYNTAX_ERROR, message)
        return statement.on(self._tables.qualified(key % self._tables.count))

    def _parameters(self, statement: RawStatement, step: BoundStep) -> Mapping[str, int]:
        for name in statement.names:
            if name not in step.args:
                message = f":{name} is not among the args of the step"
                raise SessionError(Outcome.BUG, UNDECLARED, message)
        return {name: int(step.args[name]) for name in statement.names}

    def _read(self, answer: Answer, sql: str) -> ReadValue:
        if not answer.returns:
            raise SessionError(Outcome.BUG, NO_ROW, f"a read must return rows: {sql}")
        try:
            return DECODE[self._tables.kind](answer.row[0] if answer.row else None)
        except ValueError as error:
            raise SessionError(Outcome.BUG, WRONG_TYPE, f"{error}: {sql}") from None

    def _check_write(self, answer: Answer, statement: RawStatement, sql: str) -> None:
        """One micro-operation writes one key, which is one row; ON DUPLICATE KEY may count it twice."""
        if answer.returns or answer.changed == 0:
            raise SessionError(Outcome.BUG, NO_ROW, f"a write changed no row: {sql}")
        if answer.changed > (2 if statement.upserts else 1):
            message = f"a write of one key changed {answer.changed} rows: {sql}"
            raise SessionError(Outcome.BUG, TOO_MANY_ROWS, message)
