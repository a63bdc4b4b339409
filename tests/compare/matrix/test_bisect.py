"""Bisecting finds a pair of neighbours that differ, and passes over what is unknown."""

from __future__ import annotations

import pytest

from txfuzz.compare.matrix.bisect import bisect

ALL = [str(number) for number in range(1, 17)]


@pytest.mark.parametrize("first", range(2, 17))
def test_the_neighbours_between_which_it_appears(first: int) -> None:
    found = bisect(ALL, lambda version: int(version) >= first)
    assert found.between == (str(first - 1), str(first))
    assert len(found.asked) <= 6
    assert found.text == f"It appears between {first - 1} and {first}."


def test_it_disappears() -> None:
    found = bisect(ALL, lambda version: int(version) < 9)
    assert found.between == ("8", "9")
    assert found.text == "It disappears between 8 and 9."


def test_what_comes_and_goes_is_found_although_the_ends_agree() -> None:
    found = bisect(ALL, lambda version: version == "11")
    assert found.between == ("10", "11")


def test_no_change() -> None:
    found = bisect(["1", "2", "3"], lambda version: False)
    assert found.between is None
    assert found.text == "It shows at no version that was asked (1, 2 and 3)."
    assert list(found.asked) == ["1", "2", "3"]


def test_unknown_versions_are_passed_over() -> None:
    unsure = {"1", "8", "9", "16"}
    found = bisect(ALL, lambda version: None if version in unsure else int(version) >= 9)
    assert found.between == ("7", "10")
    assert "8" in found.text
    assert bisect(ALL, lambda version: None).between is None
    assert "could not be judged at any version" in bisect(["1", "2"], lambda version: None).text
