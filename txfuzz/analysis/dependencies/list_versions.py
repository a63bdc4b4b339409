"""The version order of each key of a list-append history.

Kingsbury & Alvaro, "Elle" (VLDB 2020), section 4: a list shows its own history, so the longest
list read of a key is the order in which its versions were installed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from txfuzz.analysis.dependencies.columns import NOTHING, Columns, Flags
from txfuzz.history.model import NIL, History, Ints


@dataclass(frozen=True, eq=False)
class VersionOrder:
    """elements, offsets: the order of every key, flat (offsets has length keys + 1).

    observed: (e) whether the element is in the order of its key.
    previous: (e) the element that each element was appended to, NIL for the initial state. Those that
      were never read all follow the last one that was, without an order among themselves.
    """

    elements: Ints
    offsets: Ints
    observed: Flags
    previous: Ints


def distinct(history: History) -> Flags:
    """For each index of `trunk_elements`, whether it is the first occurrence of its element."""
    places = np.arange(len(history.trunk_elements))
    first = np.zeros(len(history.element_key), np.int64)
    first[history.trunk_elements[::-1]] = places[::-1]
    once: Flags = first[history.trunk_elements] == places
    return once


def version_order(columns: Columns) -> VersionOrder:
    """The longest read of each key, each element once.

    A key that was never read non-empty only has an order if exactly one append to it may have taken
    effect.
    """
    history = columns.history
    keys = len(history.keys)
    kept = distinct(history)
    seen = np.concatenate([[0], np.cumsum(kept)])
    per_key = seen[history.trunks[1:]] - seen[history.trunks[:-1]]
    elements = history.trunk_elements[kept]
    appends = history.mop_value[~columns.is_read & columns.takes_part[columns.txn]]
    count = np.bincount(history.element_key[appends], minlength=keys)
    alone = appends[(count == 1)[history.element_key[appends]] & (per_key == 0)[history.element_key[appends]]]
    if len(alone):
        per_key = per_key + np.bincount(history.element_key[alone], minlength=keys)
        elements = np.concatenate([elements, alone])
        elements = elements[np.argsort(history.element_key[elements], kind="stable")]
    offsets = np.concatenate([[0], np.cumsum(per_key)]).astype(np.int64)
    observed = np.zeros(len(history.element_key), np.bool_)
    observed[elements] = True
    last = np.full(keys, NIL, np.int64)
    some = per_key > 0
    last[some] = elements[offsets[1:][some] - 1]
    previous = last[history.element_key]
    before = np.concatenate([[NOTHING], elements[:-1]]) if len(elements) else elements
    before[offsets[:-1][some]] = NIL
    previous[elements] = before
    return VersionOrder(elements, offsets, observed, previous)
