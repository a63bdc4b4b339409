"""ww, wr and rw edges of a list-append history (Kingsbury & Alvaro 2020, section 4.3)."""

from __future__ import annotations

import numpy as np

from txfuzz.analysis.dependencies.anti_dependencies import anti_dependencies
from txfuzz.analysis.dependencies.columns import Columns, Rows, first_of_equal
from txfuzz.analysis.dependencies.edges import RW, WR, WW, Dependencies
from txfuzz.analysis.dependencies.list_versions import VersionOrder, version_order
from txfuzz.history.model import NIL, UNKNOWN, Ints


def list_dependencies(columns: Columns, order: VersionOrder | None = None) -> Dependencies:
    """All dependencies of a list-append history.

    Every append takes part, those that the same transaction appended over included; every read
    does, also the second one of a key.
    """
    history = columns.history
    order = order or version_order(columns)
    part = columns.takes_part[columns.txn]
    appends = np.flatnonzero(~columns.is_read & part)
    reads = np.flatnonzero(part & (columns.saw != UNKNOWN))
    writer = columns.effective_writer

    before = order.previous[history.mop_value[appends]]
    ww = _written(columns, writer, before, appends)
    saw = columns.saw[reads]
    first = first_of_equal(columns.txn[reads], saw)
    wr = _written(columns, writer, saw[first], reads[first])

    def version(elements: Ints, mops: Ints) -> Ints:
        """An element's own number, or one of the key for its initial state."""
        return np.where(elements == NIL, len(history.element_key) + history.mop_key[mops], elements)

    *rw, fans = anti_dependencies(columns, reads, version(saw, reads), appends, version(before, appends))
    kind = np.repeat(np.array([WW, WR, RW], np.int8), [len(ww[0]), len(wr[0]), len(rw[0])])
    return Dependencies(
        columns,
        kind,
        np.concatenate([ww[0], wr[0], rw[0]]),
        np.concatenate([ww[1], wr[1], rw[1]]),
        fans,
        bool(len(kind) or len(fans)),
        order,
    )


def _written(columns: Columns, writer: Rows, elements: Ints, mops: Ints) -> tuple[Rows, Rows]:
    """Edges from the writer of each element to the micro-operation beside it."""
    source = writer[elements]
    kept = (source >= 0) & (columns.txn[source] != columns.txn[mops])
    return source[kept].astype(np.int32), mops[kept].astype(np.int32)
