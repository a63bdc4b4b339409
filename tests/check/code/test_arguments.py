"""Which parameters of a function are opened for it, and between which values the others choose."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from txfuzz.check.code.arguments import parameters_of
from txfuzz.check.code.decorators import Role, marked_in, transaction
from txfuzz.check.code.resources import Resource
from txfuzz.errors import UsageError


def test_by_name_by_annotation_by_default_and_by_choice() -> None:
    import sqlite3

    import sqlalchemy
    from sqlalchemy.orm import Session

    def book(db: Session, raw: sqlite3.Connection, core: sqlalchemy.Connection, url, seat=1, who="x"):  # type: ignore[no-untyped-def]
        pass

    book.__annotations__ = {"db": Session, "raw": sqlite3.Connection, "core": "sqlalchemy.Connection"}
    found = parameters_of(book, {"who": ["ann", "bob"]}, "transaction")
    assert found.opened == {
        "db": Resource.SESSION,
        "raw": Resource.CONNECTION,
        "core": Resource.SQL_CONNECTION,
        "url": Resource.URL,
    }
    assert found.chosen == (("seat", (1,)), ("who", ("ann", "bob")))


def lacks(connection: Any, who: str) -> None: ...
async def waits() -> None: ...


@pytest.mark.parametrize(
    ("function", "choices", "message"),
    [
        (lacks, {}, r"test_arguments.py:\d+: lacks\(\): the parameter 'who' has no value: give it a default"),
        (lacks, {"who": []}, "who has an empty list of choices"),
        (lacks, {"who": "x", "whom": 1}, r"lacks\(\) has no parameter 'whom'"),
        (waits, {}, r"waits\(\) is asynchronous"),
    ],
)
def test_what_has_no_value_is_refused(
    function: Callable[..., Any], choices: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        parameters_of(function, choices, "transaction")


def test_a_decorated_function_stays_what_it_was() -> None:
    @transaction(isolation="serializable", who=["ann"])
    def book(who: str) -> str:
        return who

    assert book("bob") == "bob"
    [(function, mark)] = marked_in([1, book, book])
    assert function is book
    assert (mark.role, mark.isolation, mark.choices) == (Role.TRANSACTION, "serializable", {"who": ["ann"]})


def test_a_partial_that_does_not_fit_is_refused_in_one_sentence() -> None:
    for wrong in (partial(lacks, whom="ann"), partial(partial(lacks, whom="ann")), partial(lacks, 1, 2, 3)):
        with pytest.raises(
            UsageError, match=r"test_arguments.py:\d+: lacks\(\) cannot be called as functools"
        ):
            parameters_of(wrong, {}, "setup")
    with pytest.raises(UsageError, match="did you mean 'who'"):
        parameters_of(partial(lacks, whom="ann"), {}, "setup")
