"""What `txfuzz check` says of transactions that could not show anything, on SQLite."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from txfuzz.campaign.check.check import check_file
from txfuzz.check.finding.result import CheckResult
from txfuzz.report.check.data import check_data
from txfuzz.report.check.table import table_rows
from txfuzz.report.check.text import notes

Check = Callable[..., CheckResult]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    def run(text: str, name: str = "scenario.yaml", **more: object) -> CheckResult:
        path = tmp_path / name
        path.write_text(dedent(text))
        found = check_file(path, adapter="sqlite", **more)  # type: ignore[arg-type]
        assert isinstance(found, CheckResult)
        return found

    return run


CANCEL = """\
version: 1
name: bookings
database: {adapter: sqlite}
setup: |
  CREATE TABLE seats (seat INTEGER PRIMARY KEY, booked_by text);
  INSERT INTO seats VALUES (1, NULL);
workload:
  transactions:
    - name: book
      params: {who: [ann, bob]}
      steps:
        - sql: UPDATE seats SET booked_by = :who WHERE seat = 1
    - name: cancel
      params: {seat: 7}
      steps:
        - sql: SELECT count(*) FROM seats WHERE seat = :seat
        - sql: UPDATE seats SET booked_by = NULL WHERE seat = :seat
        - sql: SELECT booked_by FROM seats WHERE seat = :seat
"""


def test_statements_that_never_met_a_row_are_told(check: Check) -> None:
    found = check(CANCEL)
    assert found.failing == ()
    told = (
        "Steps 2 (UPDATE seats SET booked_by = NULL WHERE seat = :seat) and "
        "3 (SELECT booked_by FROM seats WHERE seat = :seat) of cancel met a row in no schedule, so nothing "
        "was tested by them: see whether the setup has the rows that the parameters name"
    )
    assert found.notes == (told,)
    assert f"{told}." in check_data(found)["notes"]
    sets = check_data(found)["sets"]
    assert [one["levels"][0]["met"] for one in sets] == [
        (("book", 0),),
        (("book", 0), ("cancel", 0)),
        (("cancel", 0),),
    ]
    assert [one["levels"][0]["changed"] for one in sets] == [("book",), ("book",), ()]


def test_statements_that_met_a_row_once_are_not_told(check: Check) -> None:
    assert check(CANCEL.replace("seat: 7", "seat: [7, 1]")).notes == ()


def test_rows_that_another_transaction_makes_are_met(check: Check) -> None:
    made = CANCEL.replace(
        "UPDATE seats SET booked_by = :who WHERE seat = 1", "INSERT INTO seats VALUES (7, :who)"
    )
    assert check(made, transactions=("book", "cancel")).notes == ()


CODE = """
    import txfuzz

    @txfuzz.setup
    def schema(connection):
        connection.execute("CREATE TABLE seats (seat INTEGER PRIMARY KEY, booked_by text)")
        connection.execute("INSERT INTO seats VALUES (1, NULL)")

    @txfuzz.transaction(who=["ann", "bob"])
    def book(connection, who, seat=1):
        found = connection.execute("SELECT booked_by FROM seats WHERE seat = ?", (seat,)).fetchall()
        if found == [(None,)]:
            connection.execute("UPDATE seats SET booked_by = ? WHERE seat = ?", (who, seat))

    @txfuzz.transaction
    def cancel(connection, seat=1):
        connection.execute("UPDATE seats SET booked_by = NULL WHERE seat = ?", (seat,))
"""


def test_code_that_never_changed_a_row_is_told(check: Check) -> None:
    def about(text: str) -> list[str]:
        return [each for each in check(text, "app.py").notes if "changed a row" in each]

    assert about(CODE) == []
    [note] = about(CODE.replace("def cancel(connection, seat=1)", "def cancel(connection, seat=7)"))
    assert note.startswith(
        "cancel changed a row in no schedule, so unless it is only meant to read, nothing "
    )
    [note] = about(CODE.replace("who, seat=1", "who, seat=7"))  # it has not even come to its UPDATE
    assert note.startswith("book changed a row in no schedule")


REGISTER = """\
version: 1
name: names
database: {adapter: sqlite}
setup: CREATE TABLE users (id INTEGER PRIMARY KEY, name text UNIQUE)
workload:
  transactions:
    - name: register
      params: {name: ann}
      steps:
        - sql: INSERT INTO users (name) VALUES (:name)
"""


def test_what_a_constraint_refuses_is_named(check: Check) -> None:
    found = check(REGISTER)
    (one,) = found.sets
    (level,) = one.levels
    assert level.constraints == ("SQLITE_CONSTRAINT_UNIQUE",)
    number = level.failed["SQLITE_CONSTRAINT_UNIQUE"]
    rows = dict(table_rows(one))
    assert rows["refused by a constraint"] == [f"{number:,} (SQLITE_CONSTRAINT_UNIQUE)"]
    assert "aborted for good" not in rows
    assert any(
        each.startswith("Refused by a constraint (SQLITE_CONSTRAINT_UNIQUE): ") for each in notes(found)
    )
