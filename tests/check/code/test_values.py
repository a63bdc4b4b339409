"""What functions return, as plain data."""

from __future__ import annotations

import datetime
import enum
import uuid
from collections import namedtuple
from dataclasses import dataclass

import pytest

from txfuzz.check.code.values import comparable
from txfuzz.check.serial.value import CodeValue, alike


class Colour(enum.Enum):
    RED = 1


@dataclass
class Point:
    x: int
    y: object = None


class Thing:
    pass


Pair = namedtuple("Pair", "a b")
DAY = datetime.date(2024, 1, 2)


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ((1, {2, 1}), [1, [1, 2]]),
        (Point(1, Thing()), {"": "Point", "x": 1, "y": "<Thing>"}),
        (Pair(1, "x"), {"a": 1, "b": "x"}),
        (Colour.RED, "Colour.RED"),
        ({1: DAY}, {"1": DAY}),
        (uuid.UUID(int=1), uuid.UUID(int=1)),
        (Thing, "<Thing>"),
        (iter([1]), "<list_iterator>"),
        ((each for each in (1, 2)), [1, 2]),
    ],
)
def test_plain_data_that_is_compared_by_value(value: object, plain: object) -> None:
    assert comparable(value) == plain


def test_an_object_that_contains_itself_ends() -> None:
    circle: list[object] = []
    circle.append(circle)
    assert "<list>" in repr(comparable(circle))


def test_generated_identifiers_stand_for_any_other() -> None:
    new = frozenset({"n:7", "n:8"})
    assert alike(CodeValue([7, "a"]), CodeValue([8, "a"]), new)
    assert not alike(CodeValue([7, "a"]), CodeValue([8, "b"]), new)
    assert not alike(CodeValue(1), CodeValue(2), new)
    assert not alike(CodeValue(1, changed=(("UPDATE t", 1),)), CodeValue(1, changed=()), new)


def test_a_value_in_words() -> None:
    shown = CodeValue(comparable(Point(1, "a")), changed=(("UPDATE seats", 2),))
    assert str(shown) == "returned Point(x=1, y='a'), and changed 2 rows (UPDATE seats)"
    assert str(CodeValue(raised="Oops", changed=())) == "raised Oops, and changed nothing"
