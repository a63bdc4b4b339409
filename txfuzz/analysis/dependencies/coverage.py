"""What of a workload's possible dependencies a history has shown: between which steps, and in which order.

The analogue of a fuzzer's edge coverage (AFL's map of branches): a workload that shows a dependency between
two steps for the first time, or in an order in which it has not been seen, has reached something that
earlier ones had not. Only transactions that overlapped in time count, since nothing can go wrong between
others. Dangerous structures, two anti-dependencies in a row, are what every cycle of snapshot isolation
contains (Fekete et al. 2005); those that committed are the ones that a serializable database must prevent
from closing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from txfuzz.analysis.contract import Part
from txfuzz.analysis.dependencies.build import dependencies
from txfuzz.analysis.dependencies.columns import Flags, columns_of
from txfuzz.analysis.dependencies.edges import KINDS, RW, Dependencies
from txfuzz.analysis.dependencies.metrics import UNFOLDED, asked_for, overlapped, spans
from txfuzz.analysis.dependencies.register_versions import VersionOptions
from txfuzz.history.arrays import AnyInts, ranges
from txfuzz.history.model import FAIL, NIL, OK, History, Ints

# How the time of one transaction lies to that of another that it overlaps (Allen 1983)
OVERLAPS, CONTAINS, DURING, OVERLAPPED_BY = "overlaps", "contains", "during", "overlapped by"
_RELATIONS = (OVERLAPS, CONTAINS, DURING, OVERLAPPED_BY)
_MOST_STRUCTURES = 1_000_000  # pairs of anti-dependencies that are looked at
_MOST_REFUSED = 4_000  # failed transactions that are looked at


@dataclass(frozen=True, slots=True)
class TemplateStep:
    """A step of a transaction of the workload, counted from 0. step: -1 where the history does not say."""

    template: str
    step: int

    def __str__(self) -> str:
        return f"{self.template}.{self.step}" if self.step >= 0 else self.template


@dataclass(frozen=True, slots=True)
class StepDependency:
    """A dependency between two steps of transactions that overlapped and committed.

    relation: how the source's time lies to the target's. first: it concerns the key's first version: the
    source read nothing there, or wrote it.
    """

    kind: str
    source: TemplateStep
    target: TemplateStep
    relation: str
    first: bool

    def __str__(self) -> str:
        first = ", on a key without versions" if self.first else ""
        return f"{self.kind} from {self.source} to {self.target}, which it {_verb(self.relation)}{first}"


@dataclass(frozen=True, slots=True)
class DangerousStructure:
    """Two anti-dependencies in a row between transactions that overlapped, all committed.

    entered, left: the pivot's steps. last_first: the last transaction committed before the two others, as
    a cycle needs it (Fekete et al. 2005).
    """

    first: TemplateStep
    entered: TemplateStep
    left: TemplateStep
    last: TemplateStep
    last_first: bool

    def __str__(self) -> str:
        order = ", the last committed first" if self.last_first else ""
        return f"rw from {self.first} to {self.entered}, rw from {self.left} to {self.last}{order}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A transaction that failed and one that it overlapped, with a step of each on the same key, of which
    one at least writes."""

    refused: TemplateStep
    other: TemplateStep

    def __str__(self) -> str:
        return f"{self.refused} was refused beside {self.other}"


Feature = StepDependency | DangerousStructure | Refusal


def coverage(edges: Dependencies) -> Counter[Feature]:
    """How often each was seen."""
    wide = edges.unfolded(UNFOLDED) if len(edges.bicliques) else edges
    history = edges.history
    kept = _between_committed(wide)
    names = _Names(history)
    seen: Counter[Feature] = Counter()
    seen.update(_step_dependencies(wide, kept, names))
    seen.update(_dangerous_structures(wide, kept[wide.kind[kept] == RW], names))
    seen.update(_refusals(wide, names))
    return seen


