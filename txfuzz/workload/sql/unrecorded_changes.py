"""Changes of {table} without a micro-operation, which would make histories impossible to judge.

The checker assumes that micro-operations are all that happens to a key. Changes that a transaction undoes
with ROLLBACK TO do not matter. Changes that are invisible for another reason are declared with `elle: []`;
then the database is not blamed for anomalies (see txfuzz.workload.sql.blame).
"""

from __future__ import annotations

from collections.abc import Sequence

from txfuzz.transactions.model import RollbackTo, Step
from txfuzz.workload.sql.tables import savepoint_named, tables_of
from txfuzz.workload.yaml.nodes import Place


def check_unrecorded_changes(steps: Sequence[tuple[Step, Place]]) -> None:
    """steps: of one transaction, with their places. Raises WorkloadError."""
    plain = [step for step, _ in steps]
    for number, (step, place) in enumerate(steps):
        if step.sql is None:
            continue
        if tables_of(step.sql).savepoint and any(rule in ("skip", "stop") for _, rule in step.on_error):
            raise place.error(
                "found `on_error` with skip or stop for a savepoint statement",
                "abort, or none: such a step would run in a savepoint that hides its own",
            )
        for code, rule in step.on_error:
            if not isinstance(rule, RollbackTo):
                continue
            if savepoint_named(rule.savepoint) not in _open_savepoints(plain[:number]):
                raise place.error(
                    f"found `rollback_to: {rule.savepoint}` for the code {code!r}",
                    f"an earlier step that sets it: sql: SAVEPOINT {rule.savepoint}",
                )
        seen = step.harmless or any(each.writes for each in step.micro_operations)
        if tables_of(step.sql).changes_ours and not seen and not _undone(plain, number):
            raise place.error(
                "found a statement that changes {table} without a micro-operation, so no history of it could "
                "be judged",
                "`elle` to describe the change, or `elle: []` if no read can ever see it",
            )


def _open_savepoints(steps: Sequence[Step]) -> list[str]:
    """The savepoints that exist after these steps."""
    open_: list[str] = []
    for step in steps:
        tables = tables_of(step.sql or "")
        name = tables.savepoint
        if name is None:
            continue
        if tables.verb == "savepoint":
            open_.append(name)
        elif name in open_:
            at = len(open_) - 1 - open_[::-1].index(name)
            del open_[at + (tables.verb == "rollback") :]
    return open_


def _undone(steps: Sequence[Step], number: int) -> bool:
    """Does the transaction always roll back to a savepoint set before this step?"""
    before = _open_savepoints(steps[:number])
    for at in range(number + 1, len(steps)):
        step = steps[at]
        tables = tables_of(step.sql or "")
        if tables.verb == "rollback" and tables.savepoint in before:
            return True
        if any(rule == "stop" for _, rule in (*step.rows, *step.on_error)):
            return False  # it may commit before it gets there
        before = [name for name in before if name in _open_savepoints(steps[: at + 1])]
    return False
