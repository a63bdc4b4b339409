"""The ways to make the tables of a hunt in MariaDB. All of them are InnoDB's: MyISAM has no transactions."""

from __future__ import annotations

from typing import Any

from txfuzz.plugin_api import NO_DUPLICATES, Layout

from .forms import ADAPTER

_PLAIN = "CREATE TABLE {table} (k int PRIMARY KEY, v int NOT NULL) ENGINE = InnoDB"
_SINGLE = frozenset({NO_DUPLICATES})


def _layout(name: str, about: str, *setup: str, **more: Any) -> Layout:
    return Layout(name, about, setup, adapter=ADAPTER, **more)


def _reference(name: str, action: str) -> Layout:
    return Layout(
        f"foreign-key-{name}",
        f"the others refer to the first key's row: {action}",
        (_PLAIN,),
        (
            "CREATE TABLE {table} (k int PRIMARY KEY, v int NOT NULL, "
            f"FOREIGN KEY (k) REFERENCES {{first}} (k) {action}) ENGINE = InnoDB",
        ),
        dependent=True,
        adapter=ADAPTER,
    )


def _column(name: str, about: str, *more: str) -> Layout:
    columns = ", ".join(("k int PRIMARY KEY", "v int NOT NULL", *more))
    return _layout(name, about, f"CREATE TABLE {{table}} ({columns}) ENGINE = InnoDB")


def _triggered(name: str, about: str, when: str, body: str) -> Layout:
    triggers = (
        f"CREATE TRIGGER {{table}}_{event.lower()} {when} {event} ON {{table}} FOR EACH ROW "
        + body.replace("ROW", row).replace("EVENT", event)
        for event, row in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD"))
    )
    log = "CREATE TABLE {table}_log (k int NOT NULL, op varchar(10) NOT NULL) ENGINE = InnoDB"
    return _layout(name, about, _PLAIN, log, *triggers)


LAYOUTS = (
    _layout("plain", "a table for each key, with a primary key", _PLAIN, plain=True),
    _layout("one-table", "one table for all keys, whose gaps are between them", _PLAIN, shared=True),
    _layout("fresh", "tables that are made anew each time", _PLAIN, fresh=("TRUNCATE TABLE {table}",)),
    _layout("no-index", "no index and no constraint",
            "CREATE TABLE {table} (k int, v int NOT NULL) ENGINE = InnoDB", has=frozenset()),
    _layout("unique", "a unique key instead of a primary one",
            "CREATE TABLE {table} (k int UNIQUE, v int NOT NULL) ENGINE = InnoDB", has=_SINGLE),
    _column("two-unique", "both columns are unique", "UNIQUE (v)"),
    _column("index", "an index on the other column", "INDEX (v)"),
    _column("index-descending", "a descending index on the other column", "INDEX (v DESC)"),
    _layout("primary-descending", "a primary key in descending order, one table for all keys",
            "CREATE TABLE {table} (k int NOT NULL, v int NOT NULL, PRIMARY KEY (k DESC)) ENGINE = InnoDB",
            shared=True),
    _column("index-covering", "an index that holds both columns", "INDEX (k, v)"),
    _column("virtual-column", "an index on a column that is computed when it is read",
            "w int AS (v * 2) VIRTUAL", "INDEX (w)"),
    _column("persistent-column", "an index on a column that is computed when it is written",
            "w int AS (v * 2) PERSISTENT", "INDEX (w)"),
    _column("index-prefix", "an index on the beginning of a text",
            "w varchar(20) AS (concat('a', v)) PERSISTENT", "INDEX (w(2))"),
    _column("index-fulltext", "a full-text index",
            "w varchar(20) AS (concat('word', v)) PERSISTENT", "FULLTEXT INDEX (w)"),
    _layout("partition-list", "a partition for each of a few keys, one table for all",
            f"{_PLAIN} PARTITION BY LIST (k) (PARTITION one VALUES IN (1, 3), PARTITION rest DEFAULT)",
            shared=True),
    _layout("partition-hash", "partitions by a hash of the key",
            f"{_PLAIN} PARTITION BY HASH (k) PARTITIONS 2"),
    _layout("partition-by-value", "partitions between which an UPDATE moves a row",
            "CREATE TABLE {table} (k int, v int NOT NULL) ENGINE = InnoDB PARTITION BY RANGE (v) "
            "(PARTITION one VALUES LESS THAN (1), PARTITION small VALUES LESS THAN (4), "
            "PARTITION large VALUES LESS THAN MAXVALUE)", has=frozenset()),
    _reference("restrict", "ON DELETE RESTRICT"),
    _reference("no-action", "ON DELETE NO ACTION ON UPDATE NO ACTION"),
    _reference("cascade", "ON DELETE CASCADE"),
    Layout("foreign-key-set-null",
           "a column of the others refers to the first key's row: ON DELETE SET NULL", (_PLAIN,),
           ("CREATE TABLE {table} (k int PRIMARY KEY, v int NOT NULL, parent int DEFAULT 1, "
            "FOREIGN KEY (parent) REFERENCES {first} (k) ON DELETE SET NULL) ENGINE = InnoDB",),
           dependent=True, adapter=ADAPTER),
    _triggered("trigger-writes", "a trigger writes each change to another table", "AFTER",
               "INSERT INTO {table}_log VALUES (ROW.k, 'EVENT')"),
    _triggered("trigger-reads", "a trigger reads another table before each change", "BEFORE",
               "SET @txfuzz_seen = (SELECT count(*) FROM {table}_log)"),
    _layout("view", "a view of the table",
            "CREATE TABLE {table}_rows (k int PRIMARY KEY, v int NOT NULL) ENGINE = InnoDB",
            "CREATE VIEW {table} AS SELECT k, v FROM {table}_rows", has=_SINGLE),
)  # fmt: skip
