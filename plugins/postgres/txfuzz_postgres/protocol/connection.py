"""Connecting through psycopg's low-level PGconn without holding the GIL for long.

PGconn.connect() waits inside libpq with the GIL held: on a server that hangs it would freeze
every other thread, including the one that could cancel the wait. So we poll.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import time
from typing import Protocol

from psycopg import Error, pq
from psycopg.pq.abc import PGconn

from txfuzz.plugin_api import DatabaseUnavailable

from .url import Target

POLL_OK = int(pq.PollingStatus.OK)
POLL_READING = int(pq.PollingStatus.READING)
POLL_FAILED = int(pq.PollingStatus.FAILED)
BAD = int(pq.ConnStatus.BAD)
CANCEL_SECONDS = 1.0


class Pollable(Protocol):
    """What connecting and cancelling have in common."""

    @property
    def socket(self) -> int: ...


def connect(target: Target, application_name: str) -> PGconn:
    """A blocking connection; DatabaseUnavailable with libpq's reason, which contains no password."""
    until = time.monotonic() + target.connect_seconds
    conn = pq.PGconn.connect_start(target.conninfo(application_name).encode())
    try:
        progress = POLL_FAILED if conn.status == BAD else pq.PollingStatus.WRITING
        while progress not in (POLL_OK, POLL_FAILED):
            if not ready(conn, progress == POLL_READING, until):
                raise DatabaseUnavailable(
                    f"no answer from {target.shown} within {target.connect_seconds:.0f} s"
                )
            progress = conn.connect_poll()
        if progress == POLL_FAILED:
            raise DatabaseUnavailable(reason(conn.get_error_message()))
    except BaseException:
        conn.finish()
        raise
    return conn


def ready(conn: Pollable, reading: bool, until: float) -> bool:
    """Wait for the socket; False when the time is up."""
    left = until - time.monotonic()
    with selectors.DefaultSelector() as selector:
        selector.register(conn.socket, selectors.EVENT_READ if reading else selectors.EVENT_WRITE)
        return bool(selector.select(None if left == float("inf") else max(0.0, left)))


def request_cancel(conn: PGconn) -> bool:
    """Ask the server to cancel the connection's statement; whether it accepted the request."""
    try:
        request = conn.cancel_conn()
    except Error:  # libpq older than 17: the blocking way
        with contextlib.suppress(Error):
            conn.get_cancel().cancel()
            return True
        return False
    until = time.monotonic() + CANCEL_SECONDS
    try:
        request.start()
        while True:
            progress = request.poll()
            if progress in (POLL_OK, POLL_FAILED):
                return bool(progress == POLL_OK)
            if not ready(request, progress == POLL_READING, until):
                return False
    except (Error, OSError):
        return False
    finally:
        request.finish()


def cut(conn: PGconn, how: int = socket.SHUT_RDWR) -> None:
    """Shut down the connection's socket, so that a blocked call returns. how: as for a socket."""
    with contextlib.suppress(OSError, Error), socket.socket(fileno=os.dup(conn.socket)) as double:
        double.shutdown(how)


def reason(message: str) -> str:
    """libpq's message in one line."""
    return " ".join(line.strip() for line in message.strip().splitlines()) or "the server cannot be reached"
