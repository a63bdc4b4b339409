"""Two transactions of one session: on one connection, one after the other, and serial orders keep theirs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hunt.samples import DELETE, PLAIN, PRESENT, SELECT, UPDATE
from txfuzz.check.scheduling.threads import Body, Stop, run_schedule
from txfuzz.check.serial.judge import SerialAnswer
from txfuzz.hunt.form import Form
from txfuzz.hunt.program import SmallProgram, Use, as_check
from txfuzz.hunt.tables import HuntTables
from txfuzz_sqlite.adapter import SqliteAdapter

MAKES = Form("makes", "what a connection keeps", ("CREATE TEMP TABLE kept AS SELECT {value} AS v",))
SEES = Form("sees", "what it keeps", ("SELECT v FROM kept",), returns_rows=True)
READ, WRITE = Use(SELECT, (0,)), Use(UPDATE, (0,))


@pytest.fixture
def tables() -> Iterator[HuntTables]:
    with SqliteAdapter().open(None) as database, HuntTables(database, "serializable") as found:
        yield found


def test_they_share_a_connection(tables: HuntTables) -> None:
    program = SmallProgram(PLAIN, (PRESENT,), (((Use(MAKES, (0,)),), (Use(SEES, (0,)),)), ((READ,),)))
    attempt = tables.runner(PLAIN, (PRESENT,)).follow(
        as_check(program), "serializable", ["T1", "T3", "T1", "T2", "T2", "T3"]
    )
    [seen] = attempt.outcome.transactions["T2"].statements
    assert seen.rows is not None
    assert seen.rows.rows == ((1,),)


def test_an_order_keeps_theirs() -> None:
    program = as_check(SmallProgram(PLAIN, (PRESENT,), (((READ,), (WRITE,)), ((READ,),))))
    assert program.before == (("T1", "T2"),)
    assert program.session_of == {"T1": 0, "T2": 0, "T3": 1}


def test_a_session_that_does_not_see_what_it_did_is_found_out(tables: HuntTables) -> None:
    """The answers would fit the order T2, T1, in which no session could have run them."""
    program = as_check(SmallProgram(PLAIN, (PRESENT,), (((Use(DELETE, (0,)),), (READ,)), ((READ,),))))
    apart = as_check(SmallProgram(PLAIN, (PRESENT,), (((Use(DELETE, (0,)),),), ((READ,),), ((READ,),))))
    runner = tables.runner(PLAIN, (PRESENT,))
    # T2 begins first, which one session cannot do
    seen = runner.follow(apart, "serializable", ["T2", "T2", "T1", "T1", "T3", "T3"])
    assert seen.judgement.answer is SerialAnswer.EXPLAINED
    judge = runner._judge(program)
    assert judge.judge(seen.outcome, program.before).answer is SerialAnswer.UNEXPLAINED
    assert judge.judge(seen.outcome).answer is SerialAnswer.EXPLAINED


def test_the_second_waits_for_the_end_of_the_first() -> None:
    ran = []

    def body(name: str) -> Body:
        def run(stop: Stop) -> None:
            for number in range(2):
                stop(number)
                ran.append(name)

        return run

    bodies = {name: body(name) for name in ("one", "two", "other")}
    schedule = ["two", "other", "two", "one", "two", "other", "one"]
    trace = run_schedule(bodies, schedule, lambda names: {}, seconds=5.0, after={"two": "one"})
    assert not trace.stuck
    assert ran == ["other", "one", "other", "one", "two", "two"]
