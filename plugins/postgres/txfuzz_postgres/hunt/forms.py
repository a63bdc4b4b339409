"""The statements that PostgreSQL knows on the row of a key, or on the rows of two."""

from __future__ import annotations

from txfuzz.plugin_api import NO_DUPLICATES, OWN_TABLE, UNIQUE_KEY, Change, Effect, Form, Mode

ADAPTER = "postgres"
READS = Effect()
INSERTS = Effect(Change.INSERT, Change.REFUSED)
INSERTS_IF_ABSENT = Effect(Change.INSERT, Change.NOTHING)
UPSERTS = Effect(Change.INSERT, Change.UPDATE)
UPDATES = Effect(Change.NOTHING, Change.UPDATE)
DELETES = Effect(Change.NOTHING, Change.DELETE)
TOGGLES = Effect(Change.INSERT, Change.DELETE)
# WHERE CURRENT OF is refused where the cursor has found no row
UPDATES_FETCHED = Effect(Change.REFUSED, Change.UPDATE)
DELETES_FETCHED = Effect(Change.REFUSED, Change.DELETE)
RARE = 0.1  # the weight of what alone does what it does, so that it takes no more room than it deserves
_ROW = "FROM {table} WHERE k = {key}"
_INSERT = "INSERT INTO {table} AS t (k, v) VALUES ({key}, {value})"
_UPDATE = "UPDATE {table} SET v = {value} WHERE k = {key}"
_MERGE = "MERGE INTO {table} AS t USING (VALUES ({key}, {value})) AS s (k, v) ON t.k = s.k "
_NUMBER = "'{table}'::regclass::oid::int"  # advisory locks are those of the whole database
_FETCHED = (f"DECLARE c{{value}} CURSOR FOR SELECT v {_ROW} FOR UPDATE", "FETCH FROM c{value}")
_MERGE_INSERT = "WHEN NOT MATCHED THEN INSERT (k, v) VALUES (s.k, s.v)"
_MERGE_UPDATE = "WHEN MATCHED THEN UPDATE SET v = s.v"


def _reading(
    name: str, about: str, *statements: str, needs: frozenset[str] = frozenset(), mode: Mode | None = None
) -> Form:
    return Form(
        name,
        about,
        statements,
        READS,
        returns_rows=True,
        adapter=ADAPTER,
        needs=needs,
        mode=mode or Mode(),
    )


def _changing(
    name: str,
    about: str,
    effect: Effect,
    *statements: str,
    needs: frozenset[str] = frozenset(),
    returns_rows: bool = False,
    weight: float = 1.0,
) -> Form:
    return Form(
        name,
        about,
        statements,
        effect,
        needs=needs,
        returns_rows=returns_rows,
        adapter=ADAPTER,
        weight=weight,
    )


def _of_two(
    name: str,
    about: str,
    statement: str,
    effect: Effect,
    other: Effect = READS,
    *,
    without_other: Effect | None = None,
    needs: frozenset[str] = frozenset(),
    returns_rows: bool = False,
    weight: float = 1.0,
) -> Form:
    return Form(
        name,
        about,
        (statement,),
        effect,
        other,
        without_other,
        returns_rows=returns_rows,
        needs=needs,
        adapter=ADAPTER,
        weight=weight,
    )


def _locking(strength: str, more: str = "") -> Form:
    words = f"FOR {strength}{more}"
    name = "select-" + words.lower().replace(" ", "-")
    return _reading(name, f"the row, locked: {words}", f"SELECT v {_ROW} {words}")


_OWN, _SINGLE, _UNIQUE = frozenset({OWN_TABLE}), frozenset({NO_DUPLICATES}), frozenset({UNIQUE_KEY})

