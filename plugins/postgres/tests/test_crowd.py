"""A crowd on the user's own tables: invariants are asked when no transaction is open, and only then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import pytest

from txfuzz.check.contract import SqlInvariant
from txfuzz.check.crowd import CrowdResult, run_crowd
from txfuzz.check.serial.outcome import Ending
from txfuzz.check.transaction import SqlTransaction
from txfuzz.database.scenario import Rows, ScenarioTables
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
