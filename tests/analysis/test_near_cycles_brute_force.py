"""Near-cycles against the definition, spelt out without arrays, and against the checker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plays import Play, Txn, played
from txfuzz.analysis.checker.check import check
from txfuzz.analysis.checker.consistency import generalisations, prohibited
from txfuzz.analysis.checker.cycle_types import type_of
from txfuzz.analysis.dependencies.build import dependencies
from txfuzz.analysis.dependencies.edges import KINDS, Dependencies
from txfuzz.analysis.explain.near_cycles import explain_near_cycle
from txfuzz.analysis.near_cycles.search import LeftOut, find_near_cycles
from txfuzz.analysis.result import NearCycle
from txfuzz.common.kind import Kind
from txfuzz.history.model import OK, READ, History

WW, WR, RW = 0, 1, 2


@dataclass(frozen=True)
class Brute:
    """One near-cycle by the definition. key: logical."""

    rows: tuple[int, ...]
    kinds: tuple[int, ...]
    missing: int
    key: int
    score: float


DOES = {WW: ("append", "append"), WR: ("append", "r"), RW: ("r", "append")}
REVERSE = {WW: WW, WR: RW, RW: WR}


class Reference:
    def __init__(self, history: History, edges: Dependencies) -> None:
        self.history = history
        order = (WW, WR, RW) if history.kind is Kind.LIST_APPEND else (WR, WW, RW)
        self.rank = {kind: at for at, kind in enumerate(order)}
        self.committed = [row for row in range(len(history)) if history.type[row] == OK]
        self.touched: dict[tuple[int, str], set[int]] = {}
        self.can: dict[tuple[int, str], set[int]] = {}
        # template, step → transaction → logical key; and what the step does
        self.chose: dict[tuple[int, int], dict[int, int]] = {}
        self.f: dict[tuple[int, int], str] = {}
        for row in self.committed:
            for mop in range(history.mops[row], history.mops[row + 1]):
                f = "r" if history.mop_f[mop] == READ else "append"
                key, template = int(history.mop_key[mop]), int(history.template[row])
                self.touched.setdefault((row, f), set()).add(key)
                self.can.setdefault((template, f), set()).add(self.logical(key))
                step = template, int(history.mop_step[mop])
                self.chose.setdefault(step, {})[row] = self.logical(key)
                self.f[step] = f
        self.edges: dict[tuple[int, int], set[tuple[int, int]]] = {}
        self.mops: dict[tuple[int, int, int, int], tuple[int, int]] = {}
        pressed: dict[int, int] = {}
        for at in range(len(edges)):
            pair = int(edges.source[at]), int(edges.target[at])
            if history.type[pair[0]] == OK and history.type[pair[1]] == OK:
                self.mops.setdefault(
                    (*pair, int(edges.kind[at]), int(edges.key[at])),
                    (int(edges.source_mop[at]), int(edges.target_mop[at])),
                )
                self.edges.setdefault(pair, set()).add((int(edges.kind[at]), int(edges.key[at])))
                if self.overlap(*pair) > 0:
                    key = self.logical(int(edges.key[at]))
                    pressed[key] = pressed.get(key, 0) + 1
        hardest = max(pressed.values(), default=1)
        self.pressure = {key: count / hardest for key, count in pressed.items()}

    def explains(self, edge: tuple[int, int]) -> tuple[int, int]:
        return self.rank[edge[0]], edge[1]

    def logical(self, key: int) -> int:
        logical = self.history.logical[key]
        assert logical is not None
        return logical

    def overlap(self, one: int, other: int) -> int:
        begin, end = self.history.invoke_at, self.history.complete_at
        return int(min(end[one], end[other]) - max(begin[one], begin[other]))

    def pool(self, step: tuple[int, int]) -> set[tuple[int, int]]:
        """The steps of the template that draw from the same keys, as far as those that met show."""
        found, left = {step}, [step]
        while left:
            keys = set(self.chose[left.pop()].values())
            for other, chose in self.chose.items():
                if other[0] == step[0] and other not in found and keys & set(chose.values()):
                    found.add(other)
                    left.append(other)
        return found

    def free(self, row: int, f: str, key: int, held: int) -> bool:
        """Has the template a step that does this, draws this key, and does not go with the one that
        made the micro-operation `held`?"""
        template = int(self.history.template[row])
        there = [
            step
            for step, chose in self.chose.items()
            if step[0] == template and self.f[step] == f and key in chose.values()
        ]
        options = {other for step in there for other in self.pool(step) if self.f[other] == f}
        holding = self.chose[template, int(self.history.mop_step[held])]
        return any(self.chose[step] != holding for step in options)

    def paths(self, longest: int) -> Iterator[tuple[int, ...]]:
        following: dict[int, list[int]] = {}
        for source, target in self.edges:
            following.setdefault(source, []).append(target)
        paths = [pair for pair in self.edges if pair[0] != pair[1]]
        for _ in range(longest):
            yield from paths
            paths = [(*path, row) for path in paths for row in following.get(path[-1], []) if row not in path]  # type: ignore[misc]

    def near(self, expect: str) -> Iterator[Brute]:
        against = prohibited(expect)
        for path in self.paths(3):
            first, last = path[0], path[-1]
            if self.overlap(first, last) <= 0 or (last, first) in self.edges:
                continue
            for missing in (WW, WR, RW):
                for key, met in self.ways(first, last, missing):
                    for kinds, on in self.kinds(path, missing, key, met):
                        if not met and not self.movable(path, missing, key, kinds, on):
                            continue
                        name = type_of([*kinds, missing])
                        if name in against:
                            score = self.score(path, on, name, self.logical(key), met)
                            yield Brute(path, kinds, missing, self.logical(key), score)

    def movable(
        self, path: tuple[int, ...], missing: int, key: int, kinds: tuple[int, ...], on: tuple[int, ...]
    ) -> bool:
        """Can one end act on the key without undoing the edge that it has on the path?"""
        first, last = path[0], path[-1]
        source_does, target_does = DOES[missing]
        if key in self.touched.get((last, source_does), set()):
            held, _ = self.mops[first, path[1], kinds[0], on[0]]
            return self.free(first, target_does, self.logical(key), held)
        _, held = self.mops[path[-2], last, kinds[-1], on[-1]]
        return self.free(last, source_does, self.logical(key), held)

    def ways(self, first: int, last: int, missing: int) -> Iterator[tuple[int, bool]]:
        """Physical keys on which the edge could arise, and whether both touched them."""
        source_does, target_does = DOES[missing]
        sources = self.touched.get((last, source_does), set())
        targets = self.touched.get((first, target_does), set())
        template = self.history.template
        for key in sources:
            if key in targets:
                if (REVERSE[missing], key) in self.edges.get((first, last), set()):
                    yield key, True
            elif self.logical(key) in self.can.get((int(template[first]), target_does), set()):
                yield key, False
        for key in targets - sources:
            generations = {self.logical(other) for other in sources}
            if self.logical(key) in generations:
                continue
            if self.logical(key) in self.can.get((int(template[last]), source_does), set()):
                yield key, False

    def kinds(
        self, path: tuple[int, ...], missing: int, key: int, met: bool
    ) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
        """The kinds of the path's edges, and their keys, where the path stands once the edge is there."""
        first, last = path[0], path[-1]
        writes = self.touched.get((last, "append"), set())
        both_write = missing == RW and key in writes
        if missing == WR and key in self.touched.get((first, "append"), set()):
            return
        if len(path) > 2:
            explained = [min(self.edges[pair], key=self.explains) for pair in pairwise(path)]
            on_path = [on for _, on in explained]
            first_does = key in self.touched.get((first, DOES[missing][1]), set())
            new_read = not met and ((missing == RW and first_does) or (missing == WR and not first_does))
            if met and missing != WW:
                breaks = key == (on_path[-1] if missing == RW else on_path[0])
            else:
                breaks = key in on_path and not new_read
            if not both_write and not breaks:
                yield tuple(kind for kind, _ in explained), tuple(on for _, on in explained)
            return
        for kind, on in self.edges[path[0], path[1]]:
            if on == key:
                lost = (missing, kind) == (RW, WW) or ((missing, kind) == (WW, RW) and not met)
                if not lost:
                    continue
            elif both_write:
                continue
            stays = [
                other
                for other, other_on in self.edges[path[0], path[1]]
                if not (met and other_on == key and (other, missing) != (WW, RW))
            ]
            if not any(self.rank[other] < self.rank[kind] for other in stays):
                yield (kind,), (on,)

    def score(self, path: tuple[int, ...], on: tuple[int, ...], name: str, key: int, met: bool) -> float:
        first, last = path[0], path[-1]
        begin, end = self.history.invoke_at, self.history.complete_at
        either = max(end[first], end[last]) - min(begin[first], begin[last])
        keys = [key, *(self.logical(each) for each in on)]
        return float(
            (1.0 if name == "G2-item" else 0.0)
            + self.overlap(first, last) / either
            + (0.5 if met else 0.0)
            + 0.5 * sum(self.pressure.get(each, 0.0) for each in keys) / len(keys)
            + 0.5 / len(on)
        )


