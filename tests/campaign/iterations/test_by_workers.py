"""Several workers run the iterations of one campaign: whoever is faster, and whatever becomes of them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from engines_in_turn import InTurn
from txfuzz import Verdict, run_campaign
from txfuzz.campaign.directory.reader import read_run
from txfuzz.campaign.events import (
    Event,
    HistoryAnalysed,
    IterationEnded,
    IterationStarted,
    Preparing,
    Warned,
    WorkersProgress,
)
from txfuzz.campaign.sources.resumed import resumed_settings
from txfuzz.cli import run_command
from txfuzz.errors import DatabaseUnavailable, ExitCode, UsageError
from txfuzz.report.markdown import markdown_text

WORKLOAD = """
version: 1
name: skew
database: {adapter: memory, isolation: snapshot}
expect: %s
seed: 3
workload:
  transactions:
    - name: left
      steps: [{f: r, key: {choice: {range: [1, 40]}}}, {f: append, key: {choice: {range: [1, 40]}}}]
    - name: right
      steps: [{f: append, key: {choice: {range: [1, 40]}}}, {f: r, key: {choice: {range: [1, 40]}}}]
scheduling: {clients: 4, transactions: 80, barrier_every: 5}
"""
Use = Callable[[InTurn], InTurn]


@pytest.fixture
def workload(tmp_path: Path) -> Path:
    path = tmp_path / "w.yaml"
    path.write_text(WORKLOAD % "snapshot-isolation")
    return path


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Use:
    """Have this engine run the iterations, for `workers` as well as for `dask`."""

    def used(engine: InTurn) -> InTurn:
        monkeypatch.setattr("txfuzz.campaign.workers.engines.Processes", lambda number: engine)
        monkeypatch.setattr("txfuzz.campaign.workers.cluster.Cluster", lambda *_, **__: engine)
        return engine

    return used


def workloads(directory: Path, name: str = "workload") -> list[str]:
    return [path.read_text() for path in sorted(directory.glob(f"iter_*/{name}.yaml"))]


def made(directory: Path) -> list[tuple[str, ...]]:
    """What was run, and what was decided."""
    names = ("workload.yaml", "decisions.json", "next_workload.yaml")
    return [tuple((place / name).read_text() for name in names) for place in sorted(directory.glob("iter_*"))]


def test_two_workers_leave_one_complete_directory(workload: Path, tmp_path: Path, use: Use) -> None:
    engine, events = use(InTurn(2, max)), list[Event]()
    out = tmp_path / "out"
    result = run_campaign(
        workload=workload, iterations=4, output=out, workers=2, subscriber=events.append, max_graph_nodes=10
    )
    assert result.verdict is Verdict.VALID
    assert [each.number for each in result.iterations] == [0, 1, 2, 3]
    assert engine.most == 2
    for place in sorted(out.glob("iter_*")):
        assert {path.name for path in place.iterdir()} - {"replay.yaml", "dependency_graph.png"} == {
            "workload.yaml", "history.edn", "analysis.json", "decisions.json", "execution.json",
            "next_workload.yaml", "notes.md", "minimal_dependency_graph.png",
        }  # fmt: skip
        assert json.loads((place / "analysis.json").read_text())["file"] == str(place / "history.edn")
    record = json.loads((out / "campaign.json").read_text())
    assert (record["state"], record["workers"]) == ("ended", 2)
    assert run_command(["report", str(out)]) == ExitCode.NOTHING_FOUND
    assert (out / "report.html").exists()
    assert markdown_text(read_run(out)).splitlines()[0] == markdown_text(result).splitlines()[0]
    told = [each for each in events if isinstance(each, IterationStarted | HistoryAnalysed | IterationEnded)]
    numbers = [each.iteration.number if isinstance(each, IterationEnded) else each.number for each in told]
    assert numbers == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert [type(each) for each in told[:3]] == [IterationStarted, HistoryAnalysed, IterationEnded]
    assert Preparing("starting 2 workers") in events
    under_way = {each.iterations for each in events if isinstance(each, WorkersProgress)}
    assert {(0, 1), (1, 2)} & under_way
    assert all(len(each) <= 2 for each in under_way)


@pytest.mark.parametrize("strategy", ["classic", "learning"])
def test_who_is_faster_decides_nothing(workload: Path, tmp_path: Path, use: Use, strategy: str) -> None:
    """What iterations come to is that of one run: histories of clients that race are not repeated."""
    kept, draws = InTurn(3), Random(7)
    orders: dict[str, Callable[..., int]] = {"first": min, "last": max, "any": draws.choice}
    found = {}
    for name, pick in orders.items():
        use(InTurn(3, pick, kept.known))
        out = tmp_path / name
        run_campaign(workload=workload, iterations=7, output=out, workers=3, strategy=strategy, lean=True)
        found[name] = made(out)
    assert len(found["first"]) == 7
    assert found["first"] == found["last"] == found["any"]


@pytest.mark.slow
def test_what_was_reached_and_the_course_of_a_run_come_back(workload: Path, tmp_path: Path, use: Use) -> None:
    use(InTurn(2, max))
    out = tmp_path / "out"
    result = run_campaign(workload=workload, iterations=3, output=out, workers=2)
    reached = [each.reached for each in result.iterations]
    features = 0
    for each in reached:
        assert each is not None
        features += each.new
        assert each.features == features
    assert features > 0
    assert all(each.course for each in result.iterations)
    lines = [json.loads(line) for line in (out / "timeline.jsonl").read_text().splitlines()]
    assert [len(each["course"]) for each in lines if each["iteration"] >= 0] == [
        len(each.course) for each in result.iterations
    ]


def test_what_follows_from_an_iteration_runs_as_many_later_as_there_are_workers(
    workload: Path, tmp_path: Path, use: Use
) -> None:
    use(InTurn(3, max))
    out = tmp_path / "out"
    result = run_campaign(workload=workload, iterations=7, output=out, workers=3, lean=True)
    assert workloads(out)[3:] == workloads(out, "next_workload")[:4]
    first = [each.workload for each in result.iterations[:3]]
    assert len({each.seed for each in first}) == 3
    assert len({each.transactions for each in first}) == 1
    for each in result.iterations:
        assert each.pursued is None or each.pursued.iteration == each.number - 3


def test_one_worker_elsewhere_runs_what_one_here_does(workload: Path, tmp_path: Path, use: Use) -> None:
    here = run_campaign(
        workload=workload, iterations=2, output=tmp_path / "here", lean=True, strategy="open-loop"
    )
    use(InTurn(1))
    there = run_campaign(
        workload=workload, iterations=2, output=tmp_path / "there", lean=True, strategy="open-loop", dask="x"
    )
    assert [each.workload for each in here.iterations] == [each.workload for each in there.iterations]


def test_a_lost_iteration_is_run_again_and_given_up_after_three_losses(
    workload: Path, tmp_path: Path, use: Use
) -> None:
    class Losing(InTurn):
        losses = 1

        def run(self, job: Any, slices: Any) -> None:
            taken = slices.take()
            for _ in range(self.losses):
                slices.lost(taken, "worker 1 was lost: it was ended by SIGKILL")
                taken = slices.take()
                assert taken.number == 0
            slices.told(taken, self.known[0])
            slices.ended(taken)
            super().run(job, slices)

    known = use(InTurn(2)).known
    run_campaign(workload=workload, iterations=3, output=tmp_path / "a", workers=2, lean=True)
    said: list[Event] = []
    use(Losing(2, known=known))
    result = run_campaign(
        workload=workload, iterations=3, output=tmp_path / "b", workers=2, lean=True, subscriber=said.append
    )
    assert len(result.iterations) == 3
    assert made(tmp_path / "a") == made(tmp_path / "b")
    assert "another one does its part again" in " ".join(
        each.sentence for each in said if isinstance(each, Warned)
    )
    engine = Losing(2, known=known)
    engine.losses = 3
    use(engine)
    with pytest.raises(DatabaseUnavailable, match="at this part of the work 3 workers were lost"):
        run_campaign(workload=workload, iterations=3, output=tmp_path / "c", workers=2)
    assert not list((tmp_path / "c").glob("iter_*"))


def test_no_gaps_are_left_and_what_is_dropped_is_said(workload: Path, tmp_path: Path, use: Use) -> None:
    class Failing(InTurn):
        def run(self, job: Any, slices: Any) -> None:
            parts = [slices.take() for _ in range(3)]
            with job.opened() as worker:
                for part in (parts[0], parts[2]):
                    worker.run(part, lambda news, part=part: slices.told(part, news) or True)
                    slices.ended(part)
            raise DatabaseUnavailable("four workers in a row")

    said: list[Event] = []
    use(Failing(3))
    out = tmp_path / "out"
    with pytest.raises(DatabaseUnavailable, match="four workers in a row"):
        run_campaign(
            workload=workload, iterations=5, output=out, workers=3, subscriber=said.append, lean=True
        )
    assert [path.name for path in sorted(out.glob("iter_*"))] == ["iter_00"]
    [sentence] = [each.sentence for each in said if isinstance(each, Warned) and "not kept" in each.sentence]
    assert sentence.startswith("2 iterations (1 and 2) were under way")
    use(InTurn(2))
    again = run_campaign(resumed_settings(out), workers=2)
    assert [each.number for each in again.iterations] == [0, 1, 2, 3, 4]


@pytest.mark.slow
def test_interrupted_and_resumed_with_any_number_of_workers(workload: Path, tmp_path: Path, use: Use) -> None:
    known = use(InTurn(2, max)).known
    run_campaign(workload=workload, iterations=5, output=tmp_path / "whole", workers=2, lean=True)
    stop, out = threading.Event(), tmp_path / "cut"
    use(InTurn(2, max, known, lambda slices, number: stop.set() if number == 2 else None))
    cut = run_campaign(workload=workload, iterations=5, output=out, workers=2, interrupted=stop, lean=True)
    assert cut.exit_code == ExitCode.INTERRUPTED
    done = len(cut.iterations)
    assert 1 <= done < 5
    engine = use(InTurn(2, min, known))
    run_campaign(resumed_settings(out), workers=2)
    assert [part.number for part in engine.asked] == list(range(done, 5))
    assert made(out) == made(tmp_path / "whole")
    use(InTurn(4, max))
    longer = run_campaign(resumed_settings(out, iterations=7), workers=4)
    assert len(longer.iterations) == 7
    assert len(run_campaign(resumed_settings(out, iterations=8)).iterations) == 8, "and with one, here"


def test_a_finding_ends_the_campaign(tmp_path: Path, use: Use) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(WORKLOAD.replace("40]", "4]") % "serializable")
    engine = use(InTurn(3))
    out = tmp_path / "out"
    result = run_campaign(
        workload=path, iterations=50, output=out, workers=3, stop_on_finding=True, lean=True
    )
    assert result.stopped == "something was found"
    assert len(engine.asked) <= len(result.iterations) + 3 < 50
    assert len(list(out.glob("iter_*"))) == len(result.iterations)


@pytest.mark.slow
def test_histories_stay_with_workers_of_a_cluster_unless_they_show_something(
    workload: Path, tmp_path: Path, use: Use
) -> None:
    use(InTurn(2))
    gone = tmp_path / "gone"
    run_campaign(workload=workload, iterations=2, output=gone, strategy="learning", dask="tcp://there:1")
    for place in gone.glob("iter_*"):
        assert not (place / "history.edn").exists()
        assert not list(place.glob("*.png"))
        assert (place / "feedback.json").exists()
    assert read_run(gone).verdict is Verdict.VALID
    result = run_campaign(resumed_settings(gone, iterations=3))
    assert [each.number for each in result.iterations] == [0, 1, 2]
    assert (gone / "iter_02" / "history.edn").exists()

    path = tmp_path / "found.yaml"
    path.write_text(WORKLOAD.replace("40]", "4]") % "serializable")
    use(InTurn(2))
    found = run_campaign(workload=path, iterations=2, output=tmp_path / "found", dask="tcp://there:1")
    for each in found.iterations:
        shows = each.verdict is Verdict.INVALID
        assert (each.path / "history.edn").exists() == shows
        assert (each.path / "minimal_dependency_graph.png").exists() == shows
    assert found.verdict is Verdict.INVALID


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"runner_cmd": "true"}, "histories that an external command makes are made one after another"),
        ({"skip_run": True}, "--skip-run runs nothing, and one process analyses what is there"),
    ],
)
def test_what_several_workers_cannot_do(
    workload: Path, tmp_path: Path, fields: dict[str, Any], why: str
) -> None:
    out = tmp_path / "out"
    with pytest.raises(UsageError, match=f"^{why}: leave out --workers and --dask$"):
        run_campaign(workload=workload, output=out, workers=2, **fields)
    assert not out.exists()


DEADLY = """
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from txfuzz.plugin_api import History, Part, hookimpl

