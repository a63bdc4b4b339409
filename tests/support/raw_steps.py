"""Raw SQL steps run as a transaction runs them, one at a time."""

from __future__ import annotations

from txfuzz.database.api import BoundStep, ReadValue, Session
from txfuzz.execution.raw_transaction import TransactionRun
from txfuzz.workload.generator import BoundTransaction


def run_raw(session: Session, step: BoundStep) -> ReadValue:
    """Run one raw step in the open transaction; returns what it saw, after its `rows` rules."""
    keys = [mop[1] or 0 for mop in step.micro_operations]
    asked = BoundTransaction("raw", (step,), (0,) * len(keys), tuple(keys), plain=False)
    return TransactionRun(asked).execute_step(session, 0)
