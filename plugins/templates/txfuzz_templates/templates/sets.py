"""A set whose elements are rows: it is read by a predicate, and an element is added by inserting its row.

One statement reads the whole set, so it stands for several micro-operations: one for each row that may be
an element, whether it is there or not.
"""

from __future__ import annotations

from typing import Any

from txfuzz.plugin_api import Template

ROWS = ("a", "b", "c", "d")

# What is read is the whole range of the index.
_SCAN = """\
SELECT key, val FROM {table} WHERE key BETWEEN LEAST(:a, :b, :c, :d) AND GREATEST(:a, :b, :c, :d)"""


def _scan() -> dict[str, Any]:
    chosen = {
        name: {"choice": {"from": {"param": "rows"}}, "as": name, "distinct_from": list(ROWS[:at])}
        for at, name in enumerate(ROWS)
    }
    del chosen[ROWS[0]]["distinct_from"]
    return {
        "sql": _SCAN,
        "args": chosen,
        "elle": [{"f": "r", "key": name, "key_column": "key", "column": "val"} for name in ROWS],
        "rows": {"0": "empty"},
    }


SET_ADD = Template(
    "set-add",
    "reads four possible elements of a set by one scan of a range, then inserts one of them",
    (
        _scan(),
        {
            "sql": "INSERT INTO {table} (key, val) VALUES (:key, :element)",
            "args": {"key": {"ref": ROWS[0]}, "element": {"new": "value"}},
            "elle": {"f": "w", "key": "key", "value": "element"},
        },
    ),
    {"rows": [1, 2, 3, 4]},
    dialect="postgresql",
)

SET_READ = Template(
    "set-read",
    "reads four possible elements of a set by one scan of a range",
    (_scan(),),
    {"rows": [1, 2, 3, 4]},
    dialect="postgresql",
)
