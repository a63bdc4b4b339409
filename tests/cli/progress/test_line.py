"""The line of an analysis or an exploration that takes a while."""

from __future__ import annotations

from pathlib import Path

from terminals import Command
from txfuzz.cli.progress.line import exploration_text
from txfuzz.replay.explore import ExploreProgress


def test_an_exploration_says_where_it_is_and_how_long_it_takes() -> None:
    assert exploration_text("write_skew", None, 3.0) == "write_skew: starting the database"
    at = ExploreProgress("serializable", 500, 2000, ("G1a", "G2-item"))
    assert exploration_text("write_skew", at, 4.0) == (
        "write_skew: serializable, 500 of 2,000 schedules, about 0:12 left; found G1a and G2-item"
    )


def test_it_stands_in_a_terminal_only_while_it_lasts(tmp_path: Path) -> None:
    names = "read_both_append_first,read_both_append_second,read_both_append_first"
    how = ["--adapter", "sqlite", "--schedules", "900", "--transactions", names]
    ended = Command(["explore", "write_skew", *how], tmp_path, size=(120, 40)).run()
    assert ended.code == 0
    assert b" schedules, about " in ended.terminal.raw
    assert " schedules, about " not in ended.terminal.printed
    assert "serializable" in ended.terminal.printed
