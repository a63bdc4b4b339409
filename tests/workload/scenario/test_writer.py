"""A scenario that is written is read back as it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, example, given, settings

from scenario_words import WHOLE, parse
from txfuzz.transactions.model import (
    COMPARISONS,
    ERROR_RULES,
    Mode,
    Param,
    Returned,
    RollbackTo,
    Step,
    StepCondition,
    Transaction,
)
from txfuzz.workload.model import DatabaseSpec
from txfuzz.workload.scenario import JUDGES, MODELS, CallReplay, Invariant, Scenario, ScenarioReplay
from txfuzz.workload.yaml.scenario import scenario_text

names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12).filter(
    lambda text: text.isprintable() and bool(text.strip())
) | st.sampled_from(["off", "1e3", "null", "a: b", "#x", "[", "- x", "2026-01-01", "~"])
words = st.from_regex(r"[a-z_][a-z0-9_]{0,5}", fullmatch=True) | st.sampled_from(
    ["null", "yes", "on", "true"]
)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
zones = st.none() | st.integers(-14 * 60, 14 * 60).map(lambda each: timezone(timedelta(minutes=each)))
dates = st.dates() | st.datetimes(timezones=zones).map(lambda each: each.replace(fold=0))
plain = (
    texts
    | st.sampled_from(["not null", "2026-03-01", "2026-03-01T10:20:30Z", "10:20", "1_0", "0o7", ".inf"])
    | st.integers(-(1 << 70), 1 << 70)
    | st.booleans()
    | st.none()
    | st.floats(allow_nan=False)
    | dates
)
constants = plain.filter(lambda each: not (isinstance(each, str) and each.startswith(":")))
inside = st.sampled_from(
    [
        "a",
        "é",
        " ",
        "\n",
        "''",
        ";",
        "--",
        "/*",
        "*/",
        "$$",
        '"',
        "`",
        "#",
        "\\",
        ":x",
        "{",
        "\t",
        "\x85",
        "|",
    ]
)


@st.composite
def statements(draw: st.DrawFn, head: str) -> str:
    """A statement with a string of anything in it, quoted in one of several ways."""
    text = "".join(draw(st.lists(inside, max_size=6)))
    forms = [f"'{text}'", f"$a${text}$a$", '"' + text.replace('"', '""') + '"']
    quoted = draw(st.sampled_from(forms))
    return f"{head}{draw(st.sampled_from([' ', chr(10), chr(10) * 2 + '  ', ' -- ; ' + chr(10)]))}{quoted} "[
        :-1
    ]


@st.composite
def transactions(draw: st.DrawFn, name: str) -> Transaction:
    params = draw(
        st.dictionaries(
            words, st.lists(plain, min_size=1, max_size=3, unique_by=lambda v: (type(v), v)), max_size=3
        )
    )
    given_back = [word for word in ("r_1", "r_2") if word not in params]
    first = Step(None, sql="SELECT 1", returns=tuple((word, draw(names)) for word in given_back))
    use = "SELECT " + ", ".join(f":{each}" for each in params) if params else "SELECT 2"
    second = Step(None, sql=use, args=tuple((each, Param(each)) for each in params))
    known = [*params, *given_back]
    third = Step(
        None,
        sql=draw(statements("SELECT 3, :r_1,")) if "r_1" in given_back else "SELECT 3",
        args=(("r_1", Returned("r_1")),) if "r_1" in given_back else (),
        rows=tuple(
            draw(
                st.dictionaries(st.integers(0, 99), st.sampled_from(["ok", "skip", "stop", "abort"]))
            ).items()
        ),
        on_error=tuple(
            draw(
                st.dictionaries(
                    st.sampled_from(["23505", "1062", "SQLITE_BUSY"]),
                    st.sampled_from(ERROR_RULES) | st.just(RollbackTo("here")),
                )
            ).items()
        ),
        when=tuple(draw(conditions(known))) if known else (),
    )
    mode = Mode(draw(st.sampled_from([None, "serializable"])), draw(st.booleans()), draw(st.booleans()))
    steps = (first, Step(None, sql="SAVEPOINT here"), second, third)
    values = tuple((each, tuple(of)) for each, of in params.items())
    return Transaction(name, steps, mode, values, draw(st.integers(0, 100)))


@st.composite
def conditions(draw: st.DrawFn, known: list[str]) -> list[StepCondition]:
    found = []
    for name in draw(st.lists(st.sampled_from(known), unique=True, max_size=3)):
        for test in draw(st.lists(st.sampled_from(COMPARISONS), unique=True, min_size=1, max_size=3)):
            if draw(st.booleans()):
                found.append(StepCondition(name, test, other=draw(st.sampled_from(known))))
            else:
                value: Any = draw(constants)
                ordered = test not in ("eq", "ne")
                found.append(StepCondition(name, test, 1 if ordered and value is None else value))
    return found


@st.composite
def replays(draw: st.DrawFn, made: tuple[Transaction, ...]) -> ScenarioReplay:
    chosen = draw(st.lists(st.sampled_from(made), min_size=1, max_size=6))
    calls = tuple(
        CallReplay(
            each.name,
            tuple((name, draw(st.sampled_from(values))) for name, values in each.params),
            draw(st.none() | st.integers(1, 6)),
        )
        for each in chosen
    )
    schedule = draw(st.lists(st.integers(1, len(calls)), max_size=60))
    return ScenarioReplay("read committed", calls, tuple(schedule), tuple(draw(st.lists(names, max_size=2))))


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    titles = draw(st.lists(names, min_size=1, max_size=2, unique=True))
    setup = st.lists(statements("INSERT INTO t VALUES"), min_size=1, max_size=3)
    invariants = tuple(
        Invariant(name, draw(statements("SELECT")).replace(":", ""))
        for name in draw(st.lists(names, max_size=2, unique=True))
    )
    made = tuple(draw(transactions(title)) for title in titles)
    return Scenario(
        name=draw(names),
        about=draw(texts),
        replay=draw(st.none() | replays(made)),
        database=draw(
            st.just(DatabaseSpec())
            | st.just(DatabaseSpec("postgres", "serializable", "postgres://ann@h/x?a=b", {"schema": "off"}))
        ),
        setup=tuple(draw(setup)),
        transactions=made,
        invariants=invariants,
        ignored=draw(st.sampled_from([frozenset(), frozenset({"t.k", "a b.c d", "off.1"})])),
        judge=draw(st.sampled_from(JUDGES)) if invariants else "serial",
        expect=draw(st.sampled_from(MODELS)),
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scenarios(), st.text(max_size=20))
@example(parse(WHOLE), "")
def test_round_trip(scenario: Scenario, header: str) -> None:
    text = scenario_text(scenario, header)
    read = parse(text)
    assert read == scenario
    assert list(map(types, read.transactions)) == list(map(types, scenario.transactions))  # 1 == 1.0 == True
    assert scenario_text(read, header) == text


def types(transaction: Transaction) -> list[type]:
    compared = [each.value for step in transaction.steps for each in step.when]
    return [type(value) for _, values in transaction.params for value in (*values, *compared)]


def test_how_it_looks() -> None:
    scenario = parse(WHOLE)
    assert (
        scenario_text(scenario, "Kept.")
        == """\
