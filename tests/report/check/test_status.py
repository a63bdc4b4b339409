"""The status of a check: what fails appears at once, and rates follow."""

from __future__ import annotations

from txfuzz.report.check.status import CheckStatus, check_frame


def test_it_follows_a_check() -> None:
    status = CheckStatus("flat booking · PostgreSQL", 60.0, levels=2, sets=3, programs=12)
    assert not check_frame(status).found
    for second in range(10):
        status = status.at(second, "book × book", "read committed", second * 50, max(0, second - 3))
    status = status.at(10, "book × pay", "read committed", 500, 0)
    status = status.at(12, "book × book", "read committed", 520, 0, "shrinking")
    frame = check_frame(status)
    rows = {row.label: row for row in frame.rows}
    assert frame.title == "txfuzz check · flat booking · PostgreSQL"
    assert frame.found == ["book × book at READ COMMITTED: 6 schedules fail"], "shrinking takes nothing away"
    assert rows["time"].text == "0:12, schedules run for at most 1:00"
    assert rows["now"].text == "book × book at READ COMMITTED: shrinking"
    assert rows["new"].text == "nothing new for 0:08; the last: book × book fails at READ COMMITTED"
    assert rows["schedules"].text.startswith("520, ")
    assert rows["programs"].text == "12 in 3 sets of transactions"
    assert rows["coverage"].text == "2 of 6 sets at levels begun"
