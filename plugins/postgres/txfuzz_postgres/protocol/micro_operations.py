"""Micro-operations: their prepared statements, and decoding of results."""

from __future__ import annotations

from psycopg.pq.abc import PGresult

from txfuzz.plugin_api import (
    WRITE_FUNCTION,
    BoundStep,
    Kind,
    Outcome,
    ReadValue,
    SessionError,
    Tables,
    UsageError,
)

from ..statements import read_sql, write_sql
from .sqlstate import DATATYPE_MISMATCH, NO_DATA, SYNTAX_ERROR
from .values import FROM_TEXT, list_from_binary
from .wire import BINARY, TEXT, Wire


class MicroOperations:
    """The micro-operations of one session."""

    def __init__(self, wire: Wire, tables: Tables, write_form: str) -> None:
        self._wire = wire
        self._tables = tables
        self._count = tables.count
        self._write_form = write_form
        self._format = BINARY if tables.kind is Kind.LIST_APPEND else TEXT
        self._decode = {TEXT: FROM_TEXT[tables.kind], BINARY: list_from_binary}
        self._prepared: dict[tuple[str | None, str | None, int], tuple[bytes, ...]] = {}

    def run(self, step: BoundStep) -> ReadValue:
        """Run the step by itself."""
        names = self.statements(step)
        assert step.key is not None
        if step.f == "r":
            result = self._wire.run(names[0], (b"%d" % step.key,), self._format)
            return self.judge(step, result, self._format)
        assert step.value is not None
        parameters = (b"%d" % step.key, b"%d" % step.value)
        for name in names[:-1]:
            if self._wire.run(name, parameters).command_tuples == 1:
                return None
        return self.judge(step, self._wire.run(names[-1], parameters))

    def statements(self, step: BoundStep) -> tuple[bytes, ...]:
        """The step's prepared statements; each runs only if the one before found no row."""
        assert step.key is not None
        at = (step.f, step.step.lock, step.key % self._count)
        names = self._prepared.get(at)
        if names is None:
            names = self._prepared[at] = self._prepare(*at)
        return names

    def judge(
        self, step: BoundStep, result: PGresult, result_format: int = TEXT, unclear: Outcome = Outcome.BUG
    ) -> ReadValue:
        """Interpret the last statement's result. unclear: the outcome if it makes no sense."""
        if step.f == "r":
            try:
                return self._decode[result_format](result.get_value(0, 0) if result.ntuples else None)
            except ValueError as error:
                raise SessionError(unclear, DATATYPE_MISMATCH, f"key {step.key}: {error}") from None
        if result.command_tuples != 1:
            raise SessionError(unclear, NO_DATA, f"the {step.f} to key {step.key} changed no row")
        return None

    def _prepare(self, f: str | None, lock: str | None, index: int) -> tuple[bytes, ...]:
        kind, table = self._tables.kind, self._tables.qualified(index)
        if f == "r":
            try:
                return (self._wire.prepare(read_sql(table, lock), 1),)
            except UsageError as error:
                raise SessionError(Outcome.BUG, SYNTAX_ERROR, str(error)) from None
        if f != WRITE_FUNCTION[kind]:
            message = f"a {kind.value} history has no micro-operation {f!r}"
            raise SessionError(Outcome.BUG, DATATYPE_MISMATCH, message)
        return tuple(self._wire.prepare(sql, 2) for sql in write_sql(kind, table, self._write_form))


def call(name: bytes, step: BoundStep) -> bytes:
    """A call of a prepared statement as text, for a message of several. Its parameters are integers."""
    assert step.key is not None
    if step.value is None:
        return b"EXECUTE %b(%d)" % (name, step.key)
    return b"EXECUTE %b(%d, %d)" % (name, step.key, step.value)
