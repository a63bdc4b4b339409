"""Durations as people write them."""

from __future__ import annotations

import pytest

from txfuzz.common.durations import seconds_in


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90.0), ("10m", 600.0), ("1.5h", 5400.0), ("250ms", 0.25), ("50us", 5e-5), (" 2 m ", 120.0)],
)
def test_a_duration_has_a_unit(text: str, seconds: float) -> None:
    assert seconds_in(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "10", "10M", "m", "-1s", "1h30m", "inf s", "٣s"])
def test_anything_else_is_none(text: str) -> None:
    assert seconds_in(text) is None