READING = (
    _reading("select", "the row by its key", f"SELECT v {_ROW}"),
    _reading("select-key", "the key alone, which an index can answer", f"SELECT k {_ROW}"),
    _reading("select-range", "the rows in a range of keys",
             "SELECT k, v FROM {table} WHERE k BETWEEN {key} AND {key} + 5 ORDER BY k", needs=_OWN),
    _reading("select-predicate", "the rows by a predicate on another column",
             "SELECT k, v FROM {table} WHERE v >= 0", needs=_OWN),
    _reading("select-predicate-for-update", "the rows by a predicate on another column, locked",
             "SELECT k, v FROM {table} WHERE v >= 0 FOR UPDATE", needs=_OWN),
    _reading("select-last", "the row with the greatest key",
             "SELECT k, v FROM {table} ORDER BY k DESC LIMIT 1", needs=_OWN),
    _reading("count", "how many rows have the key", f"SELECT count(*) {_ROW}"),
    _reading("count-all", "how many rows there are", "SELECT count(*) FROM {table}", needs=_OWN),
    _reading("exists", "whether there is a row", f"SELECT EXISTS (SELECT {_ROW})"),
    _locking("UPDATE"), _locking("NO KEY UPDATE"), _locking("SHARE"), _locking("KEY SHARE"),
    _locking("UPDATE", " SKIP LOCKED"), _locking("SHARE", " SKIP LOCKED"), _locking("UPDATE", " NOWAIT"),
    _locking("SHARE", " NOWAIT"),
    _reading("cursor", "the row through a cursor",
             f"DECLARE c{{value}} CURSOR FOR SELECT v {_ROW}", "FETCH ALL FROM c{value}", "CLOSE c{value}"),
    _reading("select-lock-table", "the row, with the table locked for reading",
             "LOCK TABLE {table} IN SHARE MODE", f"SELECT v {_ROW}"),
    _reading("select-advisory", "the row under an advisory lock",
             f"SELECT FROM pg_advisory_xact_lock({_NUMBER}, {{key}})", f"SELECT v {_ROW}"),
    # Whether it gets the lock is nothing that a serial order explains, so no column shows it; and a session
    # keeps it where its transaction is aborted, so nobody may wait for it
    _reading("select-advisory-session", "the row under an advisory lock of the session, if it can be had",
             f"SELECT FROM pg_try_advisory_lock({_NUMBER}, -{{key}})", f"SELECT v {_ROW}",
             f"SELECT FROM pg_advisory_unlock({_NUMBER}, -{{key}})"),
    _reading("select-read-only", "the row, in a READ ONLY transaction", f"SELECT v {_ROW}",
             mode=Mode(read_only=True)),
    _reading("select-deferrable", "the row, in a READ ONLY DEFERRABLE transaction", f"SELECT v {_ROW}",
             mode=Mode(read_only=True, deferrable=True)),
)  # fmt: skip

