"""The statements that SQLite knows on the row of a key, or on the rows of two."""

from __future__ import annotations

from typing import Any

from txfuzz.plugin_api import NO_DUPLICATES, OWN_TABLE, UNIQUE_KEY, Change, Effect, Form

ADAPTER = "sqlite"
_READS = Effect()
_INSERTS = Effect(Change.INSERT, Change.REFUSED)
_INSERTS_IF_ABSENT = Effect(Change.INSERT, Change.NOTHING)
_UPSERTS = Effect(Change.INSERT, Change.UPDATE)
_UPDATES = Effect(Change.NOTHING, Change.UPDATE)
_DELETES = Effect(Change.NOTHING, Change.DELETE)
_RARE = 0.1  # the weight of what alone does what it does, so that it takes no more room than it deserves
_ROW = "FROM {table} WHERE k = {key}"
_VALUES = "INTO {table} (k, v) VALUES ({key}, {value})"
_UPDATE = "UPDATE {table} SET v = {value} WHERE k = {key}"
_NO_ROW = "DELETE FROM {table} WHERE 0"  # takes the lock for writing, as BEGIN IMMEDIATE does
_OWN, _SINGLE, _UNIQUE = frozenset({OWN_TABLE}), frozenset({NO_DUPLICATES}), frozenset({UNIQUE_KEY})


def _form(name: str, about: str, effect: Effect, *statements: str, **more: Any) -> Form:
    return Form(name, about, statements, effect, adapter=ADAPTER, **more)


def _reading(name: str, about: str, *statements: str, **more: Any) -> Form:
    return _form(name, about, _READS, *statements, returns_rows=True, **more)


READING = (
    _reading("select", "the row by its key", f"SELECT v {_ROW}"),
    _reading("select-key", "the key alone, which an index can answer", f"SELECT k {_ROW}"),
    _reading("select-predicate", "the rows by a predicate on another column",
             "SELECT k, v FROM {table} WHERE v >= 0", needs=_OWN),
    _reading("select-range", "the rows in a range of keys",
             "SELECT k, v FROM {table} WHERE k BETWEEN {key} AND {key} + 5 ORDER BY k", needs=_OWN),
    _reading("select-last", "the row with the greatest key",
             "SELECT k, v FROM {table} ORDER BY k DESC LIMIT 1", needs=_OWN),
    _reading("count", "how many rows have the key", f"SELECT count(*) {_ROW}"),
    _reading("count-all", "how many rows there are", "SELECT count(*) FROM {table}", needs=_OWN),
    _reading("exists", "whether there is a row", f"SELECT EXISTS (SELECT 1 {_ROW})"),
    _reading("select-locked", "the row, with the lock for writing taken before", _NO_ROW, f"SELECT v {_ROW}"),
)  # fmt: skip

WRITING = (
    _form("update", "the row by its key", _UPDATES, _UPDATE),
    _form("update-add", "adds to what is there", _UPDATES,
          "UPDATE {table} SET v = v + {value} WHERE k = {key}"),
    _form("update-predicate", "the rows by a predicate on another column", _UPDATES,
          "UPDATE {table} SET v = {value} WHERE v >= 0", needs=_OWN),
    _form("update-subquery", "to what a subquery gives", _UPDATES,
          "UPDATE {table} SET v = (SELECT max(v) FROM {table}) + {value} WHERE k = {key}", needs=_OWN),
    _form("update-or-ignore", "UPDATE OR IGNORE", _UPDATES,
          "UPDATE OR IGNORE {table} SET v = {value} WHERE k = {key}"),
    _form("update-or-replace", "UPDATE OR REPLACE", _UPDATES,
          "UPDATE OR REPLACE {table} SET v = {value} WHERE k = {key}"),
    _form("update-returning", "and returns the row", _UPDATES, f"{_UPDATE} RETURNING v", returns_rows=True),
    _form("update-savepoint", "within a savepoint that is kept", _UPDATES,
          "SAVEPOINT s{value}", _UPDATE, "RELEASE s{value}"),
    _form("update-undone", "rolled back to a savepoint", _READS,
          "SAVEPOINT s{value}", _UPDATE, "ROLLBACK TO s{value}"),
    _form("update-locked", "the row, with the lock for writing taken before", _UPDATES, _NO_ROW, _UPDATE),
    _form("update-key", "gives the row another key", _DELETES,
          "UPDATE {table} SET k = k + 10 * {value} WHERE k = {key}", needs=_OWN),
    _form("delete", "the row by its key", _DELETES, f"DELETE {_ROW}"),
    _form("delete-returning", "and returns the row", _DELETES, f"DELETE {_ROW} RETURNING v",
          returns_rows=True),
    _form("delete-predicate", "the rows by a predicate on another column", _DELETES,
          "DELETE FROM {table} WHERE v >= 0", needs=_OWN),
    _form("delete-savepoint", "within a savepoint that is kept", _DELETES,
          "SAVEPOINT s{value}", f"DELETE {_ROW}", "RELEASE s{value}"),
    _form("delete-undone", "rolled back to a savepoint", _READS,
          "SAVEPOINT s{value}", f"DELETE {_ROW}", "ROLLBACK TO s{value}"),
    _form("insert", "a row", _INSERTS, f"INSERT {_VALUES}", needs=_SINGLE),
    _form("insert-returning", "and returns the row", _INSERTS, f"INSERT {_VALUES} RETURNING v",
          needs=_SINGLE, returns_rows=True),
    _form("insert-or-fail", "INSERT OR FAIL", _INSERTS, f"INSERT OR FAIL {_VALUES}", needs=_SINGLE),
    _form("insert-or-rollback", "INSERT OR ROLLBACK", _INSERTS, f"INSERT OR ROLLBACK {_VALUES}",
          needs=_SINGLE),
    _form("insert-savepoint", "within a savepoint that is kept", _INSERTS,
          "SAVEPOINT s{value}", f"INSERT {_VALUES}", "RELEASE s{value}", needs=_SINGLE),
    _form("insert-undone", "rolled back to a savepoint", Effect(Change.NOTHING, Change.REFUSED),
          "SAVEPOINT s{value}", f"INSERT {_VALUES}", "ROLLBACK TO s{value}", needs=_SINGLE, weight=_RARE),
    _form("insert-or-ignore", "unless it is there", _INSERTS_IF_ABSENT, f"INSERT OR IGNORE {_VALUES}",
          needs=_SINGLE),
    _form("insert-where-not-exists", "a row, unless a subquery finds one", _INSERTS_IF_ABSENT,
          f"INSERT INTO {{table}} (k, v) SELECT {{key}}, {{value}} WHERE NOT EXISTS (SELECT 1 {_ROW})"),
    _form("insert-or-nothing", "ON CONFLICT DO NOTHING", _INSERTS_IF_ABSENT,
          f"INSERT {_VALUES} ON CONFLICT (k) DO NOTHING", needs=_UNIQUE),
    _form("insert-or-update-never", "ON CONFLICT DO UPDATE whose WHERE is false", _INSERTS_IF_ABSENT,
          f"INSERT {_VALUES} ON CONFLICT (k) DO UPDATE SET v = excluded.v WHERE v < 0", needs=_UNIQUE),
    _form("insert-or-update", "ON CONFLICT DO UPDATE", _UPSERTS,
          f"INSERT {_VALUES} ON CONFLICT (k) DO UPDATE SET v = excluded.v", needs=_UNIQUE),
    _form("insert-or-add", "ON CONFLICT DO UPDATE that adds to what is there", _UPSERTS,
          f"INSERT {_VALUES} ON CONFLICT (k) DO UPDATE SET v = v + excluded.v RETURNING v", needs=_UNIQUE,
          returns_rows=True),
    _form("replace", "in place of what is there", _UPSERTS, f"REPLACE {_VALUES}", needs=_SINGLE),
    _form("replace-returning", "and returns the row", _UPSERTS, f"REPLACE {_VALUES} RETURNING v",
          needs=_SINGLE, returns_rows=True),
)  # fmt: skip

