"""The second checker for rw-register histories, without assumptions about versions."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from brute_force import INIT, RW, WR, WW, Truth, Txn, aborted_or_intermediate, lost_update


def external_read(txn: Txn, key: int) -> Any:
    """What the transaction read of a key before it wrote it; nothing if it did not read it."""
    f, _, value = next(mop for mop in txn.mops if mop[1] == key)
    return value if f == "r" else ()


def external_write(txn: Txn, key: int) -> Any:
    return next((value for f, k, value in reversed(txn.mops) if f == "w" and k == key), None)


def register_truth(txns: list[Txn], follows_reads: bool = False) -> Truth:
    """follows_reads: a transaction that reads a key and writes it installs the next version."""
    ok = [at for at, txn in enumerate(txns) if txn.type == "ok"]
    read = {(key, value) for at in ok for key, value in txns[at].reads()}
    part = [
        at
        for at, txn in enumerate(txns)
        if txn.type == "ok" or (txn.type == "info" and read & {*txn.writes()})
    ]
    keys = {key for txn in txns for _, key, _ in txn.mops}
    edges: defaultdict[tuple[int, int], set[str]] = defaultdict(set)
    types: set[str] = set()
    for key in keys:
        touching = [at for at in part if any(k == key for _, k, _ in txns[at].mops)]
        saw = {at: external_read(txns[at], key) for at in touching}
        for at in touching:  # in a transaction of unknown outcome, nil means unknown
            saw[at] = () if txns[at].type == "info" and saw[at] is None else saw[at]
        left = {at: external_write(txns[at], key) for at in touching}
        after = {(INIT, value) for value in [*left.values(), *saw.values()] if value not in (None, (), INIT)}
        if follows_reads:
            after |= {
                (saw[at], left[at])
                for at in touching
                if saw[at] not in (None, ()) and left[at] not in (None, saw[at])
            }
        if follows_reads and _cyclic(after):
            types.add("cyclic-versions")
            after = {(before, value) for before, value in after if before == INIT}
        for a in touching:
            for b in touching:
                if left[a] is not None and saw[b] == left[a]:
                    edges[a, b].add(WR)
                for before, value in after:
                    if left[b] == value and left[a] == before:
                        edges[a, b].add(WW)
                    seen = INIT if saw[a] is None else saw[a]
                    if left[b] == value and seen == before:
                        edges[a, b].add(RW)
    seen = [(at, key, [value], value) for at in ok for key, value in txns[at].reads() if value is not None]
    types |= {*aborted_or_intermediate(txns, seen)}
    written = {write for txn in txns for write in txn.writes()}
    told = {read for txn in txns if txn.type != "fail" for read in txn.reads() if read[1] is not None}
    if told - written:
        types.add("unwritten-read")
    if any(_contradicts_itself(txns[at]) for at in ok):
        types.add("internal")
    if lost_update(txns):
        types.add("lost-update")
    own = frozenset(a for (a, b), kinds in edges.items() if a == b and WR in kinds)
    return Truth(frozenset(types), {(a, b): kinds for (a, b), kinds in edges.items() if a != b}, own)


def _cyclic(pairs: set[tuple[Any, Any]]) -> bool:
    left = {pair for pair in pairs if pair[0] != pair[1]}
    while left:
        sources = {a for a, _ in left}
        kept = {(a, b) for a, b in left if b in sources}
        if kept == left:
            return True
        left = kept
    return False


def _contradicts_itself(txn: Txn) -> bool:
    known: dict[int, Any] = {}
    for f, key, value in txn.mops:
        if f == "r" and key in known and known[key] != value:
            return True
        known[key] = value
    return False
