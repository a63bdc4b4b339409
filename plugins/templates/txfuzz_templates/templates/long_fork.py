"""Long forks: two readers that see two independent writes in opposite orders.

No writer reads and no transaction writes twice, so a cycle needs four of them, and nothing shorter hides it.
"""

from __future__ import annotations

from txfuzz.plugin_api import Template

FORK_WRITE = Template(
    "long-fork-write",
    "appends to one of the keys, and looks at none",
    ({"f": "append", "key": {"choice": {"from": {"param": "keys"}}}},),
    {"keys": [1, 2]},
)

FORK_READ = Template(
    "long-fork-read",
    "reads two of the keys, in either order",
    (
        {"f": "r", "key": {"choice": {"from": {"param": "keys"}}, "as": "first"}},
        {"f": "r", "key": {"choice": {"from": {"param": "keys"}}, "distinct_from": ["first"]}},
    ),
    {"keys": [1, 2]},
)
