"""`txfuzz matrix`: true cells, kept as they come, and nothing blamed that was not promised."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import dated_memory
from txfuzz.campaign.workers.engines import Workers
from txfuzz.cli import run_command
from txfuzz.compare.matrix.cell import MatrixCell, Outcome
from txfuzz.compare.matrix.job import CellSlice, MatrixSlices
from txfuzz.compare.matrix.matrix import Chosen, MatrixProgress, matrix
from txfuzz.compare.matrix.plan import Asks, Question
from txfuzz.compare.matrix.record import read_matrix_file
from txfuzz.compare.matrix.rows import MatrixRow
from txfuzz.errors import ExitCode, UsageError
from txfuzz.workload.shipped import scenario_path

PLUGIN = Path(dated_memory.__file__)
WORKLOAD = """version: 1
name: rmw
database: {adapter: memory}
seed: 1
workload:
  transactions:
    - name: rmw
      steps:
        - {f: r, key: {choice: {range: [1, 4]}, as: k}}
        - {f: append, key: {ref: k}}
scheduling: {clients: 6, transactions: 150}
"""
MATRIX = """version: 1
name: dated
levels: [serializable]
databases: [{adapter: dated, versions: ["1.9", "1.10", "2.1"]}]
ask: [{workload: ./rmw.yaml, transactions: 150}]
"""


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a matrix beside the workload."""
    (tmp_path / "rmw.yaml").write_text(WORKLOAD)

    def write(text: str) -> Path:
        path = tmp_path / "matrix.yaml"
        path.write_text(text)
        return path

    return write


def outcomes(cells: tuple[MatrixCell, ...]) -> dict[str, Outcome]:
    return {each.version: each.outcome for each in cells}


def test_each_version_has_its_outcome(written: Callable[[str], Path], tmp_path: Path) -> None:
    path = written(MATRIX.replace('"2.1"', '"2.1-none", "3.0"'))
    report = matrix(path, output=tmp_path / "out", plugin_files=[PLUGIN])
    assert outcomes(report.table.cells) == {
        "1.9": Outcome.NONE,
        "1.10": Outcome.BROKEN,
        "2.1-none": Outcome.UNKNOWN,
        "3.0": Outcome.NONE,
    }
    broken, unknown = report.table.cells[1], report.table.cells[2]
    assert "lost-update" in broken.broken
    assert broken.server == "Dated 1.10"
    assert broken.transactions >= 100
    assert "there is no 2.1 after all" in unknown.why
    assert read_matrix_file(tmp_path / "out").cells == report.table.cells
    assert "✗" in (tmp_path / "out" / "matrix.md").read_text()
    assert "promise broken" in (tmp_path / "out" / "matrix.html").read_text()
    assert not list((tmp_path / "out").rglob("history.edn"))


def test_two_workers_come_to_the_same_table(written: Callable[[str], Path], tmp_path: Path) -> None:
    """Also where the files of a plugin and of the questions come along."""
    path = written(MATRIX.replace('"2.1"', '"2.1-none", "3.0"'))
    done: list[MatrixProgress] = []
    report = matrix(
        path,
        output=tmp_path / "out",
        plugin_files=[PLUGIN],
        workers=Workers(2),
        on_progress=done.append,
    )
    assert outcomes(report.table.cells) == {
        "1.9": Outcome.NONE,
        "1.10": Outcome.BROKEN,
        "2.1-none": Outcome.UNKNOWN,
        "3.0": Outcome.NONE,
    }
    assert sorted(each.done for each in done) == [1, 2, 3, 4]
    assert report.left == 0


def test_a_cell_that_costs_two_workers_is_unknown() -> None:
    row = MatrixRow("dated", "dated", "1.9", {}, None, {"serializable": None})
    asked = [CellSlice(row, "serializable", Question(name, Asks.HUNT)) for name in ("one", "two")]
    cells, said = list[MatrixCell](), list[str]()
    slices = MatrixSlices(asked, cells.append, lambda: True, said.append)
    first = slices.take()
    assert first is not None
    slices.lost(first, "worker 1 was lost: it was ended by SIGKILL")
    assert said == ["worker 1 was lost: it was ended by SIGKILL; another one asks its cell again"]
    assert slices.take() == first
    slices.lost(first, "worker 2 was lost: it was ended by SIGKILL")
    assert [(each.question, each.outcome, each.why) for each in cells] == [
        ("one", Outcome.UNKNOWN, "worker 2 was lost: it was ended by SIGKILL")
    ]
    assert said[1].endswith("; its cell is left unknown")
    assert slices.take() == asked[1]
    assert slices.take() is None


