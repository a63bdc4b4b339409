"""Reads of values that should not be visible: failed, unwritten and intermediate ones.

Definitions as in Elle (Kingsbury & Alvaro 2020, section 4.2; G1a, G1b: Adya, Liskov, O'Neil 2000).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from txfuzz.analysis.anomalies.facts import Detected, Fact, ReadElement, detected
from txfuzz.analysis.anomalies.lists import lists_with
from txfuzz.analysis.dependencies.columns import Columns, Flags
from txfuzz.common.kind import Kind
from txfuzz.history.model import FAIL, INFO, OK


def reads_of_failed_writes(columns: Columns, most: int) -> Iterator[Detected]:
    """G1a: committed reads of what a failed transaction wrote."""
    failed = (columns.writer >= 0) & (np.append(columns.type, OK)[columns.writer] == FAIL)
    yield from _reads_of("G1a", columns, failed, (OK,), most)


def unwritten_reads(columns: Columns, most: int) -> Iterator[Detected]:
    """unwritten-read: reads of what nobody wrote, including those of transactions with unknown outcome."""
    yield from _reads_of("unwritten-read", columns, columns.writer < 0, (OK, INFO), most)


def intermediate_reads(columns: Columns, most: int) -> Iterator[Detected]:
    """G1b (Adya, Liskov, O'Neil 2000): committed reads of a version that its writer replaced.

    For a list its last element counts. The writer may have any outcome.
    """
    reads = np.flatnonzero((columns.saw >= 0) & (columns.type == OK))
    writer = columns.writer[columns.saw[reads]]
    hits = reads[(writer >= 0) & columns.written_over[writer] & (columns.txn[writer] != columns.txn[reads])]
    yield from detected("G1b", hits, lambda read: _read(columns, read, int(columns.saw[read])), most)


def _reads_of(
    type: str, columns: Columns, bad: Flags, types: tuple[int, ...], most: int
) -> Iterator[Detected]:
    """Reads by transactions of these types that saw a bad element (anywhere in a list). bad: (e)."""
    if not bad.any():
        return
    history = columns.history
    reads = np.flatnonzero(columns.is_read & (history.mop_value >= 0) & np.isin(columns.type, types))
    if history.kind is Kind.RW_REGISTER:
        hits = reads[bad[history.mop_value[reads]]]
    else:
        bad_list = lists_with(
            history, bad[history.trunk_elements], lambda elements: bool(bad[elements].any())
        )
        hits = reads[bad_list[history.mop_value[reads]]]

    def fact(read: int) -> Fact:
        seen = int(history.mop_value[read])
        if history.kind is not Kind.RW_REGISTER:
            elements = history.read_elements(seen)
            seen = int(elements[bad[elements]][0])
        return _read(columns, read, seen)

    yield from detected(type, hits, fact, most)


def _read(columns: Columns, read: int, element: int) -> ReadElement:
    writer = int(columns.writer[element])
    mops = [read] if writer < 0 else [read, writer]
    return ReadElement(tuple(int(columns.txn[mop]) for mop in mops), read, element)
