"""Messages to the server and their results, on psycopg's low-level PGconn.

PGconn releases the GIL while it waits, which leaves the server as the limit. Results are
judged by status, command tag and SQLSTATE, never by text.

Statements are prepared and run in one of two ways: by the extended protocol, one message each, or
several in one simple message (`BEGIN …; EXECUTE txfuzz_3(12, 5); COMMIT`). The server plans
both alike; the second saves round trips, a client's main cost.
"""

from __future__ import annotations

import select
import sys
from collections.abc import Callable, Sequence
from typing import ParamSpec

from psycopg import Error, pq
from psycopg.pq.abc import PGconn, PGresult

from txfuzz.plugin_api import Outcome, SessionError

from .connection import BAD
from .sqlstate import CONNECTION_LOST, SYNTAX_ERROR, outcome_of

COMMAND_OK = int(pq.ExecStatus.COMMAND_OK)
TUPLES_OK = int(pq.ExecStatus.TUPLES_OK)
EMPTY_QUERY = int(pq.ExecStatus.EMPTY_QUERY)
FATAL_ERROR = int(pq.ExecStatus.FATAL_ERROR)
COPYING = frozenset(map(int, (pq.ExecStatus.COPY_IN, pq.ExecStatus.COPY_OUT, pq.ExecStatus.COPY_BOTH)))
FINE = frozenset((COMMAND_OK, TUPLES_OK))
INT8 = 20  # oid of the type of every parameter
TEXT, BINARY = 0, 1
P = ParamSpec("P")


def waiting_for(socket: int) -> Callable[[int], object]:
    """A function that waits until this socket is readable, whichever it is given. Windows has no poll()."""
    if sys.platform == "win32":
        return lambda _: select.select([socket], (), ())
    answer = select.poll()
    answer.register(socket, select.POLLIN)
    return lambda _: answer.poll()


class Wire:
    """One client's connection. All methods raise SessionError on errors and lost connections.

    wait: waits until a file descriptor is readable; used for all waiting.
    """

    def __init__(self, conn: PGconn) -> None:
        self.conn = conn
        self._names: dict[str, bytes] = {}  # SQL → prepared statement
        self._file = conn.socket
        self.wait = waiting_for(self._file)

    def prepare(self, sql: str, parameters: int) -> bytes:
        """The name of this statement, prepared on first use."""
        name = self._names.get(sql)
        if name is None:
            name = b"txfuzz_%d" % len(self._names)
            types = [INT8] * parameters
            self._single(False, self.conn.send_prepare, name, sql.encode(), types)
            self._names[sql] = name
        return name

    def run(
        self, name: bytes, parameters: Sequence[bytes], result_format: int = TEXT, committing: bool = False
    ) -> PGresult:
        """Run one prepared statement. committing: it is COMMIT."""
        send = self.conn.send_query_prepared
        return self._single(committing, send, name, parameters, None, result_format)

    def last(self, message: bytes) -> PGresult:
        """Send several statements, none of which commits, in one message; the last result."""
        return self._single(False, self.conn.send_query, message)

    def all(self, message: bytes) -> list[PGresult]:
        """Send several statements, the last of which commits, in one message; all results.

        After the first error the server skips the rest. If the connection is lost it is unknown
        how far it got, so that counts as lost at COMMIT.
        """
        results = self._answers(True, self.conn.send_query, message)
        for result in results:
            if result.status not in FINE:
                raise self.error(result, committing=True)
        return results

    def _single(self, committing: bool, send: Callable[P, None], *args: P.args, **more: P.kwargs) -> PGresult:
        result = self._answers(committing, send, *args, **more)[-1]
        if result.status in FINE:
            return result
        raise self.error(result, committing)

    def _answers(
        self, committing: bool, send: Callable[P, None], *args: P.args, **more: P.kwargs
    ) -> list[PGresult]:
        """Send one message by send(*args); all its results, at least one."""
        conn = self.conn
        results: list[PGresult] = []
        try:
            send(*args, **more)
            self.wait(self._file)
            conn.consume_input()
            while True:
                # get_result() would wait with the GIL held, so it is called only once it need not wait.
                while conn.is_busy():
                    self.wait(self._file)
                    conn.consume_input()
                result = conn.get_result()
                if result is None:
                    return results
                results.append(result)
                if result.status in COPYING:
                    return results
        except Error as error:
            raise self.lost(str(error), committing) from None

    def error(self, result: PGresult, committing: bool) -> SessionError:
        """What this result means for the transaction. committing: COMMIT had been sent."""
        if result.status == EMPTY_QUERY:
            return SessionError(Outcome.BUG, SYNTAX_ERROR, "the statement is empty")
        if result.status != FATAL_ERROR:  # COPY: the connection now expects data
            return SessionError(
                Outcome.BUG, "0A000", "a step may not copy data from or to the client", lost=True
            )
        field = result.error_field
        severity = field(pq.DiagnosticField.SEVERITY_NONLOCALIZED)
        code = field(pq.DiagnosticField.SQLSTATE)
        message = field(pq.DiagnosticField.MESSAGE_PRIMARY) or result.error_message
        lost = self.conn.status == BAD or severity in (b"FATAL", b"PANIC")
        if not code or not message:
            return self.lost(result.get_error_message(), committing)
        word = code.decode()
        outcome = outcome_of(word, lost=lost, committing=committing)
        return SessionError(outcome, word, message.decode(errors="replace").strip(), lost=lost)

    def lost(self, message: str, committing: bool) -> SessionError:
        """The connection ended without an error from the server."""
        outcome = outcome_of(CONNECTION_LOST, lost=True, committing=committing)
        return SessionError(outcome, CONNECTION_LOST, " ".join(message.split()), lost=True)
