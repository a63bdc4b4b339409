"""Savepoints: a part of a transaction is undone, and the rest commits.

What is undone is no micro-operation, since it does not happen. It writes -1, which nothing else does, so
that a read of a -1 is a read of what nobody has committed: the checker calls it unwritten-read.
"""

from __future__ import annotations

from typing import Any

from txfuzz.plugin_api import Template

_SAVEPOINT = {"sql": "SAVEPOINT txfuzz_before"}
_UNDO = {"sql": "ROLLBACK TO SAVEPOINT txfuzz_before"}
_UNDONE = """\
INSERT INTO {table} AS own (key, val) VALUES (:key, ARRAY[-1]::bigint[])
ON CONFLICT (key) DO UPDATE SET val = own.val || (-1)::bigint"""


def _undone(name: str) -> dict[str, Any]:
    return {"sql": _UNDONE, "args": {"key": {"ref": name}}}


ROLLBACK = Template(
    "savepoint-rollback",
    "appends to a key, writes that one and another one and undoes both, then appends to the other",
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
    {"before": [1, 2], "after": [3, 4]},  # in this order, so that nobody waits for each other
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
