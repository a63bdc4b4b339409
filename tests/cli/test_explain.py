"""`txfuzz explain`, and how results look in terminals of any width, with colour and without."""

from __future__ import annotations

import json
import os
import pty
import re
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lost_update import LOST
from project_fixtures import Ran
from txfuzz.analysis.checker.anomaly_types import known_types
from txfuzz.cli.terminal import Style, columns, is_coloured, say
from txfuzz.compare.matrix.reader import default_matrix, read_matrix
from txfuzz.plugin.loader import load_plugins

Cli = Callable[..., Ran]


def test_a_page_tells_what_happens_who_allows_it_and_what_helps(txfuzz: Cli) -> None:
    ran = txfuzz("explain", "write", "skew")
    assert ran.code == 0
    assert ran.out.startswith("Write skew (G2-item)\n")
    for part in ("read x → 0", "FOR UPDATE", "Oracle", "ICDE 2000", "In the field's words"):
        assert part in ran.out
    assert max(map(len, ran.out.splitlines())) <= 100


def test_all_names_are_listed(txfuzz: Cli) -> None:
    listed = txfuzz("explain").out
    for name in known_types():
        assert name.removesuffix("-process").removesuffix("-realtime") in listed
    assert "snapshot-isolation" in listed


def test_known_holes_are_explained(txfuzz: Cli) -> None:
    assert "foreign-key-sees-latest, on-conflict-reads-unseen" in txfuzz("explain").out
    told = txfuzz("explain", "on-conflict-reads-unseen").out
    assert told.startswith("on-conflict-reads-unseen, a known hole (postgres)\n")
    assert "versions  since 9.5" in told
    assert "/found.md" in told
    both = txfuzz("explain", "skip locked").out
    assert "a known hole (mariadb)" in both
    assert "a known hole (postgres)" in both
    (one,) = json.loads(txfuzz("explain", "--json", "postgres/skip-locked").out)["holes"]
    assert (one["adapter"], one["documented"], one["since"]) == ("postgres", True, None)


def test_models_and_levels(txfuzz: Cli) -> None:
    told = " ".join(txfuzz("explain", "repeatable", "read").out.split())
    assert told.startswith("repeatable-read (Adya's PL-2.99), a consistency model")
    assert "What is called REPEATABLE READ is something else in PostgreSQL (snapshot-isolation)" in told
    assert "provided by SQL Server at repeatable read" in told


def test_the_headings_of_the_shipped_matrix_are_explained(txfuzz: Cli) -> None:
    for question in read_matrix(default_matrix(), load_plugins()).questions:
        ran = txfuzz("explain", question.heading)
        assert ran.code == 0, ran.err
        assert "Sources" in ran.out


@pytest.mark.parametrize(
    ("word", "title", "says"),
    [
        ("OTV", "Observed transaction vanishes (OTV)", "txfuzz explain G-single-item"),
        ("pmp", "Predicate-many-preceders (PMP)", "Highly Available Transactions"),
        ("rw", "rw, an anti-dependency", "T1 read a version, and T2 wrote the next one"),
        ("write-read", "wr, a read dependency", "Adya"),
        ("ww", "ww, a write dependency", "G0"),
        ("near cycle", "Near-cycle", "It is no finding."),
        ("vacuous", "Vacuous", "`txfuzz explain edges` tells more."),
        ("40001", "40001, serialization failure", "no anomaly but the defence against one"),
        ("serialization_failure", "40001, serialization failure", "fail"),
        ("coverage", "Coverage", "not that the rest is right"),
    ],
)
def test_words_of_tables_and_sentences(txfuzz: Cli, word: str, title: str, says: str) -> None:
    ran = txfuzz("explain", word)
    assert (ran.code, ran.out.splitlines()[0]) == (0, title)
    assert says in " ".join(ran.out.split())
    assert json.loads(txfuzz("explain", word, "--json").out)["sources"]


