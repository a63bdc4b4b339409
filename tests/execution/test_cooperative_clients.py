"""Many clients on one thread: each goes on while the others wait."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from txfuzz.common.kind import Kind
from txfuzz.database.api import Patient
from txfuzz.execution import cooperative_clients
from txfuzz.execution.barrier import Barrier
from txfuzz.execution.cooperative_clients import ClientScheduler, SelectedFiles
from txfuzz.execution.run import execute
from txfuzz.transactions.model import Choice, Ref, Step, Transaction
from txfuzz.workload.model import KeyLife, Scheduling, Weight, Workload
from txfuzz_postgres.adapter import PostgresAdapter
from txfuzz_postgres.database import PostgresDatabase


def finish(turns: ClientScheduler, *clients: Callable[[], None]) -> None:
    """Run them in a thread of their own, and not for ever."""
    thread = threading.Thread(target=turns.run, args=(clients,), daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()


@pytest.mark.parametrize("polls", [True, False], ids=["poll", "select"])
def test_who_waits_for_another_is_woken_by_it(polls: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not polls:  # as on Windows
        monkeypatch.setattr(cooperative_clients, "_readable_files", SelectedFiles)
    turns, said = ClientScheduler(), []
    reading, writing = os.pipe()

    def first() -> None:
        said.append("first waits")
        turns.wait(reading)
        said.append("first goes on")

    def second() -> None:
        said.append("second writes")
        os.write(writing, b"x")
        turns.sleep(0.01)
        said.append("second wakes")

    finish(turns, first, second)
    os.close(reading)
    os.close(writing)
    assert said == ["first waits", "second writes", "first goes on", "second wakes"]


def test_select_says_what_poll_says() -> None:
    reading, writing = os.pipe()
    by_select, by_poll = SelectedFiles(), select.poll()
    assert by_select.poll(1) == []  # Windows refuses to wait for no file
    for files in (by_select, by_poll):
        files.register(reading, select.POLLIN)
        assert files.poll(0) == []
    os.write(writing, b"x")
    assert by_select.poll() == by_poll.poll() == [(reading, select.POLLIN)]
    by_select.unregister(reading)
    assert by_select.poll(0) == []
    os.close(reading)
    os.close(writing)


def test_a_file_number_that_is_used_again_belongs_to_its_new_connection() -> None:
    turns, seen = ClientScheduler(), []

    def client() -> None:
        for _ in range(3):
            reading, writing = os.pipe()
            threading.Timer(0.01, os.write, (writing, b"x")).start()
            turns.wait(reading)
            seen.append((reading, os.read(reading, 1)))
            os.close(reading)
            os.close(writing)

    finish(turns, client)
    assert [byte for _, byte in seen] == [b"x"] * 3
    assert len({number for number, _ in seen}) == 1


def test_who_yields_comes_after_those_who_have_their_answers() -> None:
    turns, said = ClientScheduler(), []
    reading, writing = os.pipe()
    os.write(writing, b"xx")

    def yielding() -> None:
        turns.wait(reading)
        said.append("first")
        turns.yield_()
        said.append("last")

    def waiting() -> None:
        turns.wait(double)
        said.append("then")

    double = os.dup(reading)
    finish(turns, yielding, waiting)
    for file in (reading, writing, double):
        os.close(file)
    assert said == ["first", "then", "last"]


def test_sleepers_wake_in_order_of_time() -> None:
    turns, woken = ClientScheduler(), []

    def sleeper(seconds: float) -> Callable[[], None]:
        def client() -> None:
            turns.sleep(seconds)
            woken.append(seconds)

        return client

    finish(turns, *map(sleeper, (0.06, 0.0, 0.03, 0.03)))
    assert woken == [0.0, 0.03, 0.03, 0.06]


def test_clients_meet_and_leave() -> None:
    turns, rounds = ClientScheduler(), []
    barrier = Barrier(3, turns.condition())

    def client(times: int) -> Callable[[], None]:
        def body() -> None:
            for number in range(times):
                barrier.wait_for_all()
                rounds.append(number)
            barrier.leave()

        return body

    finish(turns, client(1), client(3), client(2))
    assert rounds == sorted(rounds)
    assert len(rounds) == 6


def test_what_is_done_aside_is_done_while_all_wait() -> None:
    reading, writing = os.pipe()
    said: list[str] = []

    def aside() -> bool:
        said.append("aside")
        if len(said) == 4:
            os.write(writing, b"x")
        return True

    def client() -> None:
        said.append("waits")
        turns.wait(reading)
        said.append("goes on")

    turns = ClientScheduler(aside)
    finish(turns, client)
    os.close(reading)
    os.close(writing)
    assert said == ["waits", "aside", "aside", "aside", "goes on"]


def test_sleepers_wake_whatever_is_done_aside() -> None:
    turns, woken = ClientScheduler(lambda: True), []

    def client() -> None:
        start = time.monotonic()
        turns.sleep(0.05)
        woken.append(time.monotonic() - start)

    finish(turns, client)
    assert 0.05 <= woken[0] < 5


def test_nothing_to_be_done_aside_keeps_nobody_busy() -> None:
    asked: list[None] = []
    turns = ClientScheduler(lambda: bool(asked.append(None)))
    finish(turns, lambda: turns.sleep(0.2))
    assert len(asked) <= 5


def test_where_somebody_always_has_an_answer_it_is_done_now_and_then() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"x")  # and nobody reads it
    asked: list[float] = []
    turns = ClientScheduler(lambda: bool(asked.append(time.monotonic())))

    def client() -> None:
        until = time.monotonic() + 0.2
        while time.monotonic() < until:
            turns.wait(reading)

    finish(turns, client)
    os.close(reading)
    os.close(writing)
    assert 3 <= len(asked) <= 21
    assert (asked[-1] - asked[0]) / (len(asked) - 1) >= 0.009  # one by one they may be noted late


# -- on a server --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def database() -> Iterator[PostgresDatabase]:
    with PostgresAdapter().open(None) as opened:
        yield opened


KEYS = (1, 2, 3)
LOCKED = Workload(
    "w",
    (
        Transaction(
            "alone",
            (
                Step(None, sql="LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"),
                Step("r", Choice(KEYS, "k")),
                Step("append", Ref("k")),
            ),
        ),
        Transaction("beside", (Step("r", Choice(KEYS, "k")), Step("append", Ref("k")))),
    ),
    (Weight("alone", 1), Weight("beside", 2)),
    scheduling=Scheduling(clients=5, transactions=150),
)


def clients(within: Callable[[], object]) -> set[str]:
    """The names of the threads of clients that are alive at some moment."""
    names: set[str] = set()
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.005):
            names.update(each.name for each in threading.enumerate() if each.name.startswith("clients-"))

    watching = threading.Thread(target=look)
    watching.start()
    within()
    over.set()
    watching.join()
    return names


@pytest.mark.server
def test_who_waits_for_a_lock_lets_its_holder_go_on(database: PostgresDatabase, tmp_path: Path) -> None:
    """Also where the statement has still to be prepared, which waits for the lock, too."""
    summaries = []
    names = clients(
        lambda: summaries.append(execute(LOCKED, database, tmp_path / "h.edn", isolation="read committed"))
    )
    assert names == {"clients-0"}
    assert summaries[0].ok + summaries[0].fail == 150
    assert summaries[0].ok > 100


@pytest.mark.server
def test_who_inserts_rows_beside_locked_tables_has_a_thread(
    database: PostgresDatabase, tmp_path: Path
) -> None:
    inserting = replace(LOCKED, keys=KeyLife(writes=4, rows="inserted"))
    summaries = []
    names = clients(
        lambda: summaries.append(execute(inserting, database, tmp_path / "h.edn", isolation="read committed"))
    )
    assert names == {f"clients-{number}" for number in range(5)}
    assert summaries[0].ok + summaries[0].fail == 150


@pytest.mark.server
def test_barriers_hold_on_one_thread(database: PostgresDatabase, tmp_path: Path) -> None:
    asked = replace(
        LOCKED,
        mix=(Weight("beside", 1),),
        transactions=LOCKED.transactions[1:],
        scheduling=Scheduling(clients=4, transactions=103, barrier_every=5),
    )
    summary = execute(asked, database, tmp_path / "h.edn", isolation="serializable")
    assert summary.ok + summary.fail == 103


@pytest.mark.server
def test_a_session_waits_as_it_is_told(database: PostgresDatabase) -> None:
    session = database.session(Kind.LIST_APPEND)
    assert isinstance(session, Patient)
    waited: list[float] = []

    def wait(_: int) -> None:
        waited.append(time.monotonic())
        time.sleep(0.05)

    session.wait_with(wait)
    session.begin("read committed")
    session.commit()
    session.close()
    assert len(waited) >= 2
