"""A bank: transfers move money between accounts, audits add all of them up.

An account is a list of entries. A transfer appends an entry to the account that it takes from, and then
one to the account that it gives to; the number that it appends to the first is the amount. So every entry
is unique, which lets the checker tell who saw whom, and balances are sums that the analyzer bank-total
works out: whoever sees one half of a transfer and not the other has seen money vanish or appear.
"""

from __future__ import annotations

from txfuzz.plugin_api import Template

ACCOUNTS = [1, 2, 3, 4]

TRANSFER = Template(
    "bank-transfer",
    "looks at an account, takes an amount from it and gives it to another one",
    (
        {"f": "r", "key": {"choice": {"from": {"param": "accounts"}}, "as": "from"}},
        {"f": "append", "key": {"ref": "from"}},
        {"f": "append", "key": {"choice": {"from": {"param": "accounts"}}, "distinct_from": ["from"]}},
    ),
    {"accounts": ACCOUNTS},
)

AUDIT = Template(
    "bank-audit",
    "reads all accounts; what they hold together never changes",
    (
        {
            "each": "account",
            "of": {"param": "accounts"},
            "steps": [{"f": "r", "key": {"param": "account"}}],
        },
    ),
    {"accounts": ACCOUNTS},
)
