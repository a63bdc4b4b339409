"""Lock waits, read on a separate connection.

Who waits for InnoDB is known at any time (innodb_status), and for whom, too, where only one can be in the
way or locks are listed. Else InnoDB's lock tables are read, of which MariaDB keeps a copy that it refreshes
only if nobody has read it for a tenth of a second: faster polling sees a stale copy forever.
https://mariadb.com/kb/en/information-schema-innodb_lock_waits-table/
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from txfuzz.plugin_api import DatabaseUnavailable

from .connection import FAILURES, Link, in_words
from .innodb_status import STATUS, transactions, waited_for

Waits = Mapping[int, frozenset[int]]

PAUSE = 0.11  # seconds; the server's is 0.1
SETTLED = 0.005  # seconds after which a thread that was woken up has said so in the list of processes
ANYBODY = "SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'"
OF_INNODB = (
    "SELECT waits.trx_mysql_thread_id, blocks.trx_mysql_thread_id "
    "FROM information_schema.INNODB_LOCK_WAITS AS pair "
    "JOIN information_schema.INNODB_TRX AS waits ON waits.trx_id = pair.requesting_trx_id "
    "JOIN information_schema.INNODB_TRX AS blocks ON blocks.trx_id = pair.blocking_trx_id"
)
OF_SYS = "SELECT waiting_pid, blocking_pid FROM sys.innodb_lock_waits"  # the only one in MySQL 8
PROCESSES = "SHOW PROCESSLIST"
STATEMENTS = "SELECT ID, QUERY_ID FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID()"


class LockWaits:
    """Connects on first use."""

    def __init__(self, connect: Callable[[], Link]) -> None:
        self._connect = connect
        self._link: Link | None = None
        self._lock = threading.Lock()
        self._read = 0.0  # when the tables were last read
        self._query = ""
        self._statements: frozenset[tuple[int, int]] = frozenset()
        self._since = 0.0  # when these statements were first seen

    def seen(self) -> bool:
        """Whether this user may read lock waits on this server."""
        with self._lock:
            try:
                return bool(self._how(self._connected()))
            except (DatabaseUnavailable, *FAILURES):
                return False

    def among(self, threads: Sequence[int]) -> Waits:
        """Waiting connection → those it waits for."""
        with self._lock:
            try:
                link, asked = self._connected(), set(threads)
                found = self._of_innodb(link, asked)
                return {**found, **self._of_server(link, asked - found.keys())}
            except FAILURES as error:
                self._close()
                raise DatabaseUnavailable(f"lock waits cannot be read: {in_words(error)}") from None

    def _of_innodb(self, link: Link, threads: set[int]) -> Waits:
        row = link.run(STATUS).row if self._how(link) == OF_INNODB else None
        known = transactions(str(row[2])) if row else None
        if known is None:
            return self._of_tables(link, threads)
        found = {}
        for each in known:
            if each.waits and each.thread in threads:
                others = waited_for(each, known)
                if others is None:
                    return self._of_tables(link, threads)
                found[each.thread] = frozenset(other.thread for other in others if other.thread is not None)
        return found

    def _of_tables(self, link: Link, threads: set[int]) -> Waits:
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

    def _of_server(self, link: Link, threads: set[int]) -> Waits:
        """Of those threads, the ones that wait for locks of the server's: on metadata, of tables, by name.

        A thread that has been let go says so itself, when it comes to run: so it counts as waiting only if
        nobody has begun a statement for a while.
        """
        if not threads:
            return {}
        states = {int(row[0]): str(row[6] or "") for row in link.rows(PROCESSES)}
        waiting = {thread for thread in threads if _is_lock(states.get(thread, ""))}
        if not waiting:
            return {}
        statements = frozenset((int(thread), int(number)) for thread, number in link.rows(STATEMENTS))
        now = time.monotonic()
        if statements != self._statements:
            self._statements, self._since = statements, now
        if now < self._since + SETTLED:
            return {}
        return {thread: frozenset(threads - waiting) for thread in waiting}

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


def _is_lock(state: str) -> bool:
    return state == "User lock" or (state.startswith("Waiting for") and state.endswith(("lock", "flush")))
