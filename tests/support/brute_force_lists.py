"""The second checker for list-append histories."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from brute_force import INIT, RW, WR, WW, Truth, Txn, aborted_or_intermediate, lost_update

Version = tuple[Any, ...]


def list_truth(txns: list[Txn]) -> Truth:
    orders = version_orders(txns)
    types = {*_within(txns), *_of_values(txns), *_dirty(txns, orders)}
    seen = [
        (at, key, list(value), value[-1])
        for at, txn in enumerate(txns)
        if txn.type == "ok"
        for key, value in txn.reads()
        if value
    ]
    types |= {*aborted_or_intermediate(txns, seen)}
    for txn in txns:  # an unwritten value is an anomaly in a read of unknown outcome too
        written = {(key, value) for other in txns for key, value in other.writes()}
        if any((key, each) not in written for key, value in _known(txn) for each in value):
            types.add("unwritten-read")
    if lost_update(txns):
        types.add("lost-update")
    return Truth(frozenset(types), _edges(txns, orders))


def _known(txn: Txn) -> list[tuple[int, Version]]:
    """What reads saw; in an unfinished or failed transaction, nil means unknown."""
    if txn.type == "fail":
        return []
    return [(key, value or ()) for key, value in txn.reads() if txn.type == "ok" or value is not None]


def takes_part(txns: list[Txn]) -> list[bool]:
    observed = {(key, each) for txn in txns for key, value in _known(txn) for each in value}
    return [
        txn.type == "ok"
        or (txn.type == "info" and (txn.complete_at is not None or bool(observed & {*txn.writes()})))
        for txn in txns
    ]


def longest_reads(txns: list[Txn]) -> dict[int, set[Version]]:
    """The longest lists read of each key; more than one only if they contradict each other."""
    found: defaultdict[int, set[Version]] = defaultdict(set)
    for txn in txns:
        for key, value in _known(txn):
            if value:
                found[key].add(value)
    return {key: {v for v in values if len(v) == max(map(len, values))} for key, values in found.items()}


def version_orders(txns: list[Txn]) -> dict[int, list[Any]]:
    orders = {key: list(dict.fromkeys(min(values))) for key, values in longest_reads(txns).items()}
    part = takes_part(txns)
    appends: defaultdict[int, list[Any]] = defaultdict(list)
    for at, txn in enumerate(txns):
        for key, value in txn.writes() if part[at] else ():
            appends[key].append(value)
    for key, values in appends.items():
        if key not in orders:
            orders[key] = values if len(values) == 1 else []
    return orders


def _edges(txns: list[Txn], orders: dict[int, list[Any]]) -> dict[tuple[int, int], set[str]]:
    edges: defaultdict[tuple[int, int], set[str]] = defaultdict(set)
    part = takes_part(txns)
    writer = {write: at for at, txn in enumerate(txns) if part[at] for write in txn.writes()}
    readers: defaultdict[tuple[int, Any], list[int]] = defaultdict(list)
    for at, txn in enumerate(txns):
        for key, value in _known(txn) if part[at] else ():
            readers[key, value[-1] if value else INIT].append(at)
            if value and (key, value[-1]) in writer:
                edges[writer[key, value[-1]], at].add(WR)
    for (key, value), at in writer.items():
        order = orders.get(key, [])
        place = order.index(value) if value in order else len(order)
        before = order[place - 1] if place else INIT
        if (key, before) in writer:
            edges[writer[key, before], at].add(WW)
        for reader in readers[key, before]:
            edges[reader, at].add(RW)
    return {(a, b): kinds for (a, b), kinds in edges.items() if a != b}


def _within(txns: list[Txn]) -> Iterator[str]:
    for txn in txns:
        if txn.type != "ok":
            continue
        appended_later = Counter(txn.writes())
        base: dict[int, Any] = {}  # what was read, None: nil; missing: not read yet
        tail: dict[int, list[Any]] = {}
        for f, key, value in txn.mops:
            if f == "append":
                tail.setdefault(key, []).append(value)
                appended_later[key, value] -= 1
                continue
            if any(appended_later[key, each] for each in value or ()):
                yield "future-read"
            own = tail.get(key, [])
            if key in base:
                expected = [*(base[key] or ()), *own] if own else base[key]
                right = value is expected if expected is None or value is None else [*value] == [*expected]
            else:
                right = not own or [*(value or ())][-len(own) :] == own
            if not right:
                yield "internal"
            base[key], tail[key] = value, []


def _of_values(txns: list[Txn]) -> Iterator[str]:
    values: defaultdict[int, set[Version]] = defaultdict(set)
    for txn in txns:
        for key, value in _known(txn):
            values[key].add(value)
            if len(set(value)) < len(value):
                yield "duplicate-elements"
    for seen in values.values():
        for short, long in pairwise(sorted(seen, key=len)):
            if long[: len(short)] != short:
                yield "incompatible-order"


def _dirty(txns: list[Txn], orders: dict[int, list[Any]]) -> Iterator[str]:
    writer = {write: txn for txn in txns for write in txn.writes()}
    for key, order in orders.items():
        ends = [writer[key, value].type if (key, value) in writer else "nobody" for value in order]
        firm = [end for end in ends if end != "info"]
        if ("fail", "ok") in pairwise(firm):
            yield "dirty-update"
