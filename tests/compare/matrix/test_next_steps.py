"""A cell whose promise is broken has a command that shows it, wherever the table is shown."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

import dated_memory
from project_fixtures import Ran
from txfuzz.compare.matrix.cell import MatrixCell, Outcome
from txfuzz.compare.matrix.matrix import matrix
from txfuzz.compare.matrix.next_steps import next_steps, texts_of
from txfuzz.compare.matrix.plan import Asks, MatrixDatabase, MatrixPlan, Question
from txfuzz.compare.matrix.rows import MatrixRow
from txfuzz.plugin.loader import load_plugins
from txfuzz.workload.shipped import scenario_path

PLUGIN = Path(dated_memory.__file__)
LEVELS = {"serializable": "serializable"}
SCENARIO = Question("p4", Asks.SCENARIO, path=str(scenario_path("p4")))
HUNT = Question("hunt", Asks.HUNT, most=90)


def told(question: Question, database: MatrixDatabase, tmp_path: Path, version: str = "") -> tuple[str, str]:
    """The command, and the remark."""
    row = MatrixRow(database.name, database.adapter, version, database.options, database.url, LEVELS)
    cell = MatrixCell(database.name, version, "serializable", question.name, Outcome.BROKEN, "DB 1")
    plan = MatrixPlan("m", (database,), (question,), seed=7)
    (step,) = next_steps(plan, [row], [cell], tmp_path, load_plugins(), texts=texts_of([question]))
    return step.command.replace(str(tmp_path), "DIR"), step.remark


@pytest.mark.parametrize(
    ("question", "database", "command"),
    [
        (
            SCENARIO, MatrixDatabase("sqlite", "sqlite"),
            "check p4 --adapter sqlite --isolation serializable "
            "--transactions 'sell two,sell three' --seed 7 "
            "--output-dir DIR/broken/p4-sqlite-serializable",
        ),
        (
            SCENARIO, MatrixDatabase("sqlite", "shared", {"mode": "shared-cache"}),
            "check DIR/broken/p4-shared-serializable.yaml --isolation serializable "
            "--transactions 'sell two,sell three' --seed 7 "
            "--output-dir DIR/broken/p4-shared-serializable",
        ),
        (
            SCENARIO, MatrixDatabase("sqlite", "own", url="$OWN"),
            "check p4 --adapter sqlite --isolation serializable "
            "--transactions 'sell two,sell three' --seed 7 "
            '--output-dir DIR/broken/p4-own-serializable --database-url "$OWN"',
        ),
        (
            SCENARIO, MatrixDatabase("postgres", "own", url="postgres://me:secret@there/d"),
            "check p4 --adapter postgres --isolation serializable "
            "--transactions 'sell two,sell three' --seed 7 "
            "--output-dir DIR/broken/p4-own-serializable --database-url URL",
        ),
        (
            HUNT, MatrixDatabase("sqlite", "sqlite"),
            "hunt --adapter sqlite --isolation serializable --budget 90 --seed 7 "
            "--output-dir DIR/broken/hunt-sqlite-serializable",
        ),
    ],
)  # fmt: skip
def test_the_command_asks_the_same(
    question: Question, database: MatrixDatabase, command: str, tmp_path: Path
) -> None:
    assert told(question, database, tmp_path) == (f"txfuzz {command}", "")


def test_the_command_runs_the_transactions_that_the_cell_ran(
    txfuzz: Callable[..., Ran], tmp_path: Path
) -> None:
    path = scenario_path("g2-two-edges")
    three = Question("g2-two-edges", Asks.SCENARIO, path=str(path), most=9)
    command, _ = told(three, MatrixDatabase("sqlite", "sqlite"), tmp_path)
    assert "--transactions withdraw,deposit,statement --schedules 9 --seed 7 " in command
    ran = txfuzz(*shlex.split(command.replace("DIR", str(tmp_path)))[1:], "--json")
    assert ran.code == 0, ran.err
    [one] = json.loads(ran.out)["sets"]
    assert one["transactions"] == "withdraw × deposit × statement"
    assert [each["schedules"] for each in one["levels"]] == [9]


def test_a_scenario_that_is_gone_by_then_is_copied_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(scenario_path("p4").read_text())
    mine = Question("mine", Asks.SCENARIO, path=str(path))
    texts = texts_of([mine])
    shared = MatrixDatabase("sqlite", "shared", {"mode": "shared-cache"})
    plan = MatrixPlan("m", (shared,), (mine,))
    row = MatrixRow("shared", "sqlite", "", shared.options, None, LEVELS)
    cell = MatrixCell("shared", "", "serializable", "mine", Outcome.BROKEN, "DB 1")
    path.unlink()
    registry = load_plugins()
    (step,) = next_steps(plan, [row], [cell], tmp_path, registry, texts=texts)
    assert step.copy is not None
    assert "shared-cache" in step.copy[1]
    (step,) = next_steps(plan, [row], [cell], tmp_path, registry, texts={str(path): "version: 7"})
    assert step.copy is None
    assert step.remark.startswith(f"There is no copy for DB 1: {path}:1:")


def test_what_a_command_cannot_choose_is_said(tmp_path: Path) -> None:
    _, remark = told(HUNT, MatrixDatabase("sqlite", "shared", {"mode": "shared-cache"}), tmp_path)
    assert remark.endswith("give another one by --database-url on a server like DB 1.")


def test_the_command_of_a_version_shows_it_again(txfuzz: Callable[..., Ran], tmp_path: Path) -> None:
    (tmp_path / "matrix.yaml").write_text(
        "version: 1\nlevels: [serializable]\ndatabases: [{adapter: dated, versions: ['1.9', '1.10']}]\n"
        "ask: [{workload: lost_update, transactions: 300}]\n"
    )
    report = matrix(tmp_path / "matrix.yaml", output=tmp_path / "out", plugin_files=[PLUGIN])
    (step,) = report.table.steps
    assert step.cell.version == "1.10"
    for name in ("matrix.md", "matrix.html"):
        assert "broken/lost_update-dated-1.10-serializable.yaml" in (tmp_path / "out" / name).read_text()
    ran = txfuzz(*shlex.split(step.command)[1:])
    assert (ran.code, "lost-update" in ran.out) == (1, True), ran.err


def test_check_takes_the_name_of_a_scenario(txfuzz: Callable[..., Ran]) -> None:
    ran = txfuzz("check", "p4", "--adapter", "sqlite", "--isolation", "serializable", "--schedules", 6)
    assert ran.code == 0, ran.err
    assert "sell two" in ran.out
    wrong = txfuzz("check", "g-singel", "--adapter", "sqlite")
    assert (wrong.code, wrong.out) == (2, "")
    assert wrong.err == "txfuzz: no scenario 'g-singel' comes with txfuzz: did you mean 'g-single'?\n"
