"""The loop and its artefacts, against a database in memory."""

from __future__ import annotations

import csv
import json
import os
import shlex
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from project_fixtures import Ran, Site
from txfuzz import CampaignSettings, Verdict, run_campaign
from txfuzz.campaign.events import Event, IterationStarted
from txfuzz.errors import HistoryError, OutputError, UsageError
from txfuzz.history.reader import read_history

Cli = Callable[..., Ran]

WORKLOAD = """
version: 1
name: small
database: {adapter: dictionary, isolation: %s}
expect: serializable
seed: 5
workload:
  transactions:
    - name: look
      steps:
        - {f: r, key: {choice: {range: [1, 40]}, as: a}}
        - {f: r, key: {choice: {range: [1, 40]}, as: b, distinct_from: [a]}}
        - {f: append, key: {ref: b}}
    - name: read
      steps:
        - {f: r, key: {choice: {range: [1, 40]}, as: a}}
scheduling: {clients: 4, transactions: 300, barrier_every: 5}
"""


@pytest.fixture
def workload(tmp_path: Path, site: Site) -> Path:
    site.add_third()
    path = tmp_path / "small.yaml"
    path.write_text(WORKLOAD % "locked")
    return path


def test_a_campaign_leaves_its_artefacts(workload: Path, tmp_path: Path) -> None:
    result = run_campaign(workload=workload, iterations=3, output=tmp_path / "out", max_graph_nodes=2000)
    assert result.verdict is Verdict.VALID
    assert result.exit_code == 0
    for number in range(3):
        place = tmp_path / "out" / f"iter_{number:02d}"
        assert {path.name for path in place.iterdir()} - {"replay.yaml"} == {
            "workload.yaml",
            "history.edn",
            "analysis.json",
            "decisions.json",
            "execution.json",
            "next_workload.yaml",
            "notes.md",
            "dependency_graph.png",
            "minimal_dependency_graph.png",
        }
        analysis = json.loads((place / "analysis.json").read_text())
        assert analysis["verdict"] == "valid"
        assert analysis["file"] == str(place / "history.edn")
        assert len(read_history(place / "history.edn")) == analysis["transactions"] > 300
    record = json.loads((tmp_path / "out" / "campaign.json").read_text())
    assert record["state"] == "ended"
    assert record["verdict"] == "valid"
    assert record["seed"] == 5
    assert record["isolation"] == "locked"
    assert record["promised"] == "strict-serializable"
    assert record["database"]["product"] == "dictionary"
    assert {"name": "heuristics", "distribution": "txfuzz-heuristics", "version": "0.1.0"} in record[
        "plugins"
    ]
    assert [each["iteration"] for each in record["iterations"]] == [0, 1, 2]
    stats = json.loads((tmp_path / "out" / "stats.json").read_text())
    assert stats["iterations"] == 3
    assert set(stats["by_iteration"][0]["stages"]) == {
        "run",
        "read",
        "analysis",
        "pictures",
        "replay",
        "feedback",
    }
    rows = list(csv.DictReader((tmp_path / "out" / "progress.csv").open()))
    assert [row["iteration"] for row in rows] == ["0", "1", "2"]
    assert int(rows[0]["ok"]) > 300


def test_the_next_workload_is_what_the_decisions_say(workload: Path, tmp_path: Path) -> None:
    run_campaign(workload=workload, iterations=2, output=tmp_path / "out")
    decisions = json.loads((tmp_path / "out/iter_00/decisions.json").read_text())
    before, after = (
        yaml.safe_load((tmp_path / f"out/iter_{number:02d}/workload.yaml").read_text()) for number in (0, 1)
    )
    assert decisions
    assert all(decision["reason"] and decision["heuristic"] for decision in decisions)
    clients = [decision for decision in decisions if decision["target"] == "scheduling.clients"]
    assert [decision["heuristic"] for decision in clients] == ["more-clients", "scheduling"]
    assert before["scheduling"]["clients"] == clients[0]["before"]
    assert after["scheduling"]["clients"] == clients[-1]["after"]
    assert (before["init_schema"], after["init_schema"]) == (True, False)
    assert before["seed"] == 5
    assert after["seed"] != 5


def test_a_campaign_is_reproducible_from_its_seed(workload: Path, tmp_path: Path) -> None:
    def asked(name: str) -> list[str]:
        run_campaign(workload=workload, iterations=2, output=tmp_path / name, open_loop=True, seed=9)
        texts = []
        for number in range(2):
            lines = (tmp_path / name / f"iter_{number:02d}" / "history.edn").read_text().splitlines()
            invoked = sorted(line.partition(":txn ")[2] for line in lines if ":type :invoke" in line)
            texts.append("\n".join(line for line in invoked if "final-read" not in line))
        return texts

    one, two = asked("one"), asked("two")
    assert one == two
    assert one[0] != one[1]


