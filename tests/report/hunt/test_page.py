"""The pages of hunts: everything that was found is told, and whatever a database said is only text."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.report.hunt.test_race import COUNTS, RACED
from txfuzz.check.story import StoryLine
from txfuzz.hunt.judging.wrong import Wrong
from txfuzz.hunt.race.result import OffsetCount, RaceResult
from txfuzz.hunt.result import FoundHole, HuntCounts, HuntResult
from txfuzz.report.hunt.page import hunt_page
from txfuzz.report.hunt.race_page import offsets_picture, race_page
from txfuzz.report.hunt.text import hunt_text

KNOWN = FoundHole(
    "unseen", Wrong.NO_ORDER, "serializable", ("delete", "insert"), "plain", "unseen", "It is open.",
    "docs/explanation/found.md", 12, 5, 3, 3, ("  1  told",),
    (StoryLine("T1", "DELETE FROM a", "1 row changed"),
     StoryLine("T2", "INSERT <b>", "no row changed", ("T1",), True)),
    ("T1 saw nothing.",),
)  # fmt: skip
CRASH = replace(
    KNOWN,
    name="crashes",
    wrong=Wrong.CRASH,
    known="",
    why=("The server itself was gone.",),
    log=("LOG: terminated by signal 11",),
)
RESULT = HuntResult(
    HuntCounts(10, 9, 300, 84, 98, 216, 3, 0, 1, 3, 10.0),
    (KNOWN, CRASH),
    ("form 'x' on layout 'y': expected update, but nothing",),
    {"it did not end": 3},
)


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.partition("</style>")[2]).split())


def test_the_page_has_all_that_is_to_be_said() -> None:
    page = hunt_page(
        "Server 1", ("serializable",), RESULT, ("truncate",),
        {"unseen serializable": ("findings/unseen_serializable/repro.sql",)},
    )  # fmt: skip
    told = words(page)
    assert "promise broken 1 hole that is not known, and 1 known: unseen." in told
    assert told.index("not known crashes") < told.index("known unseen")
    assert "schedules 300 of 9 programs" in told
    assert "covered 3 different meetings of statements" in told
    assert "3 × it did not end" in told
    assert "expected update, but nothing" in told
    assert "documentation excepts them: truncate" in told
    assert "It is open. See txfuzz explain" in told
    assert "T1 saw nothing." in told
    assert "waits for T1, then: no row changed" in told
    assert "LOG: terminated by signal 11" in told
    assert "INSERT &lt;b&gt;" in page
    assert 'href="findings/unseen_serializable/repro.sql"' in page


@pytest.mark.parametrize(
    ("result", "badge"),
    [
        (HuntResult(HuntCounts(1, 1, 5)), "nothing found Nothing found."),
        (
            HuntResult(HuntCounts(1, 1, 5), (KNOWN,)),
            "promise broken (known) 1 hole, known: unseen. Nothing new.",
        ),
        (HuntResult(HuntCounts(1, 1, 5, unknown=5), reasons={"it is slow": 5}), "no verdict"),
    ],
)
def test_its_headline(result: HuntResult, badge: str) -> None:
    assert badge in words(hunt_page("Server 1", ("serializable",), result, (), {}))


def test_known_holes_count_as_holes() -> None:
    result = HuntResult(HuntCounts(1, 1, 5), (KNOWN, replace(KNOWN, known="other")))
    told = words(hunt_page("Server 1", ("serializable",), result, (), {}))
    assert "holes 2 all of them known" in told
    assert "2 holes, both known: unseen, other. Nothing new." in told


def test_the_story_of_what_is_known_is_told_when_asked_for() -> None:
    told = hunt_text("Server 1", ("serializable",), HuntResult(HuntCounts(1, 1, 5), (KNOWN,)), ())
    assert "Known: unseen" in told
    assert "1  told" not in told
    asked = hunt_text(
        "Server 1", ("serializable",), HuntResult(HuntCounts(1, 1, 5), (KNOWN,)), (), known=True
    )
    assert "1  told" in asked


def test_races_show_their_rounds_by_offset() -> None:
    told = words(
        race_page("Server 1", ("serializable",), RaceResult(COUNTS, (RACED,), {"it is slow": 3}), 2, (), {})
    )
    assert "Again in 3 of 700 further rounds, with offsets far apart in 0 of 120." in told
    assert "Let go at the same time, on one processor: T1: COMMIT T2: COMMIT" in told
    assert "control 0 of 60 rounds far apart went wrong" in told
    assert "+0 to +10: 4 of 900 rounds went wrong" in told


def test_a_bar_is_as_high_as_its_rounds() -> None:
    picture = offsets_picture(
        (OffsetCount("T2", "+0 to +10", 100, 0), OffsetCount("T2", "+10 to +20", 50, 2))
    )
    heights = [float(each) for each in re.findall(r'height="([\d.]+)" class="rounds"', picture)]
    assert heights[0] == pytest.approx(2 * heights[1], abs=0.1)
    assert picture.count('class="hits"') == 1
