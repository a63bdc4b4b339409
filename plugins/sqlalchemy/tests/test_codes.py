"""What errors mean, by the code that a driver gives."""

from __future__ import annotations

import struct
from types import SimpleNamespace

import pytest
from sqlalchemy.exc import DBAPIError, StatementError

from txfuzz.plugin_api import Outcome
from txfuzz_sqlalchemy.codes import code_of, outcome_of, session_error

CODES = [
    # code, before COMMIT, at COMMIT
    ("40001", Outcome.FAIL, Outcome.FAIL),
    ("40P01", Outcome.FAIL, Outcome.FAIL),
    ("40003", Outcome.FAIL, Outcome.INFO),
    ("23505", Outcome.FAIL, Outcome.FAIL),
    ("42P01", Outcome.BUG, Outcome.INFO),
    ("25P02", Outcome.FAIL, Outcome.INFO),
    ("1213", Outcome.FAIL, Outcome.FAIL),
    ("1062", Outcome.FAIL, Outcome.INFO),
    ("1064", Outcome.BUG, Outcome.INFO),
    ("1205", Outcome.FAIL, Outcome.INFO),
    ("SQLITE_BUSY", Outcome.FAIL, Outcome.FAIL),
    ("SQLITE_ERROR", Outcome.BUG, Outcome.INFO),
    ("SQLITE_IOERR", Outcome.FAIL, Outcome.INFO),
    ("TransactionException", Outcome.FAIL, Outcome.FAIL),
    ("ORA-08177", Outcome.FAIL, Outcome.FAIL),
    ("ORA-00942", Outcome.BUG, Outcome.INFO),
    ("ORA-03113", Outcome.FAIL, Outcome.INFO),
    ("3960", Outcome.FAIL, Outcome.FAIL),
    ("42000", Outcome.FAIL, Outcome.INFO),
    ("OperationalError", Outcome.FAIL, Outcome.INFO),
    ("ProgrammingError", Outcome.BUG, Outcome.INFO),
]


@pytest.mark.parametrize(("code", "before", "at_commit"), CODES, ids=[each[0] for each in CODES])
def test_what_a_code_means(code: str, before: Outcome, at_commit: Outcome) -> None:
    assert outcome_of(code, lost=False, committing=False) is before
    assert outcome_of(code, lost=False, committing=True) is at_commit
    assert outcome_of(code, lost=True, committing=False) is Outcome.FAIL
    assert outcome_of(code, lost=True, committing=True) is Outcome.INFO


class Raised(Exception):
    """As drivers raise them: with a code in one place or another."""

    def __init__(self, *args: object, **places: object) -> None:
        super().__init__(*args)
        self.__dict__.update(places)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Raised("x", sqlstate="40001"), "40001"),
        (Raised("x", pgcode="40P01", sqlstate=None), "40P01"),
        (Raised(1213, "Deadlock"), "1213"),
        (Raised(1064, "syntax", sqlstate="42000"), "1064"),
        (Raised({"S": "ERROR", "C": "40001"}), "40001"),
        (Raised("1205 (HY000)", errno=1205, sqlstate=""), "1205"),
        (Raised("locked", sqlite_errorname="SQLITE_BUSY"), "SQLITE_BUSY"),
        (Raised(SimpleNamespace(full_code="ORA-00060", code=60)), "ORA-00060"),
        (Raised("42S02", "[42S02] no such table"), "42S02"),
        (Raised("whatever"), "Raised"),
    ],
)
def test_where_drivers_have_their_codes(error: Exception, code: str) -> None:
    assert code_of(DBAPIError("SELECT 1", {}, error)) == code


def test_of_a_number_that_is_not_known_the_sqlstate_counts() -> None:
    """Newer PyMySQL has both."""
    found = session_error(DBAPIError("SELECT 1", {}, Raised(1242, "two rows", sqlstate="21000")))
    assert (found.code, found.outcome) == ("1242", Outcome.BUG)
    found = session_error(DBAPIError("SELECT 1", {}, Raised(1205, "timeout", sqlstate="HY000")))
    assert (found.code, found.outcome) == ("1205", Outcome.FAIL)


def test_what_a_driver_raises_of_half_a_packet_is_a_lost_connection() -> None:
    for error in (ConnectionResetError("reset"), struct.error("unpack")):
        found = session_error(error)
        assert (found.outcome, found.lost) == (Outcome.FAIL, True)
        assert session_error(error, committing=True).outcome is Outcome.INFO


def test_what_sqlalchemy_refuses_is_refused_for_good() -> None:
    assert session_error(StatementError("no value", "SELECT :x", {}, ValueError())).outcome is Outcome.BUG
