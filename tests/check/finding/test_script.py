"""A failing schedule to be typed by hand."""

from __future__ import annotations

from dataclasses import replace

from double_booking import SETUP, column, double_booking
from txfuzz.check.contract import SqlInvariant
from txfuzz.check.finding.result import Finding
from txfuzz.check.finding.script import typed_schedule
from txfuzz.database.sql.windows import COLUMN
from txfuzz.transactions.model import Mode

SECOND = " " * COLUMN  # the window beside the first


def begin(isolation: str, mode: Mode) -> tuple[str, ...]:
    return (f"BEGIN {isolation}",)


def test_each_line_says_where_it_is_entered_and_what_it_shows() -> None:
    attempt = double_booking(waits=4, broken={"one each": column("who", "ann")})
    finding = Finding(attempt, attempt, ("neither book saw the other",), 3, 3, setup=SETUP)
    text = typed_schedule(finding, (SqlInvariant("one each", "SELECT who FROM t;"),), begin)
    assert text.splitlines()[5:] == [
        "/* setup */ CREATE TABLE seats (seat int PRIMARY KEY, booked_by text);",
        "/* setup */ INSERT INTO seats VALUES (1, NULL);",
        "",
        "/* A     */ BEGIN read committed;",
        "/* A     */ SELECT booked_by FROM seats WHERE seat = 1;",
        "            -- (1) booked_by NULL",
        f"{SECOND}/* B     */ BEGIN read committed;",
        f"{SECOND}/* B     */ SELECT booked_by FROM seats WHERE seat = 1;",
        f"{SECOND}            -- (2) booked_by NULL",
        f"{SECOND}/* B     */ UPDATE seats SET booked_by = 'bob' WHERE seat = 1;",
        f"{SECOND}            -- (3) 1 row changed",
        f"{SECOND}/* B     */ COMMIT;",
        f"{SECOND}            -- (4) committed",
        "/* A     */ UPDATE seats SET booked_by = 'ann' WHERE seat = 1;",
        "            -- (5) waits for B, then 1 row changed",
        "/* A     */ COMMIT;",
        "            -- (6) committed",
        "",
        "/* after */ SELECT who FROM t;",
        "            -- gives who 'ann': one each",
        "",
        "-- Why this is wrong:",
        "-- book (ann) saw booked_by NULL in line 1, and so did book (bob) in line 2; whichever went "
        "first, the other would have seen booked_by 'ann' or booked_by 'bob'.",
        "-- Broken: one each. The query for it gives who 'ann'.",
    ]
    code = replace(finding, setup=None)
    assert "-- Make the tables first, as the setup in Python does." in typed_schedule(code, (), begin)
