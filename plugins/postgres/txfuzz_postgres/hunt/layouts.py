"""The ways to make the tables of a hunt in PostgreSQL."""

from __future__ import annotations

from typing import Any

from txfuzz.plugin_api import NO_DUPLICATES, Layout

ADAPTER = "postgres"
PLAIN = "CREATE TABLE {table} (k int PRIMARY KEY, v int NOT NULL)"
_INDEXED = ("SET enable_seqscan = off",)
_NO_INDEX = ("SET enable_indexscan = off", "SET enable_indexonlyscan = off", "SET enable_bitmapscan = off")


def _layout(name: str, about: str, *setup: str, **more: Any) -> Layout:
    return Layout(name, about, setup, adapter=ADAPTER, **more)


def _index(kind: str, columns: str) -> Layout:
    return _layout(
        f"index-{kind}",
        f"a {kind} index on the other column",
        PLAIN,
        f"CREATE INDEX ON {{table}} USING {kind} ({columns})",
        settings=_INDEXED,
    )


def _reference(name: str, action: str) -> Layout:
    return Layout(
        f"foreign-key-{name}",
        f"the others refer to the first key's row: {action}",
        (PLAIN,),
        (f"CREATE TABLE {{table}} (k int PRIMARY KEY REFERENCES {{first}} {action}, v int NOT NULL)",),
        dependent=True,
        adapter=ADAPTER,
    )


def _reference_beside(name: str, action: str, default: str) -> Layout:
    """From a column of its own, since the key can be neither NULL nor another one."""
    return Layout(
        f"foreign-key-{name}",
        f"a column of the others refers to the first key's row: {action}",
        ("CREATE TABLE {table} (k int PRIMARY KEY, v int NOT NULL, parent int)",
         "INSERT INTO {table} VALUES (0, -1)"),
        ("CREATE TABLE {table} (k int PRIMARY KEY, v int NOT NULL, "
         f"parent int DEFAULT {default} REFERENCES {{first}} {action})",),
        row="INSERT INTO {table} (k, v, parent) VALUES ({key}, {value}, 1)",
        dependent=True,
        adapter=ADAPTER,
    )  # fmt: skip


def _triggered(name: str, about: str, when: str, body: str, *, deferred: bool = False) -> Layout:
    function = (
        f"CREATE FUNCTION {{table}}_changes() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {body} IF TG_OP = 'DELETE' THEN RETURN old; END IF; RETURN new; END $$"
    )
    trigger = (
        f"CREATE {'CONSTRAINT ' if deferred else ''}TRIGGER changes {when} INSERT OR UPDATE OR DELETE "
        f"ON {{table}} {'DEFERRABLE INITIALLY DEFERRED ' if deferred else ''}"
        "FOR EACH ROW EXECUTE FUNCTION {table}_changes()"
    )
    return _layout(
        name, about, PLAIN, "CREATE TABLE {table}_log (k int NOT NULL, op text NOT NULL)", function, trigger
    )


