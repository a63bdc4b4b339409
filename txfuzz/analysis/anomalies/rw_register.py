"""Anomalies of register histories that single reads and the version graph show."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from txfuzz.analysis.anomalies.common import intermediate_reads, lost_updates
from txfuzz.analysis.anomalies.facts import Finding, Findings, findings
from txfuzz.analysis.anomalies.internal import internal_violations
from txfuzz.analysis.dependencies.columns import Columns
from txfuzz.analysis.dependencies.register_versions import VersionGraph
from txfuzz.analysis.describe import key_text, mop_text, name_of, value_text
from txfuzz.history.model import FAIL, INFO, OK


def register_anomalies(columns: Columns, graph: VersionGraph, most: int) -> Iterator[Findings]:
    """All anomalies of a register history that are not cycles; `most` described of each type."""
    yield from bad_reads(columns, most)
    yield from intermediate_reads(columns, most)
    yield from internal_violations(columns, most)
    yield from lost_updates(columns, most)
    yield from cyclic_versions(columns, graph, most)


def bad_reads(columns: Columns, most: int) -> Iterator[Findings]:
    """G1a: reads of what a failed transaction wrote; unwritten-read: of what nobody wrote."""
    history = columns.history
    reads = np.flatnonzero((columns.saw >= 0) & (columns.type == OK))
    writer = columns.writer[columns.saw[reads]]
    failed = (writer >= 0) & (np.append(columns.type, OK)[writer] == FAIL)

    def describe(mop: int) -> Finding:
        element = int(columns.saw[mop])
        value, key = value_text(history, element), key_text(history, int(history.mop_key[mop]))
        reader, writer_mop = int(columns.txn[mop]), int(columns.writer[element])
        record = {"op": name_of(history, reader), "mop": mop_text(history, mop)}
        if writer_mop < 0:
            text = f"T1 read {value} from key {key}, a value that no transaction of the history wrote."
            return Finding((reader,), text, record)
        writer = int(columns.txn[writer_mop])
        text = f"T1 read {value} from key {key}, which T2 wrote; but T2 failed, so nobody may ever see it."
        return Finding((reader, writer), text, {**record, "writer": name_of(history, writer)})

    yield from findings("G1a", reads[failed], describe, most)
    known = np.flatnonzero((columns.saw >= 0) & ((columns.type == OK) | (columns.type == INFO)))
    unwritten = known[columns.writer[columns.saw[known]] < 0]
    yield from findings("unwritten-read", unwritten, describe, most)


def cyclic_versions(columns: Columns, graph: VersionGraph, most: int) -> Iterator[Findings]:
    """Keys whose versions come before each other in a circle, by the assumptions made of them."""
    history = columns.history

    def describe(hit: int) -> Finding:
        found = graph.cyclic[hit]
        versions = [value_text(history, version) for version in found.versions]
        key = key_text(history, found.key)
        writers = [
            int(columns.txn[columns.writer[v]]) for v in found.versions if v >= 0 and columns.writer[v] >= 0
        ]
        text = (
            f"By {', '.join(found.sources)} the versions {', '.join(versions)} of key {key} come before "
            "each other in a circle."
        )
        return Finding(
            tuple(dict.fromkeys(writers)), text, {"key": key, "scc": versions, "sources": list(found.sources)}
        )

    yield from findings("cyclic-versions", np.arange(len(graph.cyclic)), describe, most)
