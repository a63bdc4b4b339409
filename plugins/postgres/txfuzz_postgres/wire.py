"""Messages to the server and their answers, on psycopg's low-level PGconn.

PGconn releases the interpreter's lock while it waits and leaves the server as the limit. Answers are
judged by their status, command tag and SQLSTATE, never by text.

Statements are prepared, and run in one of two ways: by the extended protocol, a message each, or
several of them in one simple message (`BEGIN …; EXECUTE txfuzz_3(12, 5); COMMIT`). The server plans
both alike; the second saves round trips, which cost a client far more than anything that it computes.
"""

from __future__ import annotations

import select
from collections.abc import Sequence

from psycopg import Error, pq
from psycopg.pq.abc import PGconn, PGresult

from txfuzz.database.port import Outcome, SessionError

from .connection import BAD
from .sqlstate import CONNECTION_LOST, SYNTAX_ERROR, outcome_of

COMMAND_OK = int(pq.ExecStatus.COMMAND_OK)
TUPLES_OK = int(pq.ExecStatus.TUPLES_OK)
EMPTY_QUERY = int(pq.ExecStatus.EMPTY_QUERY)
FATAL_ERROR = int(pq.ExecStatus.FATAL_ERROR)
INT8 = 20  # oid of the type of every parameter
TEXT, BINARY = 0, 1
SMALL = 1000  # bytes that arrive in one piece, together with what follows them


class Wire:
    """One connection for one thread. Everything raises SessionError where the server says no or nothing."""

    def __init__(self, conn: PGconn) -> None:
        self.conn = conn
        self._names: dict[str, bytes] = {}  # SQL → prepared statement
        self._answer = select.poll()
        self._answer.register(conn.socket, select.POLLIN)

    def prepare(self, sql: str, parameters: int) -> bytes:
        """The name of this statement, which is prepared when it is first needed."""
        name = self._names.get(sql)
        if name is None:
            name = b"txfuzz_%d" % len(self._names)
            try:
                result = self.conn.prepare(name, sql.encode(), [INT8] * parameters)
            except Error as error:
                raise self.lost(str(error), committing=False) from None
            if result.status != COMMAND_OK:
                raise self.error(result, committing=False)
            self._names[sql] = name
        return name

    def run(
        self, name: bytes, parameters: Sequence[bytes], result_format: int = TEXT, committing: bool = False
    ) -> PGresult:
        """Run one prepared statement. committing: it is COMMIT."""
        try:
            result = self.conn.exec_prepared(name, parameters, None, result_format)
        except Error as error:
            raise self.lost(str(error), committing) from None
        if result.status == TUPLES_OK or result.status == COMMAND_OK:
            return result
        raise self.error(result, committing)

    def last(self, message: bytes) -> PGresult:
        """Send several statements, none of which commits, in one message; the answer to the last one."""
        try:
            result = self.conn.exec_(message)
        except Error as error:
            raise self.lost(str(error), committing=False) from None
        if result.status == TUPLES_OK or result.status == COMMAND_OK:
            return result
        raise self.error(result, committing=False)

    def all(self, message: bytes) -> list[PGresult]:
        """Send several statements, the last of which commits, in one message; all answers.

        After the first error the server skips the rest. Where the connection is lost nobody knows
        how far it came, so that is a loss at COMMIT.
        """
        results = []
        conn = self.conn
        try:
            conn.send_query(message)
            self._answer.poll()
            conn.consume_input()
            whole = False
            while True:
                # get_result() would wait with the interpreter's lock held: it is called when it need not.
                while not whole and conn.is_busy():
                    self._answer.poll()
                    conn.consume_input()
                result = conn.get_result()
                if result is None:
                    break
                results.append(result)
                whole = _rest_is_there(result)
        except Error as error:
            raise self.lost(str(error), committing=True) from None
        for result in results:
            if result.status != TUPLES_OK and result.status != COMMAND_OK:
                raise self.error(result, committing=True)
        return results

    def error(self, result: PGresult, committing: bool) -> SessionError:
        """What this answer means for the transaction. committing: COMMIT had been sent."""
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
        """The connection has ended without a word."""
        outcome = outcome_of(CONNECTION_LOST, lost=True, committing=committing)
        return SessionError(outcome, CONNECTION_LOST, " ".join(message.split()), lost=True)


def _rest_is_there(result: PGresult) -> bool:
    """Whether the further answers to the same message have arrived with this one.

    The server sends answers when its buffer is full, at an error or a notice (sessions want none),
    and when all statements have run. To ask libpq means to give the interpreter's lock away.
    """
    if result.status == TUPLES_OK:
        return result.ntuples == 0 or (result.ntuples == 1 and len(result.get_value(0, 0) or b"") < SMALL)
    return result.status == COMMAND_OK