def test_json(txfuzz: Cli) -> None:
    page = json.loads(txfuzz("explain", "lost-update", "--json").out)
    assert page["type"] == "lost-update"
    assert [each["level"] for each in page["not_ruled_out_at"]["Oracle"]] == ["read committed"]
    model = json.loads(txfuzz("explain", "snapshot-isolation", "--json").out)
    assert model["provided_by"]["Oracle"] == ["serializable"]


def test_an_unknown_name(txfuzz: Cli) -> None:
    ran = txfuzz("explain", "wirte-skew")
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.count("\n") == 1
    assert "did you mean 'Write skew'" in ran.err
    assert txfuzz("explain", "g2-itm").err.endswith(": did you mean 'G2-item'?\n"), "as it is printed"


@pytest.mark.parametrize(
    ("model", "allows"),
    [
        ("strong-snapshot-isolation", "G2-item, also with -process and -realtime"),
        ("strong-session-snapshot-isolation", "G2-item, also with -process; all cycles with -realtime"),
        ("serializable", "all cycles with -process and -realtime"),
        ("strict-serializable", "none of the anomalies that txfuzz names"),
    ],
)
def test_what_a_model_allows_where_an_order_counts(txfuzz: Cli, model: str, allows: str) -> None:
    lines = [" ".join(line.split()) for line in txfuzz("explain", model).out.splitlines()]
    assert f"allows {allows}" in lines


# -- terminals ------------------------------------------------------------------------------


def on_terminal(width: int, *arguments: object, **environment: str) -> str:
    """What the command prints on a terminal of this width."""
    import fcntl
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-m", "txfuzz", *map(str, arguments)],
        stdout=slave,
        stderr=subprocess.DEVNULL,
        env={**kept, "TERM": "xterm", **environment},
    )
    os.close(slave)
    read = b""
    try:
        while part := os.read(master, 65536):
            read += part
    except OSError:  # the other end is closed
        pass
    process.wait(60)
    os.close(master)
    return read.decode().replace("\r\n", "\n")


@pytest.fixture
def lost(tmp_path: Path) -> Path:
    path = tmp_path / "lost.edn"
    path.write_text(LOST)
    return path


@pytest.mark.parametrize("width", [80, 120])
def test_text_is_as_wide_as_the_terminal(lost: Path, width: int) -> None:
    said = re.sub(r"\x1b\[[\d;]*m", "", on_terminal(width, "analyze", lost, "--skip-graph"))
    longest = max(len(line) for line in said.splitlines() if str(lost) not in line)
    assert width - 24 < longest <= width
    *_, verdict, following = said.strip().splitlines()
    assert verdict.endswith(".")
    assert following.startswith("  txfuzz explain lost-update")


def test_the_verdict_is_coloured_on_a_terminal(lost: Path) -> None:
    said = on_terminal(100, "analyze", lost, "--skip-graph")
    assert f"\x1b[{Style.FOUND.value}mFound lost-update" in said


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["NO_COLOR", "dumb"])
def test_no_colour_where_it_is_not_wanted(lost: Path, environment: dict[str, str]) -> None:
    assert "\x1b" not in on_terminal(100, "analyze", lost, "--skip-graph", **environment)


def test_pipes_are_plain_unless_colour_is_forced(
    lost: Path, txfuzz: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    assert "\x1b" not in txfuzz("analyze", lost, "--skip-graph").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert f"\x1b[{Style.FOUND.value}mFound" in txfuzz("analyze", lost, "--skip-graph").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert not is_coloured()
    assert columns() is None


def test_a_styled_text_cannot_control_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from txfuzz.cli.streams import safe_streams

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    with safe_streams():
        say("a\x1b]0;title\x07b", Style.GOOD)
    assert capsys.readouterr().out == f"\x1b[{Style.GOOD.value}ma\ufffd]0;title\ufffdb\x1b[0m\n"
