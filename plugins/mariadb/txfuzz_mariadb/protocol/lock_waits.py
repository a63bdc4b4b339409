"""Lock waits, read on a separate connection.

Who waits for InnoDB is known at any time (innodb_status). For whom, only InnoDB's lock tables say for
certain, of which MariaDB keeps a copy that it refreshes only if nobody has read it for a tenth of a second:
faster polling sees a stale copy forever. They are read only where more than one could be in the way.
https://mariadb.com/kb/en/information-schema-innodb_lock_waits-table/
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from txfuzz.plugin_api import DatabaseUnavailable

from .connection import FAILURES, Link, in_words
from .innodb_status import STATUS, InnodbTransactions, transactions

Waits = Mapping[int, frozenset[int]]

PAUSE = 0.11  # seconds; the server's is 0.1
SETTLED = 0.005  # seconds after which a thread that was woken up has said so in the list of processes
DEADLOCK_PAUSE = 0.0005  # seconds in which InnoDB has found a deadlock
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
DETECTS = "SHOW GLOBAL VARIABLES LIKE 'innodb_deadlock_detect'"


class LockWaits:
    """Connects on first use."""

    def __init__(self, connect: Callable[[], Link]) -> None:
        self._connect = connect
        self._link: Link | None = None
        self._lock = threading.Lock()
        self._read = 0.0  # when the tables were last read
        self._query = ""
        self._detects: bool | None = None
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
        """Waiting connection → those it waits for: locks of InnoDB's."""
        return self._ask(self._among, threads)

    def anything(self, threads: Sequence[int]) -> Waits:
        """The same for every kind of lock, and at once: where more than one could be in the way, all are
        named that are not waiting themselves."""
        return self._ask(self._anything, threads)

    def _ask(self, how: Callable[[Link, set[int]], Waits], threads: Sequence[int]) -> Waits:
        with self._lock:
            try:
                return how(self._connected(), set(threads))
            except FAILURES as error:
                self._close()
                raise DatabaseUnavailable(f"lock waits cannot be read: {in_words(error)}") from None

    # -- InnoDB's ---------------------------------------------------------------------------------

    def _among(self, link: Link, threads: set[int]) -> Waits:
        known = self._status(link)
        if known is None:
            return self._of_tables(link, threads)
        waiting = known.waiting & threads
        if not waiting:
            return {}
        found = {}
        for thread in waiting:
            others = known.holding - {thread}
            if len(others) > 1:  # any of them, or some
                return self._of_tables(link, threads)
            found[thread] = frozenset(other for other in others if other is not None)
        return found

    def _status(self, link: Link) -> InnodbTransactions | None:
        row = link.run(STATUS).row if self._how(link) == OF_INNODB else None
        return transactions(str(row[2])) if row else None

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

    # -- all ----------------------------------------------------------------------------------------

    def _anything(self, link: Link, threads: set[int]) -> Waits:
        known = self._status(link)
        if known is None:
            return {**self._of_tables(link, threads), **self._of_server(link, threads)}
        waiting = known.waiting & threads
        if len(waiting) > 1:
            if not self._deadlocks_end(link):
                return {**self._of_tables(link, threads), **self._of_server(link, threads)}
            # A deadlock that has just come about is over when InnoDB has had the time to find it
            time.sleep(DEADLOCK_PAUSE)
            again = self._status(link)
            waiting &= again.waiting if again else frozenset()
        free = threads - waiting
        found = {
            thread: frozenset(other for other in known.holding & free if other is not None)
            for thread in waiting
        }
        return {**found, **self._of_server(link, threads - waiting)}

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

    def _deadlocks_end(self, link: Link) -> bool:
        if self._detects is None:
            row = link.run(DETECTS).row
            self._detects = row is not None and str(row[1]).upper() in ("ON", "1")
        return self._detects

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
