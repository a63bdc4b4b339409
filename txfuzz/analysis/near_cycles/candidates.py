"""Paths combined with the edges that could close them, and their scores."""

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
from txfuzz.analysis.near_cycles.missing_edges import FIRST, NOBODY, PossibleEdges
from txfuzz.analysis.near_cycles.paths import Links, Paths
from txfuzz.analysis.near_cycles.template_footprints import NONE, NOT_SAID
from txfuzz.history.arrays import ranges
from txfuzz.history.model import Ints

Floats = npt.NDArray[np.float64]

# The most that each criterion contributes to the score of a near-cycle; the score is the sum.
WEIGHTS: Mapping[str, float] = {
    "dangerous": 1.0,  # two consecutive rw edges, which snapshot isolation allows
    "overlap": 1.0,  # share of the ends' total time during which both were open
    "met": 0.5,  # both ends touched the key of the missing edge, in the safe order
    "pressure": 0.5,  # concurrent edges on all its keys, relative to the hottest key
    "short": 0.5,  # fewer dependencies on the path have to recur
}


@dataclass(frozen=True, eq=False)
class Candidates:
    """Near-cycles of one length. path: index of the path; edge: index of the possible edge; step: of the end
    that moves, chosen so that the path remains."""

    path: Ints
    edge: Ints
    step: Ints
    parts: Mapping[str, Floats]

    @property
    def score(self) -> Floats:
        total = np.zeros(len(self.path))
        for part in self.parts.values():
            total = total + part
        return total


