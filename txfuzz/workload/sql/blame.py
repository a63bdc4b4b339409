"""Whether a database is to blame for what contradicts its promise, as far as the workload decides it.

The checker's findings speak of the database where every change of a key is one of the micro-operations,
and where nobody else writes to the tables. Where a workload's own SQL makes that uncertain the histories
are judged all the same, but what is found is said of the application.
"""

from __future__ import annotations

from txfuzz.common.sentences import listed
from txfuzz.transactions.model import Step
from txfuzz.workload.model import Workload
from txfuzz.workload.sql.tables import tables_of


def doubts(workload: Workload) -> tuple[str, ...]:
    """Why no anomaly of this workload's histories is blamed on the database; none where it may be."""
    found: dict[str, None] = {}
    for transaction in workload.transactions:
        for step in transaction.steps:
            if step.sql is not None and (doubt := _doubt(step, step.sql)):
                found[f"{transaction.name} {doubt}"] = None
    return tuple(found)


def _doubt(step: Step, sql: str) -> str:
    tables = tables_of(sql)
    if step.own_table and step.micro_operations:
        names = listed(tables.others)
        return f"works on {names}, and txfuzz does not know who else writes there"
    if step.harmless and tables.changes_ours:
        return "changes {table} by a statement of which the workload says that nobody sees it"
    if tables.opaque and not step.micro_operations:
        return f"runs {tables.verb.upper()}, which may change anything"
    return ""
