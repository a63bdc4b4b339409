"""What is known of each dialect: its levels and what they promise, locking reads, and how waits end.

A level is promised what the manual of the database claims for it, in Elle's terms, and no more where the
manual leaves it open. Sources are beside the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

RAW_LOCKS = {"update": False, "share": True}  # word → SQLAlchemy's `read` of with_for_update()


@dataclass(frozen=True)
class DialectFacts:
    """product: for people. levels: from weak to strong, level → model. default: the level that is used where
    none is asked for. chooses: whether there is a statement that chooses a level. locks: of reading steps.
    upsert: which construct writes a row that may not exist yet; empty for UPDATE, else INSERT. lock_wait:
    what sets the time-out of lock waits, with {ms} or {seconds}; empty where there is none. table_wait: the
    same of waits for a whole table, where that is another one. raw: the name by which templates know SQL that
    runs here on our tables. empty_is_null: an empty text is NULL."""

    product: str
    levels: Mapping[str, str]
    default: str
    chooses: bool = True
    locks: frozenset[str] = frozenset()
    upsert: str = ""
    lock_wait: str = ""
    table_wait: str = ""
    savepoints: bool = False
    raw: frozenset[str] = field(default_factory=frozenset)
    empty_is_null: bool = False


ON_CONFLICT = "on-conflict"
ON_DUPLICATE_KEY = "on-duplicate-key"
_BOTH = frozenset(RAW_LOCKS)
_RU, _RC, _RR, _SER = "read uncommitted", "read committed", "repeatable read", "serializable"
_INNODB = {_RU: "read-uncommitted", _RC: "read-committed", _RR: "repeatable-read", _SER: "serializable"}

# https://mariadb.com/kb/en/set-transaction/ names the levels of the standard and claims no more.
_MARIADB = DialectFacts(
    "MariaDB",
    _INNODB,
    _SER,
    locks=_BOTH,
    upsert=ON_DUPLICATE_KEY,
    lock_wait="SET SESSION innodb_lock_wait_timeout = {seconds}",
    table_wait="SET SESSION lock_wait_timeout = {seconds}",
    savepoints=True,
    raw=frozenset({"mariadb"}),
)

DIALECTS: Mapping[str, DialectFacts] = {
    # https://www.postgresql.org/docs/current/transaction-iso.html
    "postgresql": DialectFacts(
        "PostgreSQL",
        {_RU: "read-committed", _RC: "read-committed", _RR: "snapshot-isolation", _SER: "serializable"},
        _SER,
        locks=_BOTH,
        upsert=ON_CONFLICT,
        lock_wait="SET lock_timeout = {ms}",
        savepoints=True,
    ),
    "mariadb": _MARIADB,
    # https://dev.mysql.com/doc/refman/8.4/en/innodb-transaction-isolation-levels.html, likewise.
    "mysql": replace(_MARIADB, product="MySQL"),
    # https://www.sqlite.org/isolation.html
    "sqlite": DialectFacts(
        "SQLite",
        {_SER: "strict-serializable"},
        _SER,
        chooses=False,
        upsert=ON_CONFLICT,
        lock_wait="PRAGMA busy_timeout = {ms}",
        savepoints=True,
        raw=frozenset({"sqlite"}),
    ),
    # https://duckdb.org/docs/stable/connect/concurrency: nobody waits, and there is no statement for a level.
    "duckdb": DialectFacts(
        "DuckDB",
        {"snapshot": "snapshot-isolation"},
        "snapshot",
        chooses=False,
        upsert=ON_CONFLICT,
        raw=frozenset({"duckdb"}),
    ),
    # https://docs.oracle.com/en/database/oracle/oracle-database/23/cncpt/data-concurrency-and-consistency.html:
    # a serializable transaction sees what was committed when it began, and may not change what has changed
    # since. That is snapshot isolation.
    "oracle": DialectFacts(
        "Oracle Database",
        {_RC: "read-committed", _SER: "snapshot-isolation"},
        _SER,
        locks=frozenset({"update"}),
        empty_is_null=True,
    ),
    # https://learn.microsoft.com/sql/t-sql/statements/set-transaction-isolation-level-transact-sql
    "mssql": DialectFacts(
        "SQL Server",
        {
            _RU: "read-uncommitted",
            _RC: "read-committed",
            _RR: "repeatable-read",
            "snapshot": "snapshot-isolation",
            _SER: "serializable",
        },
        _SER,
        lock_wait="SET LOCK_TIMEOUT {ms}",
    ),
    # https://www.cockroachlabs.com/docs/stable/transactions#isolation-levels
    "cockroachdb": DialectFacts(
        "CockroachDB",
        {_RC: "read-committed", _SER: "serializable"},
        _SER,
        locks=frozenset({"update"}),
        upsert=ON_CONFLICT,
        lock_wait="SET lock_timeout = {ms}",
        savepoints=True,
    ),
}

# A dialect that is not in the table: its driver's own level, of which nothing is promised but that what a
# transaction writes is not overwritten before it ends, as at every level of the standard.
UNKNOWN = DialectFacts("", {"default": "read-uncommitted"}, "default", chooses=False)


def dialect_of(url: str) -> str | None:
    """The dialect that a URL begins with, if it is in the table."""
    word = url.partition("://")[0].partition("+")[0].lower()
    word = {"postgres": "postgresql"}.get(word, word)
    return word if word in DIALECTS else None