def test_what_a_level_allows_is_found_and_not_blamed(written: Callable[[str], Path], tmp_path: Path) -> None:
    one = MATRIX.replace(', "1.10", "2.1"', "")
    path = written(one.replace("[serializable]", "[read comitted]"))
    with pytest.raises(UsageError, match="has the isolation level 'read comitted': did you mean"):
        matrix(path, output=tmp_path / "no", plugin_files=[PLUGIN])
    path = written(one.replace("[serializable]", "[read committed]"))
    (cell,) = matrix(path, output=tmp_path / "out", plugin_files=[PLUGIN]).table.cells
    assert cell.outcome is Outcome.ALLOWED
    assert "lost-update" in cell.found
    assert cell.broken == ()


def test_the_exit_code_is_about_promises(written: Callable[[str], Path], tmp_path: Path) -> None:
    def run(*more: str) -> int:
        out = tmp_path / f"out{len(list(tmp_path.iterdir()))}"
        given = ["matrix", str(path), "--plugin-file", str(PLUGIN), "--output-dir", str(out), *more]
        return run_command(given)

    path = written(MATRIX.replace('"2.1"', '"2.1-none"'))
    assert run() == ExitCode.VIOLATED
    (broken,) = tmp_path.glob("out*")
    assert run("--against", str(broken), "--only-new") == ExitCode.NOTHING_FOUND
    assert run("--server-version", "1.9", "--output-dir", str(tmp_path / "kept")) == ExitCode.NOTHING_FOUND
    assert run("--against", str(tmp_path / "kept"), "--only-new") == ExitCode.VIOLATED
    assert run("--server-version", "2.1-none") == ExitCode.UNKNOWN
    assert run("--server-version", "7") == ExitCode.USAGE
    path = written(MATRIX.replace("[serializable]", "[read committed]"))
    assert run("--server-version", "1.9") == ExitCode.NOTHING_FOUND


def test_an_interrupted_matrix_goes_on_where_it_was(written: Callable[[str], Path], tmp_path: Path) -> None:
    path, out = written(MATRIX.replace('"2.1"', '"3.0"')), tmp_path / "out"
    interrupted = threading.Event()
    report = matrix(
        path,
        output=out,
        plugin_files=[PLUGIN],
        interrupted=interrupted,
        on_progress=lambda progress: interrupted.set(),
    )
    assert report.interrupted
    assert report.left == 2
    with open(out / "cells.jsonl", "a") as file:
        file.write('{"database": "da')  # killed while it wrote
    done: list[MatrixProgress] = []
    more = matrix(resume=out, plugin_files=[PLUGIN], on_progress=done.append)
    assert [each.cell.version for each in done] == ["1.10", "3.0"]
    assert more.left == 0
    assert more.table.cells[0] == report.table.cells[0]
    with pytest.raises(UsageError, match="--resume"):
        matrix(path, output=out, plugin_files=[PLUGIN])
    (tmp_path / "rmw.yaml").write_text(WORKLOAD.replace("[1, 4]", "[1, 5]"))
    with pytest.raises(UsageError, match="is another one than"):
        matrix(resume=out, plugin_files=[PLUGIN])


def test_time_that_is_over_leaves_cells_for_later(written: Callable[[str], Path], tmp_path: Path) -> None:
    report = matrix(
        written(MATRIX.replace(', "2.1"', "")), output=tmp_path / "out", seconds=0.0, plugin_files=[PLUGIN]
    )
    assert report.left == 2
    assert report.table.cells == ()
    assert "2 cells were not reached" in (tmp_path / "out" / "matrix.md").read_text()


def test_bisecting_asks_few_versions(written: Callable[[str], Path], tmp_path: Path) -> None:
    path = written(MATRIX.replace(', versions: ["1.9", "1.10", "2.1"]', ', versions: ["1.9", "1.10", "2.0"]'))
    report = matrix(path, output=tmp_path / "out", find="rmw", plugin_files=[PLUGIN])
    assert report.bisection is not None
    assert report.bisection.between == ("1.9", "1.10")
    assert report.bisection.text == "It appears between 1.9 and 1.10."


