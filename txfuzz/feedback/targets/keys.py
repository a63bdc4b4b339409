"""`keys`: the choices of all transactions, narrowed to the same keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from txfuzz.common.key_ranges import key_union
from txfuzz.common.sentences import listed
from txfuzz.errors import UsageError
from txfuzz.feedback.key_choices import can_choose, fewest_keys, narrowed
from txfuzz.feedback.roles import choices
from txfuzz.feedback.targets.target import Target, Written, short
from txfuzz.workload.model import Workload
from txfuzz.workload.yaml.keys import LARGEST_KEY

_NAMED = 5  # keys or steps in a sentence


def _read(workload: Workload) -> list[int]:
    chosen = [choice.keys for transaction in workload.transactions for choice in choices(transaction)]
    return list(key_union(keys for keys in chosen if len(keys) > 1))


def _write(workload: Workload, value: Any, original: Workload) -> Written:
    if not isinstance(value, list) or not all(type(key) is int for key in value):
        raise UsageError(f"keys must be a list of whole numbers, found {short(value)}")
    if any(not 1 <= key <= LARGEST_KEY for key in value):
        raise UsageError(f"keys must be from 1 to {LARGEST_KEY}, found {short(value)}")
    keys = tuple(dict.fromkeys(value))
    done = narrowed(workload, keys, original)
    left = len(keys) - len(done.strangers)
    if keys and not left:
        raise UsageError(f"no transaction of the workload chooses from any of the keys {short(value)}")
    least = fewest_keys(workload)
    if left < least:
        raise UsageError(f"this workload needs at least {least} keys to choose from, found {short(value)}")
    for transaction in done.workload.transactions:
        if not can_choose(transaction):
            raise UsageError(
                f"with the keys {short(list(keys))} the choices of transaction {transaction.name!r} cannot "
                "differ as its distinct_from requires"
            )
    return done.workload, tuple(_not_done(done.strangers, done.untouched))


def _not_done(strangers: Sequence[int], untouched: Sequence[tuple[str, int]]) -> Iterable[str]:
    if strangers:
        keys = f"{'key' if len(strangers) == 1 else 'keys'} {listed(strangers, most=_NAMED)}"
        yield f"ignored {keys}, which no transaction of the workload can choose"
    if untouched:
        steps = listed((f"{name!r} step {number}" for name, number in untouched), most=_NAMED)
        yield f"no change to {steps}, which can choose none of the keys"


KEYS = Target("keys", "the choice of keys", _read, _write)


def _write_writes(workload: Workload, value: Any, original: Workload) -> Written:
    if type(value) is not int or value < 1:
        raise UsageError(f"keys.writes must be a whole number of at least 1, found {short(value)}")
    return replace(workload, keys=replace(workload.keys, writes=value)), ()


def _write_rows(workload: Workload, value: Any, original: Workload) -> Written:
    may = (*(original.mutate.rows or ("fresh", "inserted")), original.keys.rows)
    if value not in may:
        words = listed(map(repr, dict.fromkeys(may)), "or")
        raise UsageError(f"keys.rows must be {words}, found {short(value)}")
    return replace(workload, keys=replace(workload.keys, rows=value)), ()


WRITES = Target(
    "keys",
    "how often a key is written before another row takes its place",
    lambda workload: workload.keys.writes,
    _write_writes,
)
ROWS = Target("rows", "how the rows of keys come about", lambda workload: workload.keys.rows, _write_rows)
