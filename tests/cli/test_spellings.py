"""One name for one thing: workloads by position, --output-dir, --budget; older spellings go on working."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from project_fixtures import Ran, Site
from txfuzz.cli.group import COMMANDS, command_line
from txfuzz.cli.parameters import Budget, Time, TimeOrCount

Cli = Callable[..., Ran]
CLEAN = """version: 1
name: clean
database: {adapter: memory, isolation: serializable}
workload:
  transactions:
    - {name: a, steps: [{f: r, key: {choice: {range: [1, 9]}, as: k}}, {f: append, key: {ref: k}}]}
scheduling: {clients: 3, transactions: 60}
"""
ONCE = ("--iterations", 1, "--max-graph-nodes", 0, "-q")
BOTH = "both name a workload; give one of them\n"


@pytest.fixture
def place(txfuzz: Cli, tmp_path: Path) -> Path:
    (tmp_path / "clean.yaml").write_text(CLEAN)
    return tmp_path


def arguments_in(place: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((place / "campaign.json").read_text())["arguments"]
    return found


@pytest.mark.parametrize(
    "named",
    [
        ("clean.yaml",),
        ("--config", "clean.yaml"),
        ("--workload", "clean.yaml"),
        ("clean", "--workload-dir", "."),
    ],
)
def test_run_takes_a_workload(txfuzz: Cli, place: Path, named: tuple[str, ...]) -> None:
    ran = txfuzz("run", *named, *ONCE, "--output-dir", "out")
    assert (ran.code, ran.err) == (0, "")
    assert json.loads((place / "out" / "campaign.json").read_text())["workload"] == "clean"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "a", "--config", "b"), f"the workload by position and --config {BOTH}"),
        (("run", "a", "--workload", "b"), f"the workload by position and --workload {BOTH}"),
        (("run", "--config", "a", "--workload", "b"), f"--config and --workload {BOTH}"),
        (("execute", "a", "--config", "b", "--out", "h"), f"the workload by position and --config {BOTH}"),
        (
            ("adapt", "a", "--prev-workload", "b", "--history", "h"),
            f"the workload by position and --prev-workload {BOTH}",
        ),
        (
            ("execute", "--out", "h"),
            "name a workload: a file, or one of those that `txfuzz workloads` lists\n",
        ),
        (("run", "clean", "--resume", "d"), "--resume takes the workload from the campaign; omit it\n"),
        (("run", "--resume", "d", "--clients", "3"), "--resume takes --clients from the campaign; omit it\n"),
        (
            ("run", "--budget", "1m", "--max-seconds", "3"),
            "--budget and --max-seconds both limit the campaign; give one of them\n",
        ),
        (
            ("run", "--transactions", "9", "--duration", "3s"),
            "--transactions and --duration both say when an iteration ends: give one of them "
            "(--budget ends the campaign)\n",
        ),
    ],
)  # fmt: skip
def test_two_or_none_is_one_sentence(txfuzz: Cli, arguments: tuple[str, ...], said: str) -> None:
    ran = txfuzz(*arguments)
    assert (ran.code, ran.out, ran.err) == (2, "", f"txfuzz: {said}")


def test_execute_and_adapt_take_a_workload(txfuzz: Cli, place: Path) -> None:
    assert txfuzz("execute", "clean.yaml", "--out", "h.edn").code == 0
    assert txfuzz("execute", "--config", "clean.yaml", "--out", "older.edn").code == 0
    ran = txfuzz("adapt", "clean.yaml", "--history", "h.edn", "--output-dir", "kept", "-q")
    assert (ran.code, ran.err) == (0, "")
    assert (place / "kept" / "iter_00" / "next_workload.yaml").exists()
    ran = txfuzz(
        "adapt", "--prev-workload", "clean.yaml", "--history", "h.edn", "--output-root", "older", "-q"
    )
    assert (ran.code, ran.err) == (0, "")


@pytest.mark.parametrize(
    ("given", "seconds", "transactions"),
    [
        (("--budget", "2m"), 120.0, None),
        (("--budget", "500"), None, 500),
        (("--max-seconds", "90", "--max-transactions", "700"), 90.0, 700),
        ((), None, None),
    ],
)
def test_the_budget_of_a_campaign_is_a_time_or_transactions(
    txfuzz: Cli, place: Path, given: tuple[str, ...], seconds: float | None, transactions: int | None
) -> None:
    assert txfuzz("run", "clean.yaml", *ONCE, "--output-dir", "out", *given).code == 0
    arguments = arguments_in(place / "out")
    assert (arguments["max_seconds"], arguments["max_transactions"]) == (seconds, transactions)


@pytest.mark.parametrize(
    ("text", "budget"),
    [("10m", TimeOrCount(600.0)), ("1.5h", TimeOrCount(5400.0)), ("500", TimeOrCount(count=500))],
)
def test_a_budget(text: str, budget: TimeOrCount) -> None:
    assert Budget("transactions").convert(text, None, None) == budget


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "soon", "0s", "10 minutes"])
def test_no_budget(text: str) -> None:
    with pytest.raises(
        click.BadParameter, match="is not a time such as 30s, 10m or 2h, or a number of transac"
    ):
        Budget("transactions").convert(text, None, None)


def test_a_time_has_a_unit_or_is_in_seconds() -> None:
    assert [Time(min=0).convert(text, None, None) for text in ("90", "0.5", "90s", "2m")] == [
        90,
        0.5,
        90,
        120,
    ]
    for text in ("soon", "nan", "-1", "-1s", "1e999"):
        with pytest.raises(click.BadParameter):
            Time(min=0).convert(text, None, None)


def test_workloads_directories_and_budgets_are_called_alike() -> None:
    """In every command: what is shown for a workload, and no second name for a thing in its help."""
    cli = command_line()
    older = {"--config", "--workload", "--prev-workload", "--max-seconds", "--max-transactions"}
    with cli.make_context("txfuzz", [], resilient_parsing=True) as context:
        for name in COMMANDS:
            command = cli.get_command(context, name)
            assert command is not None
            for each in command.params:
                if isinstance(each, click.Argument) and each.name in ("workload", "targets"):
                    assert "FILE|NAME" in str(each.metavar), name
                if isinstance(each, click.Option) and not each.hidden:
                    assert each.opts[0] not in older, (name, each.opts)
                    assert each.opts[0] not in ("--seconds", "--output-root", "--output"), (name, each.opts)


def test_a_hunt_says_that_it_takes_the_url_of_the_environment(
    txfuzz: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/d.db")
    hunt = ("hunt", "--adapter", "sqlite", "--budget", 2)
    said = "txfuzz: on the server of $DATABASE_URL, as no --database-url is given"
    assert txfuzz(*hunt).err.splitlines()[0] == said
    assert said not in txfuzz(*hunt, "--database-url", f"sqlite:///{tmp_path}/d.db").err
    monkeypatch.delenv("DATABASE_URL")
    assert said not in txfuzz(*hunt).err


HEURISTIC = """
    from dataclasses import dataclass
    from typing import ClassVar
    from txfuzz import hookimpl

    @dataclass(frozen=True)
    class Mine:
        name: ClassVar[str] = "mine"
        about: ClassVar[str] = "mine"
        def propose(self, feedback, workload, random):
            return ()

    @hookimpl
    def txfuzz_register_heuristics():
        return [Mine]
"""


def test_heuristics_of_others_are_announced(txfuzz: Cli, place: Path, site: Site) -> None:
    said = (
        "the heuristic mine of acme-search 1.0 is asked as well, being installed: `heuristics` in the "
        "workload can name others"
    )
    assert "acme" not in txfuzz("run", "clean.yaml", *ONCE, "--output-dir", "a").err
    site.add("acme-search", "acme_search", HEURISTIC)
    assert said in " ".join(txfuzz("run", "clean.yaml", *ONCE, "--output-dir", "b").err.split())
    assert "acme" not in txfuzz("run", "clean.yaml", *ONCE, "--open-loop", "--output-dir", "c").err
    (place / "named.yaml").write_text(f"{CLEAN}heuristics: [mine]\n")
    assert "acme" not in txfuzz("run", "named.yaml", *ONCE, "--output-dir", "d").err
