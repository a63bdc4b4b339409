"""The status of a hunt: rates, growth and what was found, at each moment of it."""

from __future__ import annotations

from dataclasses import replace

from txfuzz.hunt.judging.wrong import Wrong
from txfuzz.hunt.race.result import RaceCounts
from txfuzz.hunt.result import FoundHole, HuntCounts
from txfuzz.report.hunt.status import (
    HuntStatus,
    RaceStatus,
    found_line,
    hunt_frame,
    race_frame,
    status_line,
)
from txfuzz.report.text.status import Frame, Row

KNOWN = FoundHole("a_b", Wrong.NO_ORDER, "serializable", ("a", "b"), "plain", "a_b", "", "", 3, 4, 3, 3)
NEW = FoundHole("c", Wrong.LOST_UPDATE, "repeatable read", ("c",), "plain", "", "", "", 1_234, 1, 3, 3)


def counted(schedules: int, covered: int) -> HuntCounts:
    return HuntCounts(programs=schedules // 2, schedules=schedules, committed=schedules // 4, covered=covered)


def rows_of(frame: Frame) -> dict[str, Row]:
    return {row.label: row for row in frame.rows}


def test_before_anything_has_run() -> None:
    frame = hunt_frame(HuntStatus("a server"))
    assert frame.title == "txfuzz hunt · a server"
    assert rows_of(frame)["time"].text == "0:00"
    assert not frame.found


def test_rows_say_how_it_goes() -> None:
    status = HuntStatus("a server", workers=2, most_seconds=60, lost=1)
    for second in range(41):
        status = status.at(
            second, counted(second * 100, min(second, 10) * 5), [KNOWN, NEW] if second > 20 else []
        )
    frame = hunt_frame(status)
    rows = rows_of(frame)
    assert rows["time"].text == "0:40 of 1:00"
    assert rows["workers"].text == "2 (1 lost and replaced)"
    assert rows["schedules"].text == "4,000, 100/s"
    assert rows["programs"].text == "2,000"
    assert rows["outcomes"].text == "25% committed in full, 0% waited"
    assert rows["coverage"].text == "50 ways in which forms met"
    assert set(rows["coverage"].course[:10]) == {5}
    assert set(rows["coverage"].course[11:]) == {0}
    assert rows["new"].text == "nothing new for 0:19; the last: c"
    assert rows["hits"].text == "c ×1 and a_b ×4 (known)"
    assert frame.found == [found_line(KNOWN), found_line(NEW)]


def test_rows_of_a_hunt_by_races() -> None:
    status = RaceStatus()
    for second in range(21):
        counts = RaceCounts(races=second, rounds=second * 60, committed=second * 30, outcomes=min(second, 4))
        status = status.at(second, replace(counts, seconds=float(second)), [])
    rows = rows_of(race_frame(status, 60.0, None))
    assert rows["time"].text == "0:20 of 1:00"
    assert rows["rounds"].text == "1,200, 60/s"
    assert rows["outcomes"].text == "50% committed in full"
    assert rows["coverage"].text == "4 different outcomes"
    assert rows["new"].text == "nothing new for 0:16; the last: 1 outcome"


def test_what_ran_before_a_hunt_was_resumed_is_no_speed() -> None:
    status = HuntStatus("a server").at(1.0, counted(10_000, 900), []).at(6.0, counted(10_500, 900), [])
    assert status_line(status).startswith("0:06 10,500 schedules of 5,250 programs (100/s), 900 covered")


def test_a_finding_is_one_line() -> None:
    assert found_line(NEW) == ("found (NEW): c at REPEATABLE READ: lost update, schedule 1,234, layout plain")
    assert found_line(KNOWN).startswith("found (known): a_b at SERIALIZABLE")
