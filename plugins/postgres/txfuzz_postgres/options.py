"""The adapter's options, and the faults that its databases support."""

from __future__ import annotations

from dataclasses import dataclass

from txfuzz.plugin_api import (
    CUT,
    KILL,
    LIMIT,
    PAUSE,
    TERMINATE,
    RoomForClients,
    check_options,
    max_connections_option,
    option,
    tables_option,
)

from .layouts import LAYOUTS, PLANS
from .statements import UPDATE_ELSE_INSERT, WRITE_FORMS

SYNCHRONOUS_COMMIT = ("off", "local", "remote_write", "on", "remote_apply")

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

    def __post_init__(self) -> None:
        check_options(self, "postgres")
