"""Templates modelled on Jepsen tests: bank, counter, set and long fork."""

from __future__ import annotations

from typing import Any

from txfuzz.plugin_api import Template

# -- bank --------------------------------------------------------------------------------
# A bank: transfers move money between accounts, audits add all of them up.
#
# An account is a list of entries. A transfer appends an entry to the account that it debits, then
# one to the account that it credits; the number appended to the first is the amount. So every entry
# is unique, which lets the checker recover dependencies, and the analyzer bank-total computes the
# balances: a read of one half of a transfer without the other has seen money vanish or appear.

ACCOUNTS = [1, 2, 3, 4]

TRANSFER = Template(
    "bank-transfer",
    "reads an account, takes an amount from it and gives it to another",
    (
        {"f": "r", "key": {"choice": {"from": {"param": "accounts"}}, "as": "from"}},
        {"f": "append", "key": {"ref": "from"}},
        {"f": "append", "key": {"choice": {"from": {"param": "accounts"}}, "distinct_from": ["from"]}},
    ),
    {"accounts": ACCOUNTS},
)

AUDIT = Template(
    "bank-audit",
    "reads all accounts, whose total never changes",
    (
        {
            "each": "account",
            "of": {"param": "accounts"},
            "steps": [{"f": "r", "key": {"param": "account"}}],
        },
    ),
    {"accounts": ACCOUNTS},
)


# -- counter -----------------------------------------------------------------------------
# A counter: a list whose length is the count, checked by the analyzer counter-bounds.

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


# -- sets --------------------------------------------------------------------------------
# A set whose elements are rows: read by a predicate, added to by inserting a row. One statement reads the
# whole set and so is several micro-operations, one for each possible row, present or not.

ROWS = ("a", "b", "c", "d")

# Reads the whole index range.
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


# -- long fork ---------------------------------------------------------------------------
# Long forks: two readers see two independent writes in opposite orders. No writer reads and no
# transaction writes twice, so a cycle needs four transactions and no shorter one hides it.

FORK_WRITE = Template(
    "long-fork-write",
    "appends to one of the keys and reads none",
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
