"""The small-scope search before the first iteration of a campaign, on a database in memory."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from project_fixtures import Ran
from txfuzz import Verdict, run_campaign
from txfuzz.campaign.directory.reader import read_run
from txfuzz.campaign.events import Event, RunProgress, SmallScopeStarted, Warned
from txfuzz.campaign.setup.settings import CampaignSettings
from txfuzz.feedback.adjustments import current
from txfuzz.history.reader import read_history
from txfuzz.report.html.page import report_page
from txfuzz.report.junit import junit_text
from txfuzz.report.markdown import markdown_text

Cli = Callable[..., Ran]
HEAD = """
version: 1
name: small
database: {adapter: memory, isolation: serializable%s}
expect: serializable
seed: 5
workload:
  transactions:
"""
SKEW = """
    - name: skew
      steps:
        - {f: r, key: {choice: {range: [1, 900]}, as: a}}
        - {f: r, key: {choice: {range: [1, 900]}, as: b, distinct_from: [a]}}
        - {f: append, key: {ref: b}}
    - name: look
      steps: [{f: r, key: {choice: {range: [1, 900]}}}]
  mix: [{txn: skew, weight: 1}, {txn: look, weight: 9}]
"""
DISJOINT = """
    - name: transfer
      steps: [{f: r, key: {choice: {range: [1, 50]}}}, {f: append, key: {choice: {range: [51, 100]}}}]
    - name: look
      steps: [{f: r, key: {choice: {range: [51, 100]}}}]
