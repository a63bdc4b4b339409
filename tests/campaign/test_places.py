"""Where a campaign runs and where it writes: nothing that was named is passed over in silence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from project_fixtures import Ran
from txfuzz import Workload, analyze_history, run_campaign
from txfuzz.campaign.directory.run_directory import new_path
from txfuzz.campaign.setup.resolve import assemble, database_url
from txfuzz.errors import OutputError, UsageError
from txfuzz.plugin.loader import load_plugins
from txfuzz.transactions.model import Step, Transaction
from txfuzz.workload.model import DatabaseSpec, Weight

Cli = Callable[..., Ran]

WORKLOAD = """\
version: 1
name: small
database: {adapter: memory}
workload:
  transactions:
    - name: add
      steps:
        - {f: r, key: {choice: {from: [1, 2]}, as: k}}
        - {f: append, key: {ref: k}}
scheduling: {clients: 3, transactions: 60, barrier_every: 3}
"""
HISTORY = """\
{:index 0, :type :invoke, :process 0, :f :txn, :value [[:append 1 1]]}
{:index 1, :type :ok, :process 0, :f :txn, :value [[:append 1 1]]}
"""


def workload(url: str | None = None) -> Workload:
    add = Transaction("add", (Step("append", 1),))
    return Workload("small", (add,), (Weight("add", 1),), database=DatabaseSpec("memory", url=url))


def test_where_the_database_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("MINE", "x://mine")
    assert database_url(None, None) is None
    assert database_url(None, workload()) is None
    assert database_url(None, workload("x://w")) == "x://w"
    assert database_url("x://a", workload("x://w")) == "x://a"
    assert database_url("$MINE", workload("x://w")) == "x://mine"
    assert database_url(None, workload("${MINE}")) == "x://mine"
    monkeypatch.setenv("DATABASE_URL", "")
    assert database_url(None, workload()) is None
    monkeypatch.setenv("DATABASE_URL", "x://environment")
    assert database_url(None, workload()) == "x://environment"
    assert database_url(None, workload("x://w")) == "x://w"


@pytest.mark.parametrize(
    "given",
    ["", " ", "$NOPE", "${NOPE}", "$DATABASE_URL", "$HOLLOW"],
)
def test_a_place_that_is_not_there_is_no_embedded_server(
    given: str, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("HOLLOW", "")
    for argument, other in ((given, workload("x://w")), (None, workload(given))):
        with pytest.raises(UsageError) as refused:
            database_url(argument, other)
        assert str(refused.value) == snapshot(name="refused")


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("--database-url", "the database URL is empty"),
        ("--isolation", "no isolation level ''"),
        ("--expect", "''"),
        ("--output-dir", "the path is empty"),
        ("--config", "the path is empty"),
        ("--workload", "''"),
    ],
)
def test_what_is_given_but_empty_is_refused(txfuzz: Cli, flag: str, said: str) -> None:
    Path("w.yaml").write_text(WORKLOAD)
    source = () if flag in ("--config", "--workload") else ("--config", "w.yaml")
    ran = txfuzz("run", *source, "--iterations", 1, flag, "")
    assert ran.code == 2
    assert said in ran.err
    assert not Path("runs").exists()


def test_a_url_that_nobody_needs_is_not_asked_for(txfuzz: Cli) -> None:
    Path("w.yaml").write_text(WORKLOAD.replace("memory}", "memory, url: $NOPE}"))
    place = Path("out/iter_00")
    place.mkdir(parents=True)
    (place / "history.edn").write_text(HISTORY)
    ran = txfuzz("run", "--config", "w.yaml", "--skip-run", "--iterations", 1, "--output-dir", "out")
    assert ran.code == 3, ran.err
    assert "no transaction depends on another" in ran.out
    ran = txfuzz("run", "--config", "w.yaml", "--iterations", 1, "--output-dir", "other")
    assert ran.code == 2
    assert "NOPE, which is not set" in ran.err


def test_without_a_judge_there_is_no_verdict(tmp_path: Path) -> None:
    (tmp_path / "h.edn").write_text(HISTORY)
    with pytest.raises(UsageError, match="no analyzer was given"):
        analyze_history(tmp_path / "h.edn", analyzers=[])
    nobody = Workload("small", workload().transactions, workload().mix, database=DatabaseSpec("memory"),
                      analyzers=())  # fmt: skip
    with pytest.raises(UsageError, match="names no analyzer"):
        assemble(nobody, load_plugins())


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("../../evil", "evil"),
        ("a/b c", "a-b-c"),
        ("...", "campaign"),
        ("write_skew", "write_skew"),
        ("x" * 400, "x" * 48),
        ("ż" * 400, "ż" * 48),
    ],
)
def test_a_name_stays_under_its_root(tmp_path: Path, name: str, plain: str) -> None:
    path = new_path(tmp_path, name)
    assert path.parent == tmp_path
    assert path.name.startswith(f"{plain}-2")
    path.mkdir()
    assert new_path(tmp_path, name) != path


def test_a_campaign_of_any_name_runs(txfuzz: Cli) -> None:
    for name in ("../../evil", "n" * 400):
        Path("w.yaml").write_text(WORKLOAD.replace("small", name))
        assert txfuzz("run", "--config", "w.yaml", "--iterations", 1).code == 0
    assert len(list(Path("runs").iterdir())) == 2
    assert {path.name for path in Path().iterdir()} == {"runs", "w.yaml"}


def test_a_second_campaign_in_the_working_directory(txfuzz: Cli, tmp_path: Path) -> None:
    Path("w.yaml").write_text(WORKLOAD)
    here = ("run", "--config", "w.yaml", "--iterations", 1, "--output-dir")
    assert txfuzz(*here, ".").code == 0
    kept = Path("iter_00/history.edn").read_bytes()
    for place in (".", tmp_path, "iter_00/.."):
        ran = txfuzz(*here, place)
        assert ran.code == 2
        assert "it is the working directory or above it" in ran.err
    assert Path("iter_00/history.edn").read_bytes() == kept


def test_a_place_by_a_roundabout_path_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text(WORKLOAD)
    (tmp_path / "out/below").mkdir(parents=True)
    for _ in range(2):
        run_campaign(workload=tmp_path / "w.yaml", iterations=1, output=tmp_path / "out/below/..")
        (tmp_path / "out/below").mkdir(exist_ok=True)
    assert (tmp_path / "out.1/campaign.json").exists()


def test_a_path_that_is_too_long_is_said(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text(WORKLOAD)
    with pytest.raises(OutputError, match="cannot be written"):
        run_campaign(workload=tmp_path / "w.yaml", iterations=1, output=tmp_path / ("o" * 400))
