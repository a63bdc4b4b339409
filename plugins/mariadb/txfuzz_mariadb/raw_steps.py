"""Steps that are SQL of the workload's own, tied to the micro-operations that the checker understands."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from txfuzz.database.port import BoundStep, Outcome, ReadValue, SessionError
from txfuzz.database.raw import Written, table_index
from txfuzz.database.tables import Tables
from txfuzz.database.values import DECODE
from txfuzz.errors import UsageError

from .codes import NO_ROW, NOT_IN_TRANSACTION, SYNTAX_ERROR, TOO_MANY_ROWS, UNDECLARED, WRONG_TYPE
from .connection import Answer
from .statements import RawStatement, compile_raw

Run = Callable[[str, Mapping[str, int] | None], Answer]


class RawSteps:
    """The raw statements of one session. written: what the open transaction has written so far."""

    def __init__(self, run: Run, in_transaction: Callable[[], bool], tables: Tables) -> None:
        self._run = run
        self._in_transaction = in_transaction
        self._tables = tables
        self.written = Written(NOT_IN_TRANSACTION)

    def run(self, step: BoundStep, sql: str) -> ReadValue:
        try:
            statement = compile_raw(sql)
        except UsageError as error:
            raise SessionError(Outcome.BUG, NOT_IN_TRANSACTION, str(error)) from None
        self.written.watch(opens=statement.opens, undoes=statement.undoes)
        index = table_index(step, sql, self._tables.count, SYNTAX_ERROR)
        text = statement.on(self._tables.qualified(index))
        answer = self._run(text, self._parameters(statement, step))
        if not self._in_transaction():
            raise SessionError(Outcome.BUG, NOT_IN_TRANSACTION, f"the step ended its transaction: {sql}")
        if step.f == "r":
            return self._read(answer, sql)
        if step.f is not None:
            self._check_write(answer, statement, sql)
            self.written.add()
        return None

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