def test_what_changed_since_an_earlier_matrix(
    written: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(MATRIX.replace(', "1.10", "2.1"', ""))
    report = matrix(path, output=tmp_path / "before", plugin_files=[PLUGIN])
    data = json.loads((report.directory / "matrix.json").read_text())
    data["cells"][0]["outcome"] = "unknown"
    (tmp_path / "edited.json").write_text(json.dumps(data))
    asked = ["matrix", str(path), "--plugin-file", str(PLUGIN)]
    assert (
        run_command([*asked, "--against", str(tmp_path / "before"), "--output-dir", str(tmp_path / "a")]) == 0
    )
    assert "Nothing changed." in capsys.readouterr().out
    assert run_command(
        [*asked, "--against", str(tmp_path / "edited.json"), "--output-dir", str(tmp_path / "b")]
    ) == 0  # fmt: skip
    assert "One cell changed" in capsys.readouterr().out
    assert run_command([*asked, "--only-new", "--output-dir", str(tmp_path / "c")]) == ExitCode.USAGE


def test_scenarios_are_asked_with_all_their_orders(tmp_path: Path) -> None:
    chosen = Chosen(adapters=("sqlite",), questions=("P4", "g0"))
    report = matrix(None, chosen, output=tmp_path / "out")
    assert [(each.question, each.outcome, each.whole) for each in report.table.cells] == [
        ("g0", Outcome.NONE, True),
        ("p4", Outcome.NONE, True),
    ]
    assert report.table.columns == ("G0", "P4")
    assert all(each.schedules > 4 for each in report.table.cells)


def test_of_a_scenario_without_an_anomaly_a_weaker_level_is_not_judged(tmp_path: Path) -> None:
    path = tmp_path / "matrix.yaml"
    (tmp_path / "own.yaml").write_text(scenario_path("g2-item").read_text())
    path.write_text("version: 1\ndatabases: [duckdb]\nask: [{scenario: g2-item, name: shipped}, "
                    "{scenario: own.yaml, name: own}]\n")  # fmt: skip
    report = matrix(path, output=tmp_path / "out")
    told = {each.question: (each.outcome, each.unsaid) for each in report.table.cells}
    assert told == {"shipped": (Outcome.ALLOWED, False), "own": (Outcome.ALLOWED, True)}
    assert read_matrix_file(tmp_path / "out").cells == report.table.cells


def test_hunts_are_asked_where_there_are_forms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:////nowhere/at/all.db")  # each row says where it is
    path = tmp_path / "matrix.yaml"
    path.write_text("version: 1\ndatabases: [sqlite, memory]\nlevels: [serializable]\n"
                    "ask: [{hunt: true, schedules: 6}, {scenario: g0}]\n")  # fmt: skip
    report = matrix(path, output=tmp_path / "out")
    cells = {(each.database, each.question): each for each in report.table.cells}
    assert cells["sqlite", "hunt"].outcome is Outcome.NONE
    assert cells["sqlite", "hunt"].schedules >= 6
    for question in ("hunt", "g0"):
        assert cells["memory", question].outcome is Outcome.NOT_OFFERED
        assert cells["memory", question].why


def test_passwords_are_kept_nowhere(written: Callable[[str], Path], tmp_path: Path) -> None:
    text = MATRIX.replace(
        '{adapter: dated, versions: ["1.9", "1.10", "2.1"]}',
        '{adapter: dated, url: "dated://me:pa55phrase@host/db"}',
    )
    matrix(written(text), output=tmp_path / "out", plugin_files=[PLUGIN])
    for path in (tmp_path / "out").iterdir():
        assert "pa55phrase" not in path.read_text(), path
    with pytest.raises(UsageError, match="had a password and was not kept"):
        matrix(resume=tmp_path / "out", plugin_files=[PLUGIN])


@pytest.mark.slow
@pytest.mark.server
def test_a_version_of_postgres(tmp_path: Path) -> None:
    chosen = Chosen(adapters=("postgres",), levels=("serializable",), questions=("p4",))
    cells = matrix(None, chosen, output=tmp_path / "out").table.cells
    assert cells
    for each in cells:
        assert each.outcome is Outcome.NONE
        assert each.server == f"PostgreSQL {each.version}"
