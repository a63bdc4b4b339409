"""The adapter's options, and the faults that its databases support."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from txfuzz.plugin_api import (
    CUT,
    KILL,
    LIMIT,
    PAUSE,
    TERMINATE,
    RoomForClients,
    UsageError,
    check_options,
    max_connections_option,
    option,
    tables_option,
)

from .layouts import LAYOUTS, PLANS
from .statements import UPDATE_ELSE_INSERT, WRITE_FORMS

# What COMMIT on the primary waits for: nothing of standbys, that they have the log, that they show it
REPLICATION = ("asynchronous", "synchronous", "remote_apply")
_WAITS: Mapping[str, tuple[str, ...]] = {
    "asynchronous": ("on", "local", "remote_write", "off"),
    "synchronous": ("on",),
    "remote_apply": ("remote_apply",),
}
SYNCHRONOUS_COMMIT = ("off", "local", "remote_write", "on", "remote_apply")

MOST_STANDBYS = 4

# Any server supports the first; only our own servers also support the second
FAULTS_ANYWHERE = frozenset({CUT, TERMINATE})
FAULTS_OF_OUR_OWN = {
    KILL: "killed and started again",
    PAUSE: "paused",
    LIMIT: "given time-outs for the sessions of everybody",
}


@dataclass(frozen=True)
class PostgresOptions(RoomForClients):
    append: str = option(
        UPDATE_ELSE_INSERT,
        "how to write a row that may not exist yet: UPDATE and, if that found no row, INSERT; "
        "or INSERT … ON CONFLICT DO UPDATE",
        choices=WRITE_FORMS,
    )
    batch: bool = option(
        True,
        "whether BEGIN is sent with a transaction's first statement and COMMIT with its last, "
        "where possible; off: one message each",
    )
    layout: str = option(
        LAYOUTS[0],
        "how tables are made: with a primary key alone, with a hash index beside it, with an index on what "
        "is written, or in partitions",
        choices=LAYOUTS,
    )
    plan: str = option(
        PLANS[0],
        "how statements get at rows: as the server likes, or by scans of the table, of an index, or of a "
        "bitmap, where possible",
        choices=PLANS,
    )
    tables: int = tables_option()
    schema: str | None = option(
        None,
        "your own schema, which is kept; by default a new one for each campaign, dropped at the end",
        longest=63,
    )
    deadlock_timeout_ms: int = option(
        10, "how long a lock wait lasts before the server looks for a deadlock", least=1
    )
    statement_timeout_ms: int = option(
        0, "milliseconds after which the server cancels a statement; 0 for never", least=0
    )
    lock_timeout_ms: int = option(
        0, "milliseconds after which the server cancels a wait for a lock; 0 for never", least=0
    )
    synchronous_commit: str | None = option(
        None,
        "whether COMMIT waits for the log; by default off on the embedded server, else as the server has it",
        choices=SYNCHRONOUS_COMMIT,
    )
    fsync: bool = option(False, "whether the embedded server flushes its files to disk")
    max_connections: int | None = max_connections_option()
    version: str | int | None = option(
        None, 'which version the embedded server has, such as 15 or "15.18", among those that are found'
    )
    server: str | None = option(
        None,
        "a directory with the embedded server's programs, or below which there are several servers, such as "
        "unpacked wheels",
    )

    standbys: int = option(
        0, "how many hot standbys the embedded server has, for `endpoints` of the role standby", least=0
    )
    replication: str = option(
        "asynchronous",
        "what COMMIT waits for: nothing of the standbys, that all of them have its log on disk, "
        "or that all of them show it",
        choices=REPLICATION,
    )

    def __post_init__(self) -> None:
        check_options(self, "postgres")
        if self.standbys > MOST_STANDBYS:
            raise UsageError(f"adapter 'postgres': at most {MOST_STANDBYS} standbys, found {self.standbys}")
        if self.replication != REPLICATION[0] and not self.standbys:
            raise UsageError(
                f"adapter 'postgres': `replication: {self.replication}` needs `standbys: 1` or more"
            )
        waits = _WAITS[self.replication]
        if self.standbys and self.synchronous_commit not in (None, *waits):
            raise UsageError(
                f"adapter 'postgres': `replication: {self.replication}` is `synchronous_commit: {waits[0]}`, "
                f"found {self.synchronous_commit!r}"
            )

    @property
    def wanted_version(self) -> str | None:
        return None if self.version is None else str(self.version)

    @property
    def commits(self) -> str:
        """synchronous_commit of the embedded server."""
        return self.synchronous_commit or (_WAITS[self.replication][0] if self.standbys else "off")
