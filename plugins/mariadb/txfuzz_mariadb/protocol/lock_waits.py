"""Lock waits: InnoDB's lock tables, read on a separate connection.

MariaDB keeps a copy of those tables and refreshes it only if nobody has read it for a tenth of a second:
faster polling sees a stale copy forever. So the number of waits, which is always current, is read
first, and the tables only if it is not 0, after that pause.
https://mariadb.com/kb/en/information-schema-innodb_lock_waits-table/
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from txfuzz.plugin_api import DatabaseUnavailable

from .connection import FAILURES, Link, in_words

PAUSE = 0.11  # seconds; the server's is 0.1
ANYBODY = "SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'"
OF_INNODB = (
    "SELECT waits.trx_mysql_thread_id, blocks.trx_mysql_thread_id "
    "FROM information_schema.INNODB_LOCK_WAITS AS pair "
    "JOIN information_schema.INNODB_TRX AS waits ON waits.trx_id = pair.requesting_trx_id "
    "JOIN information_schema.INNODB_TRX AS blocks ON blocks.trx_id = pair.blocking_trx_id"
)
OF_SYS = "SELECT waiting_pid, blocking_pid FROM sys.innodb_lock_waits"  # the only one in MySQL 8


class LockWaits:
    """Connects on first use."""

    def __init__(self, connect: Callable[[], Link]) -> None:
        self._connect = connect
        self._link: Link | None = None
        self._lock = threading.Lock()
        self._read = 0.0  # when the tables were last read
        self._query = ""

    def seen(self) -> bool:
        """Whether this user may read lock waits on this server."""
        with self._lock:
            try:
                return bool(self._how(self._connected()))
            except (DatabaseUnavailable, *FAILURES):
                return False

    def among(self, threads: Sequence[int]) -> Mapping[int, frozenset[int]]:
        """Waiting connection → those it waits for."""
        with self._lock:
            try:
                return self._among(set(threads))
            except FAILURES as error:
                self._close()
                raise DatabaseUnavailable(f"lock waits cannot be read: {in_words(error)}") from None

    def _among(self, threads: set[int]) -> Mapping[int, frozenset[int]]:
        link = self._connected()
        query = self._how(link)
        row = link.run(ANYBODY).row
        if not query or not row or int(row[1]) == 0:
            return {}
        if query == OF_INNODB:
            time.sleep(max(0.0, self._read + PAUSE - time.monotonic()))
        found: defaultdict[int, set[int]] = defaultdict(set)
        try:
            for waits, blocks in link.rows(query):
                if waits in threads:
                    found[waits].add(blocks)
        finally:
            self._read = time.monotonic()
        return {waits: frozenset(blocks) for waits, blocks in found.items()}

    def _how(self, link: Link) -> str:
        """The first query that works on this server, or an empty string."""
        if not self._query:
            for query in (OF_INNODB, OF_SYS):
                try:
                    link.rows(query)
                except FAILURES:
                    if not link.open:
                        raise
                else:
                    self._query = query
                    self._read = time.monotonic()
                    break
        return self._query

    def close(self) -> None:
        with self._lock:
            self._close()

    def _connected(self) -> Link:
        if self._link is None:
            self._link = self._connect()
        return self._link

    def _close(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None
