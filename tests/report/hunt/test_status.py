"""The status of a hunt: rates, growth and what was found, at each moment of it."""

from __future__ import annotations

from txfuzz.hunt.judging.wrong import Wrong
from txfuzz.hunt.result import FoundHole, HuntCounts
from txfuzz.report.hunt.status import HuntStatus, found_line, status_line, status_rows

KNOWN = FoundHole("a_b", Wrong.NO_ORDER, "serializable", ("a", "b"), "plain", "a_b", "", "", 3, 4, 3, 3)
NEW = FoundHole("c", Wrong.LOST_UPDATE, "repeatable read", ("c",), "plain", "", "", "", 1_234, 1, 3, 3)


def counted(schedules: int, covered: int) -> HuntCounts:
    return HuntCounts(programs=schedules // 2, schedules=schedules, committed=schedules // 4, covered=covered)


def test_before_anything_has_run() -> None:
    rows = dict(status_rows(HuntStatus("a server")))
    assert rows["time"] == "0:00"
    assert rows["found"] == "nothing yet"


def test_rows_say_how_it_goes() -> None:
    status = HuntStatus("a server", workers=2, most_seconds=60, lost=1)
    for second in range(41):
        status = status.at(
            second, counted(second * 100, min(second, 10) * 5), [KNOWN, NEW] if second > 20 else []
        )
    rows = dict(status_rows(status))
    assert rows["time"] == "0:40 of 1:00, 2 workers (1 lost and replaced)"
    assert rows["schedules"] == "4,000 (100/s), 2,000 programs"
    assert rows["outcomes"] == "25% committed in full, 0% waited"
    bars, _, words = rows["coverage"].partition("  ")
    assert words == "50 ways in which forms met, nothing new for 0:30"
    assert bars[0] == "█"
    assert set(bars[6:]) == {"▁"}
    assert rows["found"] == "c ×1 and a_b ×4 (known)"


def test_what_ran_before_a_hunt_was_resumed_is_no_speed() -> None:
    status = HuntStatus("a server").at(1.0, counted(10_000, 900), []).at(6.0, counted(10_500, 900), [])
    assert status_line(status).startswith("0:06 10,500 schedules of 5,250 programs (100/s), 900 covered")


def test_a_finding_is_one_line() -> None:
    assert found_line(NEW) == ("found (NEW): c at REPEATABLE READ: lost update, schedule 1,234, layout plain")
    assert found_line(KNOWN).startswith("found (known): a_b at SERIALIZABLE")
