"""The reference of the scenario format is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scenario_words import complaint, parse, steps
from txfuzz.transactions.model import COMPARISONS
from txfuzz.workload.yaml.scenario import scenario_text
from txfuzz.workload.yaml.scenario.reader import FIELDS
from txfuzz.workload.yaml.scenario.transactions import MOST_RETRIES, STEP_FIELDS, TRANSACTION_FIELDS

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "scenarios.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
HEAD = "version: 1\n"
SETUP = "setup: SELECT 1\n"
ONE = "workload: {transactions: [{name: one, steps: [{sql: SELECT 1}]}]}\n"

BOOK = ONE.replace("name: one", "name: book, params: {who: a, seat: 1}").replace(
    "SELECT 1", "'SELECT :who, :seat'"
)


@pytest.mark.parametrize("block", BLOCKS)
def test_examples_can_be_used(block: str, tmp_path: Path) -> None:
    """Whole ones, and parts of one."""
    (tmp_path / "schema.sql").write_text("CREATE TABLE seats (show int, seat int);")
    text = block if block.startswith(HEAD) else HEAD + block
    one = BOOK if "replay:" in text else ONE
    text += ("" if "setup:" in text else SETUP) + ("" if "workload:" in text else one)
    scenario = parse(text, str(tmp_path / "s.yaml"))
    assert parse(scenario_text(scenario), "s.yaml") == scenario


@pytest.mark.parametrize(
    ("title", "names"),
    [("Fields", FIELDS), ("Transactions", TRANSACTION_FIELDS), ("Steps", STEP_FIELDS)],
)
def test_every_field_has_its_row(title: str, names: tuple[str, ...]) -> None:
    table = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(names)


def test_its_numbers_and_words_are_those_of_the_code() -> None:
    assert f"whole number up to {MOST_RETRIES}" in PAGE
    assert ", ".join(f"`{each}`" for each in COMPARISONS) in PAGE


def test_conditions_as_shown() -> None:
    shown = re.findall(r"`(\{.*?\})`", PAGE.partition("## Conditions")[2].partition("## Invariants")[0])
    look = "{sql: SELECT 1, returns: {holder: a, count: b, open: c, balance: d}}"
    for each in shown:
        step = f"{{when: {each}, sql: 'SELECT :who, :amount'}}"
        assert parse(steps(look, step, params="{who: ann, amount: 5}")).transactions[0].steps[1].when
    assert len(shown) == 8


def test_the_complaints_are_those_of_the_code() -> None:
    shown = re.findall(r"^seats\.yaml:[\d:]+ (.*)$", PAGE, re.MULTILINE)
    look = "{sql: 'SELECT 1 WHERE :seat = 1', returns: {holder: a}}"
    assert shown == [
        complaint(steps("{sql: SELECT 1, on_error: {a: ¦'null'}}")),
        complaint(steps(look, "{sql: ¦'SELECT :seats'}", params="{seat: 1}")),
        complaint(steps(look, "{when: {¦holdr: null}, sql: SELECT 1}", params="{seat: 1}")),
        complaint(steps("{sql: ¦COMMIT}")),
    ]
