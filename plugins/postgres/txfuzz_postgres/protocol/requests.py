"""Requests to one connection, which goes on before the answer is there; see txfuzz.plugin_api.AnswersLater."""

from __future__ import annotations

import select
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult

from txfuzz.plugin_api import Cell

_COPIES = frozenset({ExecStatus.COPY_IN, ExecStatus.COPY_OUT, ExecStatus.COPY_BOTH})
_FAILED = frozenset({ExecStatus.FATAL_ERROR, ExecStatus.PIPELINE_ABORTED})


class PendingResult:
    """Of one statement at a time. connection: in autocommit."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._pgconn: PGconn = connection.pgconn
        self.values = Transformer(connection)
        self._found: PGresult | None = None

    def send(self, statement: str, arguments: Sequence[Cell] | None = None) -> None:
        """arguments: of $1, $2, …; None for a plain word such as COMMIT. Raises psycopg.Error."""
        pgconn, text = self._pgconn, statement.encode()
        self._found = None
        if arguments is None:
            pgconn.send_query(text)
        elif not arguments:
            pgconn.send_query_params(text, None)
        else:
            dumped = self.values.dump_sequence(arguments, [PyFormat.AUTO] * len(arguments))
            pgconn.send_query_params(text, dumped, self.values.types, self.values.formats)
        while pgconn.flush():  # more than the socket takes at once
            readable, _, _ = select.select([pgconn.socket], [pgconn.socket], [])
            if readable:
                pgconn.consume_input()

    def poll(self) -> PGresult | None:
        """None as long as it is not there. Raises psycopg.Error, also where that is the result."""
        pgconn = self._pgconn
        try:
            pgconn.consume_input()
            while not pgconn.is_busy():
                result = pgconn.get_result()
                if result is None:
                    return self._whole()
                self._found = self._found or result
                if result.status in _COPIES:
                    raise psycopg.ProgrammingError("COPY cannot be used here")
        except psycopg.OperationalError:
            if self._found is not None and self._found.status in _FAILED:
                return self._whole()  # the server's last words tell more
            raise
        return None

    def _whole(self) -> PGresult:
        found = self._found
        if found is None:
            raise psycopg.OperationalError("the connection is closed")
        if found.status in _FAILED:
            raise psycopg.errors.error_from_result(found, encoding="utf-8")
        return found

    def wait(self) -> PGresult:
        while (found := self.poll()) is None:
            select.select([self._pgconn.socket], [], [])
        return found

    def rows(self, result: PGresult) -> tuple[tuple[Cell, ...], ...]:
        self.values.set_pgresult(result)
        return tuple(self.values.load_rows(0, result.ntuples, tuple))
