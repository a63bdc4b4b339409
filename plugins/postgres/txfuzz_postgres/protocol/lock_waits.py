"""Lock waits: one prepared statement on a separate connection.

pg_blocking_pids reads the lock manager itself; wait events in pg_stat_activity lag behind it. A READ ONLY
DEFERRABLE transaction waits for others without a lock, which a function of its own tells. That function stops
at the first transaction of a server process that is still kept (GetSafeSnapshotBlockingPids, up to version 18
at least), so it tells nothing where the process has just committed a serializable one: there the wait event
is asked.
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
# Whoever was in a transaction when the wait began may be waited for.
SAFE_SNAPSHOT_QUERY = (
    b"SELECT waiting.pid, string_agg(other.pid::text, ',') "
    b"FROM unnest($1) AS asked, pg_stat_get_activity(asked) AS waiting, pg_stat_get_activity(NULL) AS other "
    b"WHERE waiting.wait_event = 'SafeSnapshot' AND other.datid = waiting.datid AND other.pid <> waiting.pid "
    b"AND other.xact_start <= waiting.query_start GROUP BY waiting.pid"
)
SAFE_SNAPSHOT_NAME = b"txfuzz_safe_snapshot_waits"
# It takes twice as long as QUERY, and most statements that are asked for are merely under way: it is asked
# for a process that QUERY could not explain so often in succession.
UNEXPLAINED = 3


class LockWaits:
    """Connects on first use."""

    def __init__(self, connect: Callable[[], PGconn]) -> None:
        self._connect = connect
        self._conn: PGconn | None = None
        self._lock = threading.Lock()
        self._unexplained: dict[int, int] = {}  # process → questions in succession

    def among(self, pids: Sequence[int]) -> Mapping[int, frozenset[int]]:
        """Waiting server process → those it waits for."""
        with self._lock:
            found = self._found(NAME, pids)
            self._unexplained = {pid: self._unexplained.get(pid, 0) + 1 for pid in pids if pid not in found}
            lasting = [pid for pid, times in self._unexplained.items() if times >= UNEXPLAINED]
            return found | self._found(SAFE_SNAPSHOT_NAME, lasting) if lasting else found

    def _found(self, name: bytes, pids: Sequence[int]) -> dict[int, frozenset[int]]:
        asked = b"{%s}" % b",".join(b"%d" % pid for pid in pids)
        try:
            result = self._asked(name, asked)
        except Error:
            result = self._asked_anew(name, asked)
        found = {}
        for row in range(result.ntuples):
            pid, blockers = result.get_value(row, 0) or b"0", result.get_value(row, 1) or b""
            found[int(pid)] = frozenset(map(int, blockers.split(b",")))
        return found

    def _asked(self, name: bytes, pids: bytes) -> PGresult:
        try:
            result = self._connected().exec_prepared(name, (pids,))
            if result.status != TUPLES_OK:
                raise Error(result.get_error_message())
        except Error:
            self._close()
            raise
        return result

    def _asked_anew(self, name: bytes, pids: bytes) -> PGresult:
        """On another connection: a server that went down may be back."""
        try:
            return self._asked(name, pids)
        except Error as error:
            raise DatabaseUnavailable(f"lock waits cannot be read: {error}") from None

    def close(self) -> None:
        with self._lock:
            self._close()

    def _connected(self) -> PGconn:
        if self._conn is None:
            self._conn = self._connect()
            self._conn.prepare(NAME, QUERY, [INT4_ARRAY])
            self._conn.prepare(SAFE_SNAPSHOT_NAME, SAFE_SNAPSHOT_QUERY, [INT4_ARRAY])
        return self._conn

    def _close(self) -> None:
        if self._conn is not None:
            self._conn.finish()
            self._conn = None
