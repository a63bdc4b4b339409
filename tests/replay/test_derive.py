"""From what was found, or nearly happened, to schedules that bring it about on a real server."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from project_fixtures import Ran
from replay_server import playing, server, shipped
from txfuzz import run_campaign
from txfuzz.analysis.analyze import analyze_history
from txfuzz.analysis.checker.consistency import canonical, prohibited
from txfuzz.analysis.result import AnalysisResult
from txfuzz.campaign.setup.resolve import Assembled, InstalledVocabulary
from txfuzz.database.api import Database
from txfuzz.errors import UsageError
from txfuzz.execution.run import execute
from txfuzz.history.model import History
from txfuzz.history.reader import read_history
from txfuzz.plugin.loader import load_plugins
from txfuzz.replay.near_cycle_replay import ReplayTarget, replay_target
from txfuzz.replay.replayer import follow_schedule
from txfuzz.replay.schedule.derive import derive_anomaly, derive_near_cycle
from txfuzz.workload.yaml.reader import parse_workload
from txfuzz.workload.yaml.writer import workload_text

__all__ = ["server"]
pytestmark = pytest.mark.server

ROOT = Path(__file__).parents[2]
VOCABULARY = InstalledVocabulary(load_plugins())
Found = tuple[Assembled, History, AnalysisResult]


@pytest.fixture(scope="module")
def ran(server: Database, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Found]:
    """Run a shipped workload at a level, once, and judge it."""
    known: dict[tuple[str, str], Found] = {}

    def run(name: str, isolation: str) -> Found:
        if (name, isolation) not in known:
            assembled = shipped(name, isolation)
            path = tmp_path_factory.mktemp("ran") / "history.edn"
            execute(assembled.workload, server, path, isolation=assembled.isolation, fresh=False)
            history = read_history(path)
            known[name, isolation] = assembled, history, analyze_history(history, "serializable")
        return known[name, isolation]

    return run


@pytest.mark.parametrize(
    ("name", "isolation", "anomaly", "transactions"),
    [
        ("lost_update", "read committed", "lost-update", 2),
        ("read_skew", "read committed", "G-single-item", 2),
        ("write_skew", "repeatable read", "G2-item", 2),
        ("read_only_anomaly", "repeatable read", "G2-item", 3),
        ("long_fork", "read committed", "G-nonadjacent-item", 4),
    ],
)
def test_a_found_anomaly_is_replayed_ten_times_of_ten(
    server: Database,
    ran: Callable[[str, str], Found],
    name: str,
    isolation: str,
    anomaly: str,
    transactions: int,
) -> None:
    assembled, history, result = ran(name, isolation)
    found = next(each for each in result.anomalies if each.type == anomaly)
    derived = derive_anomaly(found, history, assembled.workload, assembled.promised)
    assert derived.fits
    workload = derived.candidates[0]
    assert workload.replay is not None
    assert len(workload.replay.transactions) == transactions
    assert parse_workload(workload_text(workload), "replay.yaml", VOCABULARY) == workload
    with playing(server, assembled) as player:
        followed, _ = follow_schedule(player, workload, "serializable", attempts=10)
    assert (followed.closed, followed.attempts) == (10, 10)
    assert followed.anomalies[anomaly] == 10


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "isolation"), [("write_skew", "serializable"), ("hot_keys", "serializable")]
)
def test_what_the_level_forbids_never_closes(
    server: Database, ran: Callable[[str, str], Found], name: str, isolation: str
) -> None:
    assembled, history, result = ran(name, isolation)
    tried = 0
    with playing(server, assembled) as player:
        for near in result.near_cycles:
            assert near.anomaly in prohibited(canonical(assembled.promised))
            derived = derive_near_cycle(near, history, assembled.workload, assembled.promised)
            for candidate in derived.candidates[:4]:
                followed, _ = follow_schedule(player, candidate, "serializable")
                assert followed.closed == 0
                tried += 1
    assert tried


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "isolation"),
    [("lost_update", "read committed"), ("hot_keys", "read committed"), ("write_skew", "repeatable read")],
)
def test_what_the_level_allows_closes(
    server: Database, ran: Callable[[str, str], Found], name: str, isolation: str
) -> None:
    assembled, history, result = ran(name, isolation)
    closed = able = 0
    with playing(server, assembled) as player:
        for near in result.near_cycles:
            derived = derive_near_cycle(near, history, assembled.workload, assembled.promised)
            if derived.fits and near.anomaly not in prohibited(canonical(assembled.promised)):
                target = ReplayTarget("near-cycle", near.anomaly, derived)
                tried = replay_target(player, target, "serializable", attempts=1)
                able += 1
                closed += tried.closed
                assert tried.result is not None
                assert not tried.closed or tried.result.appeared == 1
    assert able >= 4
    assert closed >= 0.9 * able


def test_the_focus_key_is_kept_and_so_are_the_others(ran: Callable[[str, str], Found]) -> None:
    assembled, history, result = ran("write_skew", "repeatable read")
    near = next(each for each in result.near_cycles if len(each.path) == 1)
    derived = derive_near_cycle(near, history, assembled.workload, assembled.promised)
    workload = derived.candidates[0]
    assert workload.replay is not None
    assert workload.replay.focus_key == near.missing.key
    assert set(derived.keys) <= set(workload.logical_keys())
    assert all(
        len(term.keys) == 1  # type: ignore[union-attr]
        for transaction in workload.transactions
        for step in transaction.steps
        for term in step.key_terms()
        if hasattr(term, "keys")
    )
    missing = workload.replay.missing
    assert missing is not None
    assert (missing.kind, missing.source, missing.target) == (
        near.missing.kind,
        f"t{len(near.transactions)}",
        "t1",
    )


def test_what_the_choices_cannot_give_is_said(ran: Callable[[str, str], Found]) -> None:
    assembled, history, result = ran("write_skew", "repeatable read")
    near = result.near_cycles[0]
    elsewhere = replace(near, missing=replace(near.missing, key=777))
    derived = derive_near_cycle(elsewhere, history, assembled.workload, assembled.promised)
    assert derived.candidates == ()
    assert "offer no keys" in derived.reason
    renamed = replace(assembled.workload, transactions=assembled.workload.transactions[:0])
    assert "cannot be run again" in derive_near_cycle(near, history, renamed, assembled.promised).reason


@pytest.mark.slow
def test_a_campaign_replays(tmp_path: Path) -> None:
    outcome = run_campaign(workload="write_skew", iterations=1, output=tmp_path / "out", run_replay=True)
    place = tmp_path / "out" / "iter_00"
    told = json.loads((place / "replay_result.json").read_text())
    assert (told["closed"], told["attempts"], told["anomalies"]) == (10, 10, {"G2-item": 10})
    assert told["tried"][0]["what"] == "anomaly"
    assert len(told["log"]) == 8
    replayed = analyze_history(read_history(place / "replay_history.edn"), "serializable")
    assert replayed.anomaly_types == ("G2-item",)
    assert "replay: G2-item in 10 of 10 attempts" in outcome.iterations[0].notes
    workload = parse_workload((place / "replay.yaml").read_text(), "replay.yaml", VOCABULARY)
    assert workload.replay is not None


def test_failed_replays_gain_weight(tmp_path: Path) -> None:
    outcome = run_campaign(
        workload="write_skew",
        iterations=1,
        output=tmp_path / "out",
        run_replay=True,
        isolation="serializable",
    )
    told = json.loads((tmp_path / "out" / "iter_00" / "replay_result.json").read_text())
    assert told["closed"] == 0
    tried = [each for each in told["tried"] if each["schedules"]]
    assert tried
    assert sum(told["failed"].values()) == sum(len(each["keys"]) for each in tried)
    assert f"replay: 0 of {len(tried)} near-cycles closed" in outcome.iterations[0].notes


def test_run_replay_needs_a_database(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--run-replay with --skip-run needs --runner-cmd"):
        run_campaign(skip_run=True, run_replay=True, output=tmp_path)


@pytest.mark.slow
def test_every_analysis_writes_a_replay(tmp_path: Path, txfuzz: Callable[..., Ran]) -> None:
    arguments = ("run", "--workload", "lost_update", "--iterations", 1, "--output-dir", "out", "-q")
    assert txfuzz(*arguments).code == 1
    written = (tmp_path / "out/iter_00/replay.yaml").read_text()
    assert written.startswith("# Replay of anomaly: ")
    (tmp_path / "out/iter_00/replay.yaml").unlink()
    assert txfuzz(*arguments, "--skip-run").code == 1
    assert (tmp_path / "out/iter_00/replay.yaml").read_text() == written
    ran = txfuzz("execute", "--exit-code", "--config", "out/iter_00/replay.yaml", "--out", "h.edn")
    assert ran.code == 1
    assert txfuzz("analyze", "h.edn", "--skip-graph").code == 1


@pytest.mark.slow
def test_what_only_a_replay_shows_is_a_finding(tmp_path: Path, txfuzz: Callable[..., Ran]) -> None:
    """Few transactions on many keys meet by luck only; their near-cycles are closed by replay."""
    text = (ROOT / "workloads" / "example.yaml").read_text().replace("range: [1, 1000]", "range: [1, 100]")
    (tmp_path / "wide.yaml").write_text(text)
    arguments = ("run", "--config", "wide.yaml", "--iterations", 1, "--run-replay", "--open-loop", "-q")
    for seed in range(1, 9):
        ran = txfuzz(*arguments, "--seed", seed, "--output-dir", f"out{seed}")
        place = tmp_path / f"out{seed}" / "iter_00"
        analysis = json.loads((place / "analysis.json").read_text())
        replayed = json.loads((place / "replay_result.json").read_text())
        assert (ran.code == 1) == (analysis["verdict"] == "invalid" or replayed["closed"] > 0)
        if analysis["verdict"] == "valid" and replayed["closed"]:
            assert ran.out.startswith("Write skew (G2-item): ")
            assert "\nG2-item in iteration 0\n" in ran.out
            assert "replay_history.edn" in ran.out
            return
    pytest.fail("no seed of eight gave a near-cycle without an anomaly")
