"""Statements to one connection, answered later; see txfuzz.plugin_api.AnswersLater."""

from __future__ import annotations

import select
from collections import deque
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

from txfuzz.plugin_api import Cell

from ..statements import changes_meaning
from .plans import KeptPlans

_COPIES = frozenset({ExecStatus.COPY_IN, ExecStatus.COPY_OUT, ExecStatus.COPY_BOTH})
Bound = tuple[str, Sequence[Cell]]  # a statement, with the values of $1, $2, …


class PendingResults:
    """connection: in autocommit. All methods raise psycopg.Error."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._pgconn: PGconn = connection.pgconn
        self._values = Transformer(connection)
        self._came: deque[PGresult] = deque()
        self._last: PGresult | None = None  # of the statement whose results are arriving
        self._several = False  # were sent together, and the end of their results has not come
        self._plans = KeptPlans(self._pgconn)
        self._sent: set[str] = set()  # without values, since keep_plans()
        self._plain = False  # settings may be others than those that plans were made under

    def keep_plans(self) -> None:
        """Of the statements that were sent so far, for when they are sent again. Nothing, as long as a
        transaction is open or a statement has not been answered."""
        if self._several:
            self._take()
        if self._pgconn.transaction_status != TransactionStatus.IDLE:
            return
        self._plain = False
        if self._sent:
            self._plans.make(self._sent)
            self._sent.clear()

    def send(self, statement: Bound, then: Sequence[Bound] = ()) -> None:
        """then: statements that are run only if all before them succeed."""
        self._drain()
        pgconn = self._pgconn
        if then:
            pgconn.enter_pipeline_mode()
            self._several = True
        for each in (statement, *then):
            self._send(*each)
        if then:
            pgconn.pipeline_sync()
        while pgconn.flush():  # more than the socket takes at once
            readable, _, _ = select.select([pgconn.socket], [pgconn.socket], [])
            if readable:
                pgconn.consume_input()

    def _send(self, text: str, arguments: Sequence[Cell]) -> None:
        if not arguments:
            name = None if self._plain else self._plans.name(text)
            if name is not None:
                self._pgconn.send_query_prepared(name, None)
                return
            if changes_meaning(text):
                self._plain = True
            else:
                self._sent.add(text)
            self._pgconn.send_query_params(text.encode(), None)
            return
        values = self._values
        dumped = values.dump_sequence(arguments, [PyFormat.AUTO] * len(arguments))
        self._pgconn.send_query_params(text.encode(), dumped, values.types, values.formats)

    def poll(self) -> PGresult | None:
        """The next one, None as long as it is not there; raised, where it is an error. What was sent behind
        an error is not answered."""
        if not self._came:
            self._take()
        if not self._came:
            return None
        result = self._came.popleft()
        if result.status == ExecStatus.FATAL_ERROR:
            raise psycopg.errors.error_from_result(result, encoding="utf-8")
        return result

    def _take(self) -> None:
        """What has arrived, up to the end of the message."""
        pgconn = self._pgconn
        try:
            pgconn.consume_input()
            while not pgconn.is_busy():
                result = pgconn.get_result()
                if result is None:
                    if self._last is None:
                        raise psycopg.OperationalError("the connection is closed")
                    self._came.append(self._last)
                    self._last = None
                    if not self._several:
                        return
                elif result.status == ExecStatus.PIPELINE_SYNC:
                    self._several = False
                    pgconn.exit_pipeline_mode()
                    return
                elif result.status in _COPIES:
                    raise psycopg.ProgrammingError("COPY cannot be used here")
                else:
                    self._last = self._last or result
        except psycopg.OperationalError:
            if self._last is None or self._last.status != ExecStatus.FATAL_ERROR:
                raise
            self._came.append(self._last)  # the server's last words tell more
            self._last = None

    def _drain(self) -> None:
        """Behind an error."""
        while self._several:
            self._take()
            if self._several:
                select.select([self._pgconn.socket], [], [])
        self._came.clear()

    def rows(self, result: PGresult) -> tuple[tuple[Cell, ...], ...]:
        self._values.set_pgresult(result)
        return tuple(self._values.load_rows(0, result.ntuples, tuple))
