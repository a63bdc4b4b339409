"""Lists that contradict themselves or each other (Kingsbury & Alvaro 2020, section 4.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np

from txfuzz.analysis.anomalies.facts import Detected, Fact, IncompatibleReads, RepeatedElements, detected
from txfuzz.analysis.dependencies.columns import Columns, Flags
from txfuzz.analysis.dependencies.list_versions import distinct
from txfuzz.history.model import FAIL, History, Ints


def lists_with(history: History, on_trunk: Flags, in_odd: Callable[[Ints], bool]) -> Flags:
    """The rows of the read table whose list has an element with some property.

    on_trunk: by index of `trunk_elements`; in_odd: for each list that is off the trunk of its key.
    """
    before = np.concatenate([[0], np.cumsum(on_trunk)])
    start = history.trunks[history.read_key]
    # an odd row may be longer than nothing on its key's trunk; what it contains is looked up below
    length = np.where(history.read_trunk, history.read_length, 0)
    found: Flags = before[start + length] > before[start]
    for row, elements in history.odd_reads.items():
        found[row] = in_odd(elements)
    return found


def duplicate_elements(columns: Columns, most: int) -> Iterator[Detected]:
    """Reads that contain an element twice."""
    history = columns.history
    bad_list = lists_with(
        history, ~distinct(history), lambda elements: len(np.unique(elements)) < len(elements)
    )
    if not bad_list.any():
        return
    reads = np.flatnonzero(columns.is_read & (history.mop_value >= 0))
    hits = reads[bad_list[history.mop_value[reads]]]

    def fact(read: int) -> Fact:
        elements, counts = np.unique(history.read_elements(int(history.mop_value[read])), return_counts=True)
        pairs = zip(elements.tolist(), counts.tolist(), strict=True)
        repeated = tuple((element, count) for element, count in pairs if count > 1)
        return RepeatedElements((int(columns.txn[read]),), read, repeated)

    yield from detected("duplicate-elements", hits, fact, most)


def incompatible_orders(columns: Columns, most: int) -> Iterator[Detected]:
    """Keys with two reads neither of which is a prefix of the other; one pair per key."""
    history = columns.history
    keys = np.unique(history.read_key[list(history.odd_reads)]) if history.odd_reads else np.zeros(0, int)

    def fact(key: int) -> Fact:
        lists = np.flatnonzero(history.read_key == key)
        lists = lists[np.argsort(history.read_length[lists], kind="stable")]
        short, long = next(pair for pair in pairwise(lists.tolist()) if not _prefix(history, *pair))
        reads = np.flatnonzero(columns.is_read & (history.mop_value >= 0) & (columns.type != FAIL))
        of = [int(columns.txn[reads[history.mop_value[reads] == each][0]]) for each in (short, long)]
        return IncompatibleReads(tuple(of), key, (short, long))

    yield from detected("incompatible-order", keys, fact, most)


def _prefix(history: History, short: int, long: int) -> bool:
    first, second = history.read_elements(short), history.read_elements(long)
    return bool(np.array_equal(first, second[: len(first)]))
