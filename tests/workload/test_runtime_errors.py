"""What turns out to be wrong with a workload when it is used is said with file and line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from project_fixtures import Ran, Site
from txfuzz.workload.yaml.runtime_errors import RefusedStep, step_place, with_place

Cli = Callable[..., Ran]
URL = """version: 1
database:
  adapter: postgres
  url: {url}
workload:
  transactions:
    - {{name: a, steps: [{{f: append, key: 1}}]}}
    - {{name: b, steps: [{{f: append, key: 1}}]}}
"""
REFUSED = """version: 1
name: refused
database: {adapter: dictionary, refuse: "2"}
expect: serializable
workload:
  transactions:
    - name: fine
      steps: [{f: r, key: 1}]
    - name: bad
      steps:
        - {f: r, key: 1}
        -
          {f: append, key: 2}
scheduling: {clients: 1, transactions: 50}
"""
COMMANDS = [
    ("run", "--config", "w.yaml"),
    ("execute", "--config", "w.yaml", "--out", "h.edn"),
    ("explore", "w.yaml", "--transactions", "a,b"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://ann:hunter2@db/x", "the database URL begins with mysql://, but the adapter 'postgres'"),
        ("postgres://ann:hunter2@db:99999/x", "the port in the database URL must be a number"),
        ("$NOWHERE_AT_ALL", "the environment variable NOWHERE_AT_ALL, which is not set"),
        ('" "', "expected a database URL, or $NAME"),
    ],
)
def test_a_url(command: tuple[str, ...], url: str, sentence: str, txfuzz: Cli, tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text(URL.format(url=url))
    ran = txfuzz(*command)
    assert ran.code == 2
    assert ran.err.startswith("txfuzz: w.yaml:4:8: ")
    assert sentence in ran.err
    assert "hunter2" not in ran.err


def test_a_url_of_the_command_line_stands_in_no_file(txfuzz: Cli, tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text(URL.format(url="postgres://db/x"))
    ran = txfuzz("run", "--config", "w.yaml", "--adapter", "postgres", "--database-url", "mysql://db/x")
    assert ran.code == 2
    assert ran.err.startswith("txfuzz: the database URL begins with mysql://")


@pytest.mark.parametrize("command", COMMANDS[:2], ids=lambda command: command[0])
def test_a_statement_that_the_server_refuses(
    command: tuple[str, ...], site: Site, txfuzz: Cli, tmp_path: Path
) -> None:
    site.add_third()
    (tmp_path / "w.yaml").write_text(REFUSED)
    ran = txfuzz(*command)
    assert ran.code == 2
    assert ran.err.splitlines()[-1] == (
        "txfuzz: w.yaml:13:11: the database rejects transaction 'bad' at step 1 (append): X42 "
        "no such key as 2"
    )


def test_where_a_step_stands(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(
        "workload:\n  transactions:\n    - {name: a, steps: [{f: r, key: 1},\n       {sql: SELECT 1}]}\n"
        "    - template: bank.transfer\n"
    )

    def place(transaction: str, step: int | None) -> tuple[int, int] | None:
        found = step_place(path, transaction, step)
        return None if found is None else (found.line, found.column)

    assert place("a", 0) == (3, 25)
    assert place("a", 1) == (4, 14)
    assert place("a", None) == place("a", 7) == (3, 14)
    assert place("bank.transfer", 2) == (5, 17)
    assert place("nobody", 0) is None
    error = RefusedStep("no", "nobody", 0)
    assert with_place(error, path) is error
    assert with_place(error, tmp_path / "gone.yaml") is error
    path.write_text("workload: [")
    assert place("a", 0) is None


@pytest.mark.parametrize("adapter", ["postgres", "mariadb"])
def test_a_name_that_no_server_takes(adapter: str, txfuzz: Cli, tmp_path: Path) -> None:
    text = URL.format(url="x").replace("url: x", f"schema: {'a' * 300}").replace("postgres", adapter)
    (tmp_path / "w.yaml").write_text(text)
    ran = txfuzz("run", "--config", "w.yaml")
    assert ran.code == 2
    most = {"postgres": 63, "mariadb": 64}[adapter]
    sentence = f"adapter {adapter!r}: schema must be a name of 1 to {most} printable bytes, found one of 300"
    assert ran.err == f"txfuzz: w.yaml:4:11: {sentence}\n"
