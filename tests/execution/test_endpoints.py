"""Transactions go where the workload says, and the history says where they went."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from txfuzz.analysis.analyze import analyze_history
from txfuzz.analysis.result import Verdict
from txfuzz.database.api import Database
from txfuzz.database.endpoints import Endpoint
from txfuzz.errors import UsageError
from txfuzz.execution.run import execute
from txfuzz.history.reader import read_history
from txfuzz.replay.replayer import Replayer
from txfuzz.testing import MemoryAdapter
from txfuzz.transactions.model import Choice, Mode, Step, Transaction
from txfuzz.workload.model import DatabaseSpec, Scheduling, Weight, Workload
from txfuzz.workload.replay import Action, Participant, Replay

HERE, THERE = Endpoint("here", "primary"), Endpoint("there", "replica", isolation="snapshot", read_only=True)
WRITER = Transaction("writer", (Step("r", Choice((1, 2))), Step("append", Choice((1, 2)))))
READER = Transaction(
    "reader", (Step("r", Choice((1,))), Step("r", Choice((2,)))), Mode(at=(("there", 2.0), ("here", 1.0)))
)
WORKLOAD = Workload(
    "spread",
    (WRITER, READER),
    (Weight("writer", 1), Weight("reader", 1)),
    database=DatabaseSpec("memory", "serializable", endpoints=(HERE, THERE)),
    scheduling=Scheduling(4, transactions=300),
)


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def test_the_history_says_where(tmp_path: Path) -> None:
    path = tmp_path / "history.edn"
    with MemoryAdapter(latency=0.0002).open(None) as database:
        summary = execute(WORKLOAD, database, path, isolation="serializable")
    assert summary.failure is None
    went = Counter(
        (line.partition(':txn "')[2].partition('"')[0], line.partition(':at "')[2].partition('"')[0])
        for line in lines(path)
        if ":type :invoke" in line
    )
    assert went.keys() == {
        ("writer", "here"),
        ("reader", "here"),
        ("reader", "there"),
        ("final-read", "here"),
    }
    assert went["reader", "there"] > went["reader", "here"] > 20
    assert not any(":at" in line for line in lines(path) if ":type :invoke" not in line)
    history = read_history(path)  # ignores it
    assert len(history) == sum(went.values())
    assert analyze_history(history, "snapshot-isolation").verdict is Verdict.VALID


def test_without_endpoints_nothing_is_said(tmp_path: Path) -> None:
    plain = replace(
        WORKLOAD,
        transactions=(WRITER,),
        mix=WORKLOAD.mix[:1],
        database=DatabaseSpec("memory", "serializable"),
    )
    with MemoryAdapter().open(None) as database:
        execute(plain, database, tmp_path / "history.edn", isolation="serializable")
    assert not any(":at" in line for line in lines(tmp_path / "history.edn"))


class Settling:
    """Counts how often it was asked to settle."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.settled: list[list[str]] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._database, name)

    def session_at(self, kind: object, endpoint: Endpoint) -> object:
        return self._database.session_at(kind, endpoint)  # type: ignore[attr-defined]

    def settle(self, endpoints: object) -> None:
        self.settled.append([each.name for each in endpoints])  # type: ignore[attr-defined]


def test_endpoints_are_settled_before_clients_begin(tmp_path: Path) -> None:
    with MemoryAdapter().open(None) as database:
        settling = Settling(database)
        execute(WORKLOAD, settling, tmp_path / "history.edn", isolation="serializable")  # type: ignore[arg-type]
    assert settling.settled == [["here", "there"]]


def test_a_database_without_endpoints(tmp_path: Path) -> None:
    class Single:
        def __init__(self, database: Database) -> None:
            self.prepare, self.session, self.close = database.prepare, database.session, database.close

    with MemoryAdapter().open(None) as database, pytest.raises(UsageError, match="this database has none"):
        execute(WORKLOAD, Single(database), tmp_path / "history.edn", isolation="serializable")  # type: ignore[arg-type]


def test_replays_go_there_too() -> None:
    schedule = (Action("step", "w", 2), Action("commit", "w"), Action("step", "r", 2))
    placed = replace(
        WORKLOAD,
        transactions=(WRITER, replace(READER, mode=Mode(at=(("there", 1.0),)))),
        replay=Replay((Participant("w", "writer"), Participant("r", "reader")), schedule),
    )
    with (
        MemoryAdapter().open(None) as database,
        Replayer(database, placed.kind, "serializable", fresh=True) as player,
    ):
        attempt = player.prepare(placed).run()
    text = b"".join(each.line for each in attempt.operations).decode()
    invoked = [line for line in text.splitlines() if ":type :invoke" in line]
    went = [line.partition(':at "')[2].partition('"')[0] for line in invoked]
    assert went == ["here", "there", "here"]
    assert attempt.final
