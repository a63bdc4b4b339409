"""Whether violations of a promise may be blamed on the database, given the workload.

Findings are about the database only if every change of a key is a micro-operation and nobody else writes to
the tables. If a workload's own SQL makes that uncertain, its histories are still checked, but findings are
attributed to the application.
"""

from __future__ import annotations

from txfuzz.common.sentences import listed
from txfuzz.transactions.model import Step
from txfuzz.workload.model import Workload
from txfuzz.workload.sql.tables import tables_of

_NAMED = 4  # transactions


def doubts(workload: Workload) -> tuple[str, ...]:
    """Reasons not to blame anomalies on the database; empty if it may be blamed."""
    found: dict[str, None] = {}
    for transaction in workload.transactions:
        for step in transaction.steps:
            if step.sql is not None and (doubt := _doubt(step, step.sql)):
                found[f"{transaction.name} {doubt}"] = None
    return tuple(found)


def overwrites(workload: Workload, level: str) -> tuple[str, ...]:
    """Why anomalies are not blamed on the database at a level where updates may be lost: lists that the
    workload's own SQL writes may be written back whole. Empty if it writes none."""
    names = dict.fromkeys(
        transaction.name
        for transaction in workload.transactions
        if any(step.sql is not None and step.f == "append" for step in transaction.steps)
    )
    if not names:
        return ()
    verb, whose = ("writes", "its") if len(names) == 1 else ("write", "their")
    said = (
        f"{listed(names, most=_NAMED)} {verb} lists with {whose} own SQL, and at {level} updates may be lost"
    )
    return (said,)


def _doubt(step: Step, sql: str) -> str:
    tables = tables_of(sql)
    if step.own_table and step.micro_operations:
        names = listed(tables.others)
        return f"works on {names}, and txfuzz does not know who else writes there"
    if step.harmless and tables.changes_ours:
        return "changes {table} with a statement that the workload declares invisible to reads"
    if tables.opaque and not step.micro_operations:
        return f"runs {tables.verb.upper()}, which may change anything"
    return ""