@cache
def _forbidden_and_dangerous(length: int, model: str) -> tuple[Flags, Flags]:
    """For the kinds of the path and of the missing edge, as digits of a number in base 3: whether the cycle
    is forbidden, and whether it has two consecutive rw edges."""
    against = prohibited(model)
    count = 3 ** (length + 1)
    kinds = [[code // 3**place % 3 for place in range(length, -1, -1)] for code in range(count)]
    types = [type_of(each) for each in kinds]
    forbidden = np.array([name in against for name in types], np.bool_)
    return forbidden, np.array([name.startswith("G2-item") for name in types], np.bool_)


def kinds_code(links: Links, paths: Paths, kind: Ints) -> Ints:
    """The kinds of the path and of the missing edge as one number in base 3."""
    code = np.zeros(len(paths), np.int64)
    for place in range(paths.links.shape[1]):
        code = code * 3 + links.kind[paths.links[:, place]]
    return code * 3 + kind


def closable(links: Links, paths: Paths, model: str) -> Flags:
    """Would an edge of some kind close the path into a cycle that the model forbids?"""
    forbidden, _ = _forbidden_and_dangerous(paths.links.shape[1], model)
    each = [forbidden[kinds_code(links, paths, np.full(len(paths), kind))] for kind in range(3)]
    flags: Flags = each[0] | each[1] | each[2]
    return flags


def candidates(
    links: Links,
    paths: Paths,
    ends: Ints,
    bound: tuple[Ints, Ints],
    possible: PossibleEdges,
    model: str,
    overlap: Floats,
    pressure: Floats,
) -> Candidates:
    """All near-cycles among these paths.

    ends: (paths) the pair of each path in `possible`. bound: (paths) the ties of the steps that make the
    path's first and last edge, at its start and its end. overlap: (paths); pressure: (logical keys).
    """
    offsets = np.searchsorted(possible.pair, np.arange(int(ends.max(initial=-1)) + 2))
    count = offsets[ends + 1] - offsets[ends]
    path = np.repeat(np.arange(len(paths)), count)
    edge = ranges(offsets[ends], count)
    length = paths.links.shape[1]
    forbidden, dangerous = _forbidden_and_dangerous(length, model)
    fits = forbidden[kinds_code(links, paths[path], possible.kind[edge])]
    fits &= (_direct if length == 1 else _longer)(links, paths, possible, path, edge)
    path, edge = path[fits], edge[fits]
    step = _free_step(bound, possible, path, edge)
    path, edge, step = path[step != NONE], edge[step != NONE], step[step != NONE]
    pressed = pressure[links.group[paths.links]].sum(axis=1)
    code = kinds_code(links, paths[path], possible.kind[edge])
    parts = {
        "dangerous": dangerous[code].astype(np.float64),
        "overlap": overlap[path],
        "met": possible.met[edge].astype(np.float64),
        "pressure": (pressure[possible.group[edge]] + pressed[path]) / (length + 1),
        "short": np.full(len(path), 1.0 / length),
    }
    return Candidates(path, edge, step, {name: WEIGHTS[name] * part for name, part in parts.items()})


def _free_step(bound: tuple[Ints, Ints], possible: PossibleEdges, path: Ints, edge: Ints) -> Ints:
    """The step that is to act on another key: one that no edge of the path depends on."""
    first = possible.moves[edge] == FIRST
    own = np.where(first, possible.target_step[edge], possible.source_step[edge])
    held = np.where(first, bound[0][path], bound[1][path])
    tied = (possible.moves[edge] != NOBODY) & (possible.tie[edge] == held) & (held != NOT_SAID)
    return np.where(tied, possible.other_step[edge], own)


def _direct(links: Links, paths: Paths, possible: PossibleEdges, path: Ints, edge: Ints) -> Flags:
    """For paths of one link: does the link survive the missing edge, and does it explain the pair?

    The link is on another key than the missing edge, or it is half of a lost update: the source of a
    missing rw edge overwrote the target's version of the same key, or the target of a missing ww edge
    read what the source overwrote.
    """
    link = paths.links[path, 0]
    kind, missing = links.kind[link], possible.kind[edge]
    same = links.key[link] == possible.key[edge]
    lost_rw = (missing == RW) & (kind == WW)
    lost_ww = (missing == WW) & (kind == RW) & ~possible.met[edge]
    fits = np.where(same, lost_rw | lost_ww, ~possible.both_write[edge])
    for rank in range(2):
        stays = _stays(links, link, rank, possible, edge)
        fits &= ~(stays & (links.rank[link] > rank))
    flags: Flags = fits
    return flags


def _longer(links: Links, paths: Paths, possible: PossibleEdges, path: Ints, edge: Ints) -> Flags:
    """For longer paths: do all links survive the missing edge?

    An additional read changes no link; an earlier (rw) or later (wr) read changes the links of its
    transaction on the key, at one end of the path; a write may change any link on the key.
    """
    same = links.key[paths.links[path]] == possible.key[edge, None]
    missing, met = possible.kind[edge], possible.met[edge]
    broken = np.where(met & (missing == RW), same[:, -1], same.any(axis=1))
    broken = np.where(met & (missing == WR), same[:, 0], broken)
    flags: Flags = ~possible.both_write[edge] & (possible.new_read[edge] | ~broken)
    return flags


def _stays(links: Links, link: Ints, rank: int, possible: PossibleEdges, edge: Ints) -> Flags:
    """Is the pair of this link also joined by a kind that takes precedence, even once the edge exists?

    If two transactions that met on a key do so in the other order, their link on this key disappears; but
    a ww link remains if a missing rw edge means that the source read too early.
    """
    pair = links.pair[link]
    of_rank = np.flatnonzero(links.rank == rank)
    count = np.bincount(links.pair[of_rank], minlength=len(links.first))
    key = np.full(len(links.first), -1, np.int64)
    kind = np.full(len(links.first), -1, np.int64)
    key[links.pair[of_rank]] = links.key[of_rank]
    kind[links.pair[of_rank]] = links.kind[of_rank]
    undone = possible.met[edge] & (key[pair] == possible.key[edge])
    undone &= ~((kind[pair] == WW) & (possible.kind[edge] == RW))
    stays: Flags = (count[pair] > 1) | ((count[pair] == 1) & ~undone)
    return stays


def nearest(
    found: Sequence[tuple[Paths, Candidates]], possible: PossibleEdges, most: int
) -> list[tuple[int, int]]:
    """The nearest candidates, one per set of transactions: (index in `found`, candidate).

    Equal scores are ordered by shorter path, then earlier transactions, then kind and key.
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
        chosen = _distinct(found, possible, where[best], within[best], score[best], most)
        if len(chosen) >= most or len(best) == len(score):
            return chosen
        taken *= 8


def _distinct(
    found: Sequence[tuple[Paths, Candidates]],
    possible: PossibleEdges,
    where: Ints,
    within: Ints,
    score: Floats,
    most: int,
) -> list[tuple[int, int]]:
    width = max((paths.rows.shape[1] for paths, _ in found), default=0)
    rows = np.full((len(where), width), -1, np.int64)
    edge = np.zeros(len(where), np.int64)
    for at, (paths, each) in enumerate(found):
        here = where == at
        rows[here, : paths.rows.shape[1]] = paths.rows[each.path[within[here]]]
        edge[here] = each.edge[within[here]]
    columns = [
        possible.group[edge],
        possible.kind[edge],
        *(rows[:, place] for place in range(width - 1, -1, -1)),
    ]
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