"""
END = (
    "scheduling: {clients: 2, transactions: 40}\n"
    "campaign: {iterations: 1, small_scope: {schedules: %d, seconds: 60}}\n"
)


VARIED = "mutate: [keys, mix, rows, layout, plans, forms]\n"


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    def write(transactions: str = SKEW, defects: str = "", schedules: int = 40, mutate: str = "") -> Path:
        path = tmp_path / "small.yaml"
        path.write_text(HEAD % defects + transactions + END % schedules + mutate)
        return path

    return write


def test_a_defect_is_found_before_the_first_iteration(written: Callable[..., Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run_campaign(workload=written(defects=", defects: [lost-update]"), output=out)
    search = result.small_scope
    assert search is not None
    assert search.verdict is Verdict.INVALID
    assert result.verdict is Verdict.INVALID
    assert result.first_finding is search
    assert "small-scope" in result.found["lost-update"]
    assert search.searched is not None
    assert search.searched.first_found is not None
    assert search.searched.found > 0
    place = out / "iter_small_scope"
    assert {"history.edn", "analysis.json", "small_scope.json", "notes.md", "replay.yaml", "decisions.json",
            "workload.yaml", "next_workload.yaml", "minimal_dependency_graph.png"} <= {
        each.name for each in place.iterdir()
    }  # fmt: skip
    assert "first in schedule" in (place / "notes.md").read_text()
    campaign = json.loads((out / "campaign.json").read_text())
    assert campaign["small_scope"]["iteration"] == "small-scope"
    assert campaign["found"]["lost-update"][0] == "small-scope"
    assert [each["iteration"] for each in campaign["iterations"]] == [0]

    again = read_run(out)
    assert again.small_scope is not None
    assert again.small_scope.searched == search.searched
    assert again.found == result.found
    assert "Small scope" in report_page(again)
    assert "iteration small-scope against" in junit_text(again)
    assert "| small-scope | invalid" in markdown_text(again)


def test_the_campaign_can_end_with_it(written: Callable[..., Path], tmp_path: Path) -> None:
    defect = ", defects: [lost-update]"
    result = run_campaign(workload=written(defects=defect), output=tmp_path / "out", stop_on_finding=True)
    assert result.iterations == ()
    assert result.stopped == "something was found"
    assert read_run(tmp_path / "out").verdict is Verdict.INVALID


def test_without_a_defect_nothing_is_found_and_near_misses_lead_the_first_iteration(
    written: Callable[..., Path], tmp_path: Path
) -> None:
    result = run_campaign(workload=written(), output=tmp_path / "out")
    search = result.small_scope
    assert search is not None
    assert search.searched is not None
    assert (search.verdict, search.searched.found) == (Verdict.VALID, 0)
    assert search.searched.refused > 0
    assert result.verdict is Verdict.VALID
    keys, mix = ({each.target: each for each in search.decisions}[name] for name in ("keys", "mix"))
    assert all(each.reason.startswith("small scope: ") for each in (keys, mix))
    first = result.iterations[0].workload
    assert len(first.logical_keys()) == 4
    shares = {each.txn: each.weight for each in first.mix}
    assert shares["skew"] == 0.25  # of two near-missing transactions
    assert first.seed == 5


@pytest.mark.parametrize(
    ("defect", "only", "change"),
    [
        ("lost-update", "hashed", "layout hashed instead of ordered"),
        pytest.param("lost-update", "scan", "plan scan instead of default", marks=pytest.mark.slow),
        ("dirty-read", "range", "reads written as range"),
        pytest.param("lost-update", "replace", "writes written as replace", marks=pytest.mark.slow),
    ],
)
def test_what_another_layout_plan_or_form_shows_is_found_where_it_may_vary(
    written: Callable[..., Path], tmp_path: Path, defect: str, only: str, change: str
) -> None:
    defects = f", defects: [{defect}], probability: 1.0, only: {only}"
    out = tmp_path / "out"
    ran = run_campaign(workload=written(defects=defects, mutate=VARIED), output=out)
    search = ran.small_scope
    assert search is not None
    assert search.searched is not None
    assert search.verdict is Verdict.INVALID
    *tried, last = search.searched.variations
    assert (last.change.reason, all(each.found == 0 for each in tried)) == (change, True)
    assert last.found > 0
    assert search.searched.first_found is not None
    assert search.searched.first_found > search.searched.schedules
    assert change in (out / "iter_small_scope" / "notes.md").read_text()
    assert change in report_page(read_run(out))
    # all that follows runs where it showed
    assert search.decisions[0].target == last.change.target
    first = ran.iterations[0].workload
    for workload in (search.workload, first):
        assert current(workload, last.change.target) == last.change.after

    analysed = run_campaign(output=out, skip_run=True, iterations=1)
    assert analysed.small_scope is not None
    assert analysed.small_scope.decisions == search.decisions
    assert analysed.small_scope.workload == search.workload
    narrower = run_campaign(workload=written(defects=defects), output=out, skip_run=True, iterations=1)
    assert narrower.small_scope is not None
    assert last.change.target not in {each.target for each in narrower.small_scope.decisions}


def test_a_history_with_variations_is_one(written: Callable[..., Path], tmp_path: Path) -> None:
    """Their sessions, tables and rows are others, but indices, times and keys go on."""
    ran = run_campaign(workload=written(mutate=VARIED), output=tmp_path / "out")
    assert ran.small_scope is not None
    assert ran.small_scope.searched is not None
    assert len(ran.small_scope.searched.variations) == 5  # layout, rows, plan, reads, writes
    assert ran.found == {}
    lines = (tmp_path / "out" / "iter_small_scope" / "history.edn").read_text().splitlines()
    indices, times = (
        [int(each.split(f":{name} ")[1].split(",")[0].rstrip("}")) for each in lines]
        for name in ("index", "time")
    )
    assert indices == list(range(len(lines)))
    assert times == sorted(times)


def test_no_variation_is_blamed_for_what_the_workload_shows_as_it_is(
    written: Callable[..., Path], tmp_path: Path
) -> None:
    """Reads of old versions only show where one transaction follows another."""
    defects = ", defects: [stale-read], probability: 1.0"
    ran = run_campaign(workload=written(defects=defects, mutate=VARIED), output=tmp_path / "out")
    assert ran.small_scope is not None
    assert ran.small_scope.searched is not None
    assert (ran.small_scope.verdict, ran.small_scope.searched.variations) == (Verdict.INVALID, ())


def test_a_campaign_that_was_killed_in_a_variation_goes_on_with_it(
    written: Callable[..., Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    path = written(defects=", defects: [lost-update], probability: 1.0, only: scan", mutate=VARIED)
    whole = run_campaign(workload=path, output=tmp_path / "whole").small_scope
    assert whole is not None
    assert whole.searched is not None
    seen = whole.searched.schedules + sum(each.schedules for each in whole.searched.variations[:-1])
    lines = 0

    class Killed(BaseException):
        pass

    def subscriber(event: Event) -> None:
        nonlocal lines
        lines += isinstance(event, RunProgress)
        if lines > seen + 5:
            raise Killed

    with pytest.raises(Killed):
        run_campaign(workload=path, output=out, subscriber=subscriber)
    again = run_campaign(workload=path, output=out, resume=True, iterations=1)
    assert again.small_scope is not None
    assert again.small_scope.workload == whole.workload
    assert again.small_scope.decisions[0].target == "plans"


def test_what_may_not_vary_is_left_alone(written: Callable[..., Path], tmp_path: Path) -> None:
    defects = ", defects: [lost-update], probability: 1.0, only: hashed"
    ran = run_campaign(workload=written(defects=defects), output=tmp_path / "a")
    assert ran.small_scope is not None
    assert ran.small_scope.searched is not None
    assert (ran.verdict, ran.small_scope.searched.variations) == (Verdict.VALID, ())


def test_physical_keys_are_not_used_again(written: Callable[..., Path], tmp_path: Path) -> None:
    run_campaign(workload=written(), output=tmp_path / "out")
    first, then = (
        read_history(tmp_path / "out" / f"iter_{name}" / "history.edn") for name in ("small_scope", "00")
    )
    assert set(first.keys).isdisjoint(then.keys)


def test_roles_that_exclude_every_anomaly_stay(written: Callable[..., Path], tmp_path: Path) -> None:
    result = run_campaign(workload=written(DISJOINT), output=tmp_path / "out", isolation="snapshot")
    assert result.small_scope is not None
    assert result.small_scope.searched is not None
    assert result.small_scope.searched.schedules > 0
    assert result.found == {}
    assert result.small_scope.decisions == ()


@pytest.mark.parametrize("fields", [{"open_loop": True}, {"small_scope": False}])
def test_it_can_be_left_out(written: Callable[..., Path], tmp_path: Path, fields: dict[str, bool]) -> None:
    result = run_campaign(workload=written(), output=tmp_path / "out", **fields)
    assert result.small_scope is None
    assert not (tmp_path / "out" / "iter_small_scope").exists()
    assert len(result.iterations[0].workload.logical_keys()) == 900


def test_a_time_limit_of_the_campaign_limits_it() -> None:
    settings = CampaignSettings(max_seconds=2.0, small_scope=True)  # type: ignore[arg-type]
    assert settings.searched.seconds == 0.5
    assert CampaignSettings(runner_cmd="copy", small_scope=True).searched.schedules == 0  # type: ignore[arg-type]


@pytest.mark.slow
def test_it_is_analysed_again_but_not_run_again(written: Callable[..., Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = run_campaign(workload=written(), output=out)
    history = (out / "iter_small_scope" / "history.edn").read_bytes()
    analysed = run_campaign(output=out, skip_run=True, iterations=1)
    assert analysed.small_scope is not None
    assert ran.small_scope is not None
    assert analysed.small_scope.decisions == ran.small_scope.decisions
    longer = run_campaign(output=out, resume=True, iterations=2, workload=written())
    assert len(longer.iterations) == 2
    assert longer.small_scope is not None
    assert (out / "iter_small_scope" / "history.edn").read_bytes() == history


def test_the_command_line_tells_it(written: Callable[..., Path], tmp_path: Path, txfuzz: Cli) -> None:
    path = written(defects=", defects: [lost-update]")
    ran = txfuzz("run", "--config", path, "--plain", "--output-dir", tmp_path / "a")
    assert ran.code == 1
    assert "small scope: the workload's transactions two and three at a time" in ran.err
    assert "lost-update in iteration" in ran.out
    ran = txfuzz("run", "--config", path, "--plain", "--no-small-scope", "--output-dir", tmp_path / "b")
    assert "small scope" not in ran.err


def test_planning_takes_no_longer_than_the_search_may(written: Callable[..., Path], tmp_path: Path) -> None:
    path, warnings = written(), []
    path.write_text(path.read_text().replace("seconds: 60", "seconds: 0.0001"))

    def subscriber(event: Event) -> None:
        if isinstance(event, Warned):
            warnings.append(event.sentence)

    run_campaign(workload=path, output=tmp_path / "out", subscriber=subscriber)
    assert warnings[0] == (
        "the small-scope search was planned for 0.0001 s and leaves out further pairs and triples of "
        "transactions"
    )


def test_a_search_that_the_campaigns_time_ends_was_not_interrupted(
    written: Callable[..., Path], tmp_path: Path
) -> None:
    warnings = []

    def subscriber(event: Event) -> None:
        if isinstance(event, SmallScopeStarted):
            time.sleep(2.0)
        if isinstance(event, Warned):
            warnings.append(event.sentence)

    run_campaign(workload=written(), output=tmp_path / "out", max_seconds=2.0, subscriber=subscriber)
    assert warnings == ["no small-scope search: 2 seconds have passed"]


def test_without_time_for_a_schedule_there_is_none(written: Callable[..., Path], tmp_path: Path) -> None:
    """The time of the campaign may be up once its tables are made; here it is interrupted at that moment."""
    interrupted, warnings = threading.Event(), []

    def subscriber(event: Event) -> None:
        if isinstance(event, SmallScopeStarted):
            interrupted.set()
        if isinstance(event, Warned):
            warnings.append(event.sentence)

    ran = run_campaign(
        workload=written(), output=tmp_path / "out", interrupted=interrupted, subscriber=subscriber
    )
    assert (ran.small_scope, ran.verdict) == (None, Verdict.UNKNOWN)
    assert warnings == ["no small-scope search: it was interrupted"]
    assert not (tmp_path / "out" / "iter_small_scope").exists()
