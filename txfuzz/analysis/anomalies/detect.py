"""All anomalies of a history that are not cycles."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from txfuzz.analysis.anomalies.dirty_reads import (
    intermediate_reads,
    reads_of_failed_writes,
    unwritten_reads,
)
from txfuzz.analysis.anomalies.facts import Detected, Fact, VersionCycle, detected
from txfuzz.analysis.anomalies.fractured_reads import fractured_reads
from txfuzz.analysis.anomalies.internal import future_reads, internal_violations
from txfuzz.analysis.anomalies.lists import duplicate_elements, incompatible_orders
from txfuzz.analysis.anomalies.updates import dirty_updates, lost_updates
from txfuzz.analysis.dependencies.columns import Columns
from txfuzz.analysis.dependencies.list_versions import VersionOrder
from txfuzz.analysis.dependencies.register_versions import VersionGraph


def anomalies(
    columns: Columns, versions: VersionOrder | VersionGraph, most: int, *, fractured: bool = False
) -> Iterator[Detected]:
    """By type, with at most this many facts of each.

    versions: of the history's dependencies. fractured: whether to look for fractured reads.
    """
    yield from reads_of_failed_writes(columns, most)
    yield from unwritten_reads(columns, most)
    yield from intermediate_reads(columns, most)
    yield from internal_violations(columns, most)
    yield from lost_updates(columns, most)
    if isinstance(versions, VersionOrder):
        yield from duplicate_elements(columns, most)
        yield from incompatible_orders(columns, most)
        yield from future_reads(columns, most)
        yield from dirty_updates(columns, versions, most)
    else:
        yield from cyclic_versions(columns, versions, most)
    if fractured:
        yield from fractured_reads(columns, versions, most)


def cyclic_versions(columns: Columns, graph: VersionGraph, most: int) -> Iterator[Detected]:
    """Keys whose version order, under the assumptions made, contains a cycle."""

    def fact(hit: int) -> Fact:
        found = graph.cyclic[hit]
        writers = [int(columns.writer[version]) for version in found.versions if version >= 0]
        rows = [int(columns.txn[writer]) for writer in writers if writer >= 0]
        return VersionCycle(tuple(dict.fromkeys(rows)), found)

    yield from detected("cyclic-versions", np.arange(len(graph.cyclic)), fact, most)
