"""A single Python file works like any other plugin, and is kept with the campaign."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from project_fixtures import Ran
from txfuzz.errors import PluginError
from txfuzz.plugin.loader import load_plugins

Cli = Callable[..., Ran]

HEAD = """
from __future__ import annotations
from dataclasses import dataclass
from typing import ClassVar
from txfuzz import Adjustment, Part, Template, Verdict, hookimpl, option
"""

FEWER = (
    HEAD
    + '''
@dataclass(frozen=True)
class Fewer:
    """One client less."""
    name: ClassVar[str] = "fewer"
    about: ClassVar[str] = "one client less"
    fewest: int = option(2, "no clients are removed below this number", least=1)
    def propose(self, feedback, workload, random):
        before = workload.scheduling.clients
        if before <= self.fewest:
            return ()
        reason = f"{feedback.committed} transactions committed with {before} clients"
        return (Adjustment("scheduling.clients", before, before - 1, reason, self.name),)

@hookimpl
def txfuzz_register_heuristics():
    return [Fewer]
'''
)

STRICT = (
    HEAD
    + """
@dataclass(frozen=True)
class Strict:
    name: ClassVar[str] = "strict"
    about: ClassVar[str] = "objects to everything"
    def analyze(self, history, expect):
        return Part(Verdict.INVALID, f"{len(history)} transactions are too many")

@hookimpl
def txfuzz_register_analyzers():
    return [Strict]
"""
)

TEMPLATE = (
    HEAD
    + """
@hookimpl
def txfuzz_register_templates():
    steps = ({"f": "r", "key": {"choice": {"from": [1, 2]}, "as": "k"}}, {"f": "append", "key": {"ref": "k"}})
    return [Template("bump", "reads a key and appends to it", steps)]
"""
)

WORKLOAD = """version: 1
name: filed
database: {adapter: memory}
expect: strict-serializable
workload:
  transactions:
    - {template: bump}