def test_open_loop_changes_nothing(workload: Path, tmp_path: Path) -> None:
    result = run_campaign(workload=workload, iterations=2, output=tmp_path / "out", open_loop=True)
    assert [each.decisions for each in result.iterations] == [(), ()]
    first, second = (each.workload for each in result.iterations)
    assert (first.transactions, first.mix, first.scheduling) == (
        second.transactions,
        second.mix,
        second.scheduling,
    )


def test_keep_schema_init_holds_one_target(workload: Path, tmp_path: Path) -> None:
    kept = run_campaign(workload=workload, iterations=2, output=tmp_path / "kept", keep_schema_init=True)
    assert [each.workload.init_schema for each in kept.iterations] == [True, True]
    assert "scheduling.clients" in {each.target for each in kept.iterations[0].decisions}
    changed = run_campaign(workload=workload, iterations=2, output=tmp_path / "changed")
    assert [each.workload.init_schema for each in changed.iterations] == [True, False]


def test_state_that_is_kept_gives_no_false_alarm(workload: Path, tmp_path: Path) -> None:
    result = run_campaign(workload=workload, iterations=4, output=tmp_path / "out")
    keys = [set(read_history(tmp_path / f"out/iter_{n:02d}/history.edn").keys) for n in range(4)]
    assert result.verdict is Verdict.VALID
    assert all(not keys[one] & keys[two] for one in range(4) for two in range(one))


def test_the_worst_verdict_counts(workload: Path, tmp_path: Path) -> None:
    workload.write_text((WORKLOAD % "dirty") + "analyzers: [elle, {name: longest-list, allowed: 1}]\n")
    result = run_campaign(workload=workload, iterations=1, output=tmp_path / "out")
    assert result.verdict is Verdict.INVALID
    assert result.exit_code == 1
    assert "longest" in result.iterations[0].result.parts["longest-list"]


def test_a_run_in_which_nothing_committed_is_unknown(workload: Path, tmp_path: Path, txfuzz: Cli) -> None:
    workload.write_text(WORKLOAD.replace("dictionary,", "dictionary, fail_every: 1,") % "locked")
    ran = txfuzz("run", "--config", workload, "--iterations", 1, "--output-dir", tmp_path / "out")
    assert ran.code == 3
    assert "vacuous" in ran.out
    assert "nothing committed" in ran.out
    analysis = json.loads((tmp_path / "out/iter_00/analysis.json").read_text())
    assert analysis["verdict"] == "unknown"
    assert "vacuous" in analysis["reason"]
    assert analysis["vacuous"] is True


def test_a_run_of_one_client_is_vacuous(workload: Path, tmp_path: Path, txfuzz: Cli) -> None:
    workload.write_text((WORKLOAD % "locked").replace("clients: 4", "clients: 1"))
    ran = txfuzz("run", "--config", workload, "--iterations", 1, "--output-dir", tmp_path / "out")
    assert ran.code == 3
    assert "vacuous" in ran.out


def test_an_earlier_campaign_is_set_aside(workload: Path, tmp_path: Path, txfuzz: Cli) -> None:
    arguments = ("run", "--config", workload, "--iterations", 1, "--output-dir", tmp_path / "out")
    assert txfuzz(*arguments).code == 0
    old = (tmp_path / "out/campaign.json").read_bytes()
    ran = txfuzz(*arguments)
    assert ran.code == 0
    assert f"{tmp_path}/out.1" in ran.err
    assert (tmp_path / "out.1/campaign.json").read_bytes() == old
    assert (tmp_path / "out/campaign.json").exists()


def test_two_campaigns_do_not_share_a_directory(workload: Path, tmp_path: Path) -> None:
    interrupted = threading.Event()
    workload.write_text((WORKLOAD % "locked").replace("transactions: 300, barrier_every: 5", "duration: 20s"))
    settings = CampaignSettings(workload=workload, iterations=1, output=tmp_path / "out")
    other = threading.Thread(target=lambda: run_campaign(settings, interrupted=interrupted))
    other.start()
    until = time.monotonic() + 20
    while not (tmp_path / "out/iter_00/history.edn").exists():
        assert time.monotonic() < until
        time.sleep(0.01)
    with pytest.raises(OutputError, match="another campaign is running there"):
        run_campaign(settings)
    interrupted.set()
    other.join(10)
    assert json.loads((tmp_path / "out/campaign.json").read_text())["state"] == "interrupted"


