"""Claims of something unique: look whether it is free, then insert a row that says it is taken."""

from __future__ import annotations

from txfuzz.plugin_api import Template

# INSERT and nothing else: a row that is there is a unique violation, so that the claim has failed.
_INSERT = "INSERT INTO {table} VALUES (:key, :claim)"

CLAIM = Template(
    "unique-id-claim",
    "looks whether two names are free, then inserts the row of one: of two such claims one must fail",
    (
        {"f": "r", "key": {"choice": {"from": {"param": "names"}}, "as": "mine"}},
        {"f": "r", "key": {"choice": {"from": {"param": "names"}}, "as": "other", "distinct_from": ["mine"]}},
        {
            "sql": _INSERT,
            "args": {"key": {"ref": "mine"}, "claim": {"new": "value"}},
            "elle": {"f": "w", "key": "key", "value": "claim"},
        },
    ),
    {"names": [1, 2]},
)
