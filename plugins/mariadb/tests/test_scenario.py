"""Tables of the user's own design on MariaDB: what only this server has."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from random import Random

import pytest

from mariadb_server import needs_mariadb
from txfuzz.check.program import Program, programs
from txfuzz.check.run import ProgramRunner
from txfuzz.check.transaction import SqlTransaction
from txfuzz.database.api import SessionError
from txfuzz.errors import DatabaseUnavailable
from txfuzz.testing.sessions import Later
from txfuzz.transactions.model import Step, Transaction
from txfuzz_mariadb.adapter import MariadbAdapter
from txfuzz_mariadb.database import MariadbDatabase
from txfuzz_mariadb.protocol.innodb_status import transactions, waited_for

READ_COMMITTED = "read committed"
HEAD = "LIST OF TRANSACTIONS FOR EACH SESSION:\n"
FOOT = "--------\nFILE I/O\n--------\n"
WAITER = """---TRANSACTION 28, ACTIVE 0 sec starting index read
mysql tables in use 1, locked 1
LOCK WAIT 2 lock struct(s), heap size 1128, 2 row lock(s)
MariaDB thread id 7, OS thread handle 140596225001152, query id 31 localhost root Updating
update t set v=1 where k=1 -- LOCK WAIT 3 lock struct(s), heap
------- TRX HAS BEEN WAITING 50274 us FOR THIS LOCK TO BE GRANTED:
RECORD LOCKS space id 6 page no 3 n bits 320 index PRIMARY of table `d`.`t` trx id 28 {wanted} waiting
Record lock, heap no 2 PHYSICAL RECORD: n_fields 4; compact format; info bits 0
 0: len 4; hex 80000001; asc     ;;

------------------
TABLE LOCK table `d`.`t` trx id 28 lock mode IX
RECORD LOCKS space id 6 page no 3 n bits 320 index PRIMARY of table `d`.`t` trx id 28 {wanted} waiting
Record lock, heap no 2 PHYSICAL RECORD: n_fields 4; compact format; info bits 0
 0: len 4; hex 80000001; asc     ;;

"""
HOLDER = """---TRANSACTION 27, ACTIVE 0 sec
1 lock struct(s), heap size 1128, 1 row lock(s), undo log entries 1
MySQL thread id {thread}, OS thread handle 140596225308352, query id 28 localhost root
RECORD LOCKS space id 6 page no 3 n bits 320 index PRIMARY of table `d`.`t` trx id 27 {held}
Record lock, heap no {row} PHYSICAL RECORD: n_fields 4; compact format; info bits 0
 0: len 4; hex 80000001; asc     ;;

