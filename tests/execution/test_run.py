"""Clients against a database in memory: what is recorded, and what ends a run."""

from __future__ import annotations

import errno
import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from two_transactions import KEYS, WORKLOAD
from txfuzz.database.api import BoundStep, Outcome, SessionError
from txfuzz.errors import OutputError, UsageError
from txfuzz.execution.barrier import Barrier
from txfuzz.execution.recorder import Recorder
from txfuzz.execution.run import execute
from txfuzz.execution.summary import ExecutionSummary
from txfuzz.execution.transaction import run_transaction
from txfuzz.history.model import FAIL, FINAL_READ, INFO, OK, UNKNOWN, History
from txfuzz.history.reader import read_history
from txfuzz.transactions.model import Step
from txfuzz.workload.generator import BoundTransaction
from txfuzz.workload.model import KeyLife, Scheduling, Workload
from txfuzz_third.dictionary import DictionaryAdapter


def run(
    path: Path, adapter: DictionaryAdapter | None = None, workload: Workload = WORKLOAD, **more
) -> tuple[ExecutionSummary, History]:
    with (adapter or DictionaryAdapter()).open(None) as database:
        summary = execute(workload, database, path / "h.edn", isolation="locked", **more)
    return summary, read_history(path / "h.edn")


def test_everything_asked_is_recorded(tmp_path: Path) -> None:
    summary, history = run(tmp_path)
    assert (summary.asked, summary.ok, summary.fail, summary.info) == (400, 400, 0, 0)
    names = [history.templates[number] for number in history.template]
    assert names.count(FINAL_READ) == summary.final_reads > 0
    assert len(history) == 400 + summary.final_reads
    assert set(history.process[:400]) <= {0, 1, 2, 3}
    assert set(history.logical) == set(KEYS)
    assert len(history.keys) > 3 * len(KEYS)  # generations
    assert not history.duplicate_writes
    assert not history.warnings


def test_the_final_read_sees_every_key(tmp_path: Path) -> None:
    _, history = run(tmp_path)
    final = history.templates.index(FINAL_READ)
    rows = [row for row in range(len(history)) if history.template[row] == final]
    read = {int(key) for row in rows for key in history.mop_key[history.mops[row] : history.mops[row + 1]]}
    assert read == set(range(len(history.keys)))


def final_reads(history: History) -> list[int]:
    """The outcomes of its final reads, in order."""
    return history.type[history.template == history.templates.index(FINAL_READ)].tolist()


def test_a_final_read_whose_connection_is_lost_is_tried_on_another_one(tmp_path: Path) -> None:
    summary, history = run(tmp_path, DictionaryAdapter(lose_every=2), replace(WORKLOAD, keys=KeyLife(2)))
    assert summary.failure is None
    types = final_reads(history)
    assert types == [OK, INFO] * (summary.final_reads - 1) + [OK]
    assert summary.final_reads > 2
    read = {
        int(key)
        for row in np.flatnonzero(history.template == history.templates.index(FINAL_READ))
        if history.type[row] == OK
        for key in history.mop_key[history.mops[row] : history.mops[row + 1]]
    }
    assert read == set(range(len(history.keys)))


def test_where_every_connection_is_lost_the_final_read_gives_up(tmp_path: Path) -> None:
    summary, history = run(tmp_path, DictionaryAdapter(lose_every=1))
    assert (summary.failure, summary.final_reads) == (None, 0)
    assert final_reads(history) == [INFO] * 3


def test_the_steps_of_each_micro_operation_are_in_the_history(tmp_path: Path) -> None:
    _, history = run(tmp_path)
    row = next(row for row in range(len(history)) if history.templates[history.template[row]] == "add")
    assert list(history.mop_step[history.mops[row] : history.mops[row + 1]]) == [0, 1]


def test_failed_transactions_are_fail_and_their_reads_unknown(tmp_path: Path) -> None:
    summary, history = run(tmp_path, DictionaryAdapter(fail_every=5))
    assert summary.fail == 80
    assert summary.aborts == {"X40": 80}
    assert (history.type == FAIL).sum() >= 80
    failed = next(row for row in range(400) if history.type[row] == FAIL)
    assert history.mop_value[history.mops[failed]] == UNKNOWN


def test_after_info_the_process_changes_and_a_new_session_is_opened(tmp_path: Path) -> None:
    with DictionaryAdapter(lose_every=50).open(None) as database:
        summary = execute(WORKLOAD, database, tmp_path / "h.edn", isolation="locked")
        assert database.sessions in (4 + summary.info, 5 + summary.info)  # the last one may come too late
    history = read_history(tmp_path / "h.edn")
    assert summary.info == 8
    assert (history.type == INFO).sum() >= 8
    for row in range(len(history)):
        if history.type[row] == INFO:
            later = history.process[row + 1 :]
            assert history.process[row] not in later[history.invoke_at[row + 1 :] > history.complete_at[row]]


def test_a_refused_statement_ends_the_run_with_a_sentence(tmp_path: Path) -> None:
    summary, history = run(tmp_path, DictionaryAdapter(refuse="9"))
    assert isinstance(summary.failure, UsageError)
    assert str(summary.failure).startswith("the database rejects transaction '")
    assert "X42 no such key as 9" in str(summary.failure)
    assert "step " in str(summary.failure)
    assert (history.type == FAIL).any()
    assert (history.complete_at >= 0).all()  # the history is whole


def test_the_run_stops_after_its_duration(tmp_path: Path) -> None:
    workload = replace(WORKLOAD, scheduling=Scheduling(clients=2, transactions=None, duration=0.3))
    start = time.monotonic()
    summary, _ = run(tmp_path, workload=workload)
    assert 0.3 <= time.monotonic() - start < 5
    assert summary.ok > 10
    assert not summary.stopped


def test_an_interrupted_run_leaves_a_whole_history(tmp_path: Path) -> None:
    interrupted = threading.Event()
    workload = replace(WORKLOAD, scheduling=Scheduling(clients=3, transactions=None, duration=60))
    threading.Timer(0.2, interrupted.set).start()
    start = time.monotonic()
    summary, history = run(tmp_path, workload=workload, interrupted=interrupted)
    assert time.monotonic() - start < 5
    assert summary.interrupted
    assert summary.stopped == "interrupted"
    assert (history.complete_at >= 0).all()
    assert (history.type == OK).sum() == summary.ok


def test_a_full_disk_keeps_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, room = os.write, 20_000

    def until_full(file: int, data: bytes) -> int:
        nonlocal room
        if room < len(data):
            if room == 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            data, room = data[:room], 0
            return write(file, data)
        room -= len(data)
        return write(file, data)

    monkeypatch.setattr("txfuzz.execution.recorder.append", until_full)
    summary, history = run(tmp_path)
    assert isinstance(summary.failure, OutputError)
    assert "No space left on device" in str(summary.failure)
    assert len(history) > 50
    assert not history.warnings  # no half line
    assert (tmp_path / "h.edn").stat().st_size < 20_000


def test_a_history_that_cannot_be_written_is_said_before_anything_runs(tmp_path: Path) -> None:
    with DictionaryAdapter().open(None) as database, pytest.raises(OutputError, match="cannot be written"):
        execute(WORKLOAD, database, tmp_path / "nowhere" / "h.edn", isolation="locked")
    assert database.commits == 0


def test_all_clients_meet_at_barriers(tmp_path: Path) -> None:
    workload = replace(WORKLOAD, scheduling=Scheduling(clients=4, transactions=400, barrier_every=5))
    summary, history = run(tmp_path, workload=workload)
    assert summary.ok == 400
    # nobody begins its sixth transaction before everybody has ended its fifth
    fifth = max(int(history.complete_at[history.process == process][4]) for process in range(4))
    sixth = min(int(history.invoke_at[history.process == process][5]) for process in range(4))
    assert fifth < sixth


