"""Lock waits: one prepared statement on a separate connection.

pg_blocking_pids reads the lock manager itself; wait events in pg_stat_activity lag behind it. A READ ONLY
DEFERRABLE transaction waits for others without a lock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from psycopg import Error, pq
from psycopg.pq.abc import PGconn, PGresult

from txfuzz.plugin_api import DatabaseUnavailable

TUPLES_OK = int(pq.ExecStatus.TUPLES_OK)
INT4_ARRAY = 1007  # oid
# Called once per process: a second call could give another result.
QUERY = (
    b"SELECT pid, array_to_string(blockers, ',') "
    b"FROM (SELECT pid, pg_blocking_pids(pid) || pg_safe_snapshot_blocking_pids(pid) AS blockers "
    b"FROM unnest($1) AS pid OFFSET 0) AS waits "
    b"WHERE cardinality(blockers) > 0"
)
NAME = b"txfuzz_waits"


class LockWaits:
    """Connects on first use."""

    def __init__(self, connect: Callable[[], PGconn]) -> None:
        self._connect = connect
        self._conn: PGconn | None = None
        self._lock = threading.Lock()

    def among(self, pids: Sequence[int]) -> Mapping[int, frozenset[int]]:
        """Waiting server process → those it waits for."""
        asked = b"{%s}" % b",".join(b"%d" % pid for pid in pids)
        with self._lock:
            try:
                result = self._asked(asked)
            except Error:
                result = self._asked_anew(asked)
        found = {}
        for row in range(result.ntuples):
            pid, blockers = result.get_value(row, 0) or b"0", result.get_value(row, 1) or b""
            found[int(pid)] = frozenset(map(int, blockers.split(b",")))
        return found

    def _asked(self, pids: bytes) -> PGresult:
        try:
            result = self._connected().exec_prepared(NAME, (pids,))
            if result.status != TUPLES_OK:
                raise Error(result.get_error_message())
        except Error:
            self._close()
            raise
        return result

    def _asked_anew(self, pids: bytes) -> PGresult:
        """On another connection: a server that went down may be back."""
        try:
            return self._asked(pids)
        except Error as error:
            raise DatabaseUnavailable(f"lock waits cannot be read: {error}") from None

    def close(self) -> None:
        with self._lock:
            self._close()

    def _connected(self) -> PGconn:
        if self._conn is None:
            self._conn = self._connect()
            self._conn.prepare(NAME, QUERY, [INT4_ARRAY])
        return self._conn

    def _close(self) -> None:
        if self._conn is not None:
            self._conn.finish()
            self._conn = None
