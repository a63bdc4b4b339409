"""What a hunt by races says."""

from __future__ import annotations

from dataclasses import replace

from txfuzz.hunt.judging.wrong import Wrong
from txfuzz.hunt.race.result import OffsetCount, RaceCounts, RacedHole, RaceResult
from txfuzz.hunt.result import FoundHole
from txfuzz.report.hunt.race import offset_lines, race_text, raced_hole_markdown

COUNTS = RaceCounts(4, 4, 9_000, 5_000, 40, 3, 1, 2, 60, 0, 6.0)
HOLE = FoundHole(
    "window", Wrong.NO_ORDER, "serializable", ("select", "update"), "plain", "window", "It is open.",
    "faults.md", 1_234, 5, 3, 700, ("  T1  COMMIT",),
)  # fmt: skip
RACED = RacedHole(
    HOLE,
    ("T1: COMMIT", "T2: COMMIT"),
    "on one processor",
    0,
    120,
    (
        OffsetCount("T2", "-10 to +0", 800, 0),
        OffsetCount("T2", "+0 to +10", 900, 4),
        OffsetCount("T2", "+10 to +20", 100, 0),
    ),
    1.5,
)


def flat(text: str) -> str:
    return " ".join(text.split())


def test_known_holes_are_no_news() -> None:
    told = flat(race_text("Server 1", ("serializable",), RaceResult(COUNTS, (RACED,), {"of it": 3}), 2, ()))
    assert "9,000 rounds of 4 races in 6 s (1,500 a second), of which 5,000 committed in full" in told
    assert "Beside the clients, 2 processes kept processors busy." in told
    assert "Control, with offsets far apart: 0 of 60 rounds went wrong." in told
    assert "3 rounds could not be judged, most often because of it" in told
    assert "2 went wrong once, but not again in the same race: not counted." in told
    assert (
        "Known: window, at SERIALIZABLE: no serial order explains it (first in round 1,234, after 1.5 s"
        in told
    )
    assert "again in 3 of 700 further rounds, with offsets far apart in 0 of 120" in told
    assert "Let go at the same time, on one processor: T1: COMMIT and T2: COMMIT." in told
    assert told.endswith("1 hole, known: window. Nothing new.")


def test_news_comes_first() -> None:
    news = replace(RACED, hole=replace(HOLE, name="race_select", known=""))
    told = race_text(
        "Server 1", ("serializable",), RaceResult(replace(COUNTS, unknown=0), (RACED, news)), 0, ()
    )
    assert told.index("Found, at SERIALIZABLE") < told.index("Known: window")
    assert told.endswith("1 hole that is not known, and 1 known: window.")
    assert "Beside the clients" not in told


def test_offsets_are_told_where_it_went_wrong() -> None:
    assert [flat(line) for line in offset_lines(RACED)] == [
        "T2, µs behind T1: went wrong",
        "+0 to +10 4 of 900 rounds",
        "elsewhere 0 of 900 rounds",
    ]


def test_the_story_of_a_hole() -> None:
    text = raced_hole_markdown(RACED, "Server 1")
    assert text.startswith("# window\n")
    assert "- `T1: COMMIT`" in text
    assert "This is known: It is open. See `txfuzz explain" in text
    assert "  T1  COMMIT" in text