OF_TWO = (
    _reading("select-both", "two rows, each by a subquery",
             "SELECT (SELECT v FROM {table} WHERE k = {key}) AS v, "
             "(SELECT v FROM {other_table} WHERE k = {other_key}) AS other_v", other=_READS),
    _reading("select-join", "two rows by a join",
             "SELECT t.v, o.v AS other_v FROM {table} AS t, {other_table} AS o "
             "WHERE t.k = {key} AND o.k = {other_key}", other=_READS),
    _form("update-from", "if a join finds another row", _UPDATES,
          "UPDATE {table} AS t SET v = {value} FROM {other_table} AS o "
          "WHERE t.k = {key} AND o.k = {other_key}", other=_READS, without_other=_READS),
    _form("update-to-other", "to what another row has, and more", _UPDATES,
          "UPDATE {table} SET v = {value} + coalesce((SELECT v FROM {other_table} AS o "
          "WHERE o.k = {other_key}), 0) WHERE k = {key}", other=_READS),
    _form("update-if-exists", "if a subquery finds another row", _UPDATES,
          "UPDATE {table} AS t SET v = {value} WHERE k = {key} "
          "AND EXISTS (SELECT 1 FROM {other_table} WHERE k = {other_key})",
          other=_READS, without_other=_READS),
    _form("update-unless-exists", "unless a subquery finds another row", _READS,
          "UPDATE {table} AS t SET v = {value} WHERE k = {key} "
          "AND NOT EXISTS (SELECT 1 FROM {other_table} WHERE k = {other_key})",
          other=_READS, without_other=_UPDATES),
    _form("insert-select", "a row from another one", _INSERTS,
          "INSERT INTO {table} (k, v) SELECT {key}, {value} + v FROM {other_table} AS o "
          "WHERE o.k = {other_key}", other=_READS, without_other=_READS, needs=_SINGLE),
    _form("insert-ignore-select", "a row from another one, unless it is there", _INSERTS_IF_ABSENT,
          "INSERT OR IGNORE INTO {table} (k, v) SELECT {key}, {value} + v FROM {other_table} AS o "
          "WHERE o.k = {other_key}", other=_READS, without_other=_READS, needs=_SINGLE),
    _form("replace-select", "in place of what is there, from another row", _UPSERTS,
          "REPLACE INTO {table} (k, v) SELECT {key}, {value} + v FROM {other_table} AS o "
          "WHERE o.k = {other_key}", other=_READS, without_other=_READS, needs=_SINGLE),
    _form("delete-if-exists", "if a subquery finds another row", _DELETES,
          "DELETE FROM {table} AS t WHERE k = {key} "
          "AND EXISTS (SELECT 1 FROM {other_table} WHERE k = {other_key})",
          other=_READS, without_other=_READS),
    _form("insert-unless-exists", "unless a subquery finds another row", _READS,
          "INSERT INTO {table} (k, v) SELECT {key}, {value} "
          "WHERE NOT EXISTS (SELECT 1 FROM {other_table} WHERE k = {other_key})",
          other=_READS, without_other=_INSERTS, needs=_SINGLE),
)  # fmt: skip

FORMS = (*READING, *WRITING, *OF_TWO)