def test_a_rendezvous_does_not_wait_for_those_who_left() -> None:
    barrier = Barrier(3)
    met = []

    def wait_for_all() -> None:
        barrier.wait_for_all()
        met.append(1)

    threads = [threading.Thread(target=wait_for_all) for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    assert not met
    barrier.leave()
    for thread in threads:
        thread.join(5)
    assert len(met) == 2


def test_accumulated_state_is_left_alone(tmp_path: Path) -> None:
    """A second run on the same tables uses keys that nobody has used."""
    with DictionaryAdapter().open(None) as database:
        execute(WORKLOAD, database, tmp_path / "one.edn", isolation="locked")
        execute(WORKLOAD, database, tmp_path / "two.edn", isolation="locked", fresh=False)
    one, two = (read_history(tmp_path / f"{name}.edn") for name in ("one", "two"))
    assert max(one.keys) < min(two.keys)


class Together:
    """A session that is Batching, and what was asked of it. fails: at which step."""

    def __init__(self, fails: int | None = None, outcome: Outcome = Outcome.FAIL) -> None:
        self.asked: list[tuple[int | None, str | None, bool]] = []
        self.rolled_back = False
        self._fails, self._outcome = fails, outcome

    def execute_with(self, step: BoundStep, *, begin: str | None, commit: bool) -> tuple[int, ...] | None:
        if len(self.asked) == self._fails:
            raise SessionError(self._outcome, "X40", "not this time", lost=self._outcome is Outcome.INFO)
        self.asked.append((step.key, begin, commit))
        return (7,) if step.f == "r" else None

    def rollback(self) -> None:
        self.rolled_back = True


def asked(*fs: str) -> BoundTransaction:
    steps = tuple(BoundStep(Step(f), f, 10 + number, None if f == "r" else 1) for number, f in enumerate(fs))
    return BoundTransaction("t", steps, tuple(range(len(fs))), tuple(range(len(fs))))


def test_begin_goes_with_the_first_step_and_commit_with_the_last_one(tmp_path: Path) -> None:
    session = Together()
    with Recorder(tmp_path / "h.edn") as recorder:
        run_transaction(session, "locked", asked("r", "append", "r"), 0, recorder)  # type: ignore[arg-type]
        run_transaction(session, "locked", asked("append"), 0, recorder)  # type: ignore[arg-type]
    assert session.asked == [
        (10, "locked", False), (11, None, False), (12, None, True), (10, "locked", True),
    ]  # fmt: skip
    assert ":type :ok" in (tmp_path / "h.edn").read_text().splitlines()[1]
    assert "[[:r 10 [7]] [:append 11 1] [:r 12 [7]]]" in (tmp_path / "h.edn").read_text()


@pytest.mark.parametrize(
    ("steps", "fails", "phase"),
    [
        (3, 0, "begin or step 0"),
        (3, 1, "step 1"),
        (3, 2, "step 2 or commit"),
        (1, 0, "begin or step 0 or commit"),
    ],
)
@pytest.mark.parametrize("outcome", [Outcome.FAIL, Outcome.INFO])
def test_errors_of_what_travels_together(
    tmp_path: Path, steps: int, fails: int, phase: str, outcome: Outcome
) -> None:
    session = Together(fails, outcome)
    with Recorder(tmp_path / "h.edn") as recorder:
        ended = run_transaction(
            session,  # type: ignore[arg-type]
            "locked",
            asked(*["append"] * steps),
            0,
            recorder,
        )
    assert (ended.type, ended.code, ended.lost) == (outcome.value, "X40", outcome is Outcome.INFO)
    assert session.rolled_back is (outcome is Outcome.FAIL)
    assert len(session.asked) == fails
    last = (tmp_path / "h.edn").read_text().splitlines()[-1]
    assert f":type :{outcome.value}" in last
    assert f':error ["X40" "{phase}"]' in last
