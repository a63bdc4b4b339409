"""The status screen in an emulated terminal: from the first moment to what is left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from project_fixtures import Ran, Site
from terminals import Command, Emulated, Ended, set_size

WORKLOAD = """version: 1
name: small
database: {adapter: dictionary}
expect: serializable
workload:
  transactions:
    - name: look
      steps:
        - {f: r, key: {choice: {range: [1, 9]}, as: a}}
        - {f: append, key: {ref: a}}
scheduling: {clients: 3, transactions: 60}
"""
# Each waits for a line, which the test sends once it has seen what it waits for
SCRIPT = """
import os, sys, time
from txfuzz.cli.interruption import interruptible
from txfuzz.cli.progress.screen import Screen, has_room, unless
from txfuzz.cli.streams import safe_streams
from txfuzz.cli.supervisor import supervised
from txfuzz.report.text.status import beginning

def work():
    with safe_streams(), unless(False, Screen(beginning)) as screen:
        {body}
    print("the result")
    return 0

supervised(work)
"""
WAITING = "sys.stdin.readline()"


def stands(
    directory: Path,
    body: str,
    watch: Callable[[Emulated, int, int], None] = lambda *_: None,
    **how: Any,
) -> Ended:
    """Run a program with a screen. watch: see Command.run()."""
    script = directory / "program.py"
    script.write_text(SCRIPT.format(body=body))
    return Command((), directory, program=(sys.executable, str(script)), **how).run(watch)


def when_shown(words: str, do: Callable[[Emulated, int, int], None] | None = None) -> Callable[..., None]:
    """A watcher that does something once these words are on the screen, or goes on."""
    done: list[bool] = []

    def watch(terminal: Emulated, descriptor: int, process: int) -> None:
        if terminal.frames and not done and words in "\n".join(terminal.frames[-1]):
            done.append(True)
            if do is None:
                os.write(descriptor, b"\n")
            else:
                do(terminal, descriptor, process)

    return watch


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_it_fills_the_terminal_and_leaves_nothing_behind(tmp_path: Path, size: tuple[int, int]) -> None:
    terminal = stands(tmp_path, WAITING, when_shown("reading the workload"), size=size).terminal
    assert terminal.frames
    for frame in terminal.frames:
        assert len(frame) == size[1]
        assert {len(line) for line in frame} == {size[0]}
    assert terminal.above == 0, "nothing scrolls"
    assert not terminal.alternate
    assert terminal.printed.strip() == "the result"


def test_what_is_said_meanwhile_is_shown_and_printed_at_the_end(tmp_path: Path) -> None:
    body = (
        "print('on stdout'); print('on stderr', file=sys.stderr); screen.say('a warning\\x1b[2J'); "
        "print('on stdout'); sys.stdin.readline()"
    )
    terminal = stands(tmp_path, body, when_shown("a warning"), size=(120, 40)).terminal
    shown = "\n".join(terminal.frames[-1])
    for words in ("on stdout", "on stderr", "a warning"):
        assert shown.count(words) == 1
        assert terminal.printed.count(words) == 1
    assert terminal.above == 0
    assert terminal.printed.endswith("the result")


def test_it_follows_the_size_of_the_terminal(tmp_path: Path) -> None:
    def widen(terminal: Emulated, descriptor: int, process: int) -> None:
        terminal.resize(100, 30)
        set_size(descriptor, 100, 30)

    first = when_shown("reading the workload", widen)

    def watch(terminal: Emulated, descriptor: int, process: int) -> None:
        first(terminal, descriptor, process)
        if terminal.columns == 100 and {len(line) for line in terminal.frames[-1]} == {100}:
            os.write(descriptor, b"\n")

    terminal = stands(tmp_path, WAITING, watch).terminal
    assert len(terminal.frames[-1]) == 30
    assert terminal.above == 0


def test_a_terminal_that_becomes_too_small_is_given_back(tmp_path: Path) -> None:
    def shrink(terminal: Emulated, descriptor: int, process: int) -> None:
        terminal.resize(80, 8)
        set_size(descriptor, 80, 8)

    body = "while not screen.shrunk(): time.sleep(0.02)\n        print('plain lines')"
    terminal = stands(tmp_path, body, when_shown("reading the workload", shrink)).terminal
    assert not terminal.alternate
    assert "plain lines" in terminal.printed


@pytest.mark.parametrize(
    "how",
    [{"size": (50, 40)}, {"size": (80, 12)}, {"environment": {"TERM": "dumb"}}],
    ids=["narrow", "low", "dumb"],
)
def test_a_terminal_without_room_gets_no_screen(tmp_path: Path, how: dict[str, Any]) -> None:
    terminal = stands(tmp_path, "print('standing', screen.standing, has_room())", **how).terminal
    assert terminal.taken is None
    assert "standing False False" in terminal.printed


def test_a_signal_is_answered_on_the_screen(tmp_path: Path) -> None:
    def interrupt(terminal: Emulated, descriptor: int, process: int) -> None:
        os.killpg(process, signal.SIGINT)

    first, then = when_shown("reading the workload", interrupt), when_shown("stopping; analysing")

    def watch(terminal: Emulated, descriptor: int, process: int) -> None:
        first(terminal, descriptor, process)
        then(terminal, descriptor, process)

    body = "with interruptible() as event: event.wait(); sys.stdin.readline()"
    terminal = stands(tmp_path, body, watch).terminal
    assert "stopping; analysing what was recorded" in terminal.printed.replace("\n", " ")
    assert terminal.above == 0


def test_the_terminal_is_given_back_if_the_command_is_killed(tmp_path: Path) -> None:
    def kill(terminal: Emulated, descriptor: int, process: int) -> None:
        for child in psutil.Process(process).children():
            child.send_signal(signal.SIGKILL)

    terminal = stands(tmp_path, WAITING, when_shown("reading the workload", kill)).terminal
    assert not terminal.alternate
    assert "ended by SIGKILL" in terminal.printed
    assert terminal.raw.rindex(b"\x1b[?25h") > terminal.raw.rindex(b"\x1b[?25l"), "with a cursor"


def test_ctrl_z_gives_the_terminal_back_until_it_goes_on(tmp_path: Path) -> None:
    suspended: list[bool] = []

    def stopped(process: int) -> bool:
        family = [psutil.Process(process), *psutil.Process(process).children()]
        return all(each.status() == psutil.STATUS_STOPPED for each in family)

    def watch(terminal: Emulated, descriptor: int, process: int) -> None:
        shown = bool(terminal.frames) and "reading the workload" in "\n".join(terminal.frames[-1])
        if shown and not suspended:
            os.killpg(process, signal.SIGTSTP)  # as Ctrl-Z does
            suspended.append(False)
        elif suspended == [False] and not terminal.alternate and stopped(process):
            suspended.append(True)
            os.killpg(process, signal.SIGCONT)
        elif suspended == [False, True] and terminal.alternate:
            suspended.append(True)
            os.write(descriptor, b"\n")

    terminal = stands(tmp_path, WAITING, watch).terminal
    assert suspended == [False, True, True]
    assert not terminal.alternate
    assert terminal.printed.strip().endswith("the result")


def test_no_colour_where_it_is_not_wanted(tmp_path: Path) -> None:
    body = "screen.frame = lambda _: Frame('t', [Row('now', 'x', (1, 2))], ['found']); sys.stdin.readline()"
    body = f"from txfuzz.report.text.status import Frame, Row; {body}"
    colour = re.compile(rb"\x1b\[[\d;]*3[0-7]")
    plain = stands(tmp_path, body, when_shown("▄█"), environment={"NO_COLOR": "1"}).terminal
    assert not colour.search(plain.raw)
    assert colour.search(stands(tmp_path, body, when_shown("▄█")).terminal.raw)


def test_the_screen_needs_nothing_slow() -> None:
    code = (
        "import sys, txfuzz.cli.commands.run, txfuzz.cli.progress.screen, txfuzz.report.text.status\n"
        "print([name for name in ('numpy', 'txfuzz.campaign.loop', 'matplotlib') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_a_campaign_in_a_terminal(site: Site, tmp_path: Path) -> None:
    site.add_third()
    (tmp_path / "w.yaml").write_text(WORKLOAD)
    ended = Command(
        ["run", "--config", "w.yaml", "--iterations", "2", "--lean"],
        tmp_path,
        environment={"PYTHONPATH": str(site.path)},
    ).run()
    terminal = ended.terminal
    assert ended.code == 0
    assert "reading the workload" in "\n".join(terminal.frames[0]), "before anything slow is imported"
    for frame in terminal.frames:
        assert len(frame) == 24
        assert {len(line) for line in frame} == {80}
    assert terminal.above == 0
    assert "╭" not in terminal.printed
    assert "iteration 1: " not in terminal.printed
    assert "artefacts: " in terminal.printed
    assert "Traceback" not in terminal.printed


def test_a_pipe_gets_lines_of_100_columns_without_escapes(
    site: Site, tmp_path: Path, txfuzz: Callable[..., Ran]
) -> None:
    site.add_third()
    (tmp_path / "w.yaml").write_text(WORKLOAD)
    ran = txfuzz("run", "--config", "w.yaml", "--iterations", "2", "--lean", "--verbose")
    assert "\x1b" not in ran.out + ran.err
    assert "iteration 1: " in ran.err
    warnings = [line for line in ran.err.splitlines() if line.startswith("txfuzz: ")]  # each in one piece
    assert max(len(line) for line in ran.err.splitlines() if line not in warnings) <= 100
    quiet = txfuzz("run", "--config", "w.yaml", "--iterations", "1", "--lean", "--quiet")
    assert quiet.err.splitlines() == warnings
    assert "artefacts: " in quiet.out
