"""`txfuzz forms`: what there is, from whom, in words and as JSON."""

from __future__ import annotations

import json

import pytest

from txfuzz.cli import run_command
from txfuzz.errors import ExitCode


def shown(capsys: pytest.CaptureFixture[str], *asked: str) -> str:
    assert run_command(["forms", *asked]) == ExitCode.NOTHING_FOUND
    return capsys.readouterr().out


def test_each_is_listed_with_what_it_does_and_who_brings_it(capsys: pytest.CaptureFixture[str]) -> None:
    told = shown(capsys, "--adapter", "postgres")
    assert "forms of postgres, from 'postgres' of txfuzz-postgres" in told
    rows = {line.split()[0]: " ".join(line.split()[1:]) for line in told.splitlines() if line[:2] == "  "}
    assert rows["select-both"].startswith("reads (two keys) ")
    assert rows["insert-or-update"].startswith("inserts, updates ")
    assert rows["commit-window"].endswith("/docs/reference/faults.md")
    assert "sqlite" not in told


def test_one_is_shown_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    told = shown(capsys, "select-deferrable")
    assert "in a transaction that is READ ONLY DEFERRABLE" in told
    told = shown(capsys, "insert-undone", "--adapter", "postgres")
    assert "is drawn 0.1 times as often as others" in told
    assert (
        "known hole unique-check-reads-unseen: see https://github.com/txfuzz/txfuzz/blob/main/docs/explanation/found.md"
        in told
    )
    assert "before each schedule: TRUNCATE {table}" in shown(capsys, "fresh", "--adapter", "postgres")


def test_json_has_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(shown(capsys, "--json"))["adapters"]
    assert {"mariadb", "postgres", "sqlite"} <= set(found)
    forms = {each["name"]: each for each in found["postgres"]["forms"]}
    assert forms["update"]["effect"] == {"absent": "nothing", "present": "update"}
    assert forms["update"]["other"] is None
    assert forms["select-read-only"]["read_only"]
    assert forms["update"]["plugin"].startswith("'postgres' of txfuzz-postgres")
    [fresh] = [each for each in found["mariadb"]["layouts"] if each["name"] == "fresh"]
    assert fresh["fresh"] == ["TRUNCATE TABLE {table}"]
    [one] = json.loads(shown(capsys, "update", "--adapter", "sqlite", "--json"))["adapters"]["sqlite"][
        "forms"
    ]
    assert one["name"] == "update"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["selec"], "no form or layout 'selec': did you mean 'select'?"),
        (["--adapter", "postgress"], "did you mean 'postgres'?"),
    ],
)
def test_what_there_is_not(asked: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["forms", *asked]) == ExitCode.USAGE
    assert words in capsys.readouterr().err