def test_an_interrupted_campaign_is_analysed(workload: Path, tmp_path: Path) -> None:
    interrupted = threading.Event()
    workload.write_text((WORKLOAD % "locked").replace("transactions: 300, barrier_every: 5", "duration: 60s"))

    def soon(event: Event) -> None:
        if isinstance(event, IterationStarted):
            threading.Timer(0.5, interrupted.set).start()

    result = run_campaign(
        workload=workload, output=tmp_path / "out", interrupted=interrupted, subscriber=soon
    )
    assert result.exit_code == 130
    assert len(result.iterations) == 1
    assert result.iterations[0].result.transactions > 0
    assert (tmp_path / "out/iter_00/analysis.json").exists()


def test_skip_run_analyses_what_is_there(workload: Path, tmp_path: Path, txfuzz: Cli) -> None:
    run_campaign(workload=workload, iterations=2, output=tmp_path / "out")
    history = (tmp_path / "out/iter_01/history.edn").read_bytes()
    written = (tmp_path / "out/iter_01/workload.yaml").read_bytes()
    (tmp_path / "out/iter_01/analysis.json").unlink()
    again = ("run", "--config", workload, "--output-dir", tmp_path / "out", "--skip-run")
    ran = txfuzz(*again, "--iterations", 2)
    assert ran.code == 0
    assert (tmp_path / "out/iter_01/analysis.json").exists()
    assert (tmp_path / "out/iter_01/history.edn").read_bytes() == history
    assert (tmp_path / "out/iter_01/workload.yaml").read_bytes() == written
    ran = txfuzz(*again, "--iterations", 3)
    assert ran.code == 2
    assert "iter_02/history.edn" in ran.err


def test_skip_run_needs_a_directory(workload: Path) -> None:
    with pytest.raises(UsageError, match="--output-dir"):
        run_campaign(workload=workload, skip_run=True)


COPIER = """
import os, pathlib, shutil, sys
arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
assert arguments["--out"] == os.environ["HISTORY_OUT"]
assert pathlib.Path(arguments["--config"]).read_text().startswith("version: 1")
pathlib.Path("seen").write_text(os.environ.get("DATABASE_URL", "none"))
shutil.copy("given.edn", arguments["--out"])
"""


def test_an_external_runner_makes_the_history(workload: Path, tmp_path: Path, txfuzz: Cli) -> None:
    run_campaign(workload=workload, iterations=1, output=tmp_path / "first")
    os.replace(tmp_path / "first/iter_00/history.edn", tmp_path / "given.edn")
    (tmp_path / "copier.py").write_text(COPIER)
    arguments = (
        "run",
        "--config",
        workload,
        "--runner-cmd",
        f"{shlex.quote(sys.executable)} 'copier.py'",
        "--iterations",
        2,
    )
    for more in ((), ("--skip-run",)):
        out = tmp_path / f"out{len(more)}"
        ran = txfuzz(*arguments, "--output-dir", out, "--database-url", "memory://me:hidden@here", *more)
        assert ran.code == 0, ran.err
        assert (out / "iter_01/history.edn").read_bytes() == (tmp_path / "given.edn").read_bytes()
        assert (tmp_path / "seen").read_text() == "memory://me:hidden@here"
        for path in out.rglob("*"):
            assert not path.is_file() or b"hidden" not in path.read_bytes()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("nobody-has-this-command", "cannot be run: "),
        (
            "sh -c 'echo it broke: postgres://a:hidden@b/c >&2; exit 7'",
            "exit code 7: it broke: postgres://a@b/c",
        ),
        ("true", "did not write it"),
        ("'", "cannot be split"),
        ("", "is empty"),
    ],
)
def test_a_runner_that_fails_is_said(
    workload: Path, tmp_path: Path, txfuzz: Cli, command: str, words: str
) -> None:
    ran = txfuzz("run", "--config", workload, "--runner-cmd", command, "--output-dir", tmp_path / "out")
    assert ran.code == 2
    assert words in ran.err
    assert "hidden" not in ran.err
    assert len(ran.err.strip().splitlines()[-1]) < 500
    assert (tmp_path / "out").exists() == (command not in ("'", ""))  # what is no command begins nothing


def test_a_database_that_is_lost_loses_no_history(workload: Path, tmp_path: Path, txfuzz: Cli) -> None:
    workload.write_text(WORKLOAD.replace("dictionary,", "dictionary, refuse: '12',") % "locked")
    ran = txfuzz("run", "--config", workload, "--output-dir", tmp_path / "out")
    assert ran.code == 2
    assert "the database rejects transaction" in ran.err
    assert read_history(tmp_path / "out/iter_00/history.edn")
    assert (tmp_path / "out/iter_00/analysis.json").exists()
    assert json.loads((tmp_path / "out/campaign.json").read_text())["state"].startswith("failed: ")


def test_a_history_that_is_not_there_is_an_error() -> None:
    with pytest.raises(HistoryError):
        read_history("/nowhere/h.edn")
