"""Whom a check blames: never the database for what the transactions do to themselves, or have asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from txfuzz.campaign.check.check import check_file
from txfuzz.campaign.check.levels import promises
from txfuzz.check.finding.result import CheckResult
from txfuzz.check.program import Program
from txfuzz.check.transaction import SqlTransaction
from txfuzz.database.isolation_levels import capabilities_of
from txfuzz.report.check.text import check_text
from txfuzz.transactions.model import Step, Transaction
from txfuzz_postgres.adapter import PostgresAdapter

SERIALIZABLE = "serializable"
DELIVERIES = """
version: 1
name: deliveries
database: {adapter: postgres}
setup: |
  CREATE TABLE shelf (pieces int);
  INSERT INTO shelf VALUES (1);
workload:
  transactions:
    - name: deliver
      steps:
        - sql: UPDATE shelf SET pieces = pieces + 1
invariants:
  - name: the shelf holds two
    sql: SELECT pieces FROM shelf WHERE pieces > 2
"""


@pytest.mark.slow
@pytest.mark.server
def test_an_invariant_that_serial_orders_break_is_not_the_databases_affair(tmp_path: Path) -> None:
    path = tmp_path / "deliveries.yaml"
    path.write_text(DELIVERIES)
    found = check_file(path, advice=False)
    assert isinstance(found, CheckResult)
    assert found.failing
    assert not any(finding.blames_database for one in found.sets for finding in one.findings)
    assert "promise" not in check_text(found)


@pytest.mark.parametrize(
    ("tail", "promised"), [("", True), (" FOR UPDATE", True), (" for update skip locked", False)]
)
def test_skip_locked_asks_for_less_than_a_level_promises(tail: str, promised: bool) -> None:
    step = Step(None, sql=f"SELECT id FROM jobs ORDER BY id LIMIT 1{tail}")
    take = SqlTransaction(Transaction("take", (step,)))
    program = Program("take × take", ((take, {}), (take, {})))
    assert promises(capabilities_of(PostgresAdapter()), program, SERIALIZABLE, SERIALIZABLE) is promised