WRITING = (
    _changing("update", "the row by its key", UPDATES, _UPDATE),
    _changing("update-add", "adds to what is there", UPDATES,
              "UPDATE {table} SET v = v + {value} WHERE k = {key}"),
    _changing("update-returning", "and returns the row", UPDATES, f"{_UPDATE} RETURNING v",
              returns_rows=True),
    _changing("update-predicate", "the rows by a predicate on another column", UPDATES,
              "UPDATE {table} SET v = {value} WHERE v >= 0", needs=_OWN),
    _changing("update-subquery", "to what a subquery gives", UPDATES,
              "UPDATE {table} SET v = (SELECT max(v) FROM {table}) + {value} WHERE k = {key}", needs=_OWN),
    _changing("update-savepoint", "within a savepoint that is kept", UPDATES,
              "SAVEPOINT s{value}", _UPDATE, "RELEASE s{value}"),
    _changing("update-undone", "rolled back to a savepoint", READS,
              "SAVEPOINT s{value}", _UPDATE, "ROLLBACK TO s{value}"),
    _changing("update-after-lock", "the row, locked before", UPDATES,
              f"SELECT v {_ROW} FOR UPDATE", _UPDATE, returns_rows=True),
    _changing("update-under-advisory", "the row under an advisory lock", UPDATES,
              f"SELECT FROM pg_advisory_xact_lock({_NUMBER}, {{key}})", _UPDATE, returns_rows=True),
    _changing("update-lock-table", "the row, with the table locked for writing", UPDATES,
              "LOCK TABLE {table} IN EXCLUSIVE MODE", _UPDATE),
    _changing("update-cursor", "the row of a cursor: WHERE CURRENT OF", UPDATES_FETCHED,
              *_FETCHED, "UPDATE {table} SET v = {value} WHERE CURRENT OF c{value}", "CLOSE c{value}",
              returns_rows=True, weight=RARE),
    _changing("delete-cursor", "the row of a cursor: WHERE CURRENT OF", DELETES_FETCHED,
              *_FETCHED, "DELETE FROM {table} WHERE CURRENT OF c{value}", "CLOSE c{value}",
              returns_rows=True, weight=RARE),
    _changing("update-key", "gives the row another key", DELETES,
              "UPDATE {table} SET k = k + 10 * {value} WHERE k = {key}", needs=_OWN),
    _changing("merge-update", "MERGE that updates", UPDATES, _MERGE + _MERGE_UPDATE),
    _changing("merge-update-by-source", "MERGE that updates what its source lacks", UPDATES,
              "MERGE INTO {table} AS t USING (VALUES (-1)) AS s (k) ON t.k = s.k "
              "WHEN NOT MATCHED BY SOURCE AND t.k = {key} THEN UPDATE SET v = {value}"),
    _changing("delete", "the row by its key", DELETES, f"DELETE {_ROW}"),
    _changing("delete-returning", "and returns the row", DELETES, f"DELETE {_ROW} RETURNING v",
              returns_rows=True),
    _changing("delete-predicate", "the rows by a predicate on another column", DELETES,
              "DELETE FROM {table} WHERE v >= 0", needs=_OWN),
    _changing("delete-savepoint", "within a savepoint that is kept", DELETES,
              "SAVEPOINT s{value}", f"DELETE {_ROW}", "RELEASE s{value}"),
    _changing("delete-undone", "rolled back to a savepoint", READS,
              "SAVEPOINT s{value}", f"DELETE {_ROW}", "ROLLBACK TO s{value}"),
    _changing("merge-delete", "MERGE that deletes", DELETES, _MERGE + "WHEN MATCHED THEN DELETE"),
    _changing("merge-delete-by-source", "MERGE that deletes what its source lacks", DELETES,
              "MERGE INTO {table} AS t USING (VALUES (-1)) AS s (k) ON t.k = s.k "
              "WHEN NOT MATCHED BY SOURCE AND t.k = {key} THEN DELETE"),
    _changing("truncate", "empties the table", DELETES, "TRUNCATE {table}", needs=_OWN),
    _changing("insert", "a row", INSERTS, _INSERT, needs=_SINGLE),
    _changing("insert-returning", "and returns the row", INSERTS, f"{_INSERT} RETURNING v", needs=_SINGLE,
              returns_rows=True),
    _changing("insert-savepoint", "within a savepoint that is kept", INSERTS,
              "SAVEPOINT s{value}", _INSERT, "RELEASE s{value}", needs=_SINGLE),
    _changing("insert-undone", "rolled back to a savepoint", Effect(Change.NOTHING, Change.REFUSED),
              "SAVEPOINT s{value}", _INSERT, "ROLLBACK TO s{value}", needs=_UNIQUE, weight=RARE),
    _changing("insert-where-not-exists", "a row, unless a subquery finds one", INSERTS_IF_ABSENT,
              f"INSERT INTO {{table}} (k, v) SELECT {{key}}, {{value}} WHERE NOT EXISTS (SELECT {_ROW})"),
    _changing("insert-or-nothing", "ON CONFLICT DO NOTHING", INSERTS_IF_ABSENT,
              f"{_INSERT} ON CONFLICT (k) DO NOTHING", needs=_UNIQUE),
    _changing("insert-or-nothing-any", "ON CONFLICT DO NOTHING, for any constraint", INSERTS_IF_ABSENT,
              f"{_INSERT} ON CONFLICT DO NOTHING", needs=_SINGLE),
    _changing("insert-unless-duplicate", "a row, or an error that is caught in the same block",
              INSERTS_IF_ABSENT, f"DO $$ BEGIN {_INSERT}; EXCEPTION WHEN unique_violation OR "
              "exclusion_violation THEN NULL; END $$", needs=_SINGLE),
    _changing("insert-or-update-never", "ON CONFLICT DO UPDATE whose WHERE is false", INSERTS_IF_ABSENT,
              f"{_INSERT} ON CONFLICT (k) DO UPDATE SET v = excluded.v WHERE t.v < 0", needs=_UNIQUE),
    _changing("merge-insert", "MERGE that inserts", INSERTS_IF_ABSENT, _MERGE + _MERGE_INSERT),
    _changing("merge-insert-or-nothing", "MERGE that inserts, or does nothing", INSERTS_IF_ABSENT,
              f"{_MERGE}WHEN MATCHED THEN DO NOTHING {_MERGE_INSERT}"),
    _changing("insert-or-update", "ON CONFLICT DO UPDATE", UPSERTS,
              f"{_INSERT} ON CONFLICT (k) DO UPDATE SET v = excluded.v", needs=_UNIQUE),
    _changing("insert-or-add", "ON CONFLICT DO UPDATE that adds to what is there", UPSERTS,
              f"{_INSERT} ON CONFLICT (k) DO UPDATE SET v = t.v + excluded.v RETURNING v", needs=_UNIQUE,
              returns_rows=True),
    _changing("merge-returning", "MERGE that updates or inserts, and returns the row", UPSERTS,
              f"{_MERGE}{_MERGE_UPDATE} {_MERGE_INSERT} RETURNING t.v", returns_rows=True),
    _changing("merge-delete-or-insert", "MERGE that deletes or inserts", TOGGLES,
              f"{_MERGE}WHEN MATCHED THEN DELETE {_MERGE_INSERT}", weight=RARE),
    _changing("merge", "MERGE that updates or inserts", UPSERTS, f"{_MERGE}{_MERGE_UPDATE} {_MERGE_INSERT}"),
)  # fmt: skip

