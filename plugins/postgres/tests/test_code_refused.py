"""What code may not do, or does not get done: told in one sentence, with its line, and nothing stays open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import txfuzz
from checked_code import READ_COMMITTED, SEATS, checked, opened
from txfuzz.campaign.check.check import CheckLimits, check_file
from txfuzz.check.code.session import CodeSession
from txfuzz.check.finding.result import CheckResult
from txfuzz.check.serial.judge import SerialAnswer
from txfuzz.errors import UsageError
from txfuzz_postgres.adapter import PostgresAdapter
from txfuzz_postgres.database import PostgresDatabase

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def database() -> Iterator[PostgresDatabase]:
    with PostgresAdapter().open(None) as opened:
        assert isinstance(opened, PostgresDatabase)
        yield opened


@pytest.fixture
def url(database: PostgresDatabase) -> Iterator[str]:
    with database.scenario(()) as tables:
        yield tables.url()


SELECT = "connection.execute('SELECT booked_by FROM seats FOR UPDATE')"
REFUSED = {
    "a transaction that another function has open in the same connection": f"""
    import psycopg
    connection = psycopg.connect(os.environ["DATABASE_URL"])

    @txfuzz.transaction
    def book():
        {SELECT}
        connection.commit()
    """,
    "sent by another thread than that of the function": f"""
    import threading

    @txfuzz.transaction
    def book(connection):
        connection.execute("SELECT 1")
        other = threading.Thread(target=lambda: {SELECT})
        other.start()
        other.join()
    """,
    "its connection is asynchronous": f"""
    import asyncio, psycopg

    async def asked():
        async with await psycopg.AsyncConnection.connect(os.environ["DATABASE_URL"]) as connection:
            await {SELECT}

    @txfuzz.transaction
    def book():
        asyncio.run(asked())
    """,
    "psycopg sends it later, as it is in pipeline mode": f"""
    @txfuzz.transaction
    def book(connection):
        with connection.pipeline():
            {SELECT}
    """,
    "each function has to open a session of its own": """
    from sqlalchemy import create_engine, text
    from sqlalchemy.orm import Session
    session = Session(create_engine(os.environ["DATABASE_URL"]))

    @txfuzz.transaction
    def book():
        with session.begin():
            session.execute(text("SELECT 1"))
    """,
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_cannot_be_put_in_order_is_refused(
    database: PostgresDatabase, tmp_path: Path, message: str
) -> None:
    with pytest.raises(txfuzz.UsageError, match=rf"app.py:\d+.*{message}"):
        checked(database, tmp_path, SEATS + REFUSED[message], [READ_COMMITTED])


ODD = f"""{SEATS}
    import sys
    from sqlalchemy import create_engine, text
    engine = create_engine(os.environ["DATABASE_URL"], pool_pre_ping=True)
    print("arguments", sys.argv[1:])

    class Desk:
        def book(self):
            with engine.begin() as connection:
                return connection.execute(text("SELECT * FROM seats"))

        def rows(self, session):
            return session.execute(text("SELECT seat, booked_by FROM seats"))

    book = txfuzz.transaction(Desk().book)
    rows = txfuzz.invariant(Desk().rows)
"""


def test_methods_rows_prints_and_pings(
    database: PostgresDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A ping is no part of a transaction; what is printed does not mix with our output."""
    result = checked(database, tmp_path, ODD, [READ_COMMITTED], most=3)[READ_COMMITTED]
    assert capsys.readouterr() == ("", "arguments []\n")
    [attempt, *_] = result.failing
    assert [step.chosen.actor for step in attempt.trace.steps] == ["book 1"] * 2 + ["book 2"] * 2
    rows = attempt.broken["rows"]
    assert (rows.columns, rows.rows) == (("seat", "booked_by"), ((1, None),))


DROPS = """
    import txfuzz

    @txfuzz.setup
    def schema(connection):
        connection.execute("DROP TABLE IF EXISTS seats")
        connection.execute("CREATE TABLE seats (seat int)")

    @txfuzz.transaction
    def book(connection):
        connection.execute("SELECT 1 FROM seats")
"""


def test_tables_of_the_users_own_are_out_of_reach(
    database: PostgresDatabase, url: str, tmp_path: Path
) -> None:
    """A setup that drops what it is about to make does not find them."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE public.seats (x int)")
        try:
            checked(database, tmp_path, DROPS, [READ_COMMITTED])
            assert connection.execute("SELECT count(*) FROM public.seats").fetchone() == (0,)
        finally:
            connection.execute("DROP TABLE public.seats")


LOCKS = f"""{SEATS}
    import threading
    locks = [threading.Lock(), threading.Lock()]

    @txfuzz.transaction(first=[0, 1])
    def book(connection, first):
        with locks[first]:
            connection.execute("SELECT 1")
            with locks[1 - first]:
                pass
