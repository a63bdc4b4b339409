"""What a check says of its scenario beside the verdict."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from txfuzz.campaign.check.alone import check_alone
from txfuzz.campaign.check.check import check_file
from txfuzz.check.contract import FunctionRows
from txfuzz.check.finding.result import CheckResult
from txfuzz.check.run import ProgramRunner
from txfuzz.database.scenario import Rows
from txfuzz.errors import UsageError

SCENARIO = """
version: 1
name: log
setup: |
  CREATE TABLE log (id INTEGER PRIMARY KEY AUTOINCREMENT, what varchar(10));
workload:
  transactions:
    - name: add
      steps:
        - sql: INSERT INTO log (what) VALUES ('a')
"""


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (Rows(("seat",), ((1,),)), "the query for it gives seat 1, expected no row"),
        (
            FunctionRows(("seat",), ((1,),), function="free()"),
            "the function free() returned seat 1, expected it to return nothing",
        ),
        (
            FunctionRows(("AssertionError",), (("none",),), function="free()", raised="AssertionError: none"),
            "the function free() raised AssertionError: none, expected it to return nothing",
        ),
    ],
)
def test_an_invariant_that_the_setup_breaks_tells_what_it_found(rows: Rows, said: str) -> None:
    tables = SimpleNamespace(reset=lambda: None)
    invariant = SimpleNamespace(name="one left", rows=lambda tables: rows)
    subject: Any = SimpleNamespace(tables=tables, invariants=(invariant,), place_of=lambda text: "file:1:1")
    runner: Any = None
    with pytest.raises(UsageError) as caught:
        check_alone(subject, runner, "serializable", frozenset())
    assert str(caught.value).endswith(f"is broken by the setup alone: {said}")


def test_an_identifier_that_was_not_compared_is_not_called_one_that_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log.yaml"
    path.write_text(SCENARIO)

    def found() -> CheckResult:
        result = check_file(path, adapter="sqlite", isolation=["serializable"], advice=False)
        assert isinstance(result, CheckResult)
        return result

    assert found().renamed == ("log.id",)
    monkeypatch.setattr(ProgramRunner, "left_out", property(lambda self: ("log.id",)))
    result = found()
    assert (result.masked, result.renamed) == (("log.id",), ())
