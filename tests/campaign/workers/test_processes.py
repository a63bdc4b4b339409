"""Workers in processes: whatever happens to one of them costs what it had not told, and nothing stays."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from counting_jobs import CountingJob, CountingSlices
from txfuzz.campaign.workers.here import Here
from txfuzz.campaign.workers.processes import Processes
from txfuzz.errors import DatabaseUnavailable, UsageError

NUMBERS = list(range(12))


@pytest.mark.parametrize("engine", [Here(), Processes(2)], ids=["here", "processes"])
def test_each_number_is_told_once(engine: Here | Processes) -> None:
    slices = CountingSlices(12, 3)
    engine.run(CountingJob(), slices)
    assert sorted(slices.done) == NUMBERS
    assert slices.losses == []


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("die", "was lost: it was ended by SIGKILL"),
        ("exit", "was lost: it exited with code 7"),
        ("raise", "was lost: ValueError: two"),
        ("hang", "was lost: it has said nothing for 0.6 s"),
    ],
)
def test_a_lost_worker_costs_nothing_that_was_told(tmp_path: Path, what: str, told: str) -> None:
    slices = CountingSlices(12, 6)
    Processes(2, patience=0.6, leaving=1.0).run(CountingJob({4: what}, tmp_path), slices)
    assert sorted(slices.done) == NUMBERS
    [sentence] = slices.losses
    assert sentence.startswith("worker ")
    assert sentence.endswith(told)


def test_a_job_that_nobody_survives_is_given_up() -> None:
    slices = CountingSlices(4, 4)
    with pytest.raises(
        DatabaseUnavailable, match=r"4 workers in a row .* the last one so: it exited with code 7"
    ):
        Processes(1).run(CountingJob({0: "exit"}), slices)
    assert len(slices.losses) == 4


@pytest.mark.parametrize(
    ("opens", "error", "sentence"),
    [("usage", UsageError, "there is no such level"), ("unavailable", DatabaseUnavailable, "no server")],
)
def test_what_no_worker_can_open_is_said_as_it_is(opens: str, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=f"^{sentence}$"):
        Processes(2).run(CountingJob(opens=opens), CountingSlices(4, 2))


def test_a_worker_that_does_not_open_is_not_waited_for() -> None:
    slices = CountingSlices(1, 1)
    with pytest.raises(DatabaseUnavailable):
        Processes(1, opening=0.1).run(CountingJob(opens="hang"), slices)
    assert {each[:25] for each in slices.losses} == {"worker 1 could not begin:"}


def test_when_it_is_enough_workers_end_and_clean_up(tmp_path: Path) -> None:
    slices = CountingSlices(10_000, 5_000, most=20)
    Processes(2).run(CountingJob(once=tmp_path, pause=0.001), slices)
    assert 20 <= len(slices.done) < 5_000
    assert len(list(tmp_path.glob("closed *"))) == 2


def test_a_worker_that_does_not_end_is_ended(tmp_path: Path) -> None:
    slices = CountingSlices(4, 2)
    slices.until = time.monotonic() + 1.0
    began = time.monotonic()
    Processes(1, leaving=0.3).run(CountingJob({1: "hang"}), slices)
    assert time.monotonic() - began < 5.0


def test_workers_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    code = (
        f"import sys; sys.path[:] = {sys.path!r}\n"
        "from pathlib import Path\n"
        "from counting_jobs import CountingJob, CountingSlices\n"
        "from txfuzz.campaign.workers.processes import Processes\n"
        f"job = CountingJob(once=Path({str(tmp_path)!r}), pause=0.01)\n"
        "Processes(2).run(job, CountingSlices(9_000, 3_000))\n"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        workers: list[int] = []
        until = time.monotonic() + 20
        while len(workers) < 2 and time.monotonic() < until:
            time.sleep(0.05)
            workers = children(process.pid)
        time.sleep(1.0)
        process.send_signal(signal.SIGKILL)
    assert len(workers) == 2
    until = time.monotonic() + 10
    while any(Path(f"/proc/{each}").exists() for each in workers) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{each}").exists() for each in workers)
    assert len(list(tmp_path.glob("closed *"))) == 2


def children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []
