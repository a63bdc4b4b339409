"""`txfuzz check --adapter`, and the story of a finding that was made smaller."""

from __future__ import annotations

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
