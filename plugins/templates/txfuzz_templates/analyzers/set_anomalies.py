"""Explanations of set anomalies."""

from __future__ import annotations

import numpy as np

from txfuzz.plugin_api import (
    NO_WRITER,
    OK,
    Anomaly,
    Columns,
    Ints,
    key_text,
    outcome_text,
    read_text,
    value_text,
)

from .anomalies import after, view
from .committed_reads import CommittedReads

LOST, STALE, UNEXPECTED, DUPLICATE = "set-lost", "set-stale", "set-unexpected", "set-duplicate"
JEPSEN = "(Jepsen's set-full checker)"
DEFINITIONS = {
    LOST: f"Lost element: it was acknowledged, or read, but the last read does not have it. {JEPSEN}",
    STALE: f"Stale read: a read does not have an element that was known before it began. {JEPSEN}",
    UNEXPECTED: "Unexpected element: a read has what nobody added, or only a failed transaction. "
    "(Jepsen's set checker)",
    DUPLICATE: f"Duplicate element: a read has an element twice that was only added once. {JEPSEN}",
}


def explain(columns: Columns, observed: CommittedReads, known: Ints, type: str, element: int) -> Anomaly:
    """One element, the transaction that added it, and the reads that show the anomaly."""
    history = columns.history
    value, key = value_text(history, element), key_text(history, int(history.element_key[element]))
    rows: list[int] = []
    lines: list[str] = []
    writer = int(columns.writer[element])
    if writer != NO_WRITER:
        rows.append(int(columns.txn[writer]))
        lines.append(f"T1 added {value} to the set of key {key} and {outcome_text(history, rows[0])}.")
    reads = observed.of_key(int(history.element_key[element]))
    having = reads[observed.has(reads, np.full(len(reads), element))]
    if type in (LOST, STALE):
        if not (rows and history.type[rows[0]] == OK and history.complete_at[rows[0]] <= known[element]):
            rows.append(int(observed.txn[having[np.argmin(observed.ended[having])]]))
            lines.append(f"T{len(rows)} read it.")
        since = int(known[element])
        if type == LOST:  # and after all reads that have it
            since = max(since, int(observed.ended[having].max(initial=-1)))
        lacking = reads[(observed.began[reads] > since) & ~np.isin(reads, having)]
        read = int(lacking[0])
        when = after(history, rows[-1], int(observed.txn[read]))
        rows.append(int(observed.txn[read]))
        saw = read_text(history, int(observed.mop[read]))
        lines.append(f"T{len(rows)} began {when} and does not have it: {saw}.")
        lines.append(
            "No later read has it." if type == LOST else "Other reads at that time or later do have it."
        )
    else:
        read = int(having[0])
        if type == DUPLICATE:
            read = next(read for read, each in observed.twice if each == element)
        rows.append(int(observed.txn[read]))
        if writer == NO_WRITER:
            lines.append(f"No transaction added {value} to the set of key {key}.")
        twice = " twice" if type == DUPLICATE else ""
        lines.append(f"T{len(rows)} read it{twice}: {read_text(history, int(observed.mop[read]))}.")
    at = int(history.element_key[element])
    views = tuple(view(history, row, {at}) for row in rows)
    record = {"key": history.keys[at], "element": history.element_value[element]}
    return Anomaly(type, views, "\n".join(lines), DEFINITIONS[type], record=record)
