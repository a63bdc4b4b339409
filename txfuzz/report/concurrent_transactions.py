"""Which transactions ran alongside those of a finding, from the histories if they are not too large."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from txfuzz.analysis.describe import transaction_view
from txfuzz.analysis.result import Anomaly
from txfuzz.errors import HistoryError
from txfuzz.history.model import History
from txfuzz.history.reader import read_history
from txfuzz.report.campaign_result import CampaignResult, Neighbours

_LARGEST = 48 << 20  # bytes of a history, about a second of reading
_MOST = 160  # transactions alongside a finding
_ROOM = 0.3  # of the finding's duration, before and after it


def with_neighbours(record: CampaignResult, findings: int) -> CampaignResult:
    """The record with the neighbours of this many findings, from the first."""
    return with_neighbours_of(record, range(findings))


def with_neighbours_of(record: CampaignResult, findings: Collection[int]) -> CampaignResult:
    """The same for the findings at these indices."""
    found: dict[int, Neighbours] = {}
    wanted = [(at, each) for at, each in enumerate(record.findings) if at in findings]
    for number in sorted({finding.first for _, finding in wanted}):
        history = _history(record, number)
        if history is None:
            continue
        for at, finding in wanted:
            if finding.first == number:
                found[at] = _beside(history, finding.anomaly)
    return replace(record, neighbours={at: each for at, each in found.items() if each.views})


def _history(record: CampaignResult, number: int) -> History | None:
    path = record.iteration(number).history
    try:
        if path.stat().st_size > _LARGEST:
            return None
        return read_history(path)
    except (OSError, HistoryError):
        return None


def _beside(history: History, anomaly: Anomaly) -> Neighbours:
    """Those that overlapped with the finding in time, evenly thinned out if there are many."""
    times = [(view.start, view.end) for view in anomaly.transactions]
    starts = [start for start, end in times if start is not None and end is not None]
    ends = [end for start, end in times if start is not None and end is not None]
    if not starts:
        return Neighbours(())
    room = (max(ends) - min(starts)) * _ROOM
    begun, done = history.invoke_time, history.complete_time
    overlap = (begun >= 0) & (done >= begun) & (begun <= max(ends) + room) & (done >= min(starts) - room)
    own = {view.row for view in anomaly.transactions}
    rows = [int(row) for row in np.flatnonzero(overlap) if int(row) not in own]
    step = -(-len(rows) // _MOST) or 1
    kept = rows[::step]
    return Neighbours(tuple(transaction_view(history, row) for row in kept), len(rows) - len(kept))
