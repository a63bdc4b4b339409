"""What pytest shows of a campaign that cannot be run: one sentence, and never a password."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from txfuzz.common.secrets import SecretText
from txfuzz.pytest_plugin import CampaignRunner

SECRET = "hunter2"
NOBODY_THERE = f"postgresql://ann:{SECRET}@127.0.0.1:1/test"

THEIRS = """
from txfuzz import run_campaign

def test_by_the_fixture(txfuzz_campaign):
    txfuzz_campaign(workload="write_skew")

def test_by_the_library(tmp_path):
    run_campaign(workload="write_skew", output=tmp_path / "run")

def test_a_bug(txfuzz_campaign, monkeypatch):
    def broken(adapter, url, clients=0):
        raise ValueError(f"cannot open {url}")

    monkeypatch.setattr("txfuzz.campaign.setup.campaign_setup.open_database", broken)
    txfuzz_campaign(workload="write_skew")
"""


def said_by_pytest(place: Path, *flags: str) -> str:
    (place / "test_theirs.py").write_text(THEIRS)
    environment = {"DATABASE_URL": NOBODY_THERE, "PATH": "/usr/bin:/bin", "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *flags],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "3 failed" in done.stdout
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    return said_by_pytest(tmp_path_factory.mktemp("theirs"), "--showlocals")


def of(test: str, said: str) -> str:
    found = re.search(rf"^_+ {test} _+$\n(.*?)^(?:_____|=====)", said, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


def test_no_password_is_shown(said: str, tmp_path: Path) -> None:
    for shown in (said, said_by_pytest(tmp_path, "-vv", "--showlocals", "--full-trace")):
        assert "ann@127.0.0.1" in shown
        assert SECRET not in shown


def test_the_fixture_says_one_sentence(said: str) -> None:
    told = of("test_by_the_fixture", said)
    assert len(told.splitlines()) == 1
    assert told.startswith("PostgreSQL at postgresql://ann@127.0.0.1:1/test: connection failed")


def test_a_bug_is_told_with_its_place(said: str) -> None:
    shown = of("test_a_bug", said)
    assert shown.startswith("txfuzz failed:\nTraceback")
    assert "ValueError: cannot open postgresql://ann@127.0.0.1:1/test" in shown


def test_bad_settings_are_one_sentence(txfuzz_campaign: CampaignRunner, tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception) as failed:
        txfuzz_campaign(workload="write_skw")
    assert str(failed.value) == "no workload 'write_skw': did you mean 'write_skew'?"
    assert failed.value.pytrace is False


def test_the_repr_of_a_secret_text() -> None:
    text = SecretText(NOBODY_THERE)
    assert text == NOBODY_THERE
    assert repr(text) == "'postgresql://ann@127.0.0.1:1/test'"
