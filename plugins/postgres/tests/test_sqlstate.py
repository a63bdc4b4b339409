"""What an SQLSTATE means for its transaction."""

from __future__ import annotations

import pytest

from txfuzz.database.api import Outcome
from txfuzz_postgres.protocol.sqlstate import outcome_of

CERTAINLY_NOT = [
    "40001",
    "40P01",
    "23505",
    "55P03",
    "57014",
    "53200",
    "53300",
    "58030",
    "XX000",
    "25P02",
    "P0001",
]
WORKLOAD = ["42601", "42P01", "42703", "22012", "0A000", "21000", "23502", "26000", "08P01", "25006"]
CONNECTION = ["08006", "08003", "57P01", "57P02", "57P03", "25P03"]


@pytest.mark.parametrize("code", CERTAINLY_NOT)
@pytest.mark.parametrize("committing", [False, True])
def test_errors_of_concurrency_and_operation_are_fail(code: str, committing: bool) -> None:
    assert outcome_of(code, lost=False, committing=committing) is Outcome.FAIL


@pytest.mark.parametrize("code", WORKLOAD)
def test_errors_that_the_workload_causes_are_bugs(code: str) -> None:
    assert outcome_of(code, lost=False, committing=False) is Outcome.BUG


@pytest.mark.parametrize("code", CONNECTION + CERTAINLY_NOT + WORKLOAD)
def test_a_connection_lost_before_commit_is_fail_and_at_commit_info(code: str) -> None:
    assert outcome_of(code, lost=True, committing=False) is Outcome.FAIL
    assert outcome_of(code, lost=True, committing=True) is Outcome.INFO


@pytest.mark.parametrize("code", ["40003", "08007"])
@pytest.mark.parametrize("lost", [False, True])
def test_codes_that_say_unknown_are_info_everywhere(code: str, lost: bool) -> None:
    assert outcome_of(code, lost=lost, committing=False) is Outcome.INFO


def test_a_class_of_the_future_is_fail_since_an_error_always_aborts() -> None:
    assert outcome_of("ZZ123", lost=False, committing=True) is Outcome.FAIL
