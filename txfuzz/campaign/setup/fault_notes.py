"""What the reader of a campaign should know about its faults."""

from __future__ import annotations

from txfuzz.analysis.anomalies.durability import durability
from txfuzz.analysis.explain.verdict import explain_durability
from txfuzz.campaign.setup.resolve import Assembled
from txfuzz.execution.summary import ExecutionSummary, injection_counts
from txfuzz.history.model import History


def fault_notes(
    assembled: Assembled, execution: ExecutionSummary | None, history: History
) -> tuple[str, ...]:
    """What became of commits, and which faults had no time to strike; nothing without faults."""
    if not assembled.faults:
        return ()
    notes = explain_durability(durability(history))
    if execution is None:
        return notes
    struck = injection_counts(execution.faults)
    names = dict.fromkeys(each.fault.name for each in assembled.faults)
    idle = (name for name in names if name not in struck)
    return (*notes, *(f"{name} was never injected: the run was over before" for name in idle))
