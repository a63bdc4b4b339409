"""Servers that speak MySQL's protocol: which one it is, and what its levels promise by its own manual.

The adapter is tested with MariaDB 10.11. All else here is what manuals say, as data: none
of it has been run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from txfuzz.plugin_api import UsageError

Version = tuple[int, ...]
MARIADB, MYSQL, PERCONA, TIDB = "MariaDB", "MySQL", "Percona Server", "TiDB"
TESTED: Version = (10, 11)  # of MariaDB

_RU, _RC, REPEATABLE_READ, _SER = "read uncommitted", "read committed", "repeatable read", "serializable"
# The manuals name the four levels of the SQL standard and claim no more, so REPEATABLE READ is checked
# against the standard's level of that name, as defined by Adya (PL-2.99).
INNODB: Mapping[str, str] = {
    _RU: "read-uncommitted",
    _RC: "read-committed",
    REPEATABLE_READ: "repeatable-read",
    _SER: "serializable",
}
WITH_SNAPSHOTS: Mapping[str, str] = {**INNODB, REPEATABLE_READ: "snapshot-isolation"}


@dataclass(frozen=True)
class Release:
    """Versions of a product that promise the same: since this one, and until the next row of the product.

    levels: level → model, as the server comes. snapshots: whether innodb_snapshot_isolation is on then; None
    where there is no such setting. source: of the manual.
    """

    product: str
    since: Version
    levels: Mapping[str, str]
    snapshots: bool | None
    source: str


_SNAPSHOTS = "https://mariadb.com/kb/en/innodb-system-variables/#innodb_snapshot_isolation"
RELEASES = (
    Release(MARIADB, (5, 1), INNODB, None, "https://mariadb.com/kb/en/set-transaction/#isolation-level"),
    Release(MARIADB, (10, 6, 18), INNODB, False, _SNAPSHOTS),
    Release(MARIADB, (10, 7), INNODB, None, _SNAPSHOTS),
    Release(MARIADB, (10, 11, 8), INNODB, False, _SNAPSHOTS),
    Release(MARIADB, (11, 0), INNODB, None, _SNAPSHOTS),
    Release(MARIADB, (11, 4, 2), INNODB, False, _SNAPSHOTS),
    Release(MARIADB, (11, 6, 2), WITH_SNAPSHOTS, True, _SNAPSHOTS),
    Release(MYSQL, (5, 7), INNODB, None,
            "https://dev.mysql.com/doc/refman/5.7/en/innodb-transaction-isolation-levels.html"),
    Release(MYSQL, (8, 0), INNODB, None,
            "https://dev.mysql.com/doc/refman/8.4/en/innodb-transaction-isolation-levels.html"),
    Release(MYSQL, (9, 0), INNODB, None,
            "https://dev.mysql.com/doc/refman/9.1/en/innodb-transaction-isolation-levels.html"),
    Release(PERCONA, (5, 7), INNODB, None,
            "https://docs.percona.com/percona-server/8.4/isolation-levels.html"),
    # The two levels at the ends are refused. REPEATABLE READ is called snapshot isolation, but only in
    # optimistic transactions: in pessimistic ones, which are the default, an UPDATE of a row that has changed
    # since the snapshot sees the newest version and may be committed.
    Release(TIDB, (5, 0), {_RC: "read-committed", REPEATABLE_READ: "read-committed"}, None,
            "https://docs.pingcap.com/tidb/stable/transaction-isolation-levels"),
)  # fmt: skip
# The newest that the table was written for, by product
NEWEST: Mapping[str, Version] = {MARIADB: (12, 3), MYSQL: (9, 7), PERCONA: (8, 4), TIDB: (8, 5)}
PRODUCTS = ("innodb", "tidb")  # words of the option: which of them have the same levels
_LEVELS = {"innodb": INNODB, "tidb": next(each.levels for each in RELEASES if each.product == TIDB)}

# "5.5.5-10.6.12-MariaDB" and "8.0.11-TiDB-v8.1.0": what comes first is for old clients.
_FORMS = (
    (MARIADB, re.compile(r"(?:5\.5\.5-)?(?P<version>\d+(?:\.\d+)*)-mariadb", re.IGNORECASE)),
    (TIDB, re.compile(r"[\d.]+-tidb-v?(?P<version>\d+(?:\.\d+)*)", re.IGNORECASE)),
)
_PLAIN = re.compile(r"(?P<version>\d+(?:\.\d+)*)(?:-\d[\d.]*)?(?:-(?:log|debug))?$")
_FOREIGN = re.compile(
    r"\b(singlestore|memsql|oceanbase|vitess|planetscale|doris|starrocks|aurora)", re.IGNORECASE
)


@dataclass(frozen=True)
class Server:
    """product: empty where it is not known. version: of the product, empty where it cannot be read. release:
    None where nothing is known of its promises."""

    product: str
    version: Version = ()
    release: Release | None = None

    def __str__(self) -> str:
        return " ".join(
            filter(None, (self.product or "an unknown product", ".".join(map(str, self.version))))
        )

    @property
    def unknown(self) -> str:
        """What is not known of it, as a sentence; empty for what has been tested."""
        if self.product == MARIADB and self.version[:2] == TESTED:
            return ""
        tested = f"this adapter is tested with MariaDB {'.'.join(map(str, TESTED))} only"
        if self.release is None:
            return (
                f"this server is {self}, of whose isolation levels nothing is known here: findings are "
                f"judged by MariaDB's promises; {tested}"
            )
        newest = NEWEST[self.product]
        if self.version[: len(newest)] > newest:
            return (
                f"this server is {self}, newer than what is known here: findings are judged by the promises "
                f"of {self.product} {'.'.join(map(str, newest))}; {tested}"
            )
        return f"this server is {self}, whose promises are taken from its manual: {tested}"


def server_of(version: str, comment: str) -> Server:
    """What SELECT VERSION() and @@version_comment tell."""
    for product, form in _FORMS:
        if (found := form.match(version)) is not None:
            return _known(product, found["version"])
    plain = _PLAIN.match(version)
    if plain is None or _FOREIGN.search(f"{version} {comment}"):
        return Server("")
    if "mariadb" in comment.lower():
        return _known(MARIADB, plain["version"])
    if "percona" in comment.lower():
        return _known(PERCONA, plain["version"])
    return _known(MYSQL, plain["version"]) if "mysql" in comment.lower() else Server("")


def _known(product: str, text: str) -> Server:
    version = tuple(map(int, text.split(".")))
    rows = [each for each in RELEASES if each.product == product and each.since <= version]
    return Server(product, version, max(rows, key=lambda each: each.since) if rows else None)


def levels_of(word: str) -> Mapping[str, str]:
    """What the option `product` says: level → model."""
    return _LEVELS[word]


def refuse_other_levels(server: Server, word: str) -> None:
    """UsageError where the server has other levels than the option `product` says."""
    actual = "tidb" if server.product == TIDB else "innodb"
    if actual != word:
        raise UsageError(
            f"this server is {server}, whose isolation levels are others than those of product: {word}; "
            f"write `database: {{adapter: mariadb, product: {actual}}}`"
        )
