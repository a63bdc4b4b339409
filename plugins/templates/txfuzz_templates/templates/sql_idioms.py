"""Templates of common SQL idioms: claims, read-modify-write, savepoints, upserts."""

from __future__ import annotations

from typing import Any

from txfuzz.plugin_api import Template

# -- claims ------------------------------------------------------------------------------
# Claims of something unique: check that it is free, then insert a row that marks it as taken.

# A plain INSERT: an existing row is a unique violation, so the claim fails.
_CLAIM = "INSERT INTO {table} VALUES (:key, :claim)"

CLAIM = Template(
    "unique-id-claim",
    "checks that two names are free, then inserts the row of one: of two such claims one must fail",
    (
        {"f": "r", "key": {"choice": {"from": {"param": "names"}}, "as": "mine"}},
        {"f": "r", "key": {"choice": {"from": {"param": "names"}}, "as": "other", "distinct_from": ["mine"]}},
        {
            "sql": _CLAIM,
            "args": {"key": {"ref": "mine"}, "claim": {"new": "value"}},
            "elle": {"f": "w", "key": "key", "value": "claim"},
        },
    ),
    {"names": [1, 2]},
)


# -- read modify write -------------------------------------------------------------------
# Read, compute, write back. The list is read, kept in a transaction-local setting, and written back with
# one more element: whatever others have appended meanwhile is overwritten.

_READ = """\
SELECT set_config('txfuzz.seen', coalesce(
  (SELECT val FROM {table} WHERE key = :key%s), ARRAY[]::bigint[]
)::text, true)::bigint[]"""
_WRITE_BACK = """\
INSERT INTO {table} (key, val) VALUES (:key, current_setting('txfuzz.seen')::bigint[] || :element)
ON CONFLICT (key) DO UPDATE SET val = excluded.val"""


def _read_and_write_back(locking: str) -> tuple[dict[str, Any], ...]:
    return (
        {
            "sql": _READ % locking,
            "args": {"key": {"choice": {"from": {"param": "keys"}}, "as": "k"}},
            "elle": {"f": "r", "key": "key"},
        },
        {
            "sql": _WRITE_BACK,
            "args": {"key": {"ref": "k"}, "element": {"new": "value"}},
            "elle": {"f": "append", "key": "key", "value": "element"},
        },
    )


RMW = Template(
    "read-modify-write",
    "reads a list and writes it back with one element more",
    _read_and_write_back(""),
    {"keys": [1, 2, 3, 4]},
    dialect="postgresql",
)

RMW_LOCKED = Template(
    "read-modify-write-locked",
    "the same, but the row is read FOR UPDATE (which locks only existing rows: use rows: inserted)",
    _read_and_write_back(" FOR UPDATE"),
    {"keys": [1, 2, 3, 4]},
    dialect="postgresql",
)


# -- savepoints --------------------------------------------------------------------------
# Savepoints: part of a transaction is undone, and the rest commits. What is undone is not a
# micro-operation, since it does not happen. It writes -1, which nothing else does, so a read of -1 is a
# read of what was never committed: the checker calls it unwritten-read.

_SAVEPOINT = {"sql": "SAVEPOINT txfuzz_before"}
_UNDO = {"sql": "ROLLBACK TO SAVEPOINT txfuzz_before"}
_UNDONE = """\
INSERT INTO {table} AS own (key, val) VALUES (:key, ARRAY[-1]::bigint[])
ON CONFLICT (key) DO UPDATE SET val = own.val || (-1)::bigint"""


def _undone(name: str) -> dict[str, Any]:
    return {"sql": _UNDONE, "args": {"key": {"ref": name}}}


ROLLBACK = Template(
    "savepoint-rollback",
    "appends to a key, writes that key and another and undoes both, then appends to the other",
    (
        {"f": "r", "key": {"choice": {"from": {"param": "after"}}, "as": "a"}},
        {"f": "append", "key": {"choice": {"from": {"param": "before"}}, "as": "b", "distinct_from": ["a"]}},
        _SAVEPOINT,
        _undone("b"),
        _undone("a"),
        _UNDO,
        {"f": "append", "key": {"ref": "a"}},
        {"f": "r", "key": {"ref": "b"}},
    ),
    {"before": [1, 2], "after": [3, 4]},  # in this order, to avoid deadlocks
    dialect="postgresql",
)

ROLLBACK_LOCKED = Template(
    "savepoint-rollback-locked",
    "locks a row, writes it and undoes that, then appends to it: the lock must outlive what was undone",
    (
        {
            "f": "r",
            "lock": {"param": "lock"},
            "key": {"choice": {"from": {"param": "keys"}}, "as": "a"},
        },
        _SAVEPOINT,
        _undone("a"),
        _UNDO,
        {"f": "append", "key": {"ref": "a"}},
    ),
    {"keys": [1, 2, 3, 4], "lock": "update"},
    dialect="postgresql",
)


# -- upserts -----------------------------------------------------------------------------
# Rows that are inserted or updated as needed: MERGE, and ON CONFLICT DO NOTHING.

_MERGE = """\
MERGE INTO {table} AS own USING (SELECT :key AS key, :element AS element) AS new ON own.key = new.key
WHEN MATCHED THEN UPDATE SET val = own.val || new.element
WHEN NOT MATCHED THEN INSERT (key, val) VALUES (new.key, ARRAY[new.element])"""

# Whether it inserts or not, the list stays the same, since an empty list and an absent one read alike. So
# this is not a micro-operation. If the UPDATE after it still finds no row, the transaction ends.
_ENSURE = "INSERT INTO {table} (key, val) VALUES (:key, ARRAY[]::bigint[]) ON CONFLICT (key) DO NOTHING"

MERGE = Template(
    "merge-append",
    "reads a key and appends to it by MERGE",
    (
        {"f": "r", "key": {"choice": {"from": {"param": "keys"}}, "as": "k"}},
        {
            "sql": _MERGE,
            "args": {"key": {"ref": "k"}, "element": {"new": "value"}},
            "elle": {"f": "append", "key": "key", "value": "element"},
        },
    ),
    {"keys": [1, 2, 3, 4]},
    dialect="postgresql",
)

DO_NOTHING = Template(
    "insert-do-nothing",
    "reads a key, ensures that its row exists by ON CONFLICT DO NOTHING, then appends by UPDATE",
    (
        {"f": "r", "key": {"choice": {"from": {"param": "keys"}}, "as": "k"}},
        {"sql": _ENSURE, "args": {"key": {"ref": "k"}}, "elle": []},
        {
            "sql": "UPDATE {table} SET val = val || :element WHERE key = :key",
            "args": {"key": {"ref": "k"}, "element": {"new": "value"}},
            "elle": {"f": "append", "key": "key", "value": "element"},
            "rows": {"0": "abort"},
        },
    ),
    {"keys": [1, 2, 3, 4]},
    dialect="postgresql",
)
