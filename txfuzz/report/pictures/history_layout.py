"""The positions of a whole history's boxes and edges: one lane per process, time from left to right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from txfuzz.analysis.dependencies.edges import Dependencies
from txfuzz.history.model import History, Ints, SmallInts
from txfuzz.report.cycle.time_axis import lanes_of, span_of, stretch

Floats = npt.NDArray[np.float64]
_SAMPLES = 14  # points of a curve


@dataclass(frozen=True)
class TransactionBoxes:
    """Transactions as boxes; inches, y upwards.

    rows: of the History, in its order. left, right, y (the middle): of each box. lanes: the
    processes of each lane, from top to bottom. pitch: from lane to lane. thickness: of a box.
    """

    rows: Ints
    left: Floats
    right: Floats
    y: Floats
    lanes: Sequence[Sequence[int]]
    pitch: float

    @property
    def thickness(self) -> float:
        return min(0.42, self.pitch * 0.42)


@dataclass(frozen=True)
class EdgeCurves:
    """Edges as curves; each kind once per pair of transactions.

    kind: as in Dependencies. source, target: places in TransactionBoxes.rows. points: (edges, samples, 2).
    concurrent: whether the two transactions overlapped in time.
    """

    kind: SmallInts
    source: Ints
    target: Ints
    points: Floats
    concurrent: npt.NDArray[np.bool_]


def boxes_of(history: History, rows: Ints, event: float, pitch: float) -> TransactionBoxes:
    """event: inches between two successive events; pitch: between two lanes."""
    spans = stretch([span_of(history, int(row)) for row in rows], [0.0] * len(rows), event)
    lane_of, lanes = lanes_of(history, rows.tolist())
    lane = np.array([lane_of[int(history.process[row])] for row in rows], np.int64)
    ends = np.array(spans, np.float64).reshape(-1, 2)
    return TransactionBoxes(
        rows, ends[:, 0], ends[:, 1], np.asarray((len(lanes) - 0.5 - lane) * pitch, np.float64), lanes, pitch
    )


def curves_of(dependencies: Dependencies, boxes: TransactionBoxes) -> EdgeCurves:
    """The edges between the transactions that are drawn."""
    place = np.full(len(dependencies.history), -1, np.int64)
    place[boxes.rows] = np.arange(len(boxes.rows))
    source, target = place[dependencies.source], place[dependencies.target]
    drawn = np.flatnonzero((source >= 0) & (target >= 0))
    pairs = np.stack([source[drawn], target[drawn], dependencies.kind[drawn]])
    _, first = np.unique(pairs, axis=1, return_index=True)
    drawn = drawn[np.sort(first)]
    source, target = source[drawn], target[drawn]
    x = _mop_at(dependencies.history, boxes, source, dependencies.source_mop[drawn])
    then = _mop_at(dependencies.history, boxes, target, dependencies.target_mop[drawn])
    concurrent = (boxes.left[source] < boxes.right[target]) & (boxes.left[target] < boxes.right[source])
    points = _curves(boxes, x, boxes.y[source], then, boxes.y[target])
    return EdgeCurves(dependencies.kind[drawn], source, target, points, concurrent)


def _mop_at(history: History, boxes: TransactionBoxes, at: Ints, mops: npt.NDArray[np.int32]) -> Floats:
    """The position of a micro-operation on its box: evenly spread, in order."""
    first, last = history.mops[boxes.rows[at]], history.mops[boxes.rows[at] + 1]
    share = (mops - first + 0.5) / (last - first)
    place: Floats = boxes.left[at] + share * (boxes.right[at] - boxes.left[at])
    return place


def _curves(boxes: TransactionBoxes, x: Floats, y: Floats, then: Floats, below: Floats) -> Floats:
    """Cubic curves from box to box that leave and arrive vertically; an arch within a lane."""
    side = np.where(below < y, -1.0, 1.0)
    same = below == y
    start = y + side * boxes.thickness / 2
    end = below - np.where(same, -1.0, side) * boxes.thickness / 2
    arch = np.minimum((boxes.pitch - boxes.thickness) * 0.9, 0.06 + 0.12 * np.abs(then - x))
    bend = np.where(same, arch, np.maximum(np.abs(end - start) * 0.45, boxes.thickness * 0.5))
    controls = np.stack(
        [
            np.stack([x, start], axis=1),
            np.stack([x, start + side * bend], axis=1),
            np.stack([then, end - np.where(same, -1.0, side) * bend], axis=1),
            np.stack([then, end], axis=1),
        ]
    )
    t = np.linspace(0, 1, _SAMPLES)
    shares = np.stack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3])
    curves: Floats = np.einsum("cs,ced->esd", shares, controls)
    return curves
