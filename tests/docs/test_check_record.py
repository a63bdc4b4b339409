"""docs/reference/artefacts.md has the fields of check.json."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from double_booking import checked, column
from pages import DOCS, fields, section
from txfuzz.check.crowd import BrokenInvariant, CrowdResult
from txfuzz.check.serial.outcome import Ending
from txfuzz.report.check.data import check_data

ARTEFACTS = DOCS / "reference" / "artefacts.md"


def test_the_fields_of_a_check_are_described() -> None:
    broken = (BrokenInvariant("one each", column("who", "ann"), ()),)
    crowd = CrowdResult("read committed", 8, 1.0, 100, 3, {Ending.COMMITTED: 100}, {}, broken)
    data = check_data(replace(checked(), crowds=(crowd,)))
    one = data["sets"][0]
    finding, fix, crowded = one["findings"][0], one["fixes"][0], data["crowds"][0]
    shown: Mapping[str, Mapping[str, Any]] = {
        "check.json": data,
        "A set of transactions": one,
        "Counts at a level": one["levels"][0],
        "A finding of a check": finding,
        "A fix": fix,
        "A crowd": crowded,
    }
    for title, found in shown.items():
        assert set(found) == fields(ARTEFACTS, title), title
    assert set(fix["before"]) == set(fix["after"]) == set(one["levels"][0])
    for title, name, inner in (
        ("A finding of a check", "calls", finding["calls"][0]),
        ("A finding of a check", "story", finding["story"][0]),
        ("A crowd", "broken", crowded["broken"][0]),
    ):
        row = next(line for line in section(ARTEFACTS, title).splitlines() if line.startswith(f"| `{name}`"))
        assert set(inner) == set(re.findall(r"`(\w+)`", row)) - {name}, name