"""
OTHERS = """---TRANSACTION 26, ACTIVE (PREPARED) 0 sec
ROLLING BACK 1 lock struct(s), heap size 1128, 1 row lock(s), undo log entries 1
TABLE LOCK table `d`.`t` trx id 26 lock mode IX
---TRANSACTION (0x7fdf1ceb2b80), not started
0 lock struct(s), heap size 1128, 0 row lock(s)
"""
ROW, GAP = "lock_mode X locks rec but not gap", "lock_mode X locks gap before rec"


@pytest.mark.parametrize(
    ("wanted", "held", "row", "waits"),
    [
        (ROW, ROW, 2, True),
        (ROW, ROW, 3, False),  # another row
        (ROW, GAP, 2, False),
        (ROW, "lock_mode X", 2, True),
        ("lock mode S", "lock mode S", 2, False),
        ("lock mode S locks rec but not gap", ROW, 2, True),
        (GAP + " insert intention", ROW, 2, False),
        (GAP + " insert intention", GAP, 2, True),
        (GAP + " insert intention", GAP + " insert intention", 2, False),
    ],
)
def test_who_is_in_the_way(wanted: str, held: str, row: int, waits: bool) -> None:
    text = WAITER.format(wanted=wanted) + HOLDER.format(thread=6, held=held, row=row) + OTHERS
    found = transactions(HEAD + text + FOOT)
    assert found is not None
    assert [(each.thread, each.waits, each.locked) for each in found] == [
        (7, True, True),
        (6, False, True),
        (None, False, True),
        (None, False, False),
    ]
    others = waited_for(found[0], found)
    assert ([each.thread for each in others] if others else None) == ([6] if waits else None)


def test_what_cannot_be_told_is_not_told() -> None:
    assert transactions(HEAD + OTHERS) is None  # cut, as a long one is
    assert transactions("") is None
    unlisted = HOLDER[: HOLDER.index("RECORD")].format(thread=6)
    waiter = WAITER.format(wanted=ROW)
    for text, others in ((waiter + unlisted, [6]), (waiter + unlisted + OTHERS, None), (waiter, [])):
        found = transactions(HEAD + text + FOOT)
        assert found is not None
        told = waited_for(found[0], found)
        assert (None if told is None else [each.thread for each in told]) == others


@pytest.fixture(scope="module")
def database() -> Iterator[MariadbDatabase]:
    with MariadbAdapter().open(None) as opened:
        assert isinstance(opened, MariadbDatabase)
        yield opened


def wait_until(told: Callable[[], object], wanted: object) -> None:
    until = time.monotonic() + 5
    while told() != wanted:
        assert time.monotonic() < until, told()


@needs_mariadb
@pytest.mark.server
class TestOnAServer:
    def test_engines_sequences_and_columns_of_every_kind(self, database: MariadbDatabase) -> None:
        setup = (
            "CREATE TABLE old (k int, v int AS (k + 1) VIRTUAL, hidden int INVISIBLE DEFAULT 3) "
            "ENGINE=MyISAM",
            "INSERT INTO old (k) VALUES (1)",
            "CREATE TABLE quick (k int) ENGINE=MEMORY",
            "CREATE TABLE kept (k int PRIMARY KEY, at datetime NULL ON UPDATE now(), u uuid DEFAULT uuid()) "
            "WITH SYSTEM VERSIONING",
            "INSERT INTO kept (k) VALUES (1)",
            "CREATE SEQUENCE s START WITH 5",
            "SELECT NEXTVAL(s)",
            "CREATE TABLE zero (id int AUTO_INCREMENT PRIMARY KEY)",
            "INSERT INTO zero VALUES (7)",
            "UPDATE zero SET id = 0",
        )
        with database.scenario(setup) as tables:
            assert tables.facts().clocks == {"kept.at", "s.nextval"}
            assert tables.facts().generated == {"kept.u": "kept.u", "zero.id": "zero.id"}
            before = tables.tables()
            assert before["old"].columns == ("k", "v", "hidden")
            assert before["old"].rows == ((1, 2, 3),)
            session = tables.session()
            seen = []
            for _ in range(2):
                session.begin(READ_COMMITTED)
                for statement in (
                    "INSERT INTO old (k, hidden) VALUES (2, 2)",
                    "INSERT INTO quick VALUES (1)",
                    "UPDATE kept SET k = 2",
                    "DELETE FROM zero",
                    "INSERT INTO zero VALUES ()",
                ):
                    session.run(statement, {})
                seen.append(session.run("SELECT NEXTVAL(s), (SELECT id FROM zero)", {}).rows)
                session.commit()
                assert tables.tables()["old"] != before["old"]
                tables.reset()
                assert tables.tables() == before
            assert seen[0] is not None
            assert [rows.rows for rows in seen if rows] == [((6, 8),), ((6, 8),)]
            session.close()

    def test_locks_of_the_server_are_waited_for_too(self, database: MariadbDatabase) -> None:
        """On metadata, and those that have a name."""
        with database.scenario(("CREATE TABLE t (k int PRIMARY KEY)",)) as tables:
            one, two = tables.session(), tables.session()
            for held, wanted in (
                ("SELECT * FROM t", "ALTER TABLE t ADD COLUMN v int"),
                ("SELECT GET_LOCK('txfuzz_test', 0)", "SELECT GET_LOCK('txfuzz_test', 60)"),
            ):
                one.begin(READ_COMMITTED)
                one.run(held, {})
                call = Later(lambda: two.run(wanted, {}))  # noqa: B023
                wait_until(lambda: tables.waiting((one, two)), {1: frozenset({0})})
                assert tables.waiting((two,)) == {0: frozenset()}
                one.commit()
                one.run("DO RELEASE_ALL_LOCKS()", {})
                call.result("a statement whose lock was released")
                assert not tables.waiting((one, two))
            one.close()
            two.close()

    def test_a_line_of_three(self, database: MariadbDatabase) -> None:
        setup = ("CREATE TABLE t (k int PRIMARY KEY, v int)", "INSERT INTO t VALUES (1, 0), (2, 0)")
        with database.scenario(setup) as tables:
            sessions = [tables.session() for _ in range(3)]
            for each in sessions:
                each.begin(READ_COMMITTED)
            sessions[0].run("UPDATE t SET v = 1 WHERE k = 1", {})
            sessions[1].run("UPDATE t SET v = 1 WHERE k = 2", {})
            calls = [
                Later(lambda: sessions[1].run("UPDATE t SET v = 2 WHERE k = 1", {})),
                Later(lambda: sessions[2].run("UPDATE t SET v = 2 WHERE k = 2", {})),
            ]
            wait_until(lambda: tables.waiting(sessions).keys(), {1, 2})
            began = time.monotonic()
            for _ in range(20):
                assert tables.waiting(sessions) == {1: frozenset({0}), 2: frozenset({1})}
            assert time.monotonic() - began < 1  # the lock tables would take 0.1 s each
            sessions[0].commit()
            calls[0].result("the second")
            wait_until(lambda: tables.waiting(sessions), {2: frozenset({1})})
            sessions[1].commit()
            calls[1].result("the third")
            for each in sessions:
                each.close()

    def test_whoever_runs_is_never_taken_for_one_that_waits(self, database: MariadbDatabase) -> None:
        with database.scenario(("CREATE TABLE t (k int)", "INSERT INTO t VALUES (1)")) as tables:
            session = tables.session()
            session.begin(READ_COMMITTED)
            session.run("UPDATE t SET k = 2", {})
            call = Later(lambda: session.run("SELECT SLEEP(0.3)", {}))
            looks = 0
            while not call.done(0.001):
                assert not tables.waiting((session,))
                looks += 1
            assert looks > 20
            session.close()

    def test_generated_numbers_are_known_however_they_are_asked_for(self, database: MariadbDatabase) -> None:
        setup = ("CREATE TABLE Orders (id int AUTO_INCREMENT PRIMARY KEY, who text)", "CREATE SEQUENCE s")
        with database.scenario(setup) as tables:
            session = tables.session()
            session.begin(READ_COMMITTED)
            session.run("INSERT INTO Orders (who) VALUES (:who)", {"who": "ann"})
            for query, origin in (
                ("SELECT LAST_INSERT_ID() AS id", "Orders.id"),
                ("SELECT NEXTVAL(s)", "s.nextval"),
                ("SELECT NEXT VALUE FOR s AS n;", "s.nextval"),
                ("SELECT LAST_INSERT_ID() + 1", None),
            ):
                rows = session.run(query, {}).rows
                assert rows is not None
                assert rows.origins == (origin,), query
            session.commit()
            session.close()

    def test_schedules_that_wait(self, database: MariadbDatabase) -> None:
        """Of two transactions of three statements, most of which wait."""
        add = Transaction(
            "add",
            tuple(Step(None, sql=f"UPDATE t SET v = v + 1 WHERE k = {key}") for key in (1, 2, 3)),
        )
        setup = ("CREATE TABLE t (k int PRIMARY KEY, v int)", "INSERT INTO t VALUES (1, 0), (2, 0), (3, 0)")
        with (
            database.scenario(setup) as tables,
            ProgramRunner(tables, serial_level="serializable") as ready,
        ):
            program = only_pair(add)
            result = ready.check(program, READ_COMMITTED)
            assert not result.failing
            assert result.waited > result.schedules / 2

    def test_the_users_own_server(self, database: MariadbDatabase) -> None:
        """As an ordinary user with a password: only databases of ours come and go."""
        for statement in (
            "CREATE USER ada IDENTIFIED BY 's@cret/'",
            "GRANT ALL ON `txfuzz\\_%`.* TO ada",
            "CREATE DATABASE theirs",
        ):
            database.run(lambda link: link.run(statement))  # noqa: B023
        socket = database_socket(database)
        url = f"mysql://ada:s%40cret%2F@/?unix_socket={socket}"
        with (
            MariadbAdapter().open(url) as theirs,
            pytest.raises(DatabaseUnavailable, match="PROCESS privilege"),
        ):
            theirs.scenario(())  # type: ignore[attr-defined]
        database.run(lambda link: link.run("GRANT PROCESS ON *.* TO ada"))
        before = databases(database)
        with MariadbAdapter().open(url) as theirs:
            with theirs.scenario(("CREATE TABLE t (k int)",)) as tables:  # type: ignore[attr-defined]
                left = tables.session()
                left.begin(READ_COMMITTED)
                left.run("INSERT INTO t VALUES (1)", {})
                assert "s%40cret%2F" in tables.url()
            with pytest.raises(SessionError) as caught:  # dropped, although a transaction was open
                left.run("SELECT 1", {})
            assert caught.value.lost
        assert databases(database) == before

    def test_a_level_that_the_code_has_chosen_stays(self, database: MariadbDatabase) -> None:
        sqlalchemy = pytest.importorskip("sqlalchemy")
        with database.scenario(()) as tables:
            engine = sqlalchemy.create_engine(tables.url())
            with engine.connect() as connection:
                driver = connection.connection.driver_connection
                adopted, cursor = tables.adopt(driver), driver.cursor()
                for asked, shown in (("serializable", "SERIALIZABLE"), (READ_COMMITTED, "READ-COMMITTED")):
                    adopted.begin_at(asked)
                    cursor.execute("SELECT @@tx_isolation, @@innodb_lock_wait_timeout")
                    assert cursor.fetchone() == (shown, 50)
                cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED")
                adopted.begin_at("serializable")
                cursor.execute("SELECT @@tx_isolation")
                assert cursor.fetchone() == ("READ-UNCOMMITTED",)
            engine.dispose()


def only_pair(transaction: Transaction) -> Program:
    [(_, (program,))] = programs((SqlTransaction(transaction),), (), Random(1))
    return program


def databases(database: MariadbDatabase) -> list[tuple[str, ...]]:
    return database.run(lambda link: link.rows("SHOW DATABASES"))


def database_socket(database: MariadbDatabase) -> str:
    return str(database.run(lambda link: link.rows("SELECT @@socket"))[0][0])
