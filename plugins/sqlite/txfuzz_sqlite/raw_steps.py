"""Steps that are SQL of the workload's own, tied to the micro-operations that the checker understands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from txfuzz.database.port import BoundStep, Outcome, ReadValue, SessionError
from txfuzz.database.raw import Written, table_index
from txfuzz.database.tables import Tables
from txfuzz.database.values import DECODE
from txfuzz.errors import UsageError

from .statements import compile_raw

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
    """The raw statements of one session. written: what the open transaction has written so far."""

    def __init__(self, run: Run, tables: Tables) -> None:
        self._run = run
        self._tables = tables
        self.written = Written(MISUSE)

    def run(self, step: BoundStep, sql: str) -> ReadValue:
        try:
            statement = compile_raw(sql)
        except UsageError as error:
            raise SessionError(Outcome.BUG, MISUSE, str(error)) from None
        self.written.watch(opens=statement.opens, undoes=statement.undoes)
        index = table_index(step, sql, self._tables.count, MISUSE)
        answer = self._run(statement.on(self._tables.name(index)), step.args)
        if step.f == "r":
            return self._read(answer, sql)
        if step.f is not None:
            self._check_write(answer.changed, sql)
            self.written.add()
        return None

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
