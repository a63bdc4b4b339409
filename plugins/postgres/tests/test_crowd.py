"""A crowd on the user's own tables: invariants are asked when no transaction is open, and only then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from txfuzz.campaign.check.check import CheckLimits, check_file
from txfuzz.campaign.check.crowd import CrowdSize
from txfuzz.check.contract import SqlInvariant
from txfuzz.check.crowd import CrowdResult, run_crowd
from txfuzz.check.finding.result import CheckResult
from txfuzz.check.serial.outcome import Ending
from txfuzz.check.transaction import SqlTransaction
from txfuzz.database.scenario import Rows, ScenarioTables
from txfuzz.errors import UsageError
from txfuzz.transactions.model import Param, Step, StepCondition, Transaction
from txfuzz_postgres.adapter import PostgresAdapter
from txfuzz_postgres.database import PostgresDatabase

pytestmark = pytest.mark.server

SETUP = (
    "CREATE TABLE accounts (name text PRIMARY KEY, amount int NOT NULL)",
    "INSERT INTO accounts VALUES ('a', 60), ('b', 60)",
)
WITHDRAW = Transaction(
    "withdraw",
    (
        Step(None, sql="SELECT sum(amount) AS total FROM accounts", returns=(("total", "total"),)),
        Step(
            None,
            sql="UPDATE accounts SET amount = amount - 100 WHERE name = :account",
            args=(("account", Param("account")),),
            when=(StepCondition("total", "ge", 100),),
        ),
    ),
    params=(("account", ("a", "b")),),
    retry=5,
)
REFILL = Transaction("refill", (Step(None, sql="UPDATE accounts SET amount = 60"),), retry=5)
# In two steps: in between the sum is wrong, and no quiet point may see that
TRANSFER = Transaction(
    "transfer",
    (
        Step(None, sql="UPDATE accounts SET amount = amount - 1 WHERE name = 'a'"),
        Step(None, sql="UPDATE accounts SET amount = amount + 1 WHERE name = 'b'"),
    ),
    retry=5,
)
NO_DEBT = SqlInvariant(
    "the sum is never negative", "SELECT sum(amount) AS total FROM accounts HAVING sum(amount) < 0"
)
SUM_STAYS = SqlInvariant(
    "the sum stays", "SELECT sum(amount) AS total FROM accounts HAVING sum(amount) <> 120"
)


@pytest.fixture(scope="module")
def database() -> Iterator[PostgresDatabase]:
    with PostgresAdapter().open(None) as opened:
        assert isinstance(opened, PostgresDatabase)
        yield opened


def crowd(
    tables: ScenarioTables, *transactions: Transaction, level: str, invariant: SqlInvariant, seconds: float
) -> CrowdResult:
    return run_crowd(
        tables,
        [SqlTransaction(each) for each in transactions],
        [invariant],
        level,
        clients=6,
        seconds=seconds,
        random=Random(3),
    )


def test_a_broken_invariant_is_told_with_its_rows_and_what_ran_before(database: PostgresDatabase) -> None:
    with database.scenario(SETUP) as tables:
        found = crowd(tables, WITHDRAW, REFILL, level="repeatable read", invariant=NO_DEBT, seconds=20.0)
        [broken] = found.broken
        assert broken.name == "the sum is never negative"
        [(total,)] = broken.rows.rows
        assert total < 0
        assert {each.transaction for each in broken.since} == {"withdraw", "refill"}
        assert all(each.began <= each.ended for each in broken.since)
        assert found.transactions == sum(found.endings.values())
        assert found.seconds < 20.0
        assert not broken.in_series


def test_what_breaks_in_series_is_not_laid_at_the_door_of_the_crowd(database: PostgresDatabase) -> None:
    spend = Transaction("spend", (Step(None, sql="UPDATE accounts SET amount = amount - 100"),))
    with database.scenario(SETUP) as tables:
        found = crowd(tables, spend, level="serializable", invariant=NO_DEBT, seconds=20.0)
        [broken] = found.broken
        assert broken.in_series


def test_what_is_safe_stays_safe_and_open_transactions_are_never_looked_into(
    database: PostgresDatabase,
) -> None:
    with database.scenario(SETUP) as tables:
        found = crowd(tables, TRANSFER, level="read committed", invariant=SUM_STAYS, seconds=1.5)
        assert not found.broken
        assert found.quiet_points >= 3
        assert found.endings[Ending.COMMITTED] > 100
        assert found.isolation == "read committed"
        tables.reset()
        assert tables.tables()["accounts"].rows == (("a", 60), ("b", 60))


@dataclass(frozen=True)
class Refused:
    name: str = "refused"

    def rows(self, tables: ScenarioTables) -> Rows:
        raise RuntimeError("no such table")


def test_what_an_invariant_raises_comes_out_and_the_clients_end(database: PostgresDatabase) -> None:
    with database.scenario(SETUP) as tables, pytest.raises(RuntimeError, match="no such table"):
        run_crowd(
            tables,
            [SqlTransaction(TRANSFER)],
            [Refused()],
            "read committed",
            clients=2,
            seconds=5.0,
            random=Random(1),
        )


BOOKING = """
version: 1
name: withdraw
database: {adapter: postgres, isolation: repeatable read}
setup: |
  CREATE TABLE accounts (name text PRIMARY KEY, amount int NOT NULL);
  INSERT INTO accounts VALUES ('a', 60), ('b', 60);
workload:
  transactions:
    - name: withdraw
      params: {account: [a, b]}
      retry: 5
      steps:
        - sql: SELECT sum(amount) AS total FROM accounts
          returns: {total: total}
        - when: {total: {ge: 100}}
          sql: UPDATE accounts SET amount = amount - 100 WHERE name = :account
    - name: refill
      retry: 5
      steps:
        - sql: UPDATE accounts SET amount = 60
"""
RULE = (
    "invariants: [{name: no debt, sql: SELECT sum(amount) AS total FROM accounts HAVING sum(amount) < 0}]\n"
)


def test_a_crowd_after_the_schedules(tmp_path: Path) -> None:
    file = tmp_path / "withdraw.yaml"
    file.write_text(BOOKING + RULE)
    found = check_file(file, limits=CheckLimits(seconds=1.0), advice=False, crowd=CrowdSize(6, 20.0))
    assert isinstance(found, CheckResult)
    assert found.broken_by_crowd == ("repeatable read",)
    [crowded] = found.crowds
    assert crowded.seconds < 20.0


def test_a_crowd_needs_invariants(tmp_path: Path) -> None:
    file = tmp_path / "withdraw.yaml"
    file.write_text(BOOKING)
    with pytest.raises(
        UsageError, match=r"withdraw\.yaml has no invariants, by which alone a crowd is judged"
    ):
        check_file(file, crowd=CrowdSize(6, 20.0))