# Kept.
version: 1
name: seats
about: Two people want a seat.
database: {adapter: postgres, isolation: read committed, url: $URL}
setup: |
  CREATE TABLE seats (
    show int, seat int, booked_by text, booked_at timestamp, PRIMARY KEY (show, seat));
  INSERT INTO seats VALUES (1, 1, NULL, NULL), (1, 2, NULL, NULL);
  CREATE TABLE log (who text);
workload:
  transactions:
    - name: book
      params: {who: [ann, bob], seat: [1, 2], day: [2026-03-01], most: [1.5, null, true]}
      isolation: serializable
      retry: 2
      steps:
        - sql: SELECT booked_by, seat FROM seats WHERE show = 1 AND seat = :seat
          returns: {holder: booked_by, number: seat}
          rows: {0: abort, 2: ok}
        - sql: SAVEPOINT before
        - when: {holder: null, number: {ge: 1, le: ':most'}, who: not null, seat: 1}
          sql: UPDATE seats SET booked_by = :who, booked_at = :day WHERE show = 1 AND seat = :seat
          rows: {0: skip, 1: stop}
          on_error: {'23505': skip, '40001': {rollback_to: before}}
    - name: look
      read_only: true
      steps:
        - sql: SELECT * FROM seats
invariants:
  - name: nobody sits on two seats
    sql: SELECT booked_by FROM seats GROUP BY booked_by HAVING count(booked_by) > 1
  - name: SELECT who FROM log GROUP BY who HAVING count(*) > 1
    sql: SELECT who FROM log GROUP BY who HAVING count(*) > 1
ignore: [seats.booked_at]
expect: strict-serializable
replay:
  isolation: read committed
  calls:
    - {transaction: book, params: {who: ann, seat: 1, day: 2026-03-01, most: null}}
    - {transaction: look}
  schedule: [1, 2, 1, 1, 2]
  fails:
    - nobody sits on two seats
"""
    )


def test_no_password_is_written() -> None:
    spec = DatabaseSpec("postgres", None, "postgres://ann:hunter2@h/x")
    assert "hunter2" not in scenario_text(replace(parse(WHOLE), database=spec))


def test_dates_of_any_kind() -> None:
    values = (date(2026, 3, 1), datetime(2026, 3, 1, 1, 2, 3, 4), "2026-03-01")
    step = Step(None, sql="SELECT :a", args=(("a", Param("a")),))
    scenario = Scenario("s", ("SELECT 1",), (Transaction("t", (step,), params=(("a", values),)),))
    assert parse(scenario_text(scenario)) == scenario
