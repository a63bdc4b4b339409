"""What templates can do: on which keys, with which of their steps, and which steps belong together.

A missing edge requires one step of a transaction to act on another key. Steps that are tied to it (`ref`
in a workload) move with it, and what they did on their old key is undone. So a step can only create a
missing edge if no edge of the path depends on a step that is tied to it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from txfuzz.analysis.dependencies.columns import Columns, Flags
from txfuzz.analysis.dependencies.connectivity import components
from txfuzz.analysis.dependencies.key_pressure import LogicalKeys
from txfuzz.history.arrays import AnyInts, places
from txfuzz.history.model import UNKNOWN, Ints

READS, WRITES = 0, 1
NOT_SAID = -1  # a step that the history does not record
NONE = -2  # no step
_LAST = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class Ties:
    """Which steps of a template act on the same key in every transaction.

    code: (template × width + step), rising; tie: equal for steps that are tied to each other.
    """

    code: Ints
    tie: Ints
    width: int

    def of(self, template: AnyInts, step: AnyInts) -> Ints:
        """The tie of each step, NOT_SAID if unknown."""
        at = places(self.code, template.astype(np.int64) * self.width + step)
        at = np.where((step >= 0) & (step < self.width), at, -1)
        return np.append(self.tie, NOT_SAID)[at]


@dataclass(frozen=True, eq=False)
class PossibleSteps:
    """can: whether there is such a step; step, tie, other: as in Footprints, meaningless if there is not."""

    can: Flags
    step: Ints
    tie: Ints
    other: Ints


@dataclass(frozen=True, eq=False)
class Footprints:
    """Which logical keys a template can read and write, and with which of its steps.

    Learnt from what its transactions did; a transaction without a template is its own template. code:
    (template, reads or writes, key) in one number, rising; step: the first one seen there; tie: of that
    step; other: a step that is not tied to it, preferably one seen there, else one that draws from the
    same keys; NONE if there is none.
    """

    template: Ints
    code: Ints
    step: Ints
    tie: Ints
    other: Ints
    ties: Ties
    groups: int

    def find(self, rows: AnyInts, does: int, group: Ints) -> PossibleSteps:
        """What the templates of these transactions can do on these keys."""
        at = places(self.code, (2 * self.template[rows] + does) * self.groups + group)
        step, tie, other = (np.append(column, NONE)[at] for column in (self.step, self.tie, self.other))
        return PossibleSteps(at >= 0, step, tie, other)

    def ties_of(self, rows: AnyInts, step: AnyInts) -> Ints:
        """The ties of these steps of these transactions."""
        return self.ties.of(self.template[rows], step)


@dataclass(frozen=True, eq=False)
class _Seen:
    """Steps on keys, one row per occurrence: template, step, what it does, logical key."""

    template: Ints
    step: Ints
    does: Ints
    group: Ints
    tie: Ints
    groups: int
    width: int

    @property
    def code(self) -> Ints:
        return (2 * self.template + self.does) * self.groups + self.group

    def those(self, which: Flags) -> _Seen:
        names = ("template", "step", "does", "group", "tie")
        return replace(self, **{name: getattr(self, name)[which] for name in names})


def template_footprints(columns: Columns, keys: LogicalKeys, taken: Flags) -> Footprints:
    """taken: the transactions to learn from."""
    history = columns.history
    names = len(history.templates)
    template = np.where(history.template < 0, names + np.arange(len(history)), history.template)
    mops = np.flatnonzero(taken[columns.txn] & ((history.mop_value != UNKNOWN) | ~columns.is_read))
    row = columns.txn[mops].astype(np.int64)
    of = template[row]
    step = history.mop_step[mops].astype(np.int64)
    does = np.where(columns.is_read[mops], READS, WRITES)
    group = keys.of[history.mop_key[mops]]
    groups, width = max(len(keys.names), 1), max(int(step.max(initial=0)) + 1, 1)
    ties = _ties(of, step, row, row * groups + group, width)
    seen = _Seen(of, step, does, group, ties.of(of, step), groups, width)
    code, step, tie, other = _steps_of_two_ties(seen.code, seen.step, seen.tie)
    pools = _pools(seen)
    other = np.where(other == NONE, pools.instead(code, tie), other)
    return Footprints(template, code, step, tie, other, ties, groups)


def _ties(template: Ints, step: Ints, row: Ints, at: Ints, width: int) -> Ties:
    """Steps that were on the same key in all transactions. at: transaction and key as one number.

    In each transaction a step is labelled with the first step on its key; steps with the same labels in
    all transactions are tied. The labels of a step are summed up as a random number.
    """
    said = step >= 0
    template, step, row, at = template[said], step[said], row[said], at[said]
    order = np.lexsort((step, at))
    begins = np.diff(at[order], prepend=-1) != 0
    called = np.empty(len(order), np.int64)
    called[order] = step[order][np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))]
    code = template * width + step
    order = np.argsort(code, kind="stable")
    starts = np.flatnonzero(np.diff(code[order], prepend=-1))
    drawn = _random((row * width + called).astype(np.uint64))[order]
    summed = np.add.reduceat(drawn, starts) if len(starts) else drawn
    code = code[order][starts]
    order = np.lexsort((summed, code // width))
    differs = np.diff((code // width)[order], prepend=-1) != 0
    differs[1:] |= summed[order][1:] != summed[order][:-1]
    tie = np.empty(len(code), np.int64)
    tie[order] = np.cumsum(differs)
    return Ties(code, tie, width)


def _random(number: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele, Lea, Flood 2014)."""
    number = (number + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    number = (number ^ (number >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    number = (number ^ (number >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return number ^ (number >> np.uint64(31))


def _steps_of_two_ties(code: Ints, step: Ints, tie: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Each code once, with the first step, its tie, and the first step with another tie, else NONE."""
    order = np.lexsort((step, code))
    code, step, tie = code[order], step[order], tie[order]
    starts = np.flatnonzero(np.diff(code, prepend=-1))
    if not len(starts):
        return code, step, tie, step
    first = np.repeat(tie[starts], np.diff(np.append(starts, len(code))))
    other = np.minimum.reduceat(np.where(tie != first, step, _LAST), starts)
    return code[starts], step[starts], tie[starts], np.where(other == _LAST, NONE, other)


@dataclass(frozen=True, eq=False)
class _Pools:
    """By code, two steps of different ties, of all those that draw from the same keys."""

    code: Ints
    step: Ints
    tie: Ints
    other: Ints

    def instead(self, code: Ints, tie: Ints) -> Ints:
        """A step that is not of this tie, else NONE."""
        at = places(self.code, code)
        own, step, other = (np.append(column, NONE)[at] for column in (self.tie, self.step, self.other))
        return np.where(own != tie, step, other)


def _pools(seen: _Seen) -> _Pools:
    """Steps seen on a common key draw from the same keys, and so do those joined through several such
    keys."""
    seen = seen.those(seen.step >= 0)
    steps, by_step = np.unique(seen.template * seen.width + seen.step, return_inverse=True)
    keys, by_key = np.unique(seen.template * seen.groups + seen.group, return_inverse=True)
    by_key = by_key + len(steps)
    source, target = np.concatenate([by_step, by_key]), np.concatenate([by_key, by_step])
    pool = components(len(steps) + len(keys), source, target)[0][by_step].astype(np.int64)
    shared, step, tie, other = _steps_of_two_ties(2 * pool + seen.does, seen.step, seen.tie)
    code, at = np.unique(seen.code, return_index=True)
    place = np.searchsorted(shared, (2 * pool + seen.does)[at])
    return _Pools(code, step[place], tie[place], other[place])
