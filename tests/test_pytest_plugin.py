"""The options of the fixtures; what these do is in tests/campaign and in the plugins' tests of code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from txfuzz.pytest_plugin import budget_of


def test_a_budget_is_a_number_of_schedules_or_of_seconds() -> None:
    assert budget_of(None) == {}
    assert (budget_of("200"), budget_of("0.5s")) == ({"schedules": 200}, {"budget": 0.5})


@pytest.mark.parametrize("text", ["soon", "0", "0s", "1.5", "-1"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(pytest.UsageError, match=rf"schedules \(200\) or of seconds \(5s\), not '{text}'"):
        budget_of(text)


TEST = """
import pytest

@pytest.mark.parametrize("number", [1, 2])
def test_it(txfuzz_database_url, number):
    print("URL", txfuzz_database_url)
"""


def urls(directory: Path, *options: str, **environment: str) -> tuple[int, list[str], str]:
    """Exit code, what the fixture gave, and all that was printed."""
    (directory / "test_it.py").write_text(TEST)
    clean = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "--rootdir=.", *options],
        cwd=directory, env={**clean, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return ran.returncode, re.findall(r"URL (\S+)", ran.stdout), ran.stdout + ran.stderr


def test_the_tests_share_one_server(tmp_path: Path) -> None:
    code, [one, other], _ = urls(tmp_path, "--txfuzz-adapter", "sqlite")
    assert code == 0
    assert one == other
    assert "sqlite" in one


def test_the_url_of_the_environment_is_taken_as_it_is(tmp_path: Path) -> None:
    code, found, _ = urls(tmp_path, DATABASE_URL="postgresql://nobody.invalid/x")
    assert (code, found) == (0, ["postgresql://nobody.invalid/x"] * 2)


def test_an_adapter_that_is_not_installed(tmp_path: Path) -> None:
    code, found, printed = urls(tmp_path, "--txfuzz-adapter", "orcale")
    assert (code, found) == (1, [])
    assert "txfuzz_database_url: no adapter 'orcale' is installed" in printed
    assert "Traceback" not in printed
