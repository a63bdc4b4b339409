"""What a crowd came to, in sentences and as data."""

from __future__ import annotations

from dataclasses import replace

import pytest

from double_booking import SERIALIZABLE, checked
from txfuzz.check.crowd import BrokenInvariant, CrowdCall, CrowdResult
from txfuzz.check.serial.outcome import Ending
from txfuzz.database.scenario import Rows
from txfuzz.report.check.crowd import crowd_sentences
from txfuzz.report.check.data import check_data
from txfuzz.report.check.text import check_text, verdict

QUIET = CrowdResult(
    "serializable", 8, 2.0, 900, 7, {Ending.COMMITTED: 890, Ending.ABORTED: 10}, {"40001": 12}
)


def call(name: str, ending: Ending = Ending.COMMITTED) -> CrowdCall:
    return CrowdCall(0, name, {}, 0.1, 0.2, ending)


def broken(in_series: bool | None) -> CrowdResult:
    since = (call("book"), call("book"), call("pay"), call("pay", Ending.ABORTED))
    found = BrokenInvariant("one seat each", Rows(("who",), (("ann",),)), since, in_series)
    return replace(QUIET, isolation="read committed", broken=(found,))


def test_a_crowd_that_found_nothing() -> None:
    assert list(crowd_sentences(QUIET)) == [
        "Crowd of 8 at SERIALIZABLE: 900 transactions in 2.0 s, 10 aborted for good; met 40001 ×12; "
        "the invariants held at all 7 quiet points."
    ]
    [calm] = crowd_sentences(replace(QUIET, aborted={}, endings={Ending.COMMITTED: 900}))
    assert "none aborted for good; the invariants held" in calm


@pytest.mark.parametrize(
    ("in_series", "told"),
    [
        (None, "had run."),
        (True, "had run. The same transactions break it one after the other, too."),
        (False, "had run. The same transactions, one after the other, keep it."),
    ],
)
def test_what_it_broke(in_series: bool | None, told: str) -> None:
    [_, sentence] = crowd_sentences(broken(in_series))
    assert sentence == (
        "Broken by the crowd at READ COMMITTED after 2.0 s: one seat each. The query for it gives who 'ann'. "
        f"Since it was last seen to hold, book ×2 and pay ×1 {told}"
    )


def test_a_crowd_decides_the_verdict_with_the_schedules() -> None:
    safe = replace(checked(asked=(SERIALIZABLE,)), crowds=(broken(False),))
    assert safe.broken_by_crowd == ("read committed",)
    assert verdict(safe) == "Not safe: a crowd at READ COMMITTED."
    both = replace(checked(), crowds=(broken(False),))
    assert verdict(both) == "Not safe: book × book at READ COMMITTED; a crowd at READ COMMITTED."
    assert "Broken by the crowd" in check_text(safe)


def test_as_data() -> None:
    [crowd] = check_data(replace(checked(), crowds=(broken(True),)))["crowds"]
    assert crowd["endings"] == {"committed": 890, "aborted": 10}
    assert crowd["broken"] == [{"name": "one seat each", "rows": "who 'ann'", "since": 4, "in_series": True}]
