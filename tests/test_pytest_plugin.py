"""The options of the fixtures; what these do is in tests/campaign and in the plugins' tests of code."""

from __future__ import annotations

import pytest

from txfuzz.pytest_plugin import budget_of


def test_a_budget_is_a_number_of_schedules_or_of_seconds() -> None:
    assert budget_of(None) == {}
    assert (budget_of("200"), budget_of("0.5s")) == ({"schedules": 200}, {"budget": 0.5})


@pytest.mark.parametrize("text", ["soon", "0", "0s", "1.5", "-1"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(pytest.UsageError, match=rf"schedules \(200\) or of seconds \(5s\), not '{text}'"):
        budget_of(text)
