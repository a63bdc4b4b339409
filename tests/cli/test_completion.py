"""Completion in the shell, and the versions, neither of which may load plugins."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from project_fixtures import Ran, Site

Cli = Callable[..., Ran]
BASH = shutil.which("bash")


def asked(*words: str, instruction: str = "bash_complete") -> subprocess.CompletedProcess[str]:
    """What the command itself answers when the last word is completed."""
    environment = os.environ | {
        "_TXFUZZ_COMPLETE": instruction,
        "COMP_WORDS": " ".join(["txfuzz", *words]),
        "COMP_CWORD": str(len(words)),
    }
    command = [sys.executable, "-m", "txfuzz"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def completed(*words: str) -> list[str]:
    ran = asked(*words)
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout.split()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("ru",), ["plain,run", "plain,runs"]),
        (("run", "--bud"), ["plain,--budget"]),
        (("run", "lost_up"), ["file,lost_up", "plain,lost_update"]),
        (("explore", "write_s"), ["file,write_s", "plain,write_skew"]),
        (("run", "--adapter", "mem"), ["plain,memory"]),
        (("run", "--adapter", "memory", "--isolation", "read-c"), ["plain,read-committed"]),
        (("run", "lost_update", "--isolation", "rep"), ["plain,repeatable-read"]),
        (("report", "--format", "j"), ["plain,junit"]),
        (("completion", "z"), ["plain,zsh"]),
        (("report", "runs/"), ["file,runs/"]),
    ],
)
def test_the_next_word(words: tuple[str, ...], found: list[str]) -> None:
    assert completed(*words) == found


def test_older_spellings_are_not_offered() -> None:
    assert completed("run", "--w") == ["plain,--workload-dir", "plain,--workers"]


def test_a_line_that_makes_no_sense_gets_no_answer() -> None:
    ran = asked("nonsense", "x")
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", "")
    assert asked("ru", instruction="tcsh_complete").returncode == 2


def test_names_of_commands_need_no_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    from txfuzz.cli.group import LazyGroup, command_line

    monkeypatch.setattr(LazyGroup, "_load_plugins", lambda self: pytest.fail("loads plugins"))
    cli = command_line()
    with cli.make_context("txfuzz", [], resilient_parsing=True) as context:
        assert [each.value for each in cli.shell_complete(context, "ma")] == ["matrix"]
        assert "run" in {each.value for each in cli.shell_complete(context, "")}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_says_how_it_is_installed(txfuzz: Cli, shell: str) -> None:
    ran = txfuzz("completion", shell)
    assert ran.code == 0
    assert ran.out.splitlines()[-1].startswith("# ")
    assert f"txfuzz completion {shell}" in ran.out
    by_click = asked(instruction=f"{shell}_source")
    assert (by_click.returncode, by_click.stderr) == (0, "")
    assert by_click.stdout.strip() in ran.out


def test_the_shell_is_that_of_the_user(txfuzz: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/usr/bin/zsh")
    assert txfuzz("completion").out.startswith("#compdef txfuzz")
    monkeypatch.setenv("SHELL", "/bin/sh")
    ran = txfuzz("completion")
    assert (ran.code, ran.out) == (2, "")
    assert "name bash, zsh or fish" in ran.err


@pytest.mark.skipif(BASH is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("line", "found"),
    [("txfuzz matr", "matrix"), ("txfuzz run --iso", "--isolation"), ("txfuzz execute coun", "counter")],
)
def test_bash_itself(tmp_path: Path, line: str, found: str) -> None:
    """The function that the script defines is called as bash does at the tab key."""
    txfuzz = tmp_path / "txfuzz"
    txfuzz.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m txfuzz "$@"\n')
    txfuzz.chmod(0o755)
    script = f"""
        compopt() {{ :; }}  # only inside a completion
        eval "$(txfuzz completion bash)"
        COMP_WORDS=({line}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
        _txfuzz_completion txfuzz
        echo "${{COMPREPLY[@]}}"
    """
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    assert BASH is not None
    ran = subprocess.run(
        [BASH, "--norc", "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.stdout.split(), ran.stderr) == ([found], "")


def test_the_versions_are_those_of_every_distribution(txfuzz: Cli, site: Site) -> None:
    site.add("acme-checks", "acme_checks", "raise SystemExit('must not be imported')", version="2.5")
    ran = txfuzz("--version")
    first, python, *plugins = ran.out.splitlines()
    assert first == f"txfuzz {version('txfuzz')}"
    assert python == f"Python {sys.version.split()[0]}"
    assert "acme-checks 2.5" in plugins
    assert f"txfuzz-postgres {version('txfuzz-postgres')}" in plugins
    assert plugins == sorted(plugins)
    assert txfuzz("-V").out == ran.out
