"""What a scenario file says, and what is assumed where it says nothing."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from scenario_words import SMALL, WHOLE, parse, steps
from txfuzz.errors import WorkloadError
from txfuzz.transactions.model import (
    Mode,
    Param,
    Returned,
    RollbackTo,
    Step,
    StepCondition,
    Transaction,
)
from txfuzz.workload.model import DatabaseSpec
from txfuzz.workload.scenario import CallReplay, Invariant, Scenario, ScenarioReplay
from txfuzz.workload.yaml.runtime_errors import step_place
from txfuzz.workload.yaml.scenario import is_scenario, parse_scenario, read_scenario
from workload_words import Words

SEATS = """\
CREATE TABLE seats (
  show int, seat int, booked_by text, booked_at timestamp, PRIMARY KEY (show, seat))"""


def test_everything_that_can_be_said() -> None:
    assert parse(WHOLE) == Scenario(
        name="seats",
        about="Two people want a seat.",
        database=DatabaseSpec("postgres", "read committed", "$URL"),
        setup=(
            SEATS,
            "INSERT INTO seats VALUES (1, 1, NULL, NULL), (1, 2, NULL, NULL)",
            "CREATE TABLE log (who text)",
        ),
        transactions=(
            Transaction(
                "book",
                (
                    Step(
                        None,
                        sql="SELECT booked_by, seat FROM seats WHERE show = 1 AND seat = :seat",
                        args=(("seat", Param("seat")),),
                        returns=(("holder", "booked_by"), ("number", "seat")),
                        rows=((0, "abort"), (2, "ok")),
                    ),
                    Step(None, sql="SAVEPOINT before"),
                    Step(
                        None,
                        sql="UPDATE seats SET booked_by = :who, booked_at = :day "
                        "WHERE show = 1 AND seat = :seat",
                        args=(("who", Param("who")), ("day", Param("day")), ("seat", Param("seat"))),
                        rows=((0, "skip"), (1, "stop")),
                        on_error=(("23505", "skip"), ("40001", RollbackTo("before"))),
                        when=(
                            StepCondition("holder", "eq", None),
                            StepCondition("number", "ge", 1),
                            StepCondition("number", "le", other="most"),
                            StepCondition("who", "ne", None),
                            StepCondition("seat", "eq", 1),
                        ),
                    ),
                ),
                Mode("serializable"),
                (
                    ("who", ("ann", "bob")),
                    ("seat", (1, 2)),
                    ("day", (date(2026, 3, 1),)),
                    ("most", (1.5, None, True)),
                ),
                retry=2,
            ),
            Transaction("look", (Step(None, sql="SELECT * FROM seats"),), Mode(read_only=True)),
        ),
        invariants=(
            Invariant(
                "nobody sits on two seats",
                "SELECT booked_by FROM seats GROUP BY booked_by HAVING count(booked_by) > 1",
            ),
            Invariant(
                "SELECT who FROM log GROUP BY who HAVING count(*) > 1",
                "SELECT who FROM log GROUP BY who HAVING count(*) > 1",
            ),
        ),
        ignored=frozenset({"seats.booked_at"}),
        judge="serial",
        expect="strict-serializable",
        replay=ScenarioReplay(
            "read committed",
            (
                CallReplay("book", (("who", "ann"), ("seat", 1), ("day", date(2026, 3, 1)), ("most", None))),
                CallReplay("look"),
            ),
            (1, 2, 1, 1, 2),
            ("nobody sits on two seats",),
        ),
    )


def test_what_is_assumed() -> None:
    assert parse(steps("{sql: SELECT 1}"), "dir/small.yaml") == Scenario(
        name="small",
        setup=("CREATE TABLE t (k int, v int)",),
        transactions=(Transaction("one", (Step(None, sql="SELECT 1"),)),),
    )


def test_what_only_looks_like_a_name() -> None:
    sql = """SELECT ':a', ":b", $$ :c $$, x::int, y[1:2] /* :d */ -- :e
            FROM t WHERE k = :found"""
    look = "        - {sql: SELECT k FROM t, returns: {found: k}}\n"
    text = f"{SMALL}{look}        - sql: |\n            {sql}"
    [_, step] = parse(text).transactions[0].steps
    assert step.args == (("found", Returned("found")),)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("2026-03-01", date(2026, 3, 1)),
        ("2026-03-01T10:20:30Z", datetime(2026, 3, 1, 10, 20, 30, tzinfo=UTC)),
        ("2026-03-01 10:20:30.5", datetime(2026, 3, 1, 10, 20, 30, 500000)),
        ("'2026-03-01'", "2026-03-01"),
        ("2026-3-1", "2026-3-1"),
        ("10:20:30", "10:20:30"),
        ("off", "off"),
        ("1e3", 1000.0),
        ("-0x1f", "-0x1f"),
        ("~", None),
        ("''", ""),
        ('"a\\nb"', "a\nb"),
    ],
)
def test_values(word: str, value: object) -> None:
    read = parse(steps("{sql: 'SELECT :a'}", params=f"{{a: [{word}]}}"))
    [(_, [found])] = read.transactions[0].params
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("test", "conditions"),
    [
        ("null", [("eq", None, None)]),
        ("not null", [("ne", None, None)]),
        ("{eq: not null}", [("eq", "not null", None)]),
        ("free", [("eq", "free", None)]),
        ("2026-03-01", [("eq", date(2026, 3, 1), None)]),
        ('":seat"', [("eq", None, "seat")]),
        ("{ne: null}", [("ne", None, None)]),
        ('{gt: 1, le: ":seat"}', [("gt", 1, None), ("le", None, "seat")]),
    ],
)
def test_conditions(test: str, conditions: list[tuple[str, object, str | None]]) -> None:
    read = parse(
        steps(
            "{sql: 'SELECT k FROM t WHERE k = :seat', returns: {found: k}}",
            f"{{when: {{found: {test}}}, sql: SELECT 1}}",
            params="{seat: 1}",
        )
    )
    assert read.transactions[0].steps[1].when == tuple(
        StepCondition("found", name, value, other) for name, value, other in conditions
    )


def test_a_branch_may_return_a_name_again() -> None:
    read = parse(
        steps(
            "{sql: SELECT k FROM t WHERE v = 1, returns: {k: k}}",
            "{when: {k: null}, sql: INSERT INTO t DEFAULT VALUES RETURNING k, returns: {k: k}}",
            "{sql: 'UPDATE t SET v = 2 WHERE k = :k'}",
        )
    )
    assert read.transactions[0].steps[2].args == (("k", Returned("k")),)


def test_codes_are_as_they_are_written() -> None:
    [step] = parse(steps("{sql: SELECT 1, on_error: {08006: skip, '0x': stop}}")).transactions[0].steps
    assert step.on_error == (("08006", "skip"), ("0x", "stop"))


# -- files and places ---------------------------------------------------------------------------

FILES = """\
version: 1
setup:
  - {file: sql/schema.sql}
  - |

    -- more rows
    INSERT INTO t VALUES (1);  INSERT INTO t
      VALUES (2);
  - "INSERT INTO t VALUES (3)"
  - >
    INSERT INTO t VALUES (4)