def found_in(history: History, expect: str) -> tuple[tuple[NearCycle, ...], list[Brute], int]:
    edges = dependencies(history)
    found = find_near_cycles(edges, expect, limit=100_000)
    assert found.left_out == LeftOut()
    shown = tuple(explain_near_cycle(edges, each) for each in found.nearest)
    return shown, list(Reference(history, edges).near(expect)), found.counted


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, 10**9),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["serializable", "snapshot-isolation", "read-committed"]),
)
def test_exactly_those_of_the_definition(seed: int, snapshot: bool, lists: bool, expect: str) -> None:
    play = played(seed, snapshot=snapshot)
    shown, brute, counted = found_in((play if lists else play.registers()).history(), expect)
    best: dict[frozenset[int], float] = {}
    for each in brute:
        members = frozenset(each.rows)
        best[members] = max(best.get(members, 0.0), each.score)
    assert {frozenset(view.row for view in each.transactions): each.score for each in shown} == pytest.approx(
        best, abs=1e-3
    )
    known = {(each.rows, each.kinds, each.missing, each.key) for each in brute}
    for near in shown:
        rows = tuple(view.row for view in near.transactions)
        kinds = tuple(KINDS.index(edge.kind) for edge in near.path)
        assert (rows, kinds, KINDS.index(near.missing.kind), near.missing.key) in known
        assert (near.missing.source, near.missing.target) == (rows[-1], rows[0])
        assert [(edge.source, edge.target) for edge in near.path] == list(pairwise(rows))
        assert near.score == pytest.approx(sum(near.score_parts.values()), abs=1e-3)
    assert [each.score for each in shown] == sorted((each.score for each in shown), reverse=True)
    assert counted >= len({each.rows for each in brute})


