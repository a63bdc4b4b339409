"""Which adapter opens which URL: on the command line, in the file, in the environment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

import txfuzz.cli.commands.doctor as doctor
from own_workloads import REGISTRY, WORDS
from project_fixtures import Ran
from txfuzz.campaign.setup.adapter_choice import adapter_of_scheme, chosen_database
from txfuzz.campaign.setup.resolve import adapter_of
from txfuzz.database.isolation_levels import open_database
from txfuzz.errors import PluginError, UsageError
from txfuzz.workload.model import AS_IN_FILE, DatabaseChoice, DatabaseSpec
from txfuzz.workload.shipped import workload_path
from txfuzz.workload.yaml.reader import parse_workload, read_workload

Cli = Callable[..., Ran]
WITHOUT = """
version: 1
name: plain
workload:
  transactions:
    - name: look_then_write
      steps:
        - {f: r, key: {choice: {from: [1, 2]}, as: a}}
        - {f: append, key: {ref: a}}
scheduling: {clients: 3, transactions: 60}
"""


@pytest.mark.parametrize(
    ("url", "adapter"),
    [
        ("postgresql://h/d", "postgres"),
        ("postgres://h/d", "postgres"),
        ("postgresql+psycopg://h/d", "postgres"),
        ("mysql://h/d", "mariadb"),
        ("MariaDB+pymysql://h/d", "mariadb"),
        ("sqlite:///x", "sqlite"),
        ("duckdb:///x", "duckdb"),
        ("oracle://h/d", "sqlalchemy"),
        ("whatever+driver://h/d", "sqlalchemy"),
        ("no url", None),
    ],
)
def test_the_scheme_decides(url: str, adapter: str | None) -> None:
    assert adapter_of_scheme(REGISTRY, url) == adapter


@pytest.mark.parametrize(
    ("url", "near"),
    [("postgress://me:hunter2@h/d", "postgres"), ("duckdbs:///x", "duckdb"), ("marriadb://h/d", "mariadb")],
)
def test_a_misspelt_scheme_is_told_apart_from_one_for_any_adapter(url: str, near: str) -> None:
    with pytest.raises(UsageError, match=f"unknown database URL scheme .*did you mean '{near}'") as refused:
        adapter_of_scheme(REGISTRY, url)
    assert "hunter2" not in str(refused.value)
    entries = {name: each for name, each in REGISTRY.entries.items() if name != ("adapter", "sqlalchemy")}
    with pytest.raises(UsageError, match=f"did you mean '{near}'"):
        adapter_of_scheme(replace(REGISTRY, entries=entries), url)


@pytest.mark.parametrize(
    "arguments",
    [
        ("run",),
        ("run", "--adapter", "postgres"),
        ("hunt",),
        ("explore", "lost_update", "--transactions", "read_append,read_append"),
        ("doctor",),
    ],
)
def test_every_command_has_the_remedy(txfuzz: Cli, arguments: tuple[str, ...]) -> None:
    ran = txfuzz(*arguments, "--database-url", "postgress://h/d")
    assert ran.code == 2
    assert "did you mean 'postgres'?" in ran.err


def test_where_no_adapter_takes_any_url() -> None:
    entries = {name: each for name, each in REGISTRY.entries.items() if name != ("adapter", "sqlalchemy")}
    assert adapter_of_scheme(replace(REGISTRY, entries=entries), "oracle://h/d") is None


def test_what_is_named_comes_before_the_url() -> None:
    assert chosen_database(REGISTRY, "sqlalchemy", "sqlite:///x").adapter == "sqlalchemy"
    assert chosen_database(REGISTRY, None, "sqlite:///x").adapter == "sqlite"
    assert chosen_database(REGISTRY, None, None).adapter is None
    assert chosen_database(REGISTRY, None, "sqlite:///x", opens=False).adapter is None
    with pytest.raises(PluginError, match="no adapter 'sqllite' is installed"):
        chosen_database(REGISTRY, "sqllite", None)


def test_another_database_comes_without_the_options_of_the_files() -> None:
    path = workload_path("example")
    assert read_workload(path, WORDS).database.adapter == "postgres"
    other = read_workload(path, WORDS, DatabaseChoice("sqlite")).database
    assert other == DatabaseSpec("sqlite")
    same = read_workload(path, WORDS, DatabaseChoice("postgres")).database
    assert same == read_workload(path, WORDS, AS_IN_FILE).database
    told = read_workload(path, WORDS, DatabaseChoice("sqlalchemy", "mysql+pymysql://h/d")).database
    assert told == DatabaseSpec("sqlalchemy", options={"dialect": "mysql"})


def test_a_level_without_an_adapter_is_that_of_the_chosen_one() -> None:
    text = WITHOUT.replace("name: plain", "name: plain\ndatabase: {isolation: Serializable}")
    chosen = parse_workload(text, "plain.yaml", WORDS, DatabaseChoice("sqlite"))
    assert chosen.database == DatabaseSpec("sqlite", "serializable")
    with pytest.raises(UsageError, match="no isolation level"):
        parse_workload(text, "plain.yaml", WORDS, DatabaseChoice("duckdb"))


def test_the_dialect_is_that_of_the_files_url() -> None:
    text = WITHOUT.replace("name: plain", "name: plain\ndatabase: {adapter: sqlalchemy, url: 'duckdb:///x'}")
    read = parse_workload(text, "plain.yaml", WORDS)
    assert read.database.options == {"dialect": "duckdb"}


def test_a_workload_that_names_none_runs_where_its_url_leads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert adapter_of(DatabaseSpec(url="duckdb:///x"), REGISTRY, "it").name == "duckdb"
    monkeypatch.setenv("DATABASE_URL", "oracle://h/d")
    found = adapter_of(DatabaseSpec(), REGISTRY, "it")
    assert (found.name, found.capabilities().isolation["serializable"]) == (
        "sqlalchemy",
        "snapshot-isolation",
    )


@pytest.mark.parametrize("name", ["postgres", "mariadb", "sqlite", "duckdb"])
def test_an_adapter_refuses_the_urls_of_others(name: str) -> None:
    adapter = REGISTRY.find("adapter", name)()
    with pytest.raises(UsageError, match=f"begins with oracle://, but the adapter '{name}' opens") as caught:
        open_database(adapter, "oracle://u:s3cret@h/d")
    assert "s3cret" not in str(caught.value)


# -- from outside ---------------------------------------------------------------------------------------


def test_a_run_by_url_alone(txfuzz: Cli) -> None:
    path = Path("plain.yaml")
    path.write_text(WITHOUT)
    asked = ("run", "--config", str(path), "--iterations", "1", "--no-small-scope", "--output-dir", "out")
    ran = txfuzz(*asked, "--database-url", "sqlite:///x.db")
    assert ran.code in (0, 3)  # where clients never met there is no verdict
    assert "plain · SQLite " in ran.err
    ran = txfuzz(*asked, "--adapter", "duckdb")
    assert ran.code in (0, 3)  # where clients never met there is no verdict
    assert "plain · DuckDB " in ran.err
    ran = txfuzz(*asked, "--database-url", "sqlite:///x.db", "--adapter", "sqlalchemy")
    assert ran.code in (0, 3)  # where clients never met there is no verdict
    assert "plain · SQLite " in ran.err
    assert "adapter: sqlalchemy" in Path("out/iter_00/workload.yaml").read_text()
    assert "dialect: sqlite" in Path("out/iter_00/workload.yaml").read_text()


def test_a_contradiction_is_one_sentence(txfuzz: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = txfuzz("run", "--adapter", "postgres", "--database-url", "sqlite:///x.db")
    assert ran.code == 2
    assert ran.err.count("\n") == 1
    assert "the database URL begins with sqlite://, but the adapter 'postgres' opens" in ran.err
    for command in (("run",), ("hunt", "--adapter", "sqlite"), ("check", "--adapter", "sqlite", "x.yaml")):
        Path("x.yaml").write_text("version: 1\nsetup: CREATE TABLE t (k int)\nworkload: {transactions: "
                                  "[{name: a, steps: [{sql: DELETE FROM t}]}]}\n")  # fmt: skip
        monkeypatch.setenv("DATABASE_URL", "duckdb:///x")
        assert "begins with duckdb://" in txfuzz(*command).err


def test_the_doctor_says_who_opens_a_url(txfuzz: Cli) -> None:
    ran = txfuzz("doctor", "--database-url", "sqlite:///x.db")
    assert ran.code == 0
    assert "sqlite: ready\n" in ran.out
    for other in ("duckdb", "mariadb", "postgres", "sqlalchemy"):
        assert f"{other}: installed; this URL is opened by sqlite\n" in ran.out


def test_the_doctor_knows_what_could_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {"txfuzz-postgres", "txfuzz-heuristics", "txfuzz-templates", "txfuzz-sqlite"}

    def version(name: str) -> str:
        if name not in there:
            raise PackageNotFoundError(name)
        return "0.1.0"

    monkeypatch.setattr(doctor, "version", version)
    assert doctor.not_installed() == ["duckdb", "mariadb", "sqlalchemy"]
    there.remove("txfuzz-templates")
    assert doctor.not_installed() == ["default", "duckdb", "mariadb", "sqlalchemy"]
    assert doctor.not_installed("nothing-of-this-name") == []