"""


def test_code_that_hangs_is_ended_and_the_lines_are_named(database: PostgresDatabase, tmp_path: Path) -> None:
    with opened(database, tmp_path, LOCKS, seconds=0.5) as (ready, program):
        attempt = ready.follow(program, READ_COMMITTED, program.labels)
        assert attempt.judgement.answer is SerialAnswer.UNKNOWN
        reason = attempt.judgement.reason
        assert "book (0) was at" in reason
        assert reason.count("app.py:16 (in book)") == 2


POOL = f"""{SEATS}
    import threading
    from sqlalchemy import create_engine, text

    engine = create_engine(os.environ["DATABASE_URL"], pool_size=1, max_overflow=0, pool_timeout=3)

    @txfuzz.transaction
    def book():
        with engine.begin() as connection:
            if connection.scalar(text("SELECT booked_by FROM seats")) is None:
                connection.execute(text("UPDATE seats SET booked_by = 'x'"))
"""


def test_who_waits_outside_of_the_database_lets_the_others_go_on(
    database: PostgresDatabase, tmp_path: Path
) -> None:
    result = checked(database, tmp_path, POOL, [READ_COMMITTED])[READ_COMMITTED]
    assert (result.explained, result.unknown, result.aborted) == (result.schedules, 0, {})


ENDLESS = f"""{SEATS}
    @txfuzz.transaction
    def book(connection):
        connection.execute("UPDATE seats SET booked_by = NULL")
        while True:
            pass
"""


def test_code_that_ends_never_is_broken_off_and_holds_nothing(
    database: PostgresDatabase, tmp_path: Path
) -> None:
    with opened(database, tmp_path, ENDLESS) as (ready, program):
        session = ready._attempts._tables.session()
        assert isinstance(session, CodeSession)
        session._seconds = 0.3
        with pytest.raises(txfuzz.UsageError, match=r"app.py:1\d \(in book\): it did not end within 0.3 s"):
            program.bound(READ_COMMITTED)[0].body(session, frozenset())
        session.close()
        session._thread.join(5.0)
        assert not session._thread.is_alive()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("x = 1", "app.py has no function with @txfuzz.transaction"),
        ("def f(:", "app.py:1: SyntaxError: "),
        ("import txfuzz\nraise SystemExit(3)", "app.py:2: SystemExit: 3"),
        ("import txfuzz\n1 / 0", "app.py:2: ZeroDivisionError: division by zero"),
        ("import txfuzz\n@txfuzz.transaction\ndef f(who): ...", r"app.py:2: f\(\): the parameter 'who' has"),
        (
            "import txfuzz\n@txfuzz.setup\ndef f(connection):\n    connection.execute('SELEC')",
            "no function with|app.py:4: SyntaxError: ",
        ),
        (
            "import txfuzz\n@txfuzz.transaction\ndef f(connection):\n    connection.execute('SELECT x')",
            'app.py:4: UndefinedColumn: column "x" does not exist',
        ),
        (
            "import txfuzz\n@txfuzz.transaction\ndef f(connection):\n    connection.exec('SELECT 1')",
            "app.py:4: AttributeError: 'Connection' object has no attribute 'exec'",
        ),
        ("import txfuzz\n@txfuzz.transaction\ndef f(): ...", r"app.py:2: f\(\) has sent no statement"),
    ],
)
def test_mistakes_are_told_with_their_line(
    database: PostgresDatabase, tmp_path: Path, code: str, message: str
) -> None:
    with pytest.raises(txfuzz.UsageError, match=message):
        checked(database, tmp_path, code, [READ_COMMITTED])


def test_a_level_that_is_misspelt_in_a_decorator(tmp_path: Path) -> None:
    path = tmp_path / "app.py"
    path.write_text(
        "import txfuzz\n\n\n@txfuzz.transaction(isolation='read comitted')\n"
        "def look(connection):\n    connection.execute('SELECT 1')\n"
    )
    with pytest.raises(UsageError, match=r"app\.py:4: no isolation level 'read comitted': did you mean"):
        check_file(path, adapter="postgres")
    path.write_text(path.read_text().replace("read comitted", "READ-COMMITTED"))
    found = check_file(path, adapter="postgres", limits=CheckLimits(most=3))
    assert isinstance(found, CheckResult)
