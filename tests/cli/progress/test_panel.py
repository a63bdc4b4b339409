"""The panel of the status screen: its size is the terminal's, and nothing in it moves."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console
from syrupy.assertion import SnapshotAssertion

from txfuzz.cli.progress.panel import LEAST_COLUMNS, LEAST_LINES, panel, shared_out
from txfuzz.report.text.course import Course
from txfuzz.report.text.status import Frame, New, Progress, Row, Status, beginning, status_frame, status_rows

STATUS = Status(
    "example · PostgreSQL 18.6 · repeatable read against serializable",
    elapsed=70,
    left=370,
    iteration=2,
    iterations=30,
    stage="analysis",
    stage_seconds=5,
    analysis=Progress("looking for near-cycles", 0.9, 3.2),
    rate=1234.5,
    course=Course((0, 10, 40, 50, 90)),
    asked=3000,
    committed=2900,
    aborts={"40001": 90, "08006": 4},
    unknown=4,
    refused=(0.1, 0.05),
    edges=(1.0, 1.5),
    concurrent=0.25,
    near=(3, 40),
    covered=(100, 130),
    fresh=30,
    corpus=4,
    yields={"layout": "13.5", "other-keys": "8"},
    directed=("rw edge probe → survey on key 3 forced 3 of 40, refused: 40001 ×5",),
    found=("iter_01: Write skew (G2-item): survey and probe each missed what the other wrote",),
    new=New("30 features, in iter_01", 58),
    keys=(1, 2),
    mix={"a": 1, "b": 3},
    clients=8,
    decided="clients 8 → 16, other keys and think time none → 2 ms, because nobody met",
)
MESSAGES = ["0:03  txfuzz: fsync is off", "1:09  txfuzz: stopping; analysing what was recorded"]
SIZES = [(80, 24), (120, 40), (LEAST_COLUMNS, LEAST_LINES), (200, 60)]


def drawn(frame: Frame, messages: list[str], columns: int, lines: int) -> list[str]:
    console = Console(width=columns, height=lines, file=io.StringIO(), record=True, legacy_windows=False)
    console.print(panel(frame, messages, console))
    return console.export_text().splitlines()


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (120, 40)])
def test_the_screen_of_a_campaign(columns: int, lines: int, snapshot: SnapshotAssertion) -> None:
    assert "\n".join(drawn(status_frame(STATUS), MESSAGES, columns, lines)) == snapshot


@pytest.mark.parametrize(("columns", "lines"), SIZES)
def test_its_size_is_that_of_the_terminal_whatever_it_shows(columns: int, lines: int) -> None:
    long = "because of a reason that goes on and on, " * 40
    full = replace(
        STATUS,
        decided=long,
        directed=(long,),
        mix={f"transaction_{number}": 1.0 for number in range(40)},
        found=tuple(f"iter_{number:02d}: {long}" for number in range(30)),
        title=long,
        aborts={f"code{number}": 7 for number in range(40)},
        near=tuple(range(500)),
        new=New(long, 3),
    )
    frames = [beginning(0), status_frame(STATUS), status_frame(full), Frame("t", [Row("now", "starting")])]
    for frame in frames:
        for messages in ([], MESSAGES, [long] * 50):
            shown = drawn(frame, messages, columns, lines)
            assert len(shown) == min(lines, 40)
            assert {len(line) for line in shown} == {min(columns, 120)}


def places(shown: list[str]) -> dict[str, int]:
    """Where labels and headings are."""
    return {line.strip("│─ ").split(" ")[0]: at for at, line in enumerate(shown) if line[2:13].strip(" ")}


@pytest.mark.parametrize(("columns", "lines"), SIZES)
def test_nothing_moves_when_texts_change(columns: int, lines: int) -> None:
    labels = [row.label for row in status_rows(STATUS)] + ["found", "messages"]
    first = places(drawn(beginning(0), [], columns, lines))
    later = places(drawn(status_frame(STATUS), MESSAGES, columns, lines))
    assert [first[label] for label in labels] == [later[label] for label in labels]


def test_the_latest_findings_are_shown_and_the_others_counted() -> None:
    found = [f"iter_{number:02d}: something" for number in range(30)]
    shown = "\n".join(drawn(Frame("t", [Row("now", "x")] * 14, found), [], 80, 24))
    assert "iter_29: something" in shown
    assert "iter_03" not in shown
    assert re.search(r"… 2\d before these", shown)


def test_control_characters_reach_no_terminal() -> None:
    frame = Frame("t\x1b[2J", [Row("now", "a\x1b[31mb\nc")], ["\x07found"])
    console = Console(width=80, height=24, file=io.StringIO(), force_terminal=True, no_color=True)
    console.print(panel(frame, ["\x1b]0;title\x07"], console))
    written = console.file.getvalue()  # type: ignore[attr-defined]
    assert "\x1b[2J" not in written
    assert "\x1b[31m" not in written
    assert "\x07" not in written


def test_rows_get_more_lines_where_there_are_more() -> None:
    rows = status_rows(STATUS)
    small, found, told = shared_out(rows, 22)
    assert sum(small) + found + told + 2 == 22
    assert max(small) == 2
    large, more_found, more_told = shared_out(rows, 38)
    assert large == [row.most for row in rows]
    assert sum(large) + more_found + more_told + 2 == 38
    assert more_found > found
    assert more_told > told
