"""A second checker, slow and simple, for histories of a few transactions.

Written from the definitions (Adya, Liskov, O'Neil 2000; Kingsbury & Alvaro 2020; Elle's conventions
where those leave a choice) over plain operations, sharing no code with txfuzz.analysis: edges by
looking at all pairs, cycles by listing all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

WW, WR, RW, PROCESS, REALTIME = "ww", "wr", "rw", "process", "realtime"
INIT = ("init",)  # the version before all others of a key

Mop = tuple[str, int, Any]  # a read of a list saw a tuple, or None


@dataclass(frozen=True)
class Txn:
    """type: ok, fail or info. mops: as completed. invoke_at, complete_at: places in the history,
    complete_at None where the history ends before."""

    type: str
    process: int
    mops: tuple[Mop, ...]
    invoke_at: int
    complete_at: int | None

    def reads(self) -> list[tuple[int, Any]]:
        return [(key, value) for f, key, value in self.mops if f == "r"]

    def writes(self) -> list[tuple[int, Any]]:
        return [(key, value) for f, key, value in self.mops if f != "r"]


Edges = Mapping[tuple[int, int], set[str]]


@dataclass(frozen=True)
class Truth:
    """types: anomalies that are not cycles. edges: all between two transactions, by their numbers.
    own: transactions that read what they themselves write only later (registers)."""

    types: frozenset[str]
    edges: Edges
    own: frozenset[int] = frozenset()


def order_edges(txns: list[Txn], order: str) -> set[tuple[int, int]]:
    """All pairs in process order (among committed transactions) or in real-time order."""
    ok = [at for at, txn in enumerate(txns) if txn.type == "ok"]
    after = ok if order == PROCESS else range(len(txns))
    before = {(a, b) for a in ok for b in after if (txns[a].complete_at or 0) < txns[b].invoke_at}
    return {(a, b) for a, b in before if order == REALTIME or txns[a].process == txns[b].process}


# Cycles


def simple_cycles(edges: Edges) -> Iterator[list[int]]:
    """Every cycle that visits no transaction twice, starting at its smallest transaction."""
    follow_schedule: dict[int, list[int]] = {}
    for a, b in edges:
        follow_schedule.setdefault(a, []).append(b)

    def walk(trail: list[int]) -> Iterator[list[int]]:
        for after in follow_schedule.get(trail[-1], ()):
            if after == trail[0] and len(trail) > 1:
                yield list(trail)
            elif after > trail[0] and after not in trail:
                yield from walk([*trail, after])

    for start in follow_schedule:
        yield from walk([start])


def cycle_type(kinds: list[str]) -> str:
    suffix = next((f"-{order}" for order in (REALTIME, PROCESS) if order in kinds), "")
    count = kinds.count(RW)
    if count == 0:
        return ("G1c" if WR in kinds else "G0") + suffix
    if count == 1:
        return "G-single-item" + suffix
    adjacent = any(a == b == RW for a, b in zip(kinds, [*kinds[1:], kinds[0]], strict=True))
    return ("G2-item" if adjacent else "G-nonadjacent-item") + suffix


def cycle_types(edges: Edges, explained_by: tuple[str, ...]) -> set[str]:
    """The types of all cycles, where a pair counts as the first kind of `explained_by` that joins it,
    and as the order that joins it, if one does."""
    counts_as = {
        pair: {next(each for each in explained_by if each in kinds), *(kinds & {PROCESS, REALTIME})}
        for pair, kinds in edges.items()
    }
    return {
        cycle_type(list(kinds))
        for cycle in simple_cycles(edges)
        for kinds in product(*(counts_as[pair] for pair in zip(cycle, [*cycle[1:], cycle[0]], strict=True)))
    }


def reachable(pairs: set[tuple[Any, Any]]) -> set[tuple[Any, Any]]:
    closed = set(pairs)
    while more := {(a, d) for (a, b), (c, d) in product(closed, pairs) if b == c} - closed:
        closed |= more
    return closed


def broken_models(truth: Truth, edges: Edges) -> set[str]:
    """Models that some cycle (or closed walk) of the right edges rules out."""
    components = reachable(set(edges))

    def some(kinds: set[str]) -> set[tuple[int, int]]:
        own = {(at, at) for at in truth.own if WR in kinds and (at, at) in components}
        return {pair for pair, joined in edges.items() if joined & kinds} | own

    def cyclic(pairs: set[tuple[int, int]]) -> bool:
        return any(a == b for a, b in reachable(pairs))

    broken = set()
    for prefix, order in (("", None), ("strong-session-", PROCESS), ("strong-", REALTIME)):
        if order and not any(order in kinds for kinds in edges.values()):
            continue
        also = {order} if order else set()
        plain = some({WW, WR} | also)
        rw = some({RW})
        then = {(a, d) for (a, b), (c, d) in product(plain, rw) if b == c}
        for model, pairs in (
            ("PL-1", some({WW} | also)),
            ("PL-2", plain),
            ("snapshot-isolation" if order else "PL-SI", plain | then),
            ("serializable" if order else "PL-3", plain | rw),
        ):
            if cyclic(pairs):
                broken.add("PL-SS" if (prefix, model) == ("strong-", "serializable") else prefix + model)
    return broken


# Anomalies that both kinds of history share


def lost_update(txns: list[Txn]) -> bool:
    seen: set[tuple[int, Any]] = set()
    for txn in txns:
        if txn.type != "ok":
            continue
        for key in {key for _, key, _ in txn.mops}:
            mops = [mop for mop in txn.mops if mop[1] == key]
            first = next((at for at, mop in enumerate(mops) if mop[0] == "r"), None)
            if first is None or all(f == "r" for f, _, _ in mops[first:]):
                continue
            version = (key, mops[first][2] or None)
            if version in seen:
                return True
            seen.add(version)
    return False


def aborted_or_intermediate(txns: list[Txn], seen: list[tuple[int, int, list[Any], Any]]) -> Iterator[str]:
    """seen: (reader, key, all values in what it read, the last of them), committed readers only."""
    for reader, key, values, last in seen:
        for at, txn in enumerate(txns):
            mine = [value for k, value in txn.writes() if k == key]
            if txn.type == "fail" and set(mine) & set(values):
                yield "G1a"
            if at != reader and last in mine[:-1]:
                yield "G1b"
        if not set(values) <= {value for txn in txns for k, value in txn.writes() if k == key}:
            yield "unwritten-read"
