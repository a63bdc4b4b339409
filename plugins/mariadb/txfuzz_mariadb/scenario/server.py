"""What the tables of a scenario need of the server that they are on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from txfuzz.plugin_api import DatabaseUnavailable

from ..protocol.connection import FAILURES, Link, in_words, kill_query
from ..protocol.lock_waits import LockWaits
from ..protocol.url import Target
from ..schemas import MariadbSchemas
from ..settings import SNAPSHOTS, apply_settings

LONGEST_WAIT = 50  # seconds, the server's own default: who waits is let go by the schedule
OWN_TIMEOUT = "innodb_lock_wait_timeout"


class ScenarioServer:
    """run: does some work on the control connection. settings: the adapter's of its sessions."""

    def __init__(
        self,
        target: Target,
        settings: Mapping[str, str | int],
        waits: LockWaits,
        run: Callable[[Callable[[Link], Any]], Any],
        *,
        deadlocks_end: bool,
    ) -> None:
        self._target, self._waits, self._run = target, waits, run
        # Whatever else the user's own sessions have, the server decides
        self._settings = {name: settings[name] for name in (OWN_TIMEOUT, SNAPSHOTS) if name in settings}
        if deadlocks_end and OWN_TIMEOUT in self._settings:
            self._settings[OWN_TIMEOUT] = LONGEST_WAIT

    def connect(self, database: str | None, *, several: bool = False) -> Link:
        try:
            link = Link(self._target, database, several=several)
        except FAILURES as error:
            raise DatabaseUnavailable(in_words(error)) from None
        try:
            apply_settings(link, self._settings)
        except FAILURES as error:
            link.close()
            raise DatabaseUnavailable(in_words(error)) from None
        return link

    def url(self, database: str) -> str:
        return self._target.url_of_database(database, self._settings)

    def kill(self, number: int) -> bool:
        return kill_query(self._target, number)

    def waits(self, numbers: Sequence[int]) -> Mapping[int, frozenset[int]]:
        return self._waits.among(numbers)

    def make(self, keeper: Link, database: str) -> None:
        """A new database, which is ours as long as this connection is there."""
        MariadbSchemas().create_marked(keeper, database)

    def drop(self, databases: Sequence[str]) -> None:
        """With the connections to them that have been left open, which would be in the way."""

        def drop_all(link: Link) -> None:
            marks = ", ".join(["%s"] * len(databases))
            left = link.rows(
                f"SELECT ID FROM information_schema.PROCESSLIST WHERE DB IN ({marks})", databases
            )
            for (number,) in left:
                with suppress(*FAILURES):  # it has ended meanwhile
                    link.run(f"KILL CONNECTION {number:d}")
            for name in databases:
                MariadbSchemas().drop(link, name)

        with suppress(DatabaseUnavailable):
            self._run(drop_all)
