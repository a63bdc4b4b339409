"""Raw SQL steps run as a transaction runs them, one at a time."""

from __future__ import annotations

from txfuzz.database.api import BoundStep, ReadValue, Session
from txfuzz.execution.raw_transaction import Progress
from txfuzz.workload.generator import Asked


def run_raw(session: Session, step: BoundStep) -> ReadValue:
    """Run one raw step in the open transaction; what it saw, once its rows have been looked at."""
    keys = [mop[1] or 0 for mop in step.micro_operations]
    asked = Asked("raw", (step,), (0,) * len(keys), tuple(keys), plain=False)
    return Progress(asked).run(session, 0)