ONCE = Path({once!r})


@dataclass(frozen=True)
class Deadly:
    name: ClassVar[str] = "deadly"
    about: ClassVar[str] = "kills its process, the first time"

    def analyze(self, history: History, expect: str) -> Part:
        try:
            ONCE.touch(exist_ok=False)
        except FileExistsError:
            return Part()
        os.kill(os.getpid(), signal.SIGKILL)


@hookimpl
def txfuzz_register_analyzers() -> list[type]:
    return [Deadly]
"""


@pytest.mark.slow
def test_a_killed_worker_costs_its_iteration_only(
    workload: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In processes, one of which is killed in the middle of an iteration. It leaves no directory behind."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    plugin, once, said = tmp_path / "deadly.py", tmp_path / "once", list[str]()
    plugin.write_text(DEADLY.format(once=str(once)))

    def hear(event: Event) -> None:
        if isinstance(event, Warned):
            said.append(event.sentence)

    result = run_campaign(
        workload=workload,
        iterations=3,
        output=tmp_path / "out",
        workers=2,
        subscriber=hear,
        lean=True,
        plugin_files=(plugin,),
    )
    assert once.exists()
    assert [each.number for each in result.iterations] == [0, 1, 2]
    assert all(each.result.committed and (each.path / "history.edn").exists() for each in result.iterations)
    [lost] = [each for each in said if "was lost" in each]
    assert lost.endswith("it was ended by SIGKILL; another one does its part again")
    assert not list(scratch.iterdir())
