"""The mix, the scheduling, and the lifetime of keys."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from txfuzz.errors import did_you_mean
from txfuzz.transactions.model import Transaction
from txfuzz.workload.model import KeyLife, Scheduling, Weight
from txfuzz.workload.yaml.nodes import Node

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST = 366 * 24 * 3600.0
ROWS = ("fresh", "inserted")
MOST_CLIENTS = 10_000  # each opens a connection


def equal_mix(transactions: Sequence[Transaction]) -> tuple[Weight, ...]:
    return tuple(Weight(transaction.name, 1) for transaction in transactions)


def read_mix(node: Node, transactions: Sequence[Transaction]) -> tuple[Weight, ...]:
    names = [transaction.name for transaction in transactions]
    mix: dict[str, Weight] = {}
    for item in node.items("a list of {txn: NAME, weight: N}"):
        fields = item.fields("an entry of the mix", ("txn", "weight"), ("txn",))
        named = fields["txn"]
        name = named.text("the name of a transaction")
        if name not in names:
            raise named.place.error(
                f"found the unknown transaction {name!r} in the mix", "", did_you_mean(name, names)
            )
        if name in mix:
            raise named.place.error(f"found the duplicate transaction {name!r} in the mix", "each once")
        mix[name] = Weight(name, fields["weight"].number("a weight") if "weight" in fields else 1)
    if not any(weight.weight > 0 for weight in mix.values()):
        found = "a mix whose weights are all zero" if mix else "an empty mix"
        raise node.place.error(f"found {found}", "a weight above zero")
    return tuple(mix.values())


def read_scheduling(node: Node) -> Scheduling:
    fields = node.fields("scheduling", ("clients", "transactions", "duration", "barrier_every"))
    given: dict[str, Any] = {}
    if "transactions" in fields and "duration" in fields:
        both = (fields["transactions"].name_place, fields["duration"].name_place)
        later = max(both, key=lambda place: (place.line, place.column))
        raise later.error("found both transactions and duration in scheduling", "one of them")
    if "clients" in fields:
        given["clients"] = fields["clients"].whole("the number of clients", 1, MOST_CLIENTS)
    if "transactions" in fields:
        given["transactions"] = fields["transactions"].whole("the number of transactions", 1)
    if "duration" in fields:
        given |= {"transactions": None, "duration": read_duration(fields["duration"])}
    if "barrier_every" in fields:
        given["barrier_every"] = fields["barrier_every"].whole(
            "the number of transactions between barriers", 0
        )
    return Scheduling(**given)


def read_key_life(node: Node) -> KeyLife:
    fields = node.fields("keys", ("writes", "rows"))
    given: dict[str, Any] = {}
    if "writes" in fields:
        given["writes"] = fields["writes"].whole("the number of writes per generation", 1)
    if "rows" in fields:
        given["rows"] = fields["rows"].one_of("how rows are created", ROWS)
    return KeyLife(**given)


def read_duration(node: Node) -> float:
    """In seconds."""
    value, seconds = node.value, 0.0
    if isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())):
        seconds = float(match[1]) * _SECONDS[match[2]]
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value
    if not 0 < seconds <= _LONGEST:
        raise node.unexpected("a duration such as 30s, 5m or 2h, or a number of seconds")
    return float(seconds)
