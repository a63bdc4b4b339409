"""The adapter: its options, what it can do, and how it opens a database."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from txfuzz.plugin_api import Capabilities, check_options, option

from .abilities import ABILITIES
from .levels import DEFAULT, LOCKS, promises
from .statements import DIALECT, ON_DUPLICATE_KEY, WRITE_FORMS

if TYPE_CHECKING:
    from .database import MariadbDatabase

USUAL = 120  # connections of the embedded server
SPARE = 20  # of them at least for others than the clients


@dataclass(frozen=True)
class MariadbAdapter:
    """MariaDB, embedded or on a server of one's own. The fields are options of `database:`."""

    name: ClassVar[str] = "mariadb"
    about: ClassVar[str] = "MariaDB: an embedded server of its own, or any MySQL-protocol server by its URL"

    innodb_snapshot_isolation: bool = option(
        False,
        "whether REPEATABLE READ refuses to change a row that has changed since the transaction's snapshot",
    )
    append: str = option(
        ON_DUPLICATE_KEY,
        "how a write reaches a row that may not exist yet: INSERT … ON DUPLICATE KEY UPDATE; "
        "or UPDATE and, if that found no row, INSERT",
        choices=WRITE_FORMS,
    )
    tables: int = option(1, "the keys are spread over so many tables", least=1)
    schema: str | None = option(
        None,
        "a database of one's own, which is kept; left out: a new one for every campaign, dropped at its end",
        longest=64,
    )
    lock_wait_timeout: int = option(
        2, "the server gives a statement up that waits so many seconds for a row lock", least=1
    )
    flush: bool = option(False, "whether the embedded server forces its log to the disk at every COMMIT")
    max_connections: int | None = option(
        None,
        "how many connections the embedded server takes; left out: enough for the clients that the workload "
        "begins with, and at least 120",
        least=10,
    )

    def __post_init__(self) -> None:
        check_options(self, "mariadb")

    def capabilities(self) -> Capabilities:
        return Capabilities(
            isolation=promises(innodb_snapshot_isolation=self.innodb_snapshot_isolation),
            default_isolation=DEFAULT,
            locks=frozenset(LOCKS),
            sql=True,
            dialects=frozenset({DIALECT}),
            lock_waits=True,
            embedded=True,
            faults=ABILITIES,
            savepoints=True,
            modes=frozenset({"read_only"}),
        )

    def servers(self) -> tuple[str, ...]:
        """See txfuzz.database.api.Embeds."""
        from .server.files import installed_servers

        found, problems = installed_servers()
        known = (f"MariaDB {each.version} ({each.origin}: {each.mariadbd})" for each in found)
        return (*known, *(f"not usable: {problem}" for problem in problems))

    def with_room_for(self, clients: int) -> MariadbAdapter:
        """See txfuzz.database.api.MakesRoom."""
        if self.max_connections is not None:
            return self
        return replace(self, max_connections=max(USUAL, clients + SPARE))

    def open(self, url: str | None) -> MariadbDatabase:
        from .database import open_embedded, open_url

        return open_embedded(self) if url is None else open_url(self, url)