scheduling: {clients: 4, transactions: 60}
analyzers: [elle]
heuristics: [{name: fewer, fewest: 3}]
"""


@pytest.fixture
def here(txfuzz: Cli) -> Path:
    """A directory with a workload and plugin files."""
    Path("my_fewer.py").write_text(FEWER)
    Path("my_bump.py").write_text(TEMPLATE)
    Path("my_strict.py").write_text(STRICT)
    Path("filed.yaml").write_text(WORKLOAD)
    return Path.cwd()


FILES = ("--plugin-file", "my_fewer.py", "--plugin-file", "my_bump.py")


def test_a_campaign_uses_them_and_keeps_them(txfuzz: Cli, here: Path) -> None:
    ran = txfuzz("run", "--config", "filed.yaml", *FILES, "--iterations", 3, "--output-dir", "out")
    assert ran.code == 0, ran.err
    record = json.loads(Path("out/campaign.json").read_text())
    assert record["heuristics"] == ["fewer"]
    assert record["plugins"][-2:] == [
        {"name": "my_fewer", "distribution": "my_fewer.py", "version": "file"},
        {"name": "my_bump", "distribution": "my_bump.py", "version": "file"},
    ]
    assert record["arguments"]["plugin_files"] == ["my_fewer.py", "my_bump.py"]
    assert Path("out/plugins/my_fewer.py").read_text() == FEWER
    assert "transactions committed with 4 clients" in Path("out/iter_00/notes.md").read_text()
    decided = [json.loads(Path(f"out/iter_0{n}/decisions.json").read_text()) for n in range(3)]
    assert [len(each) for each in decided] == [1, 0, 0]  # the option of the workload is that of the file
    assert not Path("__pycache__").exists()


def test_a_campaign_goes_on_with_its_own_copies(txfuzz: Cli, here: Path) -> None:
    run = ("run", "--config", "filed.yaml", *FILES, "--output-dir", "out")
    assert txfuzz(*run, "--iterations", 1).code == 0
    for name in ("my_fewer.py", "my_bump.py", "filed.yaml"):
        Path(name).unlink()
    shutil.move("out", "moved")
    for iterations in (2, 3):
        assert txfuzz("run", "--resume", "moved", "--iterations", iterations).code == 0
    record = json.loads(Path("moved/campaign.json").read_text())
    assert record["plugins"][-1]["distribution"] == "moved/plugins/my_bump.py"
    assert record["iterations"][0]["decisions"] == [{"heuristic": "fewer", "target": "scheduling.clients"}]
    refused = txfuzz("run", "--resume", "moved", "--plugin-file", "moved/plugins/my_fewer.py")
    assert refused.code == 2
    assert "--resume takes --plugin-file from the campaign" in refused.err


def test_one_iteration_runs_again_from_the_folder(txfuzz: Cli, here: Path) -> None:
    assert txfuzz("run", "--config", "filed.yaml", *FILES, "--iterations", 1, "--output-dir", "out").code == 0
    kept = ("--plugin-file", "out/plugins/my_fewer.py", "--plugin-file", "out/plugins/my_bump.py")
    for command in (
        ("run", "--config", "out/iter_00/next_workload.yaml", "--iterations", 1, "--output-dir", "again"),
        ("execute", "--exit-code", "--config", "out/iter_00/workload.yaml", "--out", "again.edn"),
        ("explore", "out/iter_00/workload.yaml", "--transactions", "bump,bump", "--schedules", 5),
        ("shrink", "--exit-code", "out"),
    ):
        ran = txfuzz(*command, *kept)
        assert ran.code == 0, (command, ran.err)
        refused = txfuzz(*command)
        assert refused.code == 2
        assert "no heuristic 'fewer' is installed" in refused.err
        assert "that campaign was run with --plugin-file out/plugins/my_bump.py" in refused.err
        assert all(path in refused.err for path in kept[1::2])


def test_adapt_takes_them(txfuzz: Cli, here: Path) -> None:
    assert txfuzz("execute", "--exit-code", "--config", "filed.yaml", "--out", "h.edn", *FILES).code == 0
    ran = txfuzz("adapt", "--history", "h.edn", "--prev-workload", "filed.yaml", *FILES)
    assert ran.code == 0, ran.err
    notes = Path("runs/iter_00/notes.md")
    assert "committed with 4 clients" in notes.read_text()


def test_an_analyzer_judges_any_history(txfuzz: Cli, here: Path) -> None:
    assert txfuzz("execute", "--exit-code", "--config", "filed.yaml", "--out", "h.edn", *FILES).code == 0
    assert txfuzz("analyze", "h.edn", "--skip-graph").code == 0
    ran = txfuzz("analyze", "h.edn", "--skip-graph", "--plugin-file", "my_strict.py")
    assert ran.code == 1
    assert "transactions are too many" in ran.out


def test_they_are_listed_and_shown(txfuzz: Cli, here: Path) -> None:
    listed = txfuzz("plugins", *FILES).out
    assert "my_fewer (file my_fewer.py)\n  heuristic  fewer  one client less" in listed
    for words in (("plugins", *FILES, "show", "fewer"), ("plugins", "show", "fewer", *FILES)):
        shown = txfuzz(*words).out
        assert "from plugin file my_fewer.py" in shown
        assert "no clients are removed below this number" in shown
    assert "bump" in txfuzz("templates", *FILES).out
    assert "ref: k" in txfuzz("templates", "bump", *FILES).out


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("1 / 0", "importing it failed: ZeroDivisionError: division by zero (line 1)"),
        ("x = {}\n\nx['a']", "importing it failed: KeyError: 'a' (line 3)"),
        ("def (", "importing it failed: SyntaxError: invalid syntax (bad.py, line 1)"),
        ("import sys; sys.exit(3)", "importing it failed: SystemExit: 3"),
        ("\0", "importing it failed: "),
        ("x = 1", "registers nothing; a hook is a function txfuzz_register_…"),
        (FEWER.replace("@hookimpl", ""), "registers nothing"),
        (FEWER.replace('name: ClassVar[str] = "fewer"', ""), "heuristic class Fewer has no `name`"),
        (FEWER.replace("return [Fewer]", "raise ValueError('no')"), "ValueError: no (line 22)"),
        (
            FEWER.replace("_heuristics", "_heuristic"),
            "bad.py: unknown hook 'txfuzz_register_heuristic': did you mean 'txfuzz_register_heuristics'?",
        ),
        (FEWER.replace('"fewer"', '"mix"'), "heuristic 'mix' is claimed by plugin 'heuristics' of"),
    ],
)
def test_a_bad_one_stops_with_a_sentence(txfuzz: Cli, code: str, reason: str) -> None:
    Path("bad.py").write_text(code)
    ran = txfuzz("run", "--plugin-file", "bad.py", "--iterations", 1)
    assert ran.code == 2
    assert reason in ran.err
    assert "plugin file bad.py" in ran.err
    assert ran.err.count("\n") == 1
    assert not Path("runs").exists()
    assert not [name for name in sys.modules if name.startswith("txfuzz_file_bad") and "0" in code[:4]]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing.py", "plugin file missing.py: cannot be read: No such file"),
        ("plugin.txt", "plugin file plugin.txt: expected a Python file"),
        ("folder", "plugin file folder: expected a Python file, NAME.py (this is a directory"),
    ],
)
def test_what_is_no_file_is_refused(txfuzz: Cli, name: str, reason: str) -> None:
    Path("folder").mkdir()
    Path("plugin.txt").write_text("")
    assert reason in txfuzz("plugins", "--plugin-file", name).err


def test_two_of_one_name_are_refused_and_the_same_twice_is_one(tmp_path: Path) -> None:
    first, second = tmp_path / "mine.py", tmp_path / "other" / "mine.py"
    second.parent.mkdir()
    first.write_text(FEWER)
    second.write_text(FEWER)
    with pytest.raises(PluginError, match="have the same name"):
        load_plugins(files=[first, second])
    registry = load_plugins(files=[first, tmp_path / "other" / ".." / "mine.py"])
    assert len([plugin for plugin in registry.plugins if plugin.is_file]) == 1


def test_what_was_edited_is_loaded_anew(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(FEWER)
    before = load_plugins(files=[path]).find("heuristic", "fewer")
    assert load_plugins(files=[path]).find("heuristic", "fewer") is before
    path.write_text(FEWER.replace("option(2", "option(5"))
    assert load_plugins(files=[path]).find("heuristic", "fewer")().fewest == 5
    assert before().fewest == 2


def test_a_replay_needs_none_of_them(txfuzz: Cli, here: Path) -> None:
    Path("skew.yaml").write_text(
        WORKLOAD.replace("memory}", "memory, isolation: snapshot}")
        .replace("60}", "400}")
        .replace(
            "- {template: bump}",
            "- {name: skew, steps: [{f: r, key: {choice: {from: [1, 2]}, as: a}},"
            " {f: r, key: {choice: {from: [1, 2]}, as: b, distinct_from: [a]}}, {f: append, key: {ref: a}}]}",
        )
    )
    assert txfuzz("run", "--config", "skew.yaml", *FILES, "--output-dir", "out").code == 1
    (number, *_) = json.loads(Path("out/campaign.json").read_text())["found"]["G2-item"]
    replay = (
        "execute",
        "--exit-code",
        "--config",
        f"out/iter_{number:02d}/replay.yaml",
        "--out",
        "again.edn",
    )
    assert "G2-item in 1" in txfuzz(*replay).out
    shrunk = txfuzz("shrink", "--exit-code", "out", *FILES, "--findings", 1)
    assert shrunk.code == 1
    (mailed,) = Path("out/findings").glob("*/replay.yaml")
    assert txfuzz("execute", "--exit-code", "--config", mailed, "--out", "mailed.edn").code == 1
