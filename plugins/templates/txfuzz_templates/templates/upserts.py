"""Rows that come into being or change, whichever it takes: MERGE, and ON CONFLICT DO NOTHING."""

from __future__ import annotations

from txfuzz.plugin_api import Template

_MERGE = """\
MERGE INTO {table} AS own USING (SELECT :key AS key, :element AS element) AS new ON own.key = new.key
WHEN MATCHED THEN UPDATE SET val = own.val || new.element
WHEN NOT MATCHED THEN INSERT (key, val) VALUES (new.key, ARRAY[new.element])"""

# Whether it inserts or not, the list is what it was: an empty list and no list are read alike. So this is
# no micro-operation. An UPDATE after it that finds no row all the same ends the transaction.
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
    "reads a key, sees to it that its row is there by ON CONFLICT DO NOTHING, then appends by UPDATE",
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
