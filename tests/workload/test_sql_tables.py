"""Which tables a raw statement reads and changes."""

from __future__ import annotations

import pytest

from txfuzz.workload.sql.tables import StatementTables, tables_of

OURS = "{table}"


@pytest.mark.parametrize(
    ("sql", "reads", "changes"),
    [
        ("SELECT val FROM {table} WHERE key = :k FOR NO KEY UPDATE SKIP LOCKED", {OURS}, set()),
        ("SELECT a FROM public.Seats s, {table} t LEFT JOIN other USING (id)",
         {"public.seats", OURS, "other"}, set()),
        ('SELECT a FROM "Odd" . "Name"', {'"Odd"."Name"'}, set()),
        ("SELECT extract(year FROM day), substring(a FROM 2) FROM days", {"days"}, set()),
        ("SELECT a IS DISTINCT FROM b FROM t", {"t"}, set()),
        ("SELECT 'FROM no', $$FROM no$$ -- FROM no\n /* FROM no */ FROM yes", {"yes"}, set()),
        ("SELECT * FROM generate_series(1, 3) g, unnest(ARRAY[1]) u", set(), set()),
        ("SELECT * FROM (SELECT 1 FROM inside) x, outside", {"inside", "outside"}, set()),
        ("WITH a AS (SELECT 1 FROM t), b (x) AS MATERIALIZED (SELECT 2) SELECT * FROM a, b", {"t"}, set()),
        ("WITH gone AS (DELETE FROM {table} WHERE key = :k RETURNING val) SELECT val FROM gone",
         set(), {OURS}),
        ("INSERT INTO {table} (key, val) VALUES (:k, :v) ON CONFLICT (key) DO UPDATE SET val = 1",
         set(), {OURS}),
        ("INSERT INTO {table} SELECT 1 FROM source", {"source"}, {OURS}),
        ("INSERT IGNORE INTO t VALUES (1) ON DUPLICATE KEY UPDATE a = 1", set(), {"t"}),
        ("REPLACE INTO {table} VALUES (:k, :v)", set(), {OURS}),
        ("INSERT OR REPLACE INTO {table} VALUES (:k, :v)", set(), {OURS}),
        ("UPDATE ONLY {table} AS t SET val = (SELECT 1 FROM b) WHERE key = 1", {"b"}, {OURS}),
        ("UPDATE OR ABORT {table} SET val = 1 WHERE key = 1", set(), {OURS}),
        ("EXPLAIN ANALYZE UPDATE {table} SET val = 1 WHERE key = 1", set(), {OURS}),
        ("DELETE FROM {table} USING other WHERE other.id = key", {"other"}, {OURS}),
        ("MERGE INTO {table} t USING (SELECT 1 AS k) s ON t.key = s.k WHEN MATCHED THEN UPDATE SET val = 1 "
         "WHEN NOT MATCHED THEN INSERT VALUES (1, 2)", set(), {OURS}),
        ("TRUNCATE TABLE ONLY {table}", set(), {OURS}),
        ("ALTER TABLE IF EXISTS {table} ADD x int", set(), {OURS}),
        ("COPY {table} (key, val) FROM PROGRAM 'printf 1'", set(), {OURS}),
        ("COPY {table} TO STDOUT", set(), set()),
        ("LOCK TABLE {table} IN SHARE MODE", set(), set()),
        ("FETCH 1 FROM cursor", set(), set()),
        ("SELECT set_config('txfuzz.seen', :k::text, true)", set(), set()),
    ],
)  # fmt: skip
def test_tables(sql: str, reads: set[str], changes: set[str]) -> None:
    found = tables_of(sql)
    assert (set(found.reads), set(found.changes)) == (reads, changes)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SAVEPOINT Here", StatementTables("savepoint", savepoint="here")),
        ("rollback to savepoint here", StatementTables("rollback", savepoint="here")),
        ("ROLLBACK WORK TO here;", StatementTables("rollback", savepoint="here")),
        ("RELEASE here", StatementTables("release", savepoint="here")),
        ("ROLLBACK", StatementTables("rollback", ends=True)),
        ("/* no */ COMMIT", StatementTables("commit", ends=True)),
        ("CALL fill(:k)", StatementTables("call", opaque=True)),
        ("DO $$ BEGIN END $$", StatementTables("do", opaque=True)),
        ("SET TRANSACTION READ ONLY, DEFERRABLE", StatementTables("set")),
        ("SET LOCAL transaction_isolation = 'read committed'", StatementTables("set", sets_level=True)),
        ("SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE", StatementTables("set", sets_level=True)),
        ("SET lock_timeout = '1s'", StatementTables("set")),
        ("", StatementTables("")),
    ],
)
def test_what_is_about_the_transaction(sql: str, said: StatementTables) -> None:
    assert tables_of(sql) == said


@pytest.mark.parametrize(
    ("sql", "filtered"),
    [
        ("UPDATE {table} SET val = 1", False),
        ("DELETE FROM {table}", False),
        ("UPDATE {table} SET val = 1 WHERE key = :k", True),
        ("UPDATE {table} AS t SET val = 1 FROM chosen WHERE true", True),
        ("INSERT INTO {table} VALUES (1, 2)", True),
    ],
)
def test_is_it_about_every_row(sql: str, filtered: bool) -> None:
    assert tables_of(sql).filtered is filtered
