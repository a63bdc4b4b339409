"""Steps that are SQL of the workload's own; what their rows mean is decided by who runs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from txfuzz.plugin_api import (
    TEXT_DECODERS,
    BoundStep,
    Outcome,
    SessionError,
    Tables,
    UsageError,
    table_index,
)
from txfuzz.plugin_api import (
    Answer as SqlAnswer,
)

from .codes import NOT_IN_TRANSACTION, SYNTAX_ERROR, UNDECLARED
from .connection import Answer
from .statements import RawStatement, compile_raw

Run = Callable[[str, Mapping[str, int] | None], Answer]


class RawSteps:
    """The raw statements of one session. ran: whether the open transaction has run any."""

    def __init__(self, run: Run, in_transaction: Callable[[], bool], tables: Tables) -> None:
        self._run = run
        self._in_transaction = in_transaction
        self._tables = tables
        self.ran = False

    def run(self, step: BoundStep, sql: str) -> SqlAnswer:
        try:
            statement = compile_raw(sql)
        except UsageError as error:
            raise SessionError(Outcome.BUG, NOT_IN_TRANSACTION, str(error)) from None
        self.ran = True
        index = table_index(step, sql, self._tables.count, SYNTAX_ERROR)
        text = statement.on(self._tables.qualified(index))
        answer = self._run(text, self._parameters(statement, step))
        if not self._in_transaction():
            raise SessionError(Outcome.BUG, NOT_IN_TRANSACTION, f"the step ended its transaction: {sql}")
        changed = None if statement.calls else answer.changed
        # ON DUPLICATE KEY UPDATE and REPLACE count a row that was there twice.
        return SqlAnswer(
            answer.columns, answer.rows, changed, TEXT_DECODERS[self._tables.kind], statement.upserts
        )

    def _parameters(self, statement: RawStatement, step: BoundStep) -> Mapping[str, int]:
        for name in statement.names:
            if name not in step.args:
                message = f":{name} is not among the args of the step"
                raise SessionError(Outcome.BUG, UNDECLARED, message)
        return {name: int(step.args[name]) for name in statement.names}
