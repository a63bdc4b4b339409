"""`when:` — what must hold for a step to run; and the values that YAML gives to it and to `params`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from txfuzz.errors import did_you_mean
from txfuzz.transactions.model import COMPARISONS, StepCondition
from txfuzz.workload.yaml.nodes import Node

NOT_NULL = "not null"
A_VALUE = "a value: text, a number, true, false, null, a date"
_FORMS = "null, `not null`, a value, or {eq|ne|lt|le|gt|ge: value or :NAME}"
_NAME = re.compile(r":([A-Za-z_]\w*)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[-+]\d\d:\d\d)?")


def value_of(node: Node, expected: str = A_VALUE) -> Any:
    """A scalar as a statement gets it: null, true, a number, text, or a plain word that is a date or a time
    with its date."""
    value = node.value
    if isinstance(value, tuple | Mapping):
        raise node.unexpected(expected)
    if isinstance(value, str) and "\0" in value:
        raise node.place.error("found a NUL character", expected)
    if isinstance(value, str) and node.style == "":
        for form, kind in ((_DATE, date), (_TIME, datetime)):
            if form.fullmatch(value):
                try:
                    return kind.fromisoformat(value)
                except ValueError:
                    raise node.unexpected("a date of the calendar, or text in quotes") from None
    return value


def read_conditions(node: Node, names: Collection[str]) -> tuple[StepCondition, ...]:
    """names: that can be compared here. All conditions must hold."""
    fields = node.mapping(f"names with what they must be, as in {{NAME: null}}: {_FORMS}")
    if not fields:
        raise node.unexpected("at least one name with what it must be")
    found: list[StepCondition] = []
    for name, test in fields.items():
        check_known(name, test, names)
        found += _tests(name, test, names)
    return tuple(found)


def check_known(name: str, node: Node, names: Collection[str], found: str = "") -> None:
    """found: how the name is written, where it is not the name of a field."""
    if name not in names:
        hint = did_you_mean(name, names) if names else "there is neither"
        place = node.place if found else node.name_place
        raise place.error(
            f"found {found or repr(name)}", "a name of `params` or of `returns` of an earlier step", hint
        )


def _tests(name: str, node: Node, names: Collection[str]) -> Iterator[StepCondition]:
    if not isinstance(node.value, Mapping):
        yield _null(name) if node.value == NOT_NULL else _compared(name, "eq", node, names)
        return
    tests = node.fields("a condition", COMPARISONS)
    if not tests:
        raise node.unexpected(_FORMS)
    for test, other in tests.items():
        yield _compared(name, test, other, names)


def _null(name: str) -> StepCondition:
    return StepCondition(name, "ne", None)


def _compared(name: str, test: str, node: Node, names: Collection[str]) -> StepCondition:
    if isinstance(node.value, str) and (other := _NAME.fullmatch(node.value)):
        check_known(other[1], node, names, node.value)
        return StepCondition(name, test, other=other[1])
    value = value_of(node, "a value or :NAME")
    if value is None and test not in ("eq", "ne"):
        raise node.place.error(f"found `{test}` with null", "a value", "nothing is less or greater than null")
    return StepCondition(name, test, value)
