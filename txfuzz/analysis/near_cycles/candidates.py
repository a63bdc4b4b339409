"""Paths joined with the ways to close them, and how near each came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from txfuzz.analysis.checker.consistency import prohibited
from txfuzz.analysis.checker.cycle_types import type_of
from txfuzz.analysis.dependencies.columns import Flags
from txfuzz.analysis.dependencies.edges import RW, WR, WW
from txfuzz.analysis.near_cycles.missing_edges import FIRST, NOBODY, Meetings
from txfuzz.analysis.near_cycles.paths import Links, Paths
from txfuzz.analysis.near_cycles.template_footprints import NONE, NOT_SAID
from txfuzz.history.model import Ints

Floats = npt.NDArray[np.float64]

# What a near-cycle scores at most for each thing that makes it near; the score is the sum.
WEIGHTS: Mapping[str, float] = {
    "dangerous": 1.0,  # two consecutive rw edges: what snapshot isolation lets through
    "overlap": 1.0,  # share of the time of both ends during which both were open
    "met": 0.5,  # both ends touched the key of the missing edge, in the safe order
    "pressure": 0.5,  # concurrent edges on all its keys, compared with the hardest pressed key
    "short": 0.5,  # the fewer dependencies on the path, the fewer have to recur
}


@dataclass(frozen=True, eq=False)
class Candidates:
    """Near-cycles of one length. path: place in the paths; way: place in the meetings; step: of the
    end that moves, so that the path stands."""

    path: Ints
    way: Ints
    step: Ints
    parts: Mapping[str, Floats]

    @property
    def score(self) -> Floats:
        total = np.zeros(len(self.path))
        for part in self.parts.values():
            total = total + part
        return total


@cache
def _closed(length: int, model: str) -> tuple[Flags, Flags]:
    """Per kinds of the path and kind of the missing edge, as digits of a number in base 3: is the
    cycle forbidden; does it hold two consecutive rw edges."""
    against = prohibited(model)
    count = 3 ** (length + 1)
    kinds = [[code // 3**place % 3 for place in range(length, -1, -1)] for code in range(count)]
    types = [type_of(each) for each in kinds]
    forbidden = np.array([name in against for name in types], np.bool_)
    return forbidden, np.array([name.startswith("G2-item") for name in types], np.bool_)


def closing(links: Links, paths: Paths, kind: Ints) -> Ints:
    """The kinds of the path and of the missing edge as one number in base 3."""
    code = np.zeros(len(paths), np.int64)
    for place in range(paths.links.shape[1]):
        code = code * 3 + links.kind[paths.links[:, place]]
    return code * 3 + kind


def closable(links: Links, paths: Paths, model: str) -> Flags:
    """Would an edge of some kind close the path into a cycle that the model forbids?"""
    forbidden, _ = _closed(paths.links.shape[1], model)
    each = [forbidden[closing(links, paths, np.full(len(paths), kind))] for kind in range(3)]
    flags: Flags = each[0] | each[1] | each[2]
    return flags


def candidates(
    links: Links,
    paths: Paths,
    ends: Ints,
    bound: tuple[Ints, Ints],
    ways: Meetings,
    model: str,
    overlap: Floats,
    pressure: Floats,
) -> Candidates:
    """All near-cycles among these paths.

    ends: (paths) the pair of each path in `ways`. bound: (paths) the ties of the steps that make the
    path's first and last edge, at its beginning and its end. overlap: (paths); pressure: (logical keys).
    """
    offsets = np.searchsorted(ways.pair, np.arange(int(ends.max(initial=-1)) + 2))
    count = offsets[ends + 1] - offsets[ends]
    path = np.repeat(np.arange(len(paths)), count)
    way = np.repeat(offsets[ends] - (np.cumsum(count) - count), count) + np.arange(len(path))
    length = paths.links.shape[1]
    forbidden, dangerous = _closed(length, model)
    fits = forbidden[closing(links, paths[path], ways.kind[way])]
    fits &= (_direct if length == 1 else _longer)(links, paths, ways, path, way)
    path, way = path[fits], way[fits]
    step = _free_step(bound, ways, path, way)
    path, way, step = path[step != NONE], way[step != NONE], step[step != NONE]
    pressed = pressure[links.group[paths.links]].sum(axis=1)
    code = closing(links, paths[path], ways.kind[way])
    parts = {
        "dangerous": dangerous[code].astype(np.float64),
        "overlap": overlap[path],
        "met": ways.met[way].astype(np.float64),
        "pressure": (pressure[ways.group[way]] + pressed[path]) / (length + 1),
        "short": np.full(len(path), 1.0 / length),
    }
    return Candidates(path, way, step, {name: WEIGHTS[name] * part for name, part in parts.items()})


def _free_step(bound: tuple[Ints, Ints], ways: Meetings, path: Ints, way: Ints) -> Ints:
    """The step that is to act on another key than it did: one that no edge of the path hangs on."""
    first = ways.moves[way] == FIRST
    own = np.where(first, ways.target_step[way], ways.source_step[way])
    held = np.where(first, bound[0][path], bound[1][path])
    tied = (ways.moves[way] != NOBODY) & (ways.tie[way] == held) & (held != NOT_SAID)
    return np.where(tied, ways.other_step[way], own)


def _direct(links: Links, paths: Paths, ways: Meetings, path: Ints, way: Ints) -> Flags:
    """Of paths of one link: does the link outlast the missing edge, and does it explain the pair?

    The link is on another key than the missing edge, or it is half of a lost update: the source
    of a missing rw edge overwrote the target's version of the same key, or the target of a
    missing ww edge read what the source overwrote.
    """
    link = paths.links[path, 0]
    kind, missing = links.kind[link], ways.kind[way]
    same = links.key[link] == ways.key[way]
    lost_rw = (missing == RW) & (kind == WW)
    lost_ww = (missing == WW) & (kind == RW) & ~ways.met[way]
    fits = np.where(same, lost_rw | lost_ww, ~ways.both_write[way])
    for rank in range(2):
        stays = _stays(links, link, rank, ways, way)
        fits &= ~(stays & (links.rank[link] > rank))
    flags: Flags = fits
    return flags


def _longer(links: Links, paths: Paths, ways: Meetings, path: Ints, way: Ints) -> Flags:
    """Of longer paths: do all links outlast the missing edge?

    One more read changes no link; a read that comes earlier (rw) or later (wr) changes the links
    of its transaction on the key, at one end of the path; a write may change any link on the key.
    """
    same = links.key[paths.links[path]] == ways.key[way, None]
    missing, met = ways.kind[way], ways.met[way]
    broken = np.where(met & (missing == RW), same[:, -1], same.any(axis=1))
    broken = np.where(met & (missing == WR), same[:, 0], broken)
    flags: Flags = ~ways.both_write[way] & (ways.new_read[way] | ~broken)
    return flags


def _stays(links: Links, link: Ints, rank: int, ways: Meetings, way: Ints) -> Flags:
    """Is the pair of this link also joined by a kind that explains first, also once the edge is there?

    When two that met on a key do so the other way round, their link on this key goes; but a ww
    link stays where a missing rw edge means that the source read too early.
    """
    pair = links.pair[link]
    of_rank = np.flatnonzero(links.rank == rank)
    count = np.bincount(links.pair[of_rank], minlength=len(links.first))
    key = np.full(len(links.first), -1, np.int64)
    kind = np.full(len(links.first), -1, np.int64)
    key[links.pair[of_rank]] = links.key[of_rank]
    kind[links.pair[of_rank]] = links.kind[of_rank]
    undone = ways.met[way] & (key[pair] == ways.key[way])
    undone &= ~((kind[pair] == WW) & (ways.kind[way] == RW))
    stays: Flags = (count[pair] > 1) | ((count[pair] == 1) & ~undone)
    return stays


def nearest(found: Sequence[tuple[Paths, Candidates]], ways: Meetings, most: int) -> list[tuple[int, int]]:
    """The nearest candidates, one for the same transactions: (place in `found`, candidate).

    Among equal scores the shorter path, then the earlier transactions, then kind and key.
    """
    score = np.concatenate([each.score for _, each in found] or [np.zeros(0)]).round(4)
    where = np.repeat(np.arange(len(found)), [len(each.path) for _, each in found])
    within = np.concatenate([np.arange(len(each.path)) for _, each in found] or [np.zeros(0, np.int64)])
    taken = 16 * max(most, 1)
    while True:
        best = np.arange(len(score))
        if taken < len(score):
            limit = np.partition(score, len(score) - taken)[len(score) - taken]
            best = np.flatnonzero(score >= limit)
        chosen = _distinct(found, ways, where[best], within[best], score[best], most)
        if len(chosen) >= most or len(best) == len(score):
            return chosen
        taken *= 8


def _distinct(
    found: Sequence[tuple[Paths, Candidates]],
    ways: Meetings,
    where: Ints,
    within: Ints,
    score: Floats,
    most: int,
) -> list[tuple[int, int]]:
    width = max((paths.rows.shape[1] for paths, _ in found), default=0)
    rows = np.full((len(where), width), -1, np.int64)
    way = np.zeros(len(where), np.int64)
    for at, (paths, each) in enumerate(found):
        here = where == at
        rows[here, : paths.rows.shape[1]] = paths.rows[each.path[within[here]]]
        way[here] = each.way[within[here]]
    columns = [ways.group[way], ways.kind[way], *(rows[:, place] for place in range(width - 1, -1, -1))]
    order = np.lexsort((*columns, where, -score))
    chosen: list[tuple[int, int]] = []
    sets: set[frozenset[int]] = set()
    for place in order.tolist():
        if len(chosen) >= most:
            break
        members = frozenset(rows[place].tolist())
        if members not in sets:
            sets.add(members)
            chosen.append((int(where[place]), int(within[place])))
    return chosen