OF_TWO = (
    _of_two("select-both", "two rows, each by a subquery",
            "SELECT (SELECT v FROM {table} WHERE k = {key}) AS v, "
            "(SELECT v FROM {other_table} WHERE k = {other_key}) AS other_v", READS, returns_rows=True),
    _of_two("select-join", "two rows by a join",
            "SELECT t.v, o.v AS other_v FROM {table} AS t, {other_table} AS o "
            "WHERE t.k = {key} AND o.k = {other_key}", READS, returns_rows=True),
    _of_two("select-join-for-update", "two rows by a join, locked",
            "SELECT t.v, o.v AS other_v FROM {table} AS t, {other_table} AS o "
            "WHERE t.k = {key} AND o.k = {other_key} FOR UPDATE", READS, returns_rows=True),
    _of_two("update-to-other", "to what another row has, and more",
            "UPDATE {table} SET v = {value} + coalesce((SELECT v FROM {other_table} AS o "
            "WHERE o.k = {other_key}), 0) WHERE k = {key}", UPDATES, weight=RARE),
    _of_two("insert-select", "a row from another one",
            "INSERT INTO {table} (k, v) SELECT {key}, {value} + v FROM {other_table} AS o "
            "WHERE o.k = {other_key}", INSERTS, without_other=READS, needs=_SINGLE, weight=RARE),
    _of_two("insert-moved", "a row from another one, which a CTE deletes",
            "WITH gone AS (DELETE FROM {other_table} WHERE k = {other_key} RETURNING v) "
            "INSERT INTO {table} (k, v) SELECT {key}, {value} + v FROM gone", INSERTS, DELETES,
            without_other=READS, needs=_SINGLE, weight=RARE),
    _of_two("insert-both", "two rows, one of them in a CTE",
            "WITH one AS (INSERT INTO {table} (k, v) VALUES ({key}, {value})) "
            "INSERT INTO {other_table} (k, v) VALUES ({other_key}, {value})", INSERTS, INSERTS,
            needs=_SINGLE, weight=RARE),
    _of_two("update-from", "if a join finds another row",
            "UPDATE {table} AS t SET v = {value} FROM {other_table} AS o "
            "WHERE t.k = {key} AND o.k = {other_key}", UPDATES, without_other=READS),
    _of_two("update-if-exists", "if a subquery finds another row",
            "UPDATE {table} AS t SET v = {value} WHERE k = {key} "
            "AND EXISTS (SELECT FROM {other_table} WHERE k = {other_key})", UPDATES, without_other=READS),
    _of_two("update-unless-exists", "unless a subquery finds another row",
            "UPDATE {table} AS t SET v = {value} WHERE k = {key} "
            "AND NOT EXISTS (SELECT FROM {other_table} WHERE k = {other_key})", READS, without_other=UPDATES),
    _of_two("insert-unless-exists", "unless a subquery finds another row",
            "INSERT INTO {table} (k, v) SELECT {key}, {value} "
            "WHERE NOT EXISTS (SELECT FROM {other_table} WHERE k = {other_key})", READS,
            without_other=INSERTS, needs=_SINGLE),
    _of_two("delete-using", "if a join finds another row",
            "DELETE FROM {table} AS t USING {other_table} AS o WHERE t.k = {key} AND o.k = {other_key}",
            DELETES, without_other=READS),
    _of_two("delete-if-exists", "if a subquery finds another row",
            "DELETE FROM {table} AS t WHERE k = {key} "
            "AND EXISTS (SELECT FROM {other_table} WHERE k = {other_key})", DELETES, without_other=READS),
    _of_two("delete-both", "two rows, one of them in a CTE",
            "WITH one AS (DELETE FROM {table} WHERE k = {key}) "
            "DELETE FROM {other_table} WHERE k = {other_key}", DELETES, DELETES, weight=RARE),
    _of_two("update-both", "two rows, one of them in a CTE",
            "WITH one AS (UPDATE {table} SET v = {value} WHERE k = {key}) "
            "UPDATE {other_table} SET v = {value} WHERE k = {other_key}", UPDATES, UPDATES),
    _of_two("delete-and-update", "one row in a CTE, another beside it",
            "WITH one AS (DELETE FROM {table} WHERE k = {key}) "
            "UPDATE {other_table} SET v = {value} WHERE k = {other_key}", DELETES, UPDATES),
    _of_two("delete-and-insert", "one row in a CTE, another beside it",
            "WITH one AS (DELETE FROM {table} WHERE k = {key}) INSERT INTO {other_table} (k, v) "
            "VALUES ({other_key}, {value}) ON CONFLICT (k) DO UPDATE SET v = excluded.v", DELETES, UPSERTS,
            needs=_UNIQUE),
)  # fmt: skip

FORMS = (*READING, *WRITING, *OF_TWO)
