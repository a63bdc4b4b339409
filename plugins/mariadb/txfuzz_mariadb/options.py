"""The adapter's options, and the faults that its databases support."""

from __future__ import annotations

from dataclasses import dataclass

from txfuzz.plugin_api import (
    CUT,
    KILL,
    PAUSE,
    TERMINATE,
    RoomForClients,
    UsageError,
    check_options,
    max_connections_option,
    option,
    tables_option,
)

from .products import PRODUCTS
from .statements import LAYOUTS, ON_DUPLICATE_KEY, PLANS, WRITE_FORMS

# Any server supports the first; only our own servers also support the second
FAULTS_ANYWHERE = frozenset({CUT, TERMINATE})
FAULTS_OF_OUR_OWN = {KILL: "killed and started again", PAUSE: "paused"}


@dataclass(frozen=True)
class MariadbOptions(RoomForClients):
    innodb_snapshot_isolation: bool = option(
        False,
        "whether REPEATABLE READ refuses to change a row that has changed since the transaction's snapshot",
    )
    append: str = option(
        ON_DUPLICATE_KEY,
        "how to write a row that may not exist yet: INSERT … ON DUPLICATE KEY UPDATE; "
        "or UPDATE and, if that found no row, INSERT",
        choices=WRITE_FORMS,
    )
    product: str = option(
        "innodb",
        "whose isolation levels the server has: those of InnoDB (MariaDB, MySQL, Percona Server), or TiDB's",
        choices=PRODUCTS,
    )
    layout: str = option(
        LAYOUTS[0],
        "how tables are made: with a primary key alone, with an index on what is written, or in partitions",
        choices=LAYOUTS,
    )
    plan: str = option(
        PLANS[0],
        "how reads get at rows: as the server likes, or by a scan of the table",
        choices=PLANS,
    )
    tables: int = tables_option()
    schema: str | None = option(
        None,
        "your own database, which is kept; by default a new one for each campaign, dropped at the end",
        longest=64,
    )
    lock_wait_timeout: int = option(
        2, "seconds that a statement waits for a row lock before the server gives up", least=1
    )
    flush: bool = option(False, "whether the embedded server flushes its log to disk at every COMMIT")
    max_connections: int | None = max_connections_option()
    version: str | int | None = option(
        None, 'which version the embedded server has, such as "10.11", among those that are found'
    )
    server: str | None = option(
        None,
        "a directory with the embedded server's programs, or below which there are several servers",
    )

    @property
    def wanted_version(self) -> str | None:
        return None if self.version is None else str(self.version)

    def __post_init__(self) -> None:
        check_options(self, "mariadb")
        if self.innodb_snapshot_isolation and self.product != "innodb":
            raise UsageError("innodb_snapshot_isolation is a setting of MariaDB: leave it out, or `product`")
