"""`txfuzz compare`: the same seeds for every strategy, exact figures, and nothing is lost by a Ctrl-C."""

from __future__ import annotations

import json
import pickle
import threading
from pathlib import Path

import pytest

from txfuzz.campaign.setup.plugin_failures import PluginFailure
from txfuzz.campaign.setup.plugin_sandbox import RAISES_THE_LIMIT
from txfuzz.campaign.workers.independent import Part
from txfuzz.cli import run_command
from txfuzz.compare.bench import Bench
from txfuzz.compare.campaign_effort import alone_effort
from txfuzz.compare.compare import Progress, compare
from txfuzz.compare.comparison import comparison_of
from txfuzz.compare.effort import Effort, Task
from txfuzz.compare.job import CompareWorker
from txfuzz.compare.record import ComparisonSettings
from txfuzz.compare.strategies import COMPARED, Setting, settings_of
from txfuzz.compare.targets import Target, targets_named
from txfuzz.errors import ExitCode, UsageError
from txfuzz.workload.shipped import shipped_targets

SMALL = """version: 1
name: small
database: {adapter: memory, isolation: snapshot, defects: [lost-update], probability: 0.1}
seed: 1
workload:
  transactions:
    - name: rmw
      steps:
        - {f: r, key: {choice: {range: [1, 200]}, as: k}}
        - {f: append, key: {ref: k}}
scheduling: {clients: 8, transactions: 150}
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return path


def settings(small: Path) -> ComparisonSettings:
    return ComparisonSettings((str(small),), ("open", "static-4"), 2, 600)


def test_every_strategy_runs_from_the_same_seeds(small: Path, tmp_path: Path) -> None:
    seen: list[Progress] = []
    comparison, directory = compare(settings(small), output=tmp_path / "out", on_progress=seen.append)
    assert [(each.task.seed, each.task.strategy) for each in seen] == [
        (1, "open"), (1, "static-4"), (2, "open"), (2, "static-4")
    ]  # fmt: skip
    (target,) = comparison.targets
    control, static = target.strategies
    assert (control.name, control.p, control.a12) == ("open", None, None)
    assert static.found == 2, "four keys find it at once"
    assert all(effort is not None and effort <= 600 for effort in static.efforts)
    assert static.p is not None
    assert json.loads((directory / "comparison.json").read_text()) == comparison.to_json()
    assert "| small | static-4 |" in (directory / "comparison.md").read_text()
    assert (directory / "small.svg").read_text().startswith("<?xml")
    assert not list(directory.rglob("history.edn")), "only results are left"


def test_an_interrupted_comparison_goes_on_where_it_was(small: Path, tmp_path: Path) -> None:
    interrupted = threading.Event()
    out = tmp_path / "out"

    def stop(progress: Progress) -> None:
        if progress.done == 2:
            interrupted.set()

    first, _ = compare(settings(small), output=out, interrupted=interrupted, on_progress=stop)
    assert first.interrupted
    assert [len(each.efforts) for each in first.targets[0].strategies] == [1, 1]
    with open(out / "runs.jsonl", "a") as file:
        file.write('{"target": "sma')  # killed while it wrote
    small.write_text("the target is edited in the meantime")
    done: list[Progress] = []
    second, _ = compare(None, resume=out, on_progress=done.append)
    assert [(each.done, each.task.seed) for each in done] == [(3, 2), (4, 2)]
    assert second.targets[0].strategies[0].efforts[0] == first.targets[0].strategies[0].efforts[0]
    more, _ = compare(None, resume=out, seeds=3)
    assert [len(each.efforts) for each in more.targets[0].strategies] == [3, 3]
    with pytest.raises(UsageError, match="would leave some out"):
        compare(None, resume=out, seeds=1)
    small.write_text(SMALL)
    with pytest.raises(UsageError, match="--resume"):
        compare(settings(small), output=out)


def test_a_task_and_its_effort_can_go_to_another_process(small: Path) -> None:
    (setting,) = COMPARED["static-4"]
    task = Task(Target("small", small), "static-4", "", setting.plugin, 3, 600)
    run, again = pickle.loads(pickle.dumps((setting.run, task)))
    assert again == task
    with Bench() as bench:
        effort = run(task, bench)
    assert pickle.loads(pickle.dumps(effort)) == effort


def test_a_finding_beyond_the_limit_is_none(small: Path) -> None:
    (setting,) = COMPARED["static-4"]
    with Bench() as bench:
        found = setting.run(Task(Target("small", small), "s", "", setting.plugin, 1, 600), bench)
        assert found is not None
        assert found.transactions is not None
        limit = found.transactions - 1
        early = setting.run(Task(Target("small", small), "s", "", setting.plugin, 1, limit), bench)
    assert early is not None
    assert early.transactions is None or early.transactions <= limit
    assert early.attempted <= limit or early.transactions is not None


def test_planted_defects_strike_at_other_moments_with_every_seed(small: Path) -> None:
    with Bench() as bench:
        options = [
            bench.assembled(Task(Target("small", small), "", "", None, seed, 1)).workload.database.options
            for seed in (1, 2)
        ]
    assert [each["defect_seed"] for each in options] == [1, 2]


def test_of_several_settings_the_best_is_shown_and_named() -> None:
    target = Target("t", Path("t.yaml"))
    tasks = [
        Task(target, strategy, setting, None, seed, 100)
        for seed in (1, 2, 3)
        for strategy, setting in (("open", ""), ("grid", "keys 2"), ("grid", "keys 8"))
    ]
    took = {
        ("open", ""): (None, None, 90),
        ("grid", "keys 2"): (50, 60, 70),
        ("grid", "keys 8"): (1, 80, None),
    }
    efforts = {task.key: Effort(took[task.strategy, task.setting][task.seed - 1], 100) for task in tasks}
    comparison = comparison_of(tasks, efforts, "open", most=100)
    control, grid = comparison.targets[0].strategies
    assert (grid.setting, grid.settings, grid.median, grid.found) == ("keys 2", 2, 60, 3)
    assert control.median is None
    assert grid.a12 == 1
    assert grid.p == pytest.approx(0.1)
    assert comparison.to_json()["targets"][0]["strategies"]["open"] == {
        "median": None, "found": 1, "of": 3, "p": None, "a12": None
    }  # fmt: skip


def test_targets_and_strategies_are_found_by_name(small: Path) -> None:
    assert [each.name for each in targets_named(["rare_template", "write_skew", str(small)])] == [
        "rare_template", "write_skew", "small"
    ]  # fmt: skip
    with pytest.raises(UsageError, match="no target 'rare'"):
        targets_named(["rare"])
    assert settings_of("classic", ["classic"])[0].plugin is not None
    (own,) = settings_of("mine", ["mine"])
    assert own.run is alone_effort
    with pytest.raises(UsageError, match="no strategy 'guide': did you mean 'guided'"):
        settings_of("guide", ["classic"])


def test_every_shipped_target_is_a_workload() -> None:
    with Bench() as bench:
        for name, path in shipped_targets():
            assert bench.workload(Target(name, path)).name == name
            assert bench.workload(Target(name, path)).about


def test_the_command_prints_a_table_or_json(small: Path, tmp_path: Path, capsys) -> None:
    arguments = [
        "compare",
        str(small),
        "--strategies",
        "static-4",
        "--seeds",
        "1",
        "--max-transactions",
        "600",
    ]
    assert run_command([*arguments, "--output-dir", str(tmp_path / "a"), "--json"]) == ExitCode.NOTHING_FOUND
    (target,) = json.loads(capsys.readouterr().out)["targets"]
    assert target["strategies"]["static-4"]["of"] == 1
    assert run_command(["compare", "--resume", str(tmp_path / "a")]) == ExitCode.NOTHING_FOUND
    assert "| small | static-4 |" in capsys.readouterr().out
    assert run_command([*arguments, "--against", "open"]) == ExitCode.USAGE
    assert "'open', which is not compared" in capsys.readouterr().err
    assert run_command(["compare"]) == ExitCode.USAGE
    assert "rare_template" in capsys.readouterr().err
    assert run_command(["compare", "--resume", str(tmp_path / "a"), "--strategies", "open"]) == ExitCode.USAGE
    assert run_command(["compare", "--resume", str(tmp_path)]) == ExitCode.USAGE


def test_the_control_has_two_names(small: Path, tmp_path: Path, capsys) -> None:
    assert settings_of("open-loop", ["open-loop"]) == settings_of("open", [])
    asked = ["compare", str(small), "--seeds", "1", "--budget", "150", "--output-dir", str(tmp_path / "a")]
    assert run_command([*asked, "--strategies", "static-4,open-loop,open"]) == ExitCode.NOTHING_FOUND
    told = capsys.readouterr().out
    assert told.count("| small |") == 2
    assert "against open, exact" in told


FAILS = """
from dataclasses import dataclass
from typing import ClassVar
from txfuzz.plugin_api import Proposal, hookimpl

