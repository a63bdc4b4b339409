"""The statements that MariaDB knows on the row of a key, or on the rows of two."""

from __future__ import annotations

from typing import Any

from txfuzz.plugin_api import NO_DUPLICATES, OWN_TABLE, Change, Effect, Form, Mode

ADAPTER = "mariadb"
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
_BOTH = "FROM {table} AS t, {other_table} AS o WHERE t.k = {key} AND o.k = {other_key}"
# Both rows, each whether or not there is the other
_EITHER = (
    "(SELECT 1 AS one) AS d LEFT JOIN {table} AS t ON t.k = {key} "
    "LEFT JOIN {other_table} AS o ON o.k = {other_key}"
)
_FROM_OTHER = "SELECT {key}, {value} + v FROM {other_table} AS o WHERE o.k = {other_key}"
_OWN, _SINGLE = frozenset({OWN_TABLE}), frozenset({NO_DUPLICATES})


def _form(name: str, about: str, effect: Effect, *statements: str, **more: Any) -> Form:
    return Form(name, about, statements, effect, adapter=ADAPTER, **more)


def _reading(name: str, about: str, *statements: str, **more: Any) -> Form:
    return _form(name, about, _READS, *statements, returns_rows=True, **more)


def _locking(name: str, words: str) -> Form:
    return _reading(name, f"the row, locked: {words}", f"SELECT v {_ROW} {words}")


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
    _locking("select-for-update", "FOR UPDATE"),
    _locking("select-share", "LOCK IN SHARE MODE"),
    _locking("select-for-update-nowait", "FOR UPDATE NOWAIT"),
    _locking("select-share-nowait", "LOCK IN SHARE MODE NOWAIT"),
    _locking("select-for-update-skip-locked", "FOR UPDATE SKIP LOCKED"),
    _locking("select-share-skip-locked", "LOCK IN SHARE MODE SKIP LOCKED"),
    _reading("select-range-for-update", "a range of keys and its gaps, locked",
             "SELECT k, v FROM {table} WHERE k BETWEEN {key} AND {key} + 5 ORDER BY k FOR UPDATE",
             needs=_OWN),
    _reading("select-range-share", "a range of keys and its gaps, locked",
             "SELECT k, v FROM {table} WHERE k BETWEEN {key} AND {key} + 5 ORDER BY k LOCK IN SHARE MODE",
             needs=_OWN),
    _reading("select-gap-for-update", "the gap behind the row, locked",
             "SELECT k, v FROM {table} WHERE k > {key} AND k < {key} + 5 FOR UPDATE", needs=_OWN),
    _reading("select-predicate-for-update", "the rows by a predicate on another column, locked",
             "SELECT k, v FROM {table} WHERE v >= 0 FOR UPDATE", needs=_OWN),
    _reading("select-predicate-share", "the rows by a predicate on another column, locked",
             "SELECT k, v FROM {table} WHERE v >= 0 LOCK IN SHARE MODE", needs=_OWN),
    _reading("select-read-only", "the row, in a READ ONLY transaction", f"SELECT v {_ROW}",
             mode=Mode(read_only=True)),
    _reading("select-user-lock", "the row under a lock of the user's, if it can be had",
             "DO GET_LOCK('txfuzz {table} {key}', 0)", f"SELECT v {_ROW}",
             "DO RELEASE_LOCK('txfuzz {table} {key}')"),
)  # fmt: skip

