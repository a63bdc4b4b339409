"""SQL follows a schedule without threads exactly as it does in threads, waits included."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from itertools import count, islice
from random import Random

import pytest

from txfuzz.campaign.hunt.opening import OpenedHunt, opened_hunt
from txfuzz.campaign.hunt.settings import HuntSettings
from txfuzz.check.attempt import Attempts
from txfuzz.check.serial.canonical import Masks
from txfuzz.check.serial.stability import alike
from txfuzz.check.transaction import SqlTransaction
from txfuzz.database.scenario import AnswersLater
from txfuzz.hunt.generate import RandomSource
from txfuzz.hunt.program import as_check
from txfuzz.transactions.model import Step, Transaction
from txfuzz_sqlite.adapter import SqliteAdapter
from txfuzz_sqlite.scenario import sessions

LEVEL = "serializable"
PROGRAMS = 40
ENDLESS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"


@pytest.fixture
def hunted() -> Iterator[OpenedHunt]:
    with opened_hunt(HuntSettings("sqlite", sessions=3), None, ()) as opened:
        yield opened


def test_programs_of_a_hunt(hunted: OpenedHunt) -> None:
    source, random = RandomSource(hunted.scope, 7), Random(7)
    waited = 0
    drawn = map(source.program, count(1000))  # behind those that are plain
    for program in islice(filter(None, drawn), PROGRAMS):
        calls = as_check(program).bound(LEVEL)
        labelled = zip(program.labels, program.points, strict=True)
        schedule = [label for label, points in labelled for _ in range(points)]
        random.shuffle(schedule)
        tables = hunted.tables.opened(program.layout, program.states).tables
        with ExitStack() as stack:
            ways = [stack.enter_context(Attempts(tables, 5.0, threads=each)) for each in (True, False)]
            (one, in_threads), (other, without) = (each.follow(calls, schedule) for each in ways)
            assert one.steps == other.steps
            assert in_threads == without
            assert alike(*(each.serially(calls, tables.reset)[1] for each in ways), Masks())
        waited += any(step.waited for step in other.steps)
    assert waited > PROGRAMS / 4


def test_a_wait_costs_no_time() -> None:
    """Nothing that waits can come by itself, so nobody sleeps until it does."""
    writes = Transaction("t", (Step(None, sql="UPDATE t SET v = v + 1"),))
    calls = [SqlTransaction(writes).call(label, {}, LEVEL) for label in "ab"]
    with (
        SqliteAdapter().open(None) as database,
        database.scenario(("CREATE TABLE t (v int)", "INSERT INTO t VALUES (0)")) as tables,  # type: ignore[attr-defined]
        Attempts(tables, 5.0) as attempts,
    ):
        trace, outcome = attempts.follow(calls, ["a", "b", "a", "b"])
        assert [step.waited for step in trace.steps] == [False, True, False, False]
        assert outcome.tables["t"].rows == ((2,),)


def test_a_statement_that_does_not_end_gets_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "LONGEST_STATEMENT", 0.2)
    forever = Transaction("t", (Step(None, sql=ENDLESS),))
    calls = [SqlTransaction(forever).call("a", {}, LEVEL)]
    with (
        SqliteAdapter().open(None) as database,
        database.scenario(()) as tables,  # type: ignore[attr-defined]
        Attempts(tables, 0.2) as attempts,
    ):
        trace, _ = attempts.follow(calls, ["a"])
        assert trace.stuck.startswith("it did not end within 0.2 s: a was at step 1")
        stuck, _ = attempts.serially(calls, tables.reset)
        assert stuck
        with closing(tables.session()) as session:
            assert isinstance(session, AnswersLater)
            session.begin(LEVEL)
            began = time.monotonic()
            assert session.run("SELECT 1", {}).rows is not None
            assert time.monotonic() - began < 5.0
