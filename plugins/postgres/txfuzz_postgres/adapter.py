"""The adapter: its options, what it can do, and how it opens a database."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from txfuzz.plugin_api import Capabilities, check_options, option

from .abilities import ABILITIES
from .levels import DEFAULT, LOCKS, PROMISES
from .statements import UPDATE_ELSE_INSERT, WRITE_FORMS

if TYPE_CHECKING:
    from .database import PostgresDatabase

DIALECT = "postgresql"
USUAL = 120  # connections of the embedded server
SPARE = 20  # of them at least for others than the clients
SYNCHRONOUS_COMMIT = ("off", "local", "remote_write", "on", "remote_apply")


@dataclass(frozen=True)
class PostgresAdapter:
    """PostgreSQL, embedded or on a server of one's own. The fields are options of `database:`."""

    name: ClassVar[str] = "postgres"
    about: ClassVar[str] = "PostgreSQL: an embedded server of its own, or any server by its URL"

    append: str = option(
        UPDATE_ELSE_INSERT,
        "how a write reaches a row that may not exist yet: UPDATE and, if that found no row, INSERT; "
        "or INSERT … ON CONFLICT DO UPDATE",
        choices=WRITE_FORMS,
    )
    batch: bool = option(
        True,
        "BEGIN travels with the first statement of a transaction and COMMIT with the last one, where it can; "
        "off: a message each",
    )
    tables: int = option(1, "the keys are spread over so many tables", least=1)
    schema: str | None = option(
        None,
        "a schema of one's own, which is kept; left out: a new one for every campaign, dropped at its end",
        longest=63,
    )
    deadlock_timeout_ms: int = option(
        10, "how long a lock wait lasts before the server looks for a deadlock", least=1
    )
    statement_timeout_ms: int = option(
        0, "the server cancels a statement after so long; 0 for never", least=0
    )
    lock_timeout_ms: int = option(
        0, "the server cancels a statement that waits so long for a lock; 0 for never", least=0
    )
    synchronous_commit: str | None = option(
        None,
        "whether COMMIT waits for the log; left out: off on the embedded server, the server's own otherwise",
        choices=SYNCHRONOUS_COMMIT,
    )
    fsync: bool = option(False, "whether the embedded server forces its files to disk")
    max_connections: int | None = option(
        None,
        "how many connections the embedded server takes; left out: enough for the clients that the workload "
        "begins with, and at least 120",
        least=10,
    )

    def __post_init__(self) -> None:
        check_options(self, "postgres")

    def capabilities(self) -> Capabilities:
        return Capabilities(
            isolation=PROMISES,
            default_isolation=DEFAULT,
            locks=LOCKS,
            sql=True,
            dialects=frozenset({DIALECT}),
            lock_waits=True,
            embedded=True,
            faults=ABILITIES,
            savepoints=True,
            modes=frozenset({"read_only", "deferrable"}),
        )

    def servers(self) -> tuple[str, ...]:
        """See txfuzz.database.api.Embeds."""
        from .server.files import installed_servers

        found, problems = installed_servers()
        known = (f"PostgreSQL {each.version} ({each.origin}: {each.bin})" for each in found)
        return (*known, *(f"not usable: {problem}" for problem in problems))

    def with_room_for(self, clients: int) -> PostgresAdapter:
        """See txfuzz.database.api.MakesRoom."""
        if self.max_connections is not None:
            return self
        return replace(self, max_connections=max(USUAL, clients + SPARE))

    def open(self, url: str | None) -> PostgresDatabase:
        from .database import open_embedded, open_url

        return open_embedded(self) if url is None else open_url(self, url)