def closed(play: Play, near: NearCycle) -> Play | None:
    """The same history with the missing edge in it; None where that takes more than one change."""
    missing = near.missing
    source, target = play.txns[missing.source], play.txns[missing.target]
    source_does, target_does = DOES[KINDS.index(missing.kind)]
    txns = [replace(txn, mops=list(txn.mops)) for txn in play.txns]
    order = {key: list(value) for _, key, value in play.txns[-1].mops}  # type: ignore[call-overload]
    sources = {key for f, key, _ in source.mops if f == source_does and key % 10 == missing.key}
    targets = {key for f, key, _ in target.mops if f == target_does and key % 10 == missing.key}
    key = min(sources | targets)
    if len(sources | targets) != 1 or key not in order:
        return None
    versions = order[key]
    if sources and targets:
        return _reversed(play, txns, near, key, versions)
    new = 1000
    if missing.kind == "rw" and targets:  # the source reads what was before the target's first append
        at = min(versions.index(value) for f, on, value in target.mops if f == "append" and on == key)
        txns[missing.source].mops.append(("r", key, tuple(versions[:at])))
        return Play(txns, play.events)
    if missing.kind == "wr" and sources:  # the target reads what the source left
        at = max(versions.index(value) for f, on, value in source.mops if f == "append" and on == key)
        txns[missing.target].mops.append(("r", key, tuple(versions[: at + 1])))
        return Play(txns, play.events)
    if missing.kind == "ww":
        side, other = (source, 1) if sources else (target, 0)
        places = [versions.index(value) for f, on, value in side.mops if f == "append" and on == key]
        at = (max(places) if sources else min(places)) + other
        writer = missing.target if sources else missing.source
    else:
        reader, writer = (source, missing.target) if missing.kind == "rw" else (target, missing.source)
        reads = [value for f, on, value in reader.mops if f == "r" and on == key]
        if len(set(reads)) != 1:
            return None
        at = len(reads[0])  # type: ignore[arg-type]
    for row, txn in enumerate(txns):
        for place, (f, on, value) in enumerate(txn.mops):
            if f == "r" and on == key:
                seen = list(value)  # type: ignore[call-overload]
                sees = len(seen) > at or (missing.kind == "wr" and row == missing.target)
                txn.mops[place] = (f, on, tuple([*seen[:at], new, *seen[at:]] if sees else seen))
    txns[writer].mops.append(("append", key, new))
    return Play(txns, play.events)


def _reversed(play: Play, txns: list[Txn], near: NearCycle, key: int, versions: list[int]) -> Play | None:
    """Both met on the key: the reader reads earlier (rw) or later (wr)."""
    missing = near.missing
    if missing.kind == "ww":
        return None
    writer = play.txns[missing.target if missing.kind == "rw" else missing.source]
    reader = txns[missing.source if missing.kind == "rw" else missing.target]
    places = [versions.index(value) for f, on, value in writer.mops if f == "append" and on == key]
    at = min(places) if missing.kind == "rw" else max(places) + 1
    own = [value for f, on, value in reader.mops if f == "append" and on == key]
    if own and missing.kind == "rw" and any(reader.mops[:1]) and reader.mops[0][0] != "r":
        return None
    reader.mops = [
        (f, on, tuple(versions[:at]) if (f, on) == ("r", key) else value) for f, on, value in reader.mops
    ]
    return Play(txns, play.events)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9), st.booleans())
def test_the_missing_edge_makes_the_anomaly(seed: int, snapshot: bool) -> None:
    play = played(seed, snapshot=snapshot)
    history = play.history()
    for near in find_near_cycles(dependencies(history), "serializable", limit=20).nearest:
        altered = closed(play, near)
        if altered is None:
            continue
        changed = altered.history()
        edges = dependencies(changed)
        joined = {(int(a), int(b)) for a, b in zip(edges.source, edges.target, strict=True)}
        assert (near.missing.source, near.missing.target) in joined
        result = check(changed, "serializable")
        assert any(near.anomaly in generalisations(name) for name in result.all_types), (
            near,
            result.all_types,
        )
        assert near.breaks in (*result.not_models, *result.also_not)