WRITING = (
    _form("update", "the row by its key", _UPDATES, _UPDATE),
    _form("update-add", "adds to what is there", _UPDATES,
          "UPDATE {table} SET v = v + {value} WHERE k = {key}"),
    _form("update-ignore", "UPDATE IGNORE", _UPDATES,
          "UPDATE IGNORE {table} SET v = {value} WHERE k = {key}"),
    _form("update-predicate", "the rows by a predicate on another column", _UPDATES,
          "UPDATE {table} SET v = {value} WHERE v >= 0", needs=_OWN),
    _form("update-range", "the rows in a range of keys", _UPDATES,
          "UPDATE {table} SET v = {value} WHERE k BETWEEN {key} AND {key} + 5", needs=_OWN),
    _form("update-last", "the row with the greatest key", _UPDATES,
          "UPDATE {table} SET v = {value} ORDER BY k DESC LIMIT 1", needs=_OWN),
    _form("update-subquery", "to what a subquery gives", _UPDATES,
          "UPDATE {table} SET v = (SELECT max(v) FROM {table}) + {value} WHERE k = {key}", needs=_OWN),
    _form("update-savepoint", "within a savepoint that is kept", _UPDATES,
          "SAVEPOINT s{value}", _UPDATE, "RELEASE SAVEPOINT s{value}"),
    _form("update-undone", "rolled back to a savepoint", _READS,
          "SAVEPOINT s{value}", _UPDATE, "ROLLBACK TO SAVEPOINT s{value}"),
    _form("update-after-lock", "the row, locked before", _UPDATES, f"SELECT v {_ROW} FOR UPDATE", _UPDATE,
          returns_rows=True),
    _form("update-key", "gives the row another key", _DELETES,
          "UPDATE {table} SET k = k + 10 * {value} WHERE k = {key}", needs=_OWN),
    _form("delete", "the row by its key", _DELETES, f"DELETE {_ROW}"),
    _form("delete-returning", "and returns the row", _DELETES, f"DELETE {_ROW} RETURNING v",
          returns_rows=True),
    _form("delete-predicate", "the rows by a predicate on another column", _DELETES,
          "DELETE FROM {table} WHERE v >= 0", needs=_OWN),
    _form("delete-range", "the rows in a range of keys", _DELETES,
          "DELETE FROM {table} WHERE k BETWEEN {key} AND {key} + 5", needs=_OWN),
    _form("delete-savepoint", "within a savepoint that is kept", _DELETES,
          "SAVEPOINT s{value}", f"DELETE {_ROW}", "RELEASE SAVEPOINT s{value}"),
    _form("delete-undone", "rolled back to a savepoint", _READS,
          "SAVEPOINT s{value}", f"DELETE {_ROW}", "ROLLBACK TO SAVEPOINT s{value}"),
    _form("insert", "a row", _INSERTS, f"INSERT {_VALUES}", needs=_SINGLE),
    _form("insert-returning", "and returns the row", _INSERTS, f"INSERT {_VALUES} RETURNING v",
          needs=_SINGLE, returns_rows=True),
    _form("insert-savepoint", "within a savepoint that is kept", _INSERTS,
          "SAVEPOINT s{value}", f"INSERT {_VALUES}", "RELEASE SAVEPOINT s{value}", needs=_SINGLE),
    _form("insert-undone", "rolled back to a savepoint", Effect(Change.NOTHING, Change.REFUSED),
          "SAVEPOINT s{value}", f"INSERT {_VALUES}", "ROLLBACK TO SAVEPOINT s{value}", needs=_SINGLE,
          weight=_RARE),
    _form("insert-ignore", "unless it is there", _INSERTS_IF_ABSENT, f"INSERT IGNORE {_VALUES}",
          needs=_SINGLE),
    _form("insert-where-not-exists", "a row, unless a subquery finds one", _INSERTS_IF_ABSENT,
          "INSERT INTO {table} (k, v) SELECT {key}, {value} FROM DUAL "
          "WHERE NOT EXISTS (SELECT 1 FROM {table} AS t WHERE t.k = {key})"),
    _form("insert-unless-duplicate", "a row, or an error that is caught in the same block",
          _INSERTS_IF_ABSENT,
          f"BEGIN NOT ATOMIC DECLARE CONTINUE HANDLER FOR 1062 BEGIN END; INSERT {_VALUES}; END",
          needs=_SINGLE),
    _form("insert-or-keep", "ON DUPLICATE KEY UPDATE that changes nothing", _INSERTS_IF_ABSENT,
          f"INSERT {_VALUES} ON DUPLICATE KEY UPDATE v = v", needs=_SINGLE),
    _form("insert-or-update", "ON DUPLICATE KEY UPDATE", _UPSERTS,
          f"INSERT {_VALUES} ON DUPLICATE KEY UPDATE v = VALUES(v)", needs=_SINGLE),
    _form("insert-or-add", "ON DUPLICATE KEY UPDATE that adds to what is there", _UPSERTS,
          f"INSERT {_VALUES} ON DUPLICATE KEY UPDATE v = v + VALUES(v)", needs=_SINGLE),
    _form("replace", "in place of what is there", _UPSERTS, f"REPLACE {_VALUES}", needs=_SINGLE),
    _form("replace-returning", "and returns the row", _UPSERTS, f"REPLACE {_VALUES} RETURNING v",
          needs=_SINGLE, returns_rows=True),
)  # fmt: skip