@dataclass(frozen=True)
class CoverageAnalyzer:
    """Reports coverage; it has no judgement of its own."""

    name: ClassVar[str] = "coverage"
    about: ClassVar[str] = "which steps depended on each other, in which order, and what was refused"
    only_by_name: ClassVar[bool] = True

    def analyze(self, history: History, expect: str) -> Part:
        """data: "dependencies", "structures" and "refusals", each how many different ones, and "seen":
        feature in words → how often."""
        seen = coverage(dependencies(history, VersionOptions(), columns_of(history)))
        return Part(data=as_data(seen))


def as_data(seen: Mapping[Feature, int]) -> dict[str, Any]:
    """Most often seen first."""
    kinds = Counter(type(feature) for feature in seen)
    return {
        "dependencies": kinds[StepDependency],
        "structures": kinds[DangerousStructure],
        "refusals": kinds[Refusal],
        "seen": {str(each): seen[each] for each in sorted(seen, key=lambda each: (-seen[each], str(each)))},
    }


class _Names:
    """The steps of a history by the micro-operations that they made."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._template = history.template.tolist()
        self._step = history.mop_step.tolist()
        self._steps: dict[tuple[int, int], TemplateStep] = {}

    def of(self, row: int, mop: int) -> TemplateStep:
        place = (self._template[row], self._step[mop])
        if place not in self._steps:
            name = self._history.templates[place[0]] if place[0] >= 0 else "?"
            self._steps[place] = TemplateStep(name, place[1])
        return self._steps[place]

    def codes(self, rows: AnyInts, mops: AnyInts) -> Ints:
        """The same number for the same step."""
        width = int(self._history.mop_step.max(initial=0)) + 2
        return self._history.template[rows] * width + self._history.mop_step[mops]


def _verb(relation: str) -> str:
    return {DURING: "lies within", OVERLAPPED_BY: "is overlapped by"}.get(relation, relation)


def _between_committed(wide: Dependencies) -> Ints:
    """The edges between overlapping transactions that committed and that the workload asked for."""
    history = wide.history
    taken = (history.type == OK) & asked_for(history)
    kept = np.flatnonzero(taken[wide.source] & taken[wide.target])
    return kept[overlapped(history, wide.source[kept], wide.target[kept])]


def _step_dependencies(wide: Dependencies, kept: Ints, names: _Names) -> Counter[Feature]:
    source, target = wide.source[kept], wide.target[kept]
    relation = _relations(wide.history, source, target)
    saw = wide.columns.saw[np.where(wide.kind[kept] == RW, wide.source_mop[kept], wide.target_mop[kept])]
    first = (wide.kind[kept] == RW) & (saw == NIL)
    table = np.column_stack(
        [
            wide.kind[kept],
            names.codes(source, wide.source_mop[kept]),
            names.codes(target, wide.target_mop[kept]),
            relation,
            first,
        ]
    )
    seen: Counter[Feature] = Counter()
    for at, count in _distinct(table):
        edge = int(kept[at])
        feature = StepDependency(
            KINDS[int(wide.kind[edge])],
            names.of(int(wide.source[edge]), int(wide.source_mop[edge])),
            names.of(int(wide.target[edge]), int(wide.target_mop[edge])),
            _RELATIONS[int(relation[at])],
            bool(first[at]),
        )
        seen[feature] += count
    return seen


def _dangerous_structures(wide: Dependencies, rw: Ints, names: _Names) -> Counter[Feature]:
    """rw: the anti-dependencies that count."""
    by_source = rw[np.argsort(wide.source[rw], kind="stable")]
    pivots = wide.source[by_source]
    begins = np.searchsorted(pivots, wide.target[rw])
    counts = np.searchsorted(pivots, wide.target[rw], side="right") - begins
    within = np.cumsum(counts) <= _MOST_STRUCTURES
    entering = np.repeat(rw[within], counts[within])
    leaving = by_source[ranges(begins[within], counts[within])]
    _, end = spans(wide.history)
    last = end[wide.target[leaving]]
    last_first = (last <= end[wide.target[entering]]) & (last <= end[wide.source[entering]])
    table = np.column_stack(
        [
            names.codes(wide.source[entering], wide.source_mop[entering]),
            names.codes(wide.target[entering], wide.target_mop[entering]),
            names.codes(wide.source[leaving], wide.source_mop[leaving]),
            names.codes(wide.target[leaving], wide.target_mop[leaving]),
            last_first,
        ]
    )
    seen: Counter[Feature] = Counter()
    for at, count in _distinct(table):
        into, out = int(entering[at]), int(leaving[at])
        feature = DangerousStructure(
            names.of(int(wide.source[into]), int(wide.source_mop[into])),
            names.of(int(wide.target[into]), int(wide.target_mop[into])),
            names.of(int(wide.source[out]), int(wide.source_mop[out])),
            names.of(int(wide.target[out]), int(wide.target_mop[out])),
            bool(last_first[at]),
        )
        seen[feature] += count
    return seen


def _refusals(wide: Dependencies, names: _Names) -> Counter[Feature]:
    history, is_read = wide.history, wide.columns.is_read
    begin, end = spans(history)
    asked = asked_for(history)
    refused = np.flatnonzero((history.type == FAIL) & asked)
    refused = refused[:: max(1, -(-len(refused) // _MOST_REFUSED))]
    by_begin = np.argsort(begin, kind="stable")
    starts = begin[by_begin]
    # nobody who began before any transaction still open then can overlap it
    open_since = np.minimum.accumulate(np.where(asked, begin, np.iinfo(np.int64).max)[np.argsort(end)][::-1])
    ends = np.sort(end)
    seen: Counter[Feature] = Counter()
    for row in refused.tolist():
        over = np.searchsorted(ends, begin[row], side="right")
        since = open_since[len(ends) - 1 - over] if over < len(ends) else begin[row]
        near = by_begin[np.searchsorted(starts, since) : np.searchsorted(starts, end[row])]
        near = near[(end[near] > begin[row]) & asked[near] & (near != row)]
        for own, other, with_row in _on_one_key(history, row, near.tolist(), is_read):
            seen[Refusal(names.of(row, own), names.of(with_row, other))] += 1
    return seen


def _on_one_key(history: History, row: int, others: list[int], is_read: Flags) -> list[tuple[int, int, int]]:
    """Micro-operations of this transaction and of the others on the same key, of which one writes, once for
    each key: (own, other's, other)."""
    own = _preferring_writes(history, row, is_read)
    found = []
    for other in others:
        for key, mop in _preferring_writes(history, other, is_read).items():
            if key in own and not (is_read[mop] and is_read[own[key]]):
                found.append((own[key], mop, other))
    return found


def _preferring_writes(history: History, row: int, is_read: Flags) -> dict[int, int]:
    """A micro-operation on each key of a transaction: its first write, else its first read."""
    found: dict[int, int] = {}
    for mop in range(history.mops[row], history.mops[row + 1]):
        key = int(history.mop_key[mop])
        if key not in found or (is_read[found[key]] and not is_read[mop]):
            found[key] = mop
    return found


def _relations(history: History, rows: AnyInts, others: AnyInts) -> Ints:
    """Indices into _RELATIONS of the first to the second of each pair."""
    begin, end = spans(history)
    earlier, sooner = begin[rows] < begin[others], end[rows] < end[others]
    relations: Ints = np.where(earlier, np.where(sooner, 0, 1), np.where(sooner, 2, 3))
    return relations


def _distinct(table: Ints) -> list[tuple[int, int]]:
    """The first place of each different row, and how often it is there."""
    if not len(table):
        return []
    _, at, counts = np.unique(table, axis=0, return_index=True, return_counts=True)
    return list(zip(at.tolist(), counts.tolist(), strict=True))
