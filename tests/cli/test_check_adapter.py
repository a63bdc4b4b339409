"""`txfuzz check --adapter`, and the story of a finding that was made smaller."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from project_fixtures import Ran

Cli = Callable[..., Ran]
HERMITAGE = Path(__file__).parents[2] / "examples" / "hermitage"
SHARED = "version: 1\ndatabase: {adapter: sqlite, mode: shared-cache}\n"


def scenario(name: str, database: str = SHARED) -> Path:
    path = Path(f"{name}.yaml")
    path.write_text((HERMITAGE / path).read_text().replace("version: 1\n", database))
    return path


def test_the_database_of_a_scenario_that_names_none(txfuzz: Cli) -> None:
    ran = txfuzz("check", str(HERMITAGE / "p4.yaml"), "--adapter", "sqlite")
    assert ran.code == 0
    assert ran.out.startswith("p4 on SQLite ")


def test_another_one_than_the_scenario_names_comes_without_the_options_of_that(txfuzz: Cli) -> None:
    postgres = "version: 1\ndatabase: {adapter: postgres, isolation: serializable, schema: own}\n"
    named = scenario("p4", postgres)
    ran = txfuzz("check", str(named), "--adapter", "sqlite")
    assert ran.code == 0
    assert ran.out.startswith("p4 on SQLite ")
    assert txfuzz("check", str(scenario("p4")), "--adapter", "sqlite", "--no-advice").code == 1


def test_what_is_made_smaller_aborts_by_no_other_code(txfuzz: Cli) -> None:
    """Without the table of cards, order would be aborted as well."""
    ran = txfuzz("check", str(scenario("g1a")), "--transactions", "order,look", "--no-advice")
    assert ran.code == 1
    assert "no row, so it gives itself up" in ran.out
    assert "no such table" not in ran.out


NOISY = """
import txfuzz

print("imported")


@txfuzz.setup
def tables(connection):
    connection.execute("CREATE TABLE counter AS SELECT 0 AS n")


@txfuzz.transaction
def count(connection):
    print("counting")
    connection.execute("UPDATE counter SET n = n + 1")
"""


def test_what_code_prints_is_no_answer(txfuzz: Cli) -> None:
    Path("noisy.py").write_text(NOISY)
    ran = txfuzz("check", "noisy.py", "--adapter", "sqlite")
    assert ran.code == 0
    assert ran.out.startswith("noisy.py on SQLite ")
    assert "No schedule fails" in ran.out
    assert "counting" not in ran.out
    assert "counting" in ran.err
    told = txfuzz("check", "noisy.py", "--adapter", "sqlite", "--json")
    assert json.loads(told.out)["failing"] == []