workload:
  transactions:
    - name: one
      steps:
        - sql: SELECT 1
        - when: {a: 1}
          sql: SELECT 2
      params: {a: 1}
invariants: [SELECT 1, {name: two, sql: SELECT 2}]
"""


def test_statements_keep_their_places(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(FILES)
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "schema.sql").write_bytes(
        b"\xef\xbb\xbf-- made by hand\r\nCREATE TABLE t (k int);\r\n  CREATE INDEX i ON t (k)\r\n"
    )
    read = read_scenario(path, Words())
    assert {sql: place.removeprefix(f"{tmp_path}/") for sql, place in read.places.items()} == {
        "CREATE TABLE t (k int)": "sql/schema.sql:2:1",
        "CREATE INDEX i ON t (k)": "sql/schema.sql:3:3",
        "INSERT INTO t VALUES (1)": "s.yaml:7:5",
        "INSERT INTO t\n  VALUES (2)": "s.yaml:7:32",
        "INSERT INTO t VALUES (3)": "s.yaml:9:6",
        "INSERT INTO t VALUES (4)": "s.yaml:10:5",
        "SELECT 1": "s.yaml:20:14",
        "SELECT 2": "s.yaml:20:41",
    }
    assert str(read.refused("CREATE INDEX i ON t (k)", "no\nsuch (42)")) == (
        f"{tmp_path}/sql/schema.sql:3:3: the database refused this statement: no such (42)"
    )
    assert str(read.refused("SELECT 9", "no")) == "s: the database refused this statement: no"
    assert str(step_place(path, "one", 1)).endswith("s.yaml:18:16")


def test_a_setup_file_that_cannot_be_used(tmp_path: Path) -> None:
    path, sql = tmp_path / "s.yaml", tmp_path / "schema.sql"
    path.write_text(steps("{sql: SELECT 1}").replace("CREATE TABLE t (k int, v int)", "{file: schema.sql}"))
    for content, sentence in (
        (b"SELECT 1;\nSELECT '\xff'", "schema.sql:2:9: found the byte 0xff, expected UTF-8"),
        (b"SELECT 1;\n SELECT 'x", "schema.sql:2:9: found a ' that nothing closes, expected ' at the end"),
        (
            b"SELECT 1;\n\nBEGIN; SELECT 1; COMMIT",
            "schema.sql:3:1: found BEGIN, which controls a transaction",
        ),
        (b"SELECT 1;\n\\restrict abc\n", "schema.sql:2:1: found \\restrict, a command of a client"),
        (b"SELECT\0", "schema.sql:1:7: found a NUL character in SQL, expected text"),
        (b"-- nothing\n", "s.yaml:2:15: found 'schema.sql', a file without a statement, expected SQL"),
    ):
        sql.write_bytes(content)
        with pytest.raises(WorkloadError) as caught:
            read_scenario(path, Words())
        assert str(caught.value).startswith(f"{tmp_path}/{sentence}")


def test_backslashes_are_those_of_the_adapter() -> None:
    text = steps("{sql: SELECT 1}").replace("CREATE TABLE t (k int, v int)", "SELECT '\\'; SELECT '2'")
    assert len(parse(text).setup) == 2


def test_which_files_are_scenarios(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    for text, answer in (
        (WHOLE, True),
        ("version: 1\nsetup: 3\n", True),
        ("version: 1\nworkload: {transactions: []}\n", False),
        ("[", False),
        ("", False),
        ("- setup\n", False),
    ):
        path.write_text(text)
        assert is_scenario(path) is answer
    assert not is_scenario(tmp_path / "nowhere.yaml")
    with pytest.raises(WorkloadError, match="cannot be read"):
        read_scenario(tmp_path / "nowhere.yaml", None)


def test_without_a_vocabulary_names_are_taken_as_they_are() -> None:
    text = WHOLE.replace("adapter: postgres", "adapter: unheard-of, colour: red")
    assert parse_scenario(text, "s.yaml", None).database.options == {"colour": "red"}


# -- whatever is in the file --------------------------------------------------------------------

LINES = WHOLE.splitlines(keepends=True)
PIECES = st.sampled_from(
    ["{", "}", "[", "]", ":", " ", "\n", "'", '"', "|", "- ", ";", "$$", "/*", "--", "null", "\\", "\t", "&a",
     "*a", "!!int", "\x00", "\u2028", ":who", "BEGIN", "when", "2026-99-99", "é", "1" * 500, "{table}"]
)  # fmt: skip


@st.composite
def spoilt(draw: st.DrawFn) -> str:
    """The whole with characters put in, lines taken out or exchanged."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(lines) - 1))
        change = draw(st.sampled_from(["put", "drop", "swap", "cut"]))
        column = draw(st.integers(0, len(lines[at])))
        if change == "put":
            lines[at] = lines[at][:column] + draw(PIECES) + lines[at][column:]
        elif change == "drop":
            lines[at] = ""
        elif change == "cut":
            lines[at] = lines[at][:column] + lines[at][column + draw(st.integers(1, 9)) :]
        else:
            other = draw(st.integers(0, len(lines) - 1))
            lines[at], lines[other] = lines[other], lines[at]
    return "".join(lines)


@settings(max_examples=250, deadline=None)
@given(spoilt() | st.text(max_size=60).map(lambda text: SMALL + text))
def test_a_spoilt_file_gives_one_sentence(text: str) -> None:
    with suppress(WorkloadError):
        parse(text)
        return
    with pytest.raises(WorkloadError, match=r"\As\.yaml:\d+:\d+: [^\n]*\Z"):
        parse(text)
