"""How hard a campaign presses, where the command line says it: clients, transactions or time, and keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from itertools import combinations
from typing import TYPE_CHECKING

from txfuzz.common.key_ranges import Keys, key_count
from txfuzz.errors import UsageError

if TYPE_CHECKING:
    from txfuzz.workload.model import Workload


@dataclass(frozen=True)
class Load:
    """None leaves it to the workload. clients: that work at once. transactions: of an iteration. duration:
    of an iteration instead, in seconds. keys: that each choice draws from; see `with_keys_of`."""

    clients: int | None = None
    transactions: int | None = None
    duration: float | None = None
    keys: int | None = None

    def refuse(self, why: str) -> None:
        """UsageError if anything is given. why: it has no effect, as a clause."""
        for each in fields(self):
            if getattr(self, each.name) is not None:
                raise UsageError(f"{why}: leave out --{each.name}")


def with_load(workload: Workload, load: Load) -> Workload:
    """The workload under this load. UsageError for what cannot be."""
    from txfuzz.workload.yaml.scheduling import LONGEST, MOST_CLIENTS

    scheduling = workload.scheduling
    if load.clients is not None:
        _check("clients", load.clients, MOST_CLIENTS)
        scheduling = replace(scheduling, clients=load.clients)
    if load.transactions is not None:
        _check("transactions", load.transactions)
        scheduling = replace(scheduling, transactions=load.transactions, duration=None)
    if load.duration is not None:
        if not 0 < load.duration <= LONGEST:
            raise UsageError(f"--duration must be a time above zero, such as 30s, found {load.duration:g}")
        scheduling = replace(scheduling, transactions=None, duration=load.duration)
    workload = replace(workload, scheduling=scheduling)
    return workload if load.keys is None else with_keys_of(workload, load.keys)


def with_keys_of(workload: Workload, count: int) -> Workload:
    """The workload with this many keys for each choice of several: the first ones that it has, and if it
    draws from a range, further ones behind them.

    UsageError where that cannot be: choices that must differ need more, a list with gaps or the rows of the
    workload's own tables cannot grow, and the keys of two choices that share none must not meet.
    """
    from txfuzz.feedback.key_choices import can_choose, with_keys
    from txfuzz.feedback.roles import choices
    from txfuzz.workload.yaml.keys import MOST_KEYS

    _check("keys", count, MOST_KEYS)
    sets = {
        choice.keys
        for transaction in workload.transactions
        for choice in choices(transaction)
        if len(choice.keys) > 1
    }
    if not sets:
        raise UsageError("--keys has no effect: no transaction of the workload chooses among several keys")
    resized = {keys: _resized(keys, count, may_grow=not workload.own_tables) for keys in sets}
    _check_apart(resized)
    changed = []
    for transaction in workload.transactions:
        new = with_keys(transaction, [resized.get(each.keys, each.keys) for each in choices(transaction)])
        if not can_choose(new):
            raise UsageError(
                f"--keys {count} is too few: the choices of transaction {transaction.name!r} could not "
                "differ as its distinct_from requires"
            )
        changed.append(new)
    _check_directed(workload, [each.keys for new in changed for each in choices(new)])
    return replace(workload, transactions=tuple(changed))


def _check(name: str, value: int, most: int | None = None) -> None:
    if type(value) is not int or value < 1 or (most is not None and value > most):
        bounds = "of at least 1" if most is None else f"from 1 to {most:,}"
        raise UsageError(f"--{name} must be a whole number {bounds}, found {value!r}")


def _resized(keys: Keys, count: int, *, may_grow: bool) -> Keys:
    if count <= len(keys):
        return keys[:count]
    if not isinstance(keys, range) and list(keys) != [*range(keys[0], keys[0] + len(keys))]:
        raise UsageError(
            f"--keys {count} is too many: a choice of the workload lists {len(keys)} keys with gaps, and can "
            "only have fewer"
        )
    if not may_grow:
        raise UsageError(
            f"--keys {count} is too many: the keys are rows of the workload's own tables, of which a choice "
            f"has {len(keys)}"
        )
    return range(keys[0], keys[0] + count)


def _check_apart(resized: Mapping[Keys, Keys]) -> None:
    """Choices that shared no key share none."""
    for one, other in combinations(resized, 2):
        if _apart(one, other) and not _apart(resized[one], resized[other]):
            raise UsageError(
                f"--keys {len(resized[one])} is too many: choices among {_span(one)} and among "
                f"{_span(other)} share no key, and would come to"
            )


def _apart(one: Keys, other: Keys) -> bool:
    return key_count([one, other]) == len(one) + len(other)


def _span(keys: Keys) -> str:
    first, last = (keys[0], keys[-1]) if isinstance(keys, range) else (min(keys), max(keys))
    return f"{first:,} to {last:,}"


def _check_directed(workload: Workload, left: Iterable[Keys]) -> None:
    """UsageError for a directed schedule on keys that no choice has any more."""
    sets = list(left)
    for transaction in (each for schedule in workload.directed for each in schedule.transactions):
        for key in transaction.keys:
            if not any(key in keys for keys in sets):
                raise UsageError(
                    f"--keys leaves out key {key}, which a directed schedule of the workload needs"
                )
