"""The reference of the workload format is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from txfuzz.workload.model import KeyLife, Scheduling
from txfuzz.workload.shipped import shipped_workloads
from txfuzz.workload.yaml.reader import FIELDS
from txfuzz.workload.yaml.writer import workload_text
from workload_words import complaint, parse, steps

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "workload-format.md").read_text(encoding="utf-8")
EXAMPLES = [
    block for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if block.startswith("version: 1")
]


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 4


@pytest.mark.parametrize("text", EXAMPLES)
def test_examples_can_be_used(text: str) -> None:
    workload = parse(text)
    assert parse(workload_text(workload)) == workload


def test_every_field_has_its_row() -> None:
    table = PAGE.partition("## Fields")[2].partition("## Database")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(FIELDS)


def test_the_defaults_are_those_of_the_code() -> None:
    life, pace = KeyLife(), Scheduling()
    assert f"`{{writes: {life.writes}, rows: {life.rows}}}`" in PAGE
    stop = f"transactions: {pace.transactions}, barrier_every: {pace.barrier_every}"
    assert f"`{{clients: {pace.clients}, {stop}}}`" in PAGE


def test_the_complaints_are_those_of_the_code() -> None:
    shown = re.findall(r"^skew\.yaml:[\d:]+ (.*)$", PAGE, re.MULTILINE)
    assert shown == [
        complaint(steps("{f: ¦appned, key: 1}")),
        complaint(steps("{f: r, key: {ref: ¦k}}")),
        complaint(steps("{f: r, key: 1}") + "  mix: [{txn: one, weight: ¦-1}]\n"),
        complaint(steps("{f: r, key: 1}", database="{adapter: postgres, isolation: ¦serialisable}")),
    ]


def test_all_shipped_workloads_are_listed() -> None:
    table = PAGE.partition("## Finding workloads")[2]
    named = {
        name
        for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    }
    assert named == {name for name, _ in shipped_workloads()}


def test_templates_and_plugin_lists_as_shown() -> None:
    listed = re.search(r"```\n(- \{template.*?)```", PAGE, re.DOTALL)
    assert listed
    entries = "".join(f"    {line}\n" for line in listed[1].splitlines())
    found = parse(f"version: 1\nworkload:\n  transactions:\n{entries}")
    assert [txn.name for txn in found.transactions] == ["bank-transfer", "other_bank"]