LAYOUTS = (
    _layout("plain", "a table for each key, with a primary key", PLAIN, plain=True),
    _layout("one-table", "one table for all keys", PLAIN, shared=True),
    _layout("fresh", "tables that are made anew each time, whose indexes have no page yet", PLAIN,
            fresh=("TRUNCATE {table}",)),
    _layout("fresh-one-table", "one table for all keys, made anew each time", PLAIN, shared=True,
            fresh=("TRUNCATE {table}",)),
    _layout("fresh-indexed", "tables that are made anew each time, and indexes are used", PLAIN,
            fresh=("TRUNCATE {table}",), settings=_INDEXED),
    _layout("sequential", "no index is used", PLAIN, settings=_NO_INDEX),
    _layout("indexed", "indexes are used wherever they can be", PLAIN, settings=_INDEXED),
    _layout("bitmap", "index entries are read as bitmaps", PLAIN,
            settings=(*_INDEXED, "SET enable_indexscan = off", "SET enable_indexonlyscan = off")),
    _layout("no-index", "no index and no constraint", "CREATE TABLE {table} (k int, v int NOT NULL)",
            has=frozenset()),
    _layout("unique", "a unique constraint instead of a primary key",
            "CREATE TABLE {table} (k int UNIQUE, v int NOT NULL)"),
    _layout("two-unique", "both columns are unique",
            "CREATE TABLE {table} (k int PRIMARY KEY, v int NOT NULL UNIQUE)"),
    _layout("deferred-unique", "a constraint that is checked at COMMIT",
            "CREATE TABLE {table} (k int UNIQUE DEFERRABLE INITIALLY DEFERRED, v int NOT NULL)",
            has=frozenset({NO_DUPLICATES})),
    _layout("covering", "the index holds both columns",
            "CREATE TABLE {table} (k int, v int NOT NULL, PRIMARY KEY (k) INCLUDE (v))",
            settings=_INDEXED),
    _layout("exclude", "an exclusion constraint instead of a primary key",
            "CREATE TABLE {table} (k int, v int NOT NULL, EXCLUDE USING btree (k WITH =))",
            has=frozenset({NO_DUPLICATES})),
    _layout("exclude-gist", "an exclusion constraint over ranges",
            "CREATE TABLE {table} (k int, v int NOT NULL, "
            "EXCLUDE USING gist (int4range(k, k, '[]') WITH &&))",
            has=frozenset({NO_DUPLICATES})),
    _layout("unique-descending", "a unique index in descending order",
            "CREATE TABLE {table} (k int NOT NULL, v int NOT NULL)",
            "CREATE UNIQUE INDEX ON {table} (k DESC)", settings=_INDEXED),
    _layout("unique-partial", "a unique index on part of the rows",
            "CREATE TABLE {table} (k int NOT NULL, v int NOT NULL)",
            "CREATE UNIQUE INDEX ON {table} (k) WHERE v >= 0", has=frozenset({NO_DUPLICATES})),
    _layout("unique-expression", "a unique index on an expression",
            "CREATE TABLE {table} (k int NOT NULL, v int NOT NULL)",
            "CREATE UNIQUE INDEX ON {table} ((k + 0))", has=frozenset({NO_DUPLICATES})),
    _index("btree", "v"), _index("hash", "v"), _index("brin", "v"),
    _index("gin", "(ARRAY[v])"), _index("gist", "int4range(v, v + 1)"),
    _index("spgist", "int4range(v, v + 1)"),
    _layout("index-partial", "an index on part of the rows", PLAIN,
            "CREATE INDEX ON {table} (v) WHERE v >= 0", settings=_INDEXED),
    _layout("partition-list", "a partition for each of a few keys",
            "CREATE TABLE {table} (k int PRIMARY KEY, v int NOT NULL) PARTITION BY LIST (k)",
            "CREATE TABLE {table}_one PARTITION OF {table} FOR VALUES IN (1, 3)",
            "CREATE TABLE {table}_rest PARTITION OF {table} DEFAULT", shared=True),
    _layout("partition-hash", "partitions by a hash of the key",
            "CREATE TABLE {table} (k int PRIMARY KEY, v int NOT NULL) PARTITION BY HASH (k)",
            "CREATE TABLE {table}_0 PARTITION OF {table} FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
            "CREATE TABLE {table}_1 PARTITION OF {table} FOR VALUES WITH (MODULUS 2, REMAINDER 1)"),
    _layout("partition-by-value", "partitions between which an UPDATE moves a row",
            "CREATE TABLE {table} (k int, v int NOT NULL) PARTITION BY RANGE (v)",
            "CREATE TABLE {table}_first PARTITION OF {table} FOR VALUES FROM (MINVALUE) TO (1)",
            "CREATE TABLE {table}_small PARTITION OF {table} FOR VALUES FROM (1) TO (4)",
            "CREATE TABLE {table}_large PARTITION OF {table} FOR VALUES FROM (4) TO (MAXVALUE)",
            has=frozenset()),
    _reference("no-action", ""),
    _reference("restrict", "ON DELETE RESTRICT"),
    _reference("cascade", "ON DELETE CASCADE ON UPDATE CASCADE"),
    _reference("cascade-deferred", "ON DELETE CASCADE ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED"),
    _reference("deferred", "DEFERRABLE INITIALLY DEFERRED"),
    _reference_beside("set-null", "ON DELETE SET NULL", "1"),
    _reference_beside("set-null-deferred", "ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED", "1"),
    _reference_beside("set-default", "ON DELETE SET DEFAULT", "0"),
    _reference_beside("set-default-deferred", "ON DELETE SET DEFAULT DEFERRABLE INITIALLY DEFERRED", "0"),
    _triggered("trigger-writes", "a trigger writes each change to another table", "AFTER",
               "INSERT INTO {table}_log VALUES (coalesce(new.k, old.k), TG_OP);"),
    _triggered("trigger-reads", "a trigger reads the table before each change", "BEFORE",
               "PERFORM count(*) FROM {table};"),
    _triggered("trigger-deferred", "a trigger reads the table at COMMIT", "AFTER",
               "PERFORM count(*) FROM {table};", deferred=True),
    _layout("view", "a view of the table", "CREATE TABLE {table}_rows (k int PRIMARY KEY, v int NOT NULL)",
            "CREATE VIEW {table} AS SELECT k, v FROM {table}_rows"),
    _layout("generated-column", "a column that is computed from another",
            "CREATE TABLE {table} (k int PRIMARY KEY, v int NOT NULL, "
            "w int GENERATED ALWAYS AS (v * 2) STORED)"),
    _layout("generated-column-virtual", "a column that is computed from another when it is read",
            "CREATE TABLE {table} (k int PRIMARY KEY, v int NOT NULL, "
            "w int GENERATED ALWAYS AS (v * 2) VIRTUAL)"),
)  # fmt: skip
