"""Read, compute, write back: what applications do that hold a value while they think.

The list is read, kept in a setting that lasts until the transaction ends, and written back as it was read
with one element more: whatever others have appended meanwhile is overwritten, and not only overlooked.
"""

from __future__ import annotations

from typing import Any

from txfuzz.plugin_api import Template

_READ = """\
SELECT set_config('txfuzz.seen', coalesce(
  (SELECT val FROM {table} WHERE key = :key%s), ARRAY[]::bigint[]
)::text, true)::bigint[]"""
_WRITE_BACK = """\
INSERT INTO {table} (key, val) VALUES (:key, current_setting('txfuzz.seen')::bigint[] || :element)
ON CONFLICT (key) DO UPDATE SET val = excluded.val"""


def _steps(locking: str) -> tuple[dict[str, Any], ...]:
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
    _steps(""),
    {"keys": [1, 2, 3, 4]},
    dialect="postgresql",
)

RMW_LOCKED = Template(
    "read-modify-write-locked",
    "the same, but the row is read FOR UPDATE (which locks rows that are there: keys with rows: inserted)",
    _steps(" FOR UPDATE"),
    {"keys": [1, 2, 3, 4]},
    dialect="postgresql",
)
