"""Anomalies that both kinds of history show in the same way: G1b and lost updates."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from txfuzz.analysis.anomalies.facts import Finding, Findings, findings
from txfuzz.analysis.dependencies.columns import Columns
from txfuzz.analysis.describe import key_text, mop_text, name_of, read_text, value_text
from txfuzz.common.kind import Kind
from txfuzz.history.model import NIL, OK, UNKNOWN


def wrote(columns: Columns) -> str:
    return "wrote" if columns.history.kind is Kind.RW_REGISTER else "appended"


def intermediate_reads(columns: Columns, most: int) -> Iterator[Findings]:
    """G1b (Adya, Liskov, O'Neil 2000): committed reads of a version that its writer replaced.

    Of a list its last element counts. The writer may be of any outcome.
    """
    history = columns.history
    reads = np.flatnonzero((columns.saw >= 0) & (columns.type == OK))
    writer = columns.writer[columns.saw[reads]]
    hits = reads[(writer >= 0) & columns.written_over[writer] & (columns.txn[writer] != columns.txn[reads])]

    def describe(mop: int) -> Finding:
        element = int(columns.saw[mop])
        reader, writer = int(columns.txn[mop]), int(columns.txn[columns.writer[element]])
        value, key = value_text(history, element), key_text(history, int(history.mop_key[mop]))
        seen = read_text(history, mop)
        if history.kind is not Kind.RW_REGISTER:
            seen += f", which ends with {value}"
        text = (
            f"T1 read key {key} as {seen}; T2 {wrote(columns)} {value} there, but {wrote(columns)} to key "
            f"{key} again before its end, so this state was never to be seen."
        )
        names = {"op": name_of(history, reader), "writer": name_of(history, writer)}
        return Finding((reader, writer), text, {**names, "mop": mop_text(history, mop), "element": value})

    yield from findings("G1b", hits, describe, most)


def lost_updates(columns: Columns, most: int) -> Iterator[Findings]:
    """Several committed transactions read the same version of a key, then each wrote the key.

    What counts is the first read of the key in a transaction that writes it afterwards.
    """
    history = columns.history
    writes = np.flatnonzero(~columns.is_read & (columns.type == OK) & (columns.previous >= 0))
    first_read = np.full(len(writes), -1, np.int64)
    at = columns.previous[writes].astype(np.int64)
    open_ = np.arange(len(writes))
    while len(open_):
        read = columns.is_read[at[open_]]
        first_read[open_[read]] = at[open_[read]]
        at[open_] = columns.previous[at[open_]]
        open_ = open_[at[open_] >= 0]
    reads = np.unique(first_read[first_read >= 0])
    reads = reads[history.mop_value[reads] != UNKNOWN]
    value = history.mop_value[reads]
    same = np.where(value == NIL, -1 - history.mop_key[reads], value)
    _, group, sizes = np.unique(same, return_inverse=True, return_counts=True)
    by_group = np.argsort(group, kind="stable")
    ends = np.cumsum(sizes)
    hits = np.flatnonzero(sizes > 1)

    def describe(hit: int) -> Finding:
        mops = reads[by_group[ends[hit] - sizes[hit] : ends[hit]]]
        rows = [int(row) for row in columns.txn[mops]]
        key, seen = key_text(history, int(history.mop_key[mops[0]])), read_text(history, int(mops[0]))
        names = ", ".join(f"T{at}" for at in range(1, min(len(rows), 8) + 1))
        more = f" and {len(rows) - 8} more" if len(rows) > 8 else ""
        text = (
            f"{names}{more} each read key {key} as {seen} and then {wrote(columns)} to it: "
            "all but one of these updates was made without having seen the others."
        )
        record = {"key": key, "value": seen, "txns": [name_of(history, row) for row in rows]}
        return Finding(tuple(rows[:8]), text, record)

    yield from findings("lost-update", hits, describe, most)
