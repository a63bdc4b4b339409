"""Statements that a connection is sent again and again: the server parses and plans each of them once."""

from __future__ import annotations

from collections.abc import Iterable

import psycopg
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGconn, PGresult

_MOST = 1_000  # of a connection


class KeptPlans:
    """pgconn: in autocommit. Plans follow what becomes of their tables, since the server sees to that."""

    def __init__(self, pgconn: PGconn) -> None:
        self._pgconn = pgconn
        self._names: dict[str, bytes] = {}
        self._without: set[str] = set()  # that the server refuses to prepare
        self._tried = 0  # a name is used once, also where the statement of that name was refused

    def name(self, statement: str) -> bytes | None:
        """By which the server knows it; None: it does not."""
        return self._names.get(statement)

    def make(self, statements: Iterable[str]) -> None:
        """Within no transaction. Raises psycopg.Error where the connection is lost; what cannot be prepared
        stays without a plan."""
        pgconn, names = self._pgconn, self._names
        new = [each for each in dict.fromkeys(statements) if each not in names and each not in self._without]
        new = new[: _MOST - len(names)]
        if not new:
            return
        called = {each: b"txfuzz_%d" % number for number, each in enumerate(new, self._tried)}
        self._tried += len(called)
        pgconn.enter_pipeline_mode()
        for statement, name in called.items():
            pgconn.send_prepare(name, statement.encode())
            pgconn.pipeline_sync()  # or one that is refused would keep those behind it from being prepared
        for statement, name in called.items():
            failed = results(pgconn)[1]
            if failed is None:
                names[statement] = name
            else:
                self._without.add(statement)
        pgconn.exit_pipeline_mode()


def results(pgconn: PGconn) -> tuple[list[PGresult], PGresult | None]:
    """Of what a pipeline was sent, up to its next end, and the error that has ended it early. Raises
    psycopg.Error where the connection is lost."""
    came: list[PGresult] = []
    failed: PGresult | None = None
    while (result := pgconn.get_result()) is None or result.status != ExecStatus.PIPELINE_SYNC:
        if result is None:  # the end of one statement
            if pgconn.status == ConnStatus.BAD:
                raise _lost(failed)
        elif result.status == ExecStatus.FATAL_ERROR:
            failed = failed or result
        elif result.status != ExecStatus.PIPELINE_ABORTED:
            came.append(result)
    return came, failed


def _lost(last: PGresult | None) -> psycopg.Error:
    if last is None:
        return psycopg.OperationalError("the connection is closed")
    return psycopg.errors.error_from_result(last, encoding="utf-8")
