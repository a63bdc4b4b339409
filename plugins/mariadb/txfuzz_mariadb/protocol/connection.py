"""One connection of the driver's, which another thread can cut."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pymysql
from pymysql.constants import CLIENT
from pymysql.cursors import Cursor

from txfuzz.plugin_api import DatabaseUnavailable, NoMoreSessions, SessionError, StatementResult

from .codes import LOST, TOO_MANY, outcome_of
from .url import Target

IN_TRANSACTION = 1  # SERVER_STATUS_IN_TRANS
KILL_SECONDS = 1.0
OURS = 2  # connections beside those of the clients: one that controls, one that sees waits

# What the driver raises: its own errors, and what a connection that was cut makes of half a packet
FAILURES = (pymysql.err.Error, OSError, struct.error, ValueError, RuntimeError)


class Link:
    """A connection, driven by one thread. autocommit is on: BEGIN and COMMIT are said."""

    def __init__(self, target: Target, database: str | None = None) -> None:
        parameters = {**target.parameters, **({"database": database} if database else {})}
        self._conn = pymysql.connect(
            **parameters,
            host=target.host,
            port=target.port,
            unix_socket=target.unix_socket,
            charset="utf8mb4",
            autocommit=True,
            client_flag=CLIENT.FOUND_ROWS,  # an UPDATE counts the rows that it found
            program_name="txfuzz",
            defer_connect=True,
        )
        sock = open_socket(target)
        self._handle = os.dup(sock.fileno())  # stays ours where TLS takes the socket over
        self._guard = threading.Lock()
        self._busy = False
        try:
            with self.cut_after(target.connect_seconds):
                self._conn.connect(sock)
        except BaseException:
            sock.close()
            self.close()
            raise
        self._cursor: Cursor = self._conn.cursor()
        self.thread_id = int(self._conn.thread_id())  # type: ignore[no-untyped-call]

    @property
    def open(self) -> bool:
        return bool(self._conn.open)

    @property
    def in_transaction(self) -> bool:
        """What the server said after the last statement."""
        return bool(getattr(self._conn, "server_status", 0) & IN_TRANSACTION)

    def run(self, sql: str, args: Sequence[Any] | Mapping[str, Any] | None = None) -> StatementResult:
        """One statement. Raises one of FAILURES."""
        cursor = self._cursor
        self._busy = True
        try:
            changed = cursor.execute(sql, args)
            if cursor.description is None:
                return StatementResult((), (), changed)
            columns = tuple(str(each[0]) for each in cursor.description)
            rows = cursor.fetchall()
            while cursor.nextset():
                pass
            return StatementResult(columns, rows, changed)
        finally:
            self._busy = False

    def rows(self, sql: str, args: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        self._cursor.execute(sql, args)
        return list(self._cursor.fetchall())

    def cut(self, how: int = socket.SHUT_RDWR) -> None:
        """End the connection under a call that is blocked on it; from any thread. how: as for a socket."""
        with self._guard:
            if self._handle >= 0:
                with contextlib.suppress(OSError), socket.socket(fileno=os.dup(self._handle)) as double:
                    double.shutdown(how)

    @contextlib.contextmanager
    def cut_after(self, seconds: float) -> Iterator[None]:
        """Cut the connection unless the body ends in time."""
        timer = threading.Timer(seconds, self.cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def close(self) -> None:
        """Never raises; idempotent."""
        if self._busy:
            self.cut()  # the driver would wait for the answer
        with contextlib.suppress(*FAILURES):
            self._conn.close()  # raises where it is closed already
        with self._guard:
            if self._handle >= 0:
                os.close(self._handle)
                self._handle = -1


def connect(target: Target, database: str | None = None) -> Link:
    """A connection; DatabaseUnavailable with the reason, which names no password."""
    try:
        return Link(target, database)
    except FAILURES as error:
        raise DatabaseUnavailable(in_words(error)) from None


def open_socket(target: Target) -> socket.socket:
    """Our own, so that it can be cut."""
    if target.unix_socket is None:
        found = socket.create_connection((target.host, target.port), target.connect_seconds)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return found
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        found.settimeout(target.connect_seconds)
        found.connect(target.unix_socket)
    except BaseException:
        found.close()
        raise
    return found


def kill_query(target: Target, thread_id: int) -> bool:
    """Ask the server to break off what a connection runs; whether it took the request."""
    try:
        link = Link(replace(target, connect_seconds=KILL_SECONDS))
    except FAILURES:
        return False
    try:
        with link.cut_after(KILL_SECONDS):
            link.run(f"KILL QUERY {thread_id:d}")
        return True
    except FAILURES:
        return False
    finally:
        link.close()


def no_room(link: Link, number: int) -> NoMoreSessions:
    """Why the server takes no further connection, by its settings. number: of the error, of TOO_MANY."""
    limit = TOO_MANY[number]
    row = link.run(f"SELECT @@{limit}").row
    most = int(row[0]) if row else 0
    return NoMoreSessions(f"the server accepts no more connections: {limit} is {most}", max(most - OURS, 0))


def number_of(error: BaseException) -> int:
    """The server's or the driver's number of an error; 0 for what has none."""
    number = error.args[0] if isinstance(error, pymysql.err.Error) and error.args else 0
    return number if isinstance(number, int) else 0


def session_error(link: Link, error: BaseException, *, committing: bool) -> SessionError:
    """What a failure means for the transaction that met it."""
    number = number_of(error)
    lost = number in LOST or not link.open or not isinstance(error, pymysql.err.Error)
    outcome = outcome_of(number, getattr(error, "sqlstate", None), lost=lost, committing=committing)
    return SessionError(outcome, str(number or 2013), in_words(error), lost=lost)


def in_words(error: BaseException) -> str:
    """The message in one line. Servers and driver quote users and hosts, and never a password."""
    if isinstance(error, pymysql.err.Error) and len(error.args) > 1:
        return " ".join(str(error.args[1]).split())
    return " ".join(str(error).split()) or "the connection is closed"
