"""One driver connection, which another thread can cut."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pymysql
from pymysql.constants import CLIENT
from pymysql.cursors import Cursor

from txfuzz.plugin_api import (
    ControlConnection,
    DatabaseUnavailable,
    NoMoreSessions,
    SessionError,
    StatementResult,
)

from .codes import LOST, TOO_MANY, outcome_of
from .url import Target

IN_TRANSACTION = 1  # SERVER_STATUS_IN_TRANS
KILL_SECONDS = 1.0
OURS = 2  # connections besides the clients': the control connection and the one for lock waits

# What the driver raises: its own errors, and those of parsing half a packet on a cut connection
FAILURES = (pymysql.err.Error, OSError, struct.error, IndexError, ValueError, RuntimeError)


class Link:
    """A connection, driven by one thread, in autocommit mode: BEGIN and COMMIT are explicit.

    several: run_several() can be called.
    """

    def __init__(self, target: Target, database: str | None = None, *, several: bool = False) -> None:
        parameters = {**target.parameters, **({"database": database} if database else {})}
        self._conn = pymysql.connect(
            **parameters,
            host=target.host,
            port=target.port,
            unix_socket=target.unix_socket,
            charset="utf8mb4",
            autocommit=True,
            # An UPDATE counts the rows that it found
            client_flag=CLIENT.FOUND_ROWS | (CLIENT.MULTI_STATEMENTS if several else 0),
            program_name="txfuzz",
            defer_connect=True,
        )
        sock = open_socket(target)
        self._handle = os.dup(sock.fileno())  # still ours when TLS takes over the socket
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
        """As the server reported after the last statement."""
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

    def run_several(self, sql: str) -> list[StatementResult]:
        """Statements with semicolons between them, in one message; the result of each that has rows."""
        cursor = self._cursor
        cursor.execute(sql)
        found = []
        while True:
            if cursor.description is not None:
                columns = tuple(str(each[0]) for each in cursor.description)
                found.append(StatementResult(columns, cursor.fetchall(), cursor.rowcount))
            if not cursor.nextset():
                return found

    def origins(self) -> tuple[tuple[str, str, str], ...]:
        """Of the columns of the last result: database, table and column, empty for what is computed."""
        fields = getattr(getattr(self._cursor, "_result", None), "fields", None) or ()
        return tuple((each.db.decode(), each.org_table, each.org_name) for each in fields)

    def rows(self, sql: str, args: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        self._cursor.execute(sql, args)
        return list(self._cursor.fetchall())

    def cut(self, how: int = socket.SHUT_RDWR) -> None:
        """Shut down the connection, even under a blocked call; from any thread. how: as for a socket."""
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
            self._conn.close()  # raises if already closed
        with self._guard:
            if self._handle >= 0:
                os.close(self._handle)
                self._handle = -1


def connect(target: Target, database: str | None = None) -> Link:
    """A connection; DatabaseUnavailable with the reason, which contains no password."""
    try:
        return Link(target, database)
    except FAILURES as error:
        raise DatabaseUnavailable(in_words(error)) from None


class Control(ControlConnection[Link]):
    """The control connection, in autocommit mode."""

    failures = FAILURES

    def __init__(self, target: Target) -> None:
        super().__init__()
        self._target = target

    def connect(self) -> Link:
        return connect(self._target)

    def disconnect(self, connection: Link) -> None:
        connection.close()

    def answers(self, connection: Link) -> bool:
        try:
            connection.run("DO 0")
        except FAILURES:
            return False
        return True

    def in_words(self, error: Exception) -> str:
        return in_words(error)


def open_socket(target: Target) -> socket.socket:
    """Opened here rather than by the driver, so that it can be cut."""
    if target.unix_socket is None:
        found = socket.create_connection((target.host, target.port), target.connect_seconds)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return found
    if sys.platform == "win32":
        raise DatabaseUnavailable("Python has no unix sockets on Windows; name the server by host and port")
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        found.settimeout(target.connect_seconds)
        found.connect(target.unix_socket)
    except BaseException:
        found.close()
        raise
    return found


def kill_query(target: Target, thread_id: int) -> bool:
    """Ask the server to cancel a connection's statement; whether it accepted the request."""
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
    """Why the server accepts no more connections, from its settings. number: an error in TOO_MANY."""
    limit = TOO_MANY[number]
    row = link.run(f"SELECT @@{limit}").row
    most = int(row[0]) if row else 0
    return NoMoreSessions(f"the server accepts no more connections: {limit} is {most}", max(most - OURS, 0))


def number_of(error: BaseException) -> int:
    """The server's or the driver's error number; 0 if there is none."""
    number = error.args[0] if isinstance(error, pymysql.err.Error) and error.args else 0
    return number if isinstance(number, int) else 0


def session_error(link: Link, error: BaseException, *, committing: bool) -> SessionError:
    """What a failure means for its transaction."""
    number = number_of(error)
    lost = number in LOST or not link.open or not isinstance(error, pymysql.err.Error)
    outcome = outcome_of(number, getattr(error, "sqlstate", None), lost=lost, committing=committing)
    return SessionError(outcome, str(number or 2013), in_words(error), lost=lost)


def in_words(error: BaseException) -> str:
    """The message in one line. Servers and driver quote users and hosts, but never passwords."""
    if isinstance(error, pymysql.err.Error) and len(error.args) > 1:
        return " ".join(str(error.args[1]).split())
    return " ".join(str(error).split()) or "the connection is closed"
