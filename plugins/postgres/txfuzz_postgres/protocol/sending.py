"""Scripts that are sent without waiting for what they come to; see txfuzz.plugin_api.SendsScripts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg.adapt import Transformer
from psycopg.pq import DiagnosticField, ExecStatus, Format
from psycopg.pq.abc import PGconn, PGresult

from txfuzz.plugin_api import Outcome, Rows, SentAnswer, SentScript, SessionError, StatementAnswer

from .sqlstate import CONNECTION_LOST

_COUNTED = (b"INSERT", b"UPDATE", b"DELETE", b"MERGE", b"COPY", b"SELECT", b"FETCH", b"MOVE")
_NO_ROW = b"SELECT 0"


class SendsPostgresScripts:
    def send_on(self, connection: psycopg.Connection[Any], begin: Callable[[str], str]) -> None:
        """connection: in autocommit. begin: what begins a transaction at a level."""
        self._begin = begin
        self._pgconn: PGconn = connection.pgconn
        self._loading = Transformer(connection)
        self._came: list[SentAnswer] = []
        self._unanswered = 0

    def script(self, statements: Sequence[str], *, begin: str = "") -> SentScript:
        """See txfuzz.plugin_api.SendsScripts."""
        texts = [self._begin(begin), *statements] if begin else statements
        return SentScript(";".join(texts).encode(), 1 if begin else 0)

    def send(self, script: SentScript) -> None:
        self._unanswered = script.unanswered
        try:
            self._pgconn.send_query(script.text)
        except psycopg.Error as error:
            raise _lost(error) from None

    def poll(self) -> tuple[SentAnswer, ...] | None:
        pgconn, came = self._pgconn, self._came
        try:
            pgconn.consume_input()
            while not pgconn.is_busy():
                result = pgconn.get_result()
                if result is None:
                    self._came = []
                    return tuple(came)
                if result.status == ExecStatus.FATAL_ERROR:
                    came.append(_error(result))
                elif self._unanswered:
                    self._unanswered -= 1
                else:
                    came.append(_answer(result))
        except psycopg.Error as error:
            raise _lost(error) from None
        return None

    def fileno(self) -> int:
        return self._pgconn.socket

    def answer(self, sent: SentAnswer) -> StatementAnswer:
        if sent.columns or sent.cells or sent.tag == _NO_ROW:  # SELECT FROM has rows without columns
            loaders = [self._loading.get_loader(oid, Format.TEXT) for _, oid in sent.columns]
            rows = tuple(
                tuple(
                    None if cell is None else each.load(cell) for each, cell in zip(loaders, row, strict=True)
                )
                for row in sent.cells
            )
            return StatementAnswer(Rows(tuple(name.decode() for name, _ in sent.columns), rows))
        word, *rest = sent.tag.split()
        return StatementAnswer(changed=int(rest[-1]) if word in _COUNTED and rest else None)


def _answer(result: PGresult) -> SentAnswer:
    tag = result.command_status or b""
    number = result.nfields
    if not number:
        return SentAnswer(tag, cells=((),) * result.ntuples)
    get, columns, rows = result.get_value, range(number), range(result.ntuples)
    return SentAnswer(
        tag,
        tuple((result.fname(column) or b"", result.ftype(column)) for column in columns),
        tuple(tuple(get(row, column) for column in columns) for row in rows),
    )


def _error(result: PGresult) -> SentAnswer:
    def field(which: DiagnosticField) -> str:
        return (result.error_field(which) or b"").decode(errors="replace")

    return SentAnswer(
        b"", code=field(DiagnosticField.SQLSTATE), message=field(DiagnosticField.MESSAGE_PRIMARY)
    )


def _lost(error: psycopg.Error) -> SessionError:
    return SessionError(Outcome.INFO, error.sqlstate or CONNECTION_LOST, str(error).strip(), lost=True)
