"""Steps that are SQL of the workload's own; what their rows mean is decided by who runs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

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

from .statements import compile_raw

MISUSE = "SQLITE_MISUSE"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a statement came to. columns: of its result, where it is one that has rows; changed: rows."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    changed: int

    @property
    def first(self) -> Any:
        return self.rows[0][0] if self.rows else None


Run = Callable[[str, Mapping[str, int]], Answer]


class RawSteps:
    """The raw statements of one session. ran: whether the open transaction has run any."""

    def __init__(self, run: Run, tables: Tables) -> None:
        self._run = run
        self._tables = tables
        self.ran = False

    def run(self, step: BoundStep, sql: str) -> SqlAnswer:
        try:
            compiled = compile_raw(sql)
        except UsageError as error:
            raise SessionError(Outcome.BUG, MISUSE, str(error)) from None
        self.ran = True
        index = table_index(step, sql, self._tables.count, MISUSE)
        answer = self._run(compiled.on(self._tables.name(index)), step.args)
        changed = max(answer.changed, 0)  # -1 for what is no INSERT, UPDATE or DELETE
        return SqlAnswer(answer.columns, answer.rows, changed, TEXT_DECODERS[self._tables.kind])