OF_TWO = (
    _reading("select-both", "two rows, each by a subquery",
             "SELECT (SELECT v FROM {table} WHERE k = {key}) AS v, "
             "(SELECT v FROM {other_table} WHERE k = {other_key}) AS other_v", other=_READS),
    _reading("select-join", "two rows by a join", f"SELECT t.v, o.v AS other_v {_BOTH}", other=_READS),
    _reading("select-join-for-update", "two rows by a join, locked",
             f"SELECT t.v, o.v AS other_v {_BOTH} FOR UPDATE", other=_READS),
    _form("update-join", "if a join finds another row", _UPDATES,
          "UPDATE {table} AS t, {other_table} AS o SET t.v = {value} WHERE t.k = {key} AND o.k = {other_key}",
          other=_READS, without_other=_READS),
    _form("update-to-other", "to what another row has, and more", _UPDATES,
          "UPDATE {table} SET v = {value} + coalesce((SELECT v FROM {other_table} AS o "
          "WHERE o.k = {other_key}), 0) WHERE k = {key}", other=_READS),
    _form("update-if-exists", "if a subquery finds another row", _UPDATES,
          "UPDATE {table} SET v = {value} WHERE k = {key} "
          "AND EXISTS (SELECT 1 FROM {other_table} AS o WHERE o.k = {other_key})",
          other=_READS, without_other=_READS),
    _form("update-unless-exists", "unless a subquery finds another row", _READS,
          "UPDATE {table} SET v = {value} WHERE k = {key} "
          "AND NOT EXISTS (SELECT 1 FROM {other_table} AS o WHERE o.k = {other_key})",
          other=_READS, without_other=_UPDATES),
    _form("delete-join", "if a join finds another row", _DELETES, f"DELETE t {_BOTH}",
          other=_READS, without_other=_READS),
    _form("insert-select", "a row from another one", _INSERTS,
          "INSERT INTO {table} (k, v) SELECT {key}, {value} + v FROM {other_table} AS o "
          "WHERE o.k = {other_key}", other=_READS, without_other=_READS, needs=_SINGLE),
    _form("insert-select-for-update", "a row from another one, which is locked: FOR UPDATE", _INSERTS,
          f"INSERT INTO {{table}} (k, v) {_FROM_OTHER} FOR UPDATE", other=_READS, without_other=_READS,
          needs=_SINGLE),
    _form("insert-select-share", "a row from another one, which is locked: LOCK IN SHARE MODE", _INSERTS,
          f"INSERT INTO {{table}} (k, v) {_FROM_OTHER} LOCK IN SHARE MODE", other=_READS,
          without_other=_READS, needs=_SINGLE),
    _form("insert-ignore-select", "a row from another one, unless it is there", _INSERTS_IF_ABSENT,
          f"INSERT IGNORE INTO {{table}} (k, v) {_FROM_OTHER}", other=_READS, without_other=_READS,
          needs=_SINGLE),
    _form("insert-select-or-update", "a row from another one: ON DUPLICATE KEY UPDATE", _UPSERTS,
          f"INSERT INTO {{table}} (k, v) {_FROM_OTHER} ON DUPLICATE KEY UPDATE v = VALUES(v)", other=_READS,
          without_other=_READS, needs=_SINGLE),
    _form("update-both", "two rows at once", _UPDATES,
          f"UPDATE {_EITHER} SET t.v = {{value}}, o.v = {{value}}", other=_UPDATES),
    _form("delete-both", "two rows at once", _DELETES, f"DELETE t, o FROM {_EITHER}", other=_DELETES),
    _form("insert-unless-exists", "unless a subquery finds another row", _READS,
          "INSERT INTO {table} (k, v) SELECT {key}, {value} FROM DUAL "
          "WHERE NOT EXISTS (SELECT 1 FROM {other_table} AS o WHERE o.k = {other_key})",
          other=_READS, without_other=_INSERTS, needs=_SINGLE),
    _form("replace-select", "in place of what is there, from another row", _UPSERTS,
          "REPLACE INTO {table} (k, v) SELECT {key}, {value} + v FROM {other_table} AS o "
          "WHERE o.k = {other_key}", other=_READS, without_other=_READS, needs=_SINGLE),
)  # fmt: skip

FORMS = (*READING, *WRITING, *OF_TWO)
