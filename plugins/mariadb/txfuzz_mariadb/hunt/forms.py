"""The statements that MariaDB knows on the row of a key, or on the rows of two, and tables for them."""

from __future__ import annotations

from typing import Any

from txfuzz.plugin_api import NO_DUPLICATES, OWN_TABLE, Change, Effect, Form, Layout

ADAPTER = "mariadb"
_READS = Effect()
_INSERTS = Effect(Change.INSERT, Change.REFUSED)
_INSERTS_IF_ABSENT = Effect(Change.INSERT, Change.NOTHING)
_UPSERTS = Effect(Change.INSERT, Change.UPDATE)
_UPDATES = Effect(Change.NOTHING, Change.UPDATE)
_DELETES = Effect(Change.NOTHING, Change.DELETE)
_ROW = "FROM {table} WHERE k = {key}"
_VALUES = "INTO {table} (k, v) VALUES ({key}, {value})"
_UPDATE = "UPDATE {table} SET v = {value} WHERE k = {key}"
_OWN, _SINGLE = frozenset({OWN_TABLE}), frozenset({NO_DUPLICATES})


def _form(name: str, about: str, effect: Effect, *statements: str, **more: Any) -> Form:
    return Form(name, about, statements, effect, adapter=ADAPTER, **more)


FORMS = (
    _form("select", "the row by its key", _READS, f"SELECT v {_ROW}", returns_rows=True),
    _form("select-predicate", "the rows by a predicate on another column", _READS,
          "SELECT k, v FROM {table} WHERE v >= 0", returns_rows=True, needs=_OWN),
    _form("select-range", "the rows in a range of keys", _READS,
          "SELECT k, v FROM {table} WHERE k BETWEEN {key} AND {key} + 5 ORDER BY k", returns_rows=True,
          needs=_OWN),
    _form("count", "how many rows have the key", _READS, f"SELECT count(*) {_ROW}", returns_rows=True),
    _form("exists", "whether there is a row", _READS, f"SELECT EXISTS (SELECT 1 {_ROW})", returns_rows=True),
    _form("select-for-update", "the row, locked: FOR UPDATE", _READS, f"SELECT v {_ROW} FOR UPDATE",
          returns_rows=True),
    _form("select-share", "the row, locked: LOCK IN SHARE MODE", _READS,
          f"SELECT v {_ROW} LOCK IN SHARE MODE", returns_rows=True),
    _form("update", "the row by its key", _UPDATES, _UPDATE),
    _form("update-add", "adds to what is there", _UPDATES,
          "UPDATE {table} SET v = v + {value} WHERE k = {key}"),
    _form("update-predicate", "the rows by a predicate on another column", _UPDATES,
          "UPDATE {table} SET v = {value} WHERE v >= 0", needs=_OWN),
    _form("update-savepoint", "within a savepoint that is kept", _UPDATES,
          "SAVEPOINT s{value}", _UPDATE, "RELEASE SAVEPOINT s{value}"),
    _form("update-undone", "rolled back to a savepoint", _READS,
          "SAVEPOINT s{value}", _UPDATE, "ROLLBACK TO SAVEPOINT s{value}"),
    _form("delete", "the row by its key", _DELETES, f"DELETE {_ROW}"),
    _form("delete-returning", "and returns the row", _DELETES, f"DELETE {_ROW} RETURNING v",
          returns_rows=True),
    _form("insert", "a row", _INSERTS, f"INSERT {_VALUES}", needs=_SINGLE),
    _form("insert-ignore", "unless it is there", _INSERTS_IF_ABSENT, f"INSERT IGNORE {_VALUES}",
          needs=_SINGLE),
    _form("replace", "in place of what is there", _UPSERTS, f"REPLACE {_VALUES}", needs=_SINGLE),
    _form("insert-where-not-exists", "a row, unless a subquery finds one", _INSERTS_IF_ABSENT,
          "INSERT INTO {table} (k, v) SELECT {key}, {value} FROM DUAL "
          "WHERE NOT EXISTS (SELECT 1 FROM {table} AS t WHERE t.k = {key})"),
    _form("insert-or-update", "ON DUPLICATE KEY UPDATE", _UPSERTS,
          f"INSERT {_VALUES} ON DUPLICATE KEY UPDATE v = VALUES(v)", needs=_SINGLE),
    _form("insert-or-keep", "ON DUPLICATE KEY UPDATE that changes nothing", _INSERTS_IF_ABSENT,
          f"INSERT {_VALUES} ON DUPLICATE KEY UPDATE v = v", needs=_SINGLE),
    _form("update-unless-exists", "unless a subquery finds another row", _READS,
          "UPDATE {table} SET v = {value} WHERE k = {key} "
          "AND NOT EXISTS (SELECT 1 FROM {other_table} AS o WHERE o.k = {other_key})",
          other=_READS, without_other=_UPDATES),
)  # fmt: skip

_PLAIN = "CREATE TABLE {table} (k int PRIMARY KEY, v int NOT NULL) ENGINE = InnoDB"


def _layout(name: str, about: str, *setup: str, **more: Any) -> Layout:
    return Layout(name, about, setup, adapter=ADAPTER, **more)


LAYOUTS = (
    _layout("plain", "a table for each key, with a primary key", _PLAIN, plain=True),
    _layout("one-table", "one table for all keys", _PLAIN, shared=True),
    _layout("no-index", "no index and no constraint",
            "CREATE TABLE {table} (k int, v int NOT NULL) ENGINE = InnoDB", has=frozenset()),
    _layout("unique", "a unique key instead of a primary one",
            "CREATE TABLE {table} (k int UNIQUE, v int NOT NULL) ENGINE = InnoDB", has=_SINGLE),
    _layout("index", "an index on the other column", _PLAIN, "CREATE INDEX {table}_v ON {table} (v)"),
    Layout("foreign-key-cascade", "the others refer to the first key's row: ON DELETE CASCADE", (_PLAIN,),
           ("CREATE TABLE {table} (k int PRIMARY KEY, v int NOT NULL, "
            "FOREIGN KEY (k) REFERENCES {first} (k) ON DELETE CASCADE) ENGINE = InnoDB",),
           dependent=True, adapter=ADAPTER),
)  # fmt: skip