@dataclass
class Mine:
    name: ClassVar[str] = "mine"
    about: ClassVar[str] = "fails"
    blind: ClassVar[bool] = False
    def propose(self, situation, random):
        if {when}:
            raise KeyError("lost")
        return Proposal()

@hookimpl
def txfuzz_register_strategies():
    return [Mine]
"""


@pytest.mark.parametrize(
    ("when", "workers", "code", "told"),
    [
        ("True", "1", ExitCode.USAGE, "in 2 of 2 runs, "),
        ("True", "2", ExitCode.USAGE, "in 2 of 2 runs, "),
        ("situation.feedback is None", "1", ExitCode.NOTHING_FOUND, "in 2 of 2 runs, 2 of "),
        ("False", "1", ExitCode.NOTHING_FOUND, ""),
    ],
)
def test_a_strategy_that_fails_is_named(
    when: str, workers: str, code: ExitCode, told: str, small: Path, tmp_path: Path, capsys
) -> None:
    plugin, out = tmp_path / "mine.py", tmp_path / "out"
    plugin.write_text(FAILS.format(when=when))
    arguments = ["--plugin-file", str(plugin), "--workers", workers]
    asked = ["compare", str(small), "--strategies", "mine", "--seeds", "2", "--budget", "300"]
    assert run_command([*asked, *arguments, "--output-dir", str(out)]) == code
    printed, error = capsys.readouterr()
    kept = json.loads((out / "comparison.json").read_text())["failures"]
    assert ("mine failed in every call" in error) == (code == ExitCode.USAGE)
    if not told:
        assert "failed" not in error
        assert kept == []
        return
    sentence = f"strategy 'mine' failed: KeyError: 'lost' (plugin file {plugin}, line 13)"
    assert error.count(sentence) == 1
    assert "KeyError" not in printed, "it is said once"
    assert f"txfuzz: mine: {told}" in error
    assert [each["sentence"] for each in kept] == [sentence]
    assert "line 13" in (out / "comparison.md").read_text()
    assert run_command(["compare", "--resume", str(out), *arguments]) == code
    assert sentence in capsys.readouterr().err


def test_the_time_limit_of_a_strategy_is_told_without_an_option_that_is_not_there() -> None:
    sentence = f"strategy 's' did not answer within 60 s{RAISES_THE_LIMIT} (plugin file /copy/s.py)"
    failure = PluginFailure("strategy", "s", sentence, 1, 1)
    setting = Setting(run=lambda task, bench: Effort(None, 300, failures=(failure,)))
    told: list[Effort] = []
    task = Task(Target("small", Path("small.yaml")), "s", "", None, 1, 300)
    worker = CompareWorker(Bench(None), {"small": Path("small.yaml")}, {"/copy/s.py": "s.py"})
    worker.run(Part(0, (task, setting)), lambda efforts: bool(told.extend(efforts)))
    (kept,) = told[-1].failures
    assert kept.sentence == "strategy 's' did not answer within 60 s (plugin file s.py)"
