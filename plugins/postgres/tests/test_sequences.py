"""Numbers of sequences say nothing about the order of transactions, in whatever words they are stored."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from txfuzz.check.program import programs
from txfuzz.check.run import ProgramRunner
from txfuzz.check.transaction import SqlTransaction
from txfuzz.transactions.model import Param, Returned, Step, StepCondition, Transaction
from txfuzz_postgres.adapter import PostgresAdapter
from txfuzz_postgres.database import PostgresDatabase
from txfuzz_postgres.scenario.sequences import Numbers, origin_of_number

READ_COMMITTED, SERIALIZABLE = "read committed", "serializable"
ORDERS = (
    "CREATE TABLE orders (id serial PRIMARY KEY, who text)",
    "CREATE TABLE log (what jsonb)",
    "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN INSERT INTO log VALUES (to_jsonb(NEW)); RETURN NEW; END $$",
    "CREATE TRIGGER note AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION note()",
)
FIRST = Transaction(
    "order",
    (
        Step(None, sql="SELECT count(*) AS n FROM orders", returns=(("n", "n"),)),
        Step(
            None,
            sql="INSERT INTO orders (who) VALUES (:who)",
            args=(("who", Param("who")),),
            when=(StepCondition("n", "eq", 0),),
        ),
    ),
    params=(("who", ("ann", "bob")),),
    retry=1,
)


@pytest.mark.parametrize(
    ("query", "origin"),
    [
        ("SELECT nextval('numbers') AS no", "numbers.nextval"),
        ("select currval('public.Numbers'::regclass);", "numbers.nextval"),
        ("SELECT nextval('\"Odd\"')", "t.id"),
        ("SELECT nextval('numbers') + 1", None),
        ("SELECT nextval('others')", None),
        ("SELECT no FROM numbers", None),
    ],
)
def test_a_query_that_only_asks_a_sequence_is_known(query: str, origin: str | None) -> None:
    assert origin_of_number(query, {"numbers": "numbers.nextval", "Odd": "t.id"}) == origin


def test_numbers_move_backwards_from_further_on_where_there_is_room() -> None:
    up = Numbers("s", 1, False, 1, 1, 1000)
    assert up.moved == "ALTER SEQUENCE s INCREMENT BY -1 RESTART WITH 101"
    assert Numbers("s", -1, False, -1, -1000, -1).moved.endswith("INCREMENT BY 1 RESTART WITH -101")
    assert Numbers("s", 950, True, 1, 1, 1000).moved == ""


@pytest.fixture(scope="module")
def database() -> Iterator[PostgresDatabase]:
    with PostgresAdapter().open(None) as opened:
        assert isinstance(opened, PostgresDatabase)
        yield opened


@pytest.mark.server
def test_a_number_inside_a_document_is_left_out_and_what_goes_wrong_is_found(
    database: PostgresDatabase,
) -> None:
    [(_, (program, *_))] = programs((SqlTransaction(FIRST),), (), Random(1))
    with database.scenario(ORDERS) as tables, ProgramRunner(tables, serial_level=SERIALIZABLE) as ready:
        strong, weak = (ready.check(program, level) for level in (SERIALIZABLE, READ_COMMITTED))
        assert (strong.failed, strong.unknown, strong.complete) == (0, 0, True)
        assert strong.aborted["40001"] > 0
        assert (weak.failed > 0, weak.unknown) == (True, 0)
        assert ready.left_out == ("log.what",)


@pytest.mark.server
def test_numbers_against_the_order_of_the_data(database: PostgresDatabase) -> None:
    setup = (
        "CREATE SEQUENCE numbers",
        "CREATE TABLE bills (no int, n int)",
        "CREATE TABLE accounts (n int)",
        "INSERT INTO accounts VALUES (0)",
    )
    bill = Transaction(
        "bill",
        (
            Step(None, sql="SELECT nextval('numbers') AS no", returns=(("no", "no"),)),
            Step(None, sql="SELECT n FROM accounts FOR UPDATE", returns=(("n", "n"),)),
            Step(None, sql="UPDATE accounts SET n = n + 1"),
            Step(
                None,
                sql="INSERT INTO bills VALUES (:no, :n)",
                args=(("no", Returned("no")), ("n", Returned("n"))),
            ),
        ),
    )
    [(_, (program, *_))] = programs((SqlTransaction(bill),), (), Random(1))
    with database.scenario(setup) as tables, ProgramRunner(tables, serial_level=SERIALIZABLE) as ready:
        for level in (READ_COMMITTED, SERIALIZABLE):
            found = ready.check(program, level)
            assert (found.failed, found.unknown) == (0, 0)
        assert ready.left_out == ("bills.no",)
