"""Anomalies of list-append histories that single reads and version orders show.

Definitions as Elle's (Kingsbury & Alvaro 2020, section 4.2; G1a, G1b: Adya, Liskov, O'Neil 2000;
internal: Cerone, Bernardi, Gotsman 2015).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from txfuzz.analysis.anomalies.common import intermediate_reads, lost_updates
from txfuzz.analysis.anomalies.facts import Finding, Findings, findings
from txfuzz.analysis.anomalies.internal import future_reads, internal_violations
from txfuzz.analysis.dependencies.columns import Columns, Flags
from txfuzz.analysis.dependencies.list_versions import VersionOrder, distinct
from txfuzz.analysis.describe import key_text, list_text, mop_text, name_of, outcome, read_text, value_text
from txfuzz.history.model import FAIL, INFO, OK, Ints


def list_anomalies(columns: Columns, order: VersionOrder, most: int) -> Iterator[Findings]:
    """All anomalies of a list-append history that are not cycles; `most` described of each type."""
    yield from reads_containing("G1a", columns, _by_failed(columns), most)
    yield from intermediate_reads(columns, most)
    yield from reads_containing("unwritten-read", columns, columns.writer < 0, most)
    yield from duplicate_elements(columns, most)
    yield from incompatible_orders(columns, most)
    yield from internal_violations(columns, most)
    yield from future_reads(columns, most)
    yield from dirty_updates(columns, order, most)
    yield from lost_updates(columns, most)


def _by_failed(columns: Columns) -> Flags:
    failed: Flags = (columns.writer >= 0) & (np.append(columns.type, OK)[columns.writer] == FAIL)
    return failed


def reads_containing(type: str, columns: Columns, bad: Flags, most: int) -> Iterator[Findings]:
    """Reads of committed transactions with a bad element anywhere in the list.

    bad: (e) elements of failed transactions give G1a, those that nobody wrote unwritten-read;
    the latter counts in reads of transactions whose outcome is unknown, too.
    """
    if not bad.any():
        return
    history = columns.history
    types = (OK, INFO) if type == "unwritten-read" else (OK,)
    counted = np.concatenate([[0], np.cumsum(bad[history.trunk_elements])])
    start = history.trunks[history.read_key]
    # an odd row may be longer than nothing on its key's trunk; what it contains is looked up below
    length = np.where(history.read_trunk, history.read_length, 0)
    bad_row = counted[start + length] > counted[start]
    for row, elements in history.odd_reads.items():
        bad_row[row] = bool(bad[elements].any())
    reads = np.flatnonzero(columns.is_read & (history.mop_value >= 0) & np.isin(columns.type, types))
    hits = reads[bad_row[history.mop_value[reads]]]

    def describe(mop: int) -> Finding:
        elements = history.read_elements(int(history.mop_value[mop]))
        element = int(elements[bad[elements]][0])
        reader, key = int(columns.txn[mop]), key_text(history, int(history.mop_key[mop]))
        value, writer_mop = value_text(history, element), int(columns.writer[element])
        record = {"op": name_of(history, reader), "mop": mop_text(history, mop), "element": value}
        if writer_mop < 0:
            text = f"T1 read {value} in key {key}, a value that no transaction of the history appended."
            return Finding((reader,), text, record)
        writer = int(columns.txn[writer_mop])
        text = f"T1 read {value} in key {key}, which T2 appended; but T2 failed, so nobody may ever see it."
        return Finding((reader, writer), text, {**record, "writer": name_of(history, writer)})

    yield from findings(type, hits, describe, most)


def duplicate_elements(columns: Columns, most: int) -> Iterator[Findings]:
    """Reads that contain an element twice."""
    history = columns.history
    repeated = np.concatenate([[0], np.cumsum(~distinct(history))])
    start = history.trunks[history.read_key]
    length = np.where(history.read_trunk, history.read_length, 0)
    bad_row = repeated[start + length] > repeated[start]
    for row, elements in history.odd_reads.items():
        bad_row[row] = len(np.unique(elements)) < len(elements)
    if not bad_row.any():
        return
    reads = np.flatnonzero(columns.is_read & (history.mop_value >= 0))
    hits = reads[bad_row[history.mop_value[reads]]]

    def describe(mop: int) -> Finding:
        elements, counts = np.unique(history.read_elements(int(history.mop_value[mop])), return_counts=True)
        twice = {
            value_text(history, int(element)): int(count)
            for element, count in zip(elements, counts, strict=True)
            if count > 1
        }
        reader, key = int(columns.txn[mop]), key_text(history, int(history.mop_key[mop]))
        listed = ", ".join(f"the element {value} {count} times" for value, count in twice.items())
        text = f"T1 read key {key} as {read_text(history, mop)}, which contains {listed}."
        record = {"op": name_of(history, reader), "mop": mop_text(history, mop), "duplicates": twice}
        return Finding((reader,), text, record)

    yield from findings("duplicate-elements", hits, describe, most)


def incompatible_orders(columns: Columns, most: int) -> Iterator[Findings]:
    """Keys with two reads of which neither is a prefix of the other; one pair a key."""
    history = columns.history
    keys = np.unique(history.read_key[list(history.odd_reads)]) if history.odd_reads else np.zeros(0, int)

    def describe(key: int) -> Finding:
        rows = np.flatnonzero(history.read_key == key)
        rows = rows[np.argsort(history.read_length[rows], kind="stable")].tolist()
        short, long = next(
            (short, long) for short, long in pairwise(rows) if not _prefix(columns, short, long)
        )
        reads = np.flatnonzero(columns.is_read & (history.mop_value >= 0) & (columns.type != FAIL))
        reader = [int(columns.txn[reads[history.mop_value[reads] == row][0]]) for row in (short, long)]
        seen = [list_text(history.values(history.read_elements(row))) for row in (short, long)]
        text = (
            f"T1 read key {key_text(history, key)} as {seen[0]}, T2 read it as {seen[1]}; neither list "
            "can have grown into the other."
        )
        return Finding(tuple(reader), text, {"key": key_text(history, key), "values": seen})

    yield from findings("incompatible-order", keys, describe, most)


def _prefix(columns: Columns, short: int, long: int) -> bool:
    first, second = columns.history.read_elements(short), columns.history.read_elements(long)
    return bool(np.array_equal(first, second[: len(first)]))


def dirty_updates(columns: Columns, order: VersionOrder, most: int) -> Iterator[Findings]:
    """Elements of failed transactions on which a committed one has built.

    Between them in the version order only transactions whose outcome is unknown.
    """
    history = columns.history
    writer = columns.writer[order.elements]
    kind = np.where(writer >= 0, np.append(columns.type, OK)[writer], -1)
    firm = np.flatnonzero(kind != INFO)
    before, after = firm[:-1], firm[1:]
    key = history.element_key[order.elements]
    hits = np.flatnonzero(
        (kind[before] == FAIL) & (kind[after] == OK) & (key[before] == key[after]) & (len(firm) > 1)
    )

    def describe(hit: int) -> Finding:
        places: Ints = np.arange(before[hit], after[hit] + 1)
        rows = [int(columns.txn[at]) for at in writer[places]]
        values = [value_text(history, int(element)) for element in order.elements[places]]
        between = f" (between them {', '.join(values[1:-1])}, outcome unknown)" if values[1:-1] else ""
        text = (
            f"T1 {outcome(history, rows[0])}, yet the {values[0]} that it appended to key "
            f"{key_text(history, int(key[before[hit]]))} stands before {values[-1]}{between}, "
            f"which T{len(rows)} appended and committed."
        )
        record = {"key": key_text(history, int(key[before[hit]])), "values": values}
        return Finding(tuple(rows), text, {**record, "txns": [name_of(history, row) for row in rows]})

    yield from findings("dirty-update", hits, describe, most)
