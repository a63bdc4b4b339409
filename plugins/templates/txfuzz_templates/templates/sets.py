"""A set whose elements are rows: it is read by a predicate, and an element is added by inserting its row.

One statement reads the whole set, so it stands for several micro-operations. A step carries one: the first
one scans and keeps what it has seen in a setting that lasts until the transaction ends, and each further
step says what the scan saw of another row, without looking at the table again.
"""

from __future__ import annotations

from typing import Any

from txfuzz import Template

ROWS = ("a", "b", "c", "d")

# The filter is inside the aggregate, so that what is read is the whole range of the index. Values are kept
# as text, in which registers and lists can both be read.
_SCAN = """\
SELECT set_config('txfuzz.seen', (
  SELECT coalesce(
    jsonb_object_agg(key, val::text) FILTER (WHERE key IN (:a, :b, :c, :d)), jsonb_build_object()
  )::text FROM {table} WHERE key BETWEEN LEAST(:a, :b, :c, :d) AND GREATEST(:a, :b, :c, :d)
), true)::jsonb ->> (:a)::text"""
_SEEN = "SELECT current_setting('txfuzz.seen')::jsonb ->> (:key)::text"


def _scan() -> tuple[dict[str, Any], ...]:
    chosen = {
        name: {"choice": {"from": {"param": "rows"}}, "as": name, "distinct_from": list(ROWS[:at])}
        for at, name in enumerate(ROWS)
    }
    del chosen[ROWS[0]]["distinct_from"]
    scan = {"sql": _SCAN, "args": chosen, "elle": {"f": "r", "key": ROWS[0]}}
    return scan, *(
        {"sql": _SEEN, "args": {"key": {"ref": name}}, "elle": {"f": "r", "key": "key"}} for name in ROWS[1:]
    )


SET_ADD = Template(
    "set-add",
    "reads four possible elements of a set by one scan of a range, then inserts one of them",
    (
        *_scan(),
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
    _scan(),
    {"rows": [1, 2, 3, 4]},
    dialect="postgresql",
)
