"""A counter: a list whose length is the count. The analyzer counter-bounds holds reads against it."""

from __future__ import annotations

from txfuzz.plugin_api import Template

COUNTERS = [1, 2]

INCREMENT = Template(
    "counter-increment",
    "adds one to a counter, in one statement",
    ({"f": "append", "key": {"choice": {"from": {"param": "counters"}}}},),
    {"counters": COUNTERS},
)

COUNT = Template(
    "counter-read",
    "reads a counter",
    ({"f": "r", "key": {"choice": {"from": {"param": "counters"}}}},),
    {"counters": COUNTERS},
)
