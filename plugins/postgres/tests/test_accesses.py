"""What locks tell of a step, what may be left out by it, and what chance and clocks are not taken for."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random

import pytest

from txfuzz.check.program import Program
from txfuzz.check.run import FollowedSchedule, ProgramResult, ProgramRunner
from txfuzz.check.serial.canonical import Masks, canonical
from txfuzz.check.serial.judge import SerialAnswer
from txfuzz.check.transaction import SqlTransaction
from txfuzz.database.scenario import Accesses, ReversesRows, ScenarioTables, SeesAccesses
from txfuzz.transactions.model import Param, Returned, Step, StepCondition, Transaction
from txfuzz_postgres.adapter import PostgresAdapter
from txfuzz_postgres.database import PostgresDatabase
from txfuzz_postgres.protocol.accesses import opaque

pytestmark = pytest.mark.server
LEVELS = READ_COMMITTED, REPEATABLE_READ, SERIALIZABLE = "read committed", "repeatable read", "serializable"

SETUP = (
    "CREATE TABLE a (k int PRIMARY KEY, v int)",
    "CREATE TABLE b (k int PRIMARY KEY, v int)",
    "CREATE TABLE c (id serial PRIMARY KEY, v int)",
    "CREATE TABLE d (k int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE)",
    "CREATE TABLE log (v int)",
    "CREATE VIEW total AS SELECT (SELECT sum(v) FROM a) + (SELECT sum(v) FROM b) AS v",
    "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN INSERT INTO log VALUES (NEW.v); RETURN NEW; END $$",
    "CREATE TRIGGER note AFTER UPDATE ON b FOR EACH ROW EXECUTE FUNCTION note()",
    "INSERT INTO a VALUES (1, 0), (2, 0)",
    "INSERT INTO b VALUES (1, 0), (2, 0)",
    "INSERT INTO d VALUES (1, 1)",
)
FORMS = (
    "SELECT v FROM {t} WHERE k = 1",
    "SELECT sum(v) FROM {t}",
    "SELECT v FROM total",
    "SELECT v FROM {t} WHERE k = 1 FOR UPDATE",
    "SELECT count(*) FROM c",
    "SELECT count(*) FROM log",
    "UPDATE {t} SET v = v * 10 + {n} WHERE k = 1",
    "UPDATE {t} SET v = v * 10 + {n} WHERE k = 2",
    "INSERT INTO c (v) SELECT v FROM {t} WHERE k = 1",
    "INSERT INTO d VALUES ({n}, 2)",
    "DELETE FROM a WHERE k = 1",
)


@pytest.fixture(scope="module")
def database() -> Iterator[PostgresDatabase]:
    with PostgresAdapter().open(None) as opened:
        yield opened


@pytest.fixture
def tables(database: PostgresDatabase) -> Iterator[ScenarioTables]:
    with database.scenario(SETUP) as made:
        yield made


def ready(tables: ScenarioTables, **more: bool) -> ProgramRunner:
    return ProgramRunner(tables, serial_level=SERIALIZABLE, **more)


def program(*transactions: Sequence[str]) -> Program:
    made = [
        SqlTransaction(Transaction(f"t{number}", tuple(Step(None, sql=sql) for sql in statements)))
        for number, statements in enumerate(transactions)
    ]
    return Program("program", tuple((each, {}) for each in made))


def random_program(chance: Random) -> Program:
    return program(
        *(
            [
                chance.choice(FORMS).format(t=chance.choice("ab"), n=2 * number + transaction + 2)
                for number in range(chance.randint(2, 3))
            ]
            for transaction in range(2)
        )
    )


def outcomes(runner: ProgramRunner, made: Program, level: str, all_of: int | None) -> Counter[object]:
    found: Counter[object] = Counter()

    def take(attempt: FollowedSchedule) -> bool:
        endings = tuple((each.ending, each.code) for each in attempt.outcome.transactions.values())
        found[endings, canonical(attempt.outcome, Masks())] += 1
        return True

    assert runner.check(made, level, each=take, all_of=all_of).complete
    return found


@pytest.mark.parametrize("level", LEVELS)
def test_what_is_left_out_has_no_other_outcome(tables: ScenarioTables, level: str) -> None:
    fewer = more = 0
    with ready(tables) as runner:
        for seed in range(4):
            made = random_program(Random(f"{seed} {level}"))
            few, every = (outcomes(runner, made, level, all_of) for all_of in (0, None))
            assert set(few) == set(every), seed
            fewer, more = fewer + few.total(), more + every.total()
    assert fewer < more


def accesses(tables: ScenarioTables, level: str, *statements: str) -> list[Accesses | None]:
    """Of each statement, and of the COMMIT."""
    assert isinstance(tables, SeesAccesses)
    session = tables.session()
    session.begin(level)
    found = []
    for statement in statements:
        session.run(statement, {})
        found.append(tables.accesses(session))
    session.commit()
    found.append(tables.accesses(session))
    session.close()
    return found


def conflict(one: Accesses | None, other: Accesses | None) -> bool:
    return one is None or other is None or one.conflicts(other)


def test_a_read_waits_for_no_write_but_differs_with_its_commit(tables: ScenarioTables) -> None:
    read, _ = accesses(tables, READ_COMMITTED, "SELECT * FROM a")
    write, committed = accesses(tables, READ_COMMITTED, "UPDATE a SET v = 1")
    elsewhere, far = accesses(tables, READ_COMMITTED, "UPDATE c SET v = 1")
    assert not conflict(read, read)
    assert not conflict(read, write)
    assert conflict(read, committed)
    assert conflict(write, write)
    assert not conflict(read, far)
    assert not conflict(write, elsewhere)


def test_views_triggers_foreign_keys_sequences_and_row_locks_are_told(tables: ScenarioTables) -> None:
    view, _ = accesses(tables, READ_COMMITTED, "SELECT v FROM total")
    trigger, fired = accesses(tables, READ_COMMITTED, "UPDATE b SET v = 1 WHERE k = 1")
    log, _ = accesses(tables, READ_COMMITTED, "SELECT * FROM log")
    assert conflict(view, fired)
    assert conflict(log, fired)
    child, _ = accesses(tables, READ_COMMITTED, "INSERT INTO d VALUES (7, 2)")
    parent, _ = accesses(tables, READ_COMMITTED, "DELETE FROM a WHERE k = 2 AND v > 100")
    lock, _ = accesses(tables, READ_COMMITTED, "SELECT * FROM a FOR SHARE")
    assert conflict(child, parent)
    assert conflict(lock, parent)
    new, _ = accesses(tables, READ_COMMITTED, "INSERT INTO c (v) VALUES (1)")
    number, _ = accesses(tables, READ_COMMITTED, "SELECT nextval('c_id_seq')")
    assert conflict(new, number)
    assert not conflict(trigger, child)


def test_the_first_statement_of_a_snapshot_meets_every_commit(tables: ScenarioTables) -> None:
    first, later, _ = accesses(tables, REPEATABLE_READ, "SELECT * FROM a", "SELECT * FROM a")
    _, far = accesses(tables, READ_COMMITTED, "UPDATE c SET v = 1")
    assert conflict(first, far)
    assert not conflict(later, far)
    strict, ended = accesses(tables, SERIALIZABLE, "SELECT * FROM a")
    write, _ = accesses(tables, SERIALIZABLE, "UPDATE a SET v = 1")
    assert conflict(strict, write)
    assert conflict(strict, ended)


def test_what_locks_do_not_tell_is_unknown(tables: ScenarioTables) -> None:
    assert accesses(tables, READ_COMMITTED, "SELECT pg_advisory_xact_lock(7)")[0] is None
    assert accesses(tables, READ_COMMITTED, "SELECT ctid FROM a")[0] is None
    assert accesses(tables, READ_COMMITTED, "CREATE TABLE more (k int)")[0] is None
    assert opaque("notify x")
    assert not opaque("SELECT pages, maximum FROM page")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE e (k int REFERENCES a DEFERRABLE)",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT pg_advisory_lock(1); SELECT 1'",
    ],
)
def test_where_anything_may_happen_at_commit_or_in_a_function_nothing_is_told(
    database: PostgresDatabase, statement: str
) -> None:
    with database.scenario((*SETUP, statement)) as tables:
        assert accesses(tables, READ_COMMITTED, "SELECT * FROM a") == [None, None]


@pytest.mark.slow
def test_many_schedules_become_few(tables: ScenarioTables) -> None:
    audit = ["SELECT v FROM total", "SELECT sum(v) FROM a", "SELECT sum(v) FROM b", "SELECT count(*) FROM c"]
    write = [
        "UPDATE a SET v = v + 1 WHERE k = 1",
        "UPDATE a SET v = v + 1 WHERE k = 2",
        "SELECT 1",
        "SELECT 2",
    ]
    with ready(tables) as runner:
        made = program(audit, write)
        assert runner.check(made, READ_COMMITTED, all_of=0).schedules < 25
        result = runner.check(made, READ_COMMITTED)
    assert result.complete
    assert 200 <= result.schedules < 230  # of 252: the first 200 are followed, whatever they do


# -- chance, clocks and orders that nobody has fixed ----------------------------------------------


def checked(
    database: PostgresDatabase, setup: Sequence[str], *transactions: Transaction, level: str = READ_COMMITTED
) -> ProgramResult:
    with database.scenario(setup) as tables, ready(tables) as runner:
        made = Program("p", tuple((SqlTransaction(each), {}) for each in transactions))
        return runner.check(made, level)


def test_a_clock_in_a_plain_column_is_told_with_what_to_do(database: PostgresDatabase) -> None:
    stamp = Transaction("stamp", (Step(None, sql="UPDATE t SET at = now(), n = n + 1 WHERE k = 1"),))
    setup = ("CREATE TABLE t (k int PRIMARY KEY, n int, at timestamptz)", "INSERT INTO t VALUES (1, 0)")
    result = checked(database, setup, stamp, Transaction("read", (Step(None, sql="SELECT n FROM t"),)))
    assert result.failed == 0
    assert result.unknown == result.schedules
    assert result.reason.startswith("at in table t differs from one run to the next though nothing else runs")
    assert result.reason.endswith("if that is meant, say ignore: [t.at]")


def test_a_slow_clock_is_noticed_when_it_goes_on(database: PostgresDatabase) -> None:
    """It stands still while the first serial orders of a program are run, and goes on between two checks.

    How long a check takes is the machine's: of these clocks one is slower than a check and still ticks during
    a second. None is an alarm, also where it ticks within a check.
    """
    setup = ("CREATE TABLE t (k int PRIMARY KEY, at bigint)", "INSERT INTO t VALUES (1, 0)")
    reasons = []
    for ticks in (64, 16, 4):
        with database.scenario(setup) as tables, ready(tables) as runner:
            made = program([f"UPDATE t SET at = extract(epoch FROM clock_timestamp()) * {ticks}"])
            end = time.monotonic() + 4 / ticks
            while time.monotonic() < end:
                result = runner.check(made, READ_COMMITTED)
                assert not result.failed
                reasons.append(result.reason)
    assert any("ignore: [t.at]" in reason for reason in reasons)


def test_chance_in_a_branch_is_no_anomaly(database: PostgresDatabase) -> None:
    setup = ("CREATE TABLE t (k int)", "CREATE TABLE u (k int)")
    toss = Transaction("toss", (Step(None, sql="INSERT INTO t SELECT 1 WHERE random() < 0.5"),))
    other = Transaction("other", (Step(None, sql="SELECT count(*) FROM u"), Step(None, sql="SELECT 1")))
    results = [checked(database, setup, toss, other) for _ in range(6)]
    assert not any(result.failed for result in results)
    assert any(result.unknown for result in results)


def test_an_order_that_rows_happen_to_have_is_no_evidence(database: PostgresDatabase) -> None:
    setup = (
        "CREATE TABLE jobs (k int, done bool)",
        "INSERT INTO jobs SELECT each, false FROM generate_series(1, 3) AS each",
    )
    pick = Step(None, sql="SELECT k FROM jobs WHERE NOT done LIMIT 1", returns=(("k", "k"),))
    do = Step(None, sql="UPDATE jobs SET done = true WHERE k = :k", args=(("k", Returned("k")),))
    touch = Transaction("touch", (Step(None, sql="UPDATE jobs SET done = done WHERE k = 1"),))
    result = checked(database, setup, Transaction("take", (pick, do)), touch)
    assert result.failed == 0
    again = checked(database, setup, Transaction("take", (pick, do)), Transaction("take too", (pick, do)))
    assert (again.failed, again.unknown > 0) == (0, True)
    assert again.reason == (
        "k in step 1 of take depends on the order in which rows happen to be stored, which concurrency "
        "changes: give step 1 of take an ORDER BY"
    )
    ordered = Step(None, sql="SELECT k FROM jobs WHERE NOT done ORDER BY k LIMIT 1", returns=(("k", "k"),))
    mended = [Transaction(name, (ordered, do)) for name in ("take", "take too")]
    assert checked(database, setup, *mended).failed > 0


def test_rows_are_restored_in_either_order(tables: ScenarioTables) -> None:
    assert isinstance(tables, ReversesRows)
    tables.reset()
    plain = tables.tables()["a"].rows
    tables.reset_reversed()
    assert tables.tables()["a"].rows == plain[::-1]
    tables.reset()
    assert tables.tables()["a"].rows == plain


# -- what ends otherwise ---------------------------------------------------------------------------


def test_errors_skips_and_retries_are_judged_like_everything_else(database: PostgresDatabase) -> None:
    """A unique index with on_error, a `when` that skips, one that gives itself up: never an anomaly."""
    setup = ("CREATE TABLE users (name text PRIMARY KEY, n int)", "CREATE TABLE log (n int)")
    join = Transaction(
        "join",
        (
            Step(
                None,
                sql="INSERT INTO users VALUES ('ann', :n)",
                args=(("n", Param("n")),),
                on_error=(("23505", "skip"),),
            ),
            Step(None, sql="SELECT n FROM users WHERE name = 'ann'", returns=(("n2", "n"),)),
            Step(
                None,
                sql="INSERT INTO log VALUES (:n)",
                args=(("n", Param("n")),),
                when=(StepCondition("n2", "eq", other="n"),),
            ),
        ),
        params=(("n", (1, 2)),),
    )
    with database.scenario(setup) as tables, ready(tables) as runner:
        made = Program("p", ((SqlTransaction(join), {"n": 1}), (SqlTransaction(join), {"n": 2})))
        for level in (READ_COMMITTED, SERIALIZABLE):
            result = runner.check(made, level)
            assert (result.failed, result.unknown) == (0, 0), level
            assert result.explained == result.schedules > 5


def test_real_time_forbids_what_a_snapshot_taken_early_explains(database: PostgresDatabase) -> None:
    """A reader that begins after a writer was answered must see it; PostgreSQL's SERIALIZABLE does that."""
    setup = ("CREATE TABLE t (k int PRIMARY KEY, v int)", "INSERT INTO t VALUES (1, 0)")
    made = program(["UPDATE t SET v = 1"], ["SELECT v FROM t"])
    with database.scenario(setup) as tables, ready(tables, real_time=True) as runner:
        result = runner.check(made, SERIALIZABLE, all_of=0)
        assert (result.failed, result.unknown) == (0, 0)
        judge = runner._judge(made)
        attempt = runner.follow(made, SERIALIZABLE, ("t1", "t1", "t0", "t0"))
        assert judge.judge(attempt.outcome, [("t1", "t0")]).answer is SerialAnswer.EXPLAINED
        assert judge.judge(attempt.outcome, [("t0", "t1")]).answer is SerialAnswer.UNEXPLAINED
