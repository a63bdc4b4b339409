"""Predicts the dependencies that an order of steps causes on a multi-version database.

A small model for choosing among orders before any is tried: writes take locks until the end of the
transaction, reads see what was committed before the statement or before the transaction's first statement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

# (alias, step); the step after the last one is COMMIT.
Event = tuple[str, int]
# (kind, alias, alias, logical key)
PredictedDependency = tuple[str, str, str, int]
# A read: (alias, step, logical key)
ReadId = tuple[str, int, int]
# What a step does: of each micro-operation "r", "w" or "l" (a read that locks), and the logical key;
# None for a step without any.
Access = tuple[tuple[str, int], ...] | None


@dataclass(frozen=True)
class Prediction:
    """links: dependencies between committed transactions. seen: by read, the transactions whose writes it
    saw. refused: transactions that the database would abort. waits: number of waits for locks."""

    links: frozenset[PredictedDependency]
    seen: Mapping[ReadId, frozenset[str]]
    refused: frozenset[str]
    waits: int


@dataclass
class _State:
    snapshots: bool
    versions: dict[int, list[str]] = field(default_factory=dict)  # key → committed writers, in order
    locks: dict[int, str] = field(default_factory=dict)
    pending: dict[str, list[int]] = field(default_factory=dict)  # alias → keys that it has written
    snapshot: dict[str, dict[int, int]] = field(default_factory=dict)  # alias → versions when it began
    reads: list[tuple[ReadId, int]] = field(default_factory=list)  # with the versions seen
    held: dict[str, list[Event]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    waits: int = 0


def predict(
    order: Sequence[Event], accesses: Mapping[str, Sequence[Access]], *, snapshots: bool
) -> Prediction:
    """snapshots: transactions read as of their first statement, and may not write what others have changed
    since; otherwise every statement reads what is committed when it begins."""
    state = _State(snapshots)
    left = list(order)
    while left:
        event = left.pop(0)
        if event[0] in state.held:
            state.held[event[0]].append(event)
            continue
        left[:0] = _take(state, event, accesses)
    seen = {read: frozenset(state.versions.get(read[2], [])[:count]) for read, count in state.reads}
    return Prediction(_links(state), seen, frozenset(state.refused | set(state.held)), state.waits)


def _take(state: _State, event: Event, accesses: Mapping[str, Sequence[Access]]) -> list[Event]:
    """Apply an event; the pending events that it releases."""
    alias, step = event
    if alias in state.refused:
        return []
    if step == len(accesses[alias]):
        for key in state.pending.pop(alias, []):
            state.versions.setdefault(key, []).append(alias)
        return _let_go(state, alias)
    seen = state.snapshot.setdefault(alias, {key: len(each) for key, each in state.versions.items()})
    access = accesses[alias][step] or ()
    locked = [key for f, key in access if f != "r"]
    if any(state.locks.get(key, alias) != alias for key in locked):
        state.waits += 1
        state.held[alias] = [event]
        return []
    if state.snapshots and any(len(state.versions.get(key, [])) > seen.get(key, 0) for key in locked):
        state.refused.add(alias)
        state.pending.pop(alias, None)
        return _let_go(state, alias)
    for f, key in access:
        if f != "r":
            state.locks[key] = alias
        if f != "w":
            _read(state, (alias, step, key), len(state.versions.get(key, [])))
        elif key not in state.pending.setdefault(alias, []):
            state.pending[alias].append(key)
    return []


def _read(state: _State, read: ReadId, committed: int) -> None:
    alias, _, key = read
    if key not in state.pending.get(alias, []):
        seen = state.snapshot[alias].get(key, 0) if state.snapshots else committed
        state.reads.append((read, seen))


def _let_go(state: _State, alias: str) -> list[Event]:
    state.locks = {key: owner for key, owner in state.locks.items() if owner != alias}
    events = [event for each in state.held.values() for event in each]
    state.held.clear()
    return events


def _links(state: _State) -> frozenset[PredictedDependency]:
    found: set[PredictedDependency] = set()
    for key, writers in state.versions.items():
        found |= {("ww", one, two, key) for one, two in pairwise(writers)}
    for (alias, _, key), seen in state.reads:
        if alias in state.refused:
            continue
        writers = state.versions.get(key, [])
        if seen:
            found.add(("wr", writers[seen - 1], alias, key))
        if seen < len(writers):
            found.add(("rw", alias, writers[seen], key))
    return frozenset(link for link in found if link[1] != link[2])
