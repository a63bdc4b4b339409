"""A transaction in SQL, statement by statement, on a session that answers what it is told."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest

from txfuzz.check.serial.outcome import CallOutcome, Ending
from txfuzz.check.transaction import GIVES_UP, SqlTransaction, holds
from txfuzz.database.api import Outcome, SessionError
from txfuzz.database.scenario import Cell, Rows, SetupRefused, StatementAnswer, run_setup
from txfuzz.transactions.model import Returned, RollbackTo, Step, StepCondition, Transaction
from txfuzz.workload.yaml.runtime_errors import RefusedStep

Answers = Mapping[str, StatementAnswer | SessionError]


class Session:
    """Notes what it was asked; answers by the statement, with no rows where none is set."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self.asked: list[tuple[str, dict[str, Cell]]] = []

    def begin(self, isolation: str, *, read_only: bool = False, deferrable: bool = False) -> None: ...

    def run(self, sql: str, arguments: Mapping[str, Cell]) -> StatementAnswer:
        self.asked.append((sql, dict(arguments)))
        answer = self._answers.get(sql, StatementAnswer(changed=1))
        if isinstance(answer, SessionError):
            raise answer
        return answer

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def cancel(self) -> None: ...

    def close(self) -> None: ...


def run(answers: Answers, *steps: Step) -> tuple[CallOutcome, list[str]]:
    session = Session(answers)
    call = SqlTransaction(Transaction("t", steps)).call("t", {}, "serializable")
    outcome = call.body(session, frozenset())(lambda point: None)
    assert isinstance(outcome, CallOutcome)
    return outcome, [sql for sql, _ in session.asked]


def rows(*values: Cell) -> StatementAnswer:
    return StatementAnswer(Rows(("v",), tuple((each,) for each in values)))


LOOK = Step(None, sql="look", returns=(("v", "v"),))
UNLESS = (StepCondition("v", "eq", None),)


def test_a_skipped_step_returns_nothing_and_leaves_what_was_returned() -> None:
    make = Step(None, sql="make", returns=(("v", "v"),), when=UNLESS)
    use = Step(None, sql="use", args=(("v", Returned("v")),))
    never = Step(None, sql="never", returns=(("w", "v"),), when=(StepCondition("v", "eq", 0),))
    last = Step(None, sql="last", args=(("w", Returned("w")),))
    session = Session({"look": rows(7), "make": rows(8)})
    call = SqlTransaction(Transaction("t", (LOOK, make, use, never, last))).call("t", {}, "serializable")
    call.body(session, frozenset())(lambda point: None)
    assert session.asked == [("look", {}), ("use", {"v": 7}), ("last", {"w": None})]
    session = Session({"look": rows(), "make": rows(8)})
    call.body(session, frozenset())(lambda point: None)
    assert session.asked == [("look", {}), ("make", {}), ("use", {"v": 8}), ("last", {"w": None})]


@pytest.mark.parametrize(
    ("answer", "has"),
    [
        (StatementAnswer(changed=1), "no columns"),
        (StatementAnswer(Rows(("a", "b"), ())), "columns 'a' and 'b'"),
    ],
)
def test_a_column_that_is_not_there_is_said_with_its_step(answer: StatementAnswer, has: str) -> None:
    with pytest.raises(RefusedStep, match=has) as caught:
        run({"look": answer}, Step(None, sql="first"), LOOK)
    assert (caught.value.transaction, caught.value.step) == ("t", 1)
    assert str(caught.value).startswith("transaction 't', step 2: `returns` names the column 'v', ")


def test_what_has_no_order_is_said_with_its_step() -> None:
    step = Step(None, sql="then", when=(StepCondition("v", "lt", "a"),))
    with pytest.raises(RefusedStep, match="`when` compares 'v', which is 1, with 'a': ") as caught:
        run({"look": rows(1)}, LOOK, step)
    assert caught.value.step == 1


@pytest.mark.parametrize(
    ("one", "test", "other", "answer"),
    [
        (None, "eq", None, True),
        (None, "ne", 1, True),
        (None, "lt", 1, False),
        (1, "ge", None, False),
        (2, "ge", 2, True),
        (Decimal("0.10"), "eq", 0.1, True),
        (0.1, "eq", Decimal("0.1"), True),
        (Decimal("0.10"), "gt", 0.1, False),
        (Decimal("0.10"), "eq", Decimal("0.1"), True),
        ("a", "eq", 1, False),
    ],
)
def test_conditions(one: Cell, test: str, other: Cell, answer: bool) -> None:
    assert holds(StepCondition("a", test, other), {"a": one}) is answer
    assert holds(StepCondition("a", test, other="b"), {"a": one, "b": other}) is answer


@pytest.mark.parametrize(
    ("rule", "asked", "ending"),
    [
        ("ok", ["look", "then"], (Ending.COMMITTED, "")),
        ("skip", ["look", "then"], (Ending.COMMITTED, "")),
        ("stop", ["look"], (Ending.COMMITTED, "")),
        ("abort", ["look"], (Ending.ABORTED, GIVES_UP)),
    ],
)
def test_rows(rule: str, asked: list[str], ending: tuple[Ending, str]) -> None:
    outcome, done = run({"look": rows()}, Step(None, sql="look", rows=((0, rule),)), Step(None, sql="then"))
    assert (done, (outcome.ending, outcome.code)) == (asked, ending)


@pytest.mark.parametrize(
    ("rule", "asked", "ending"),
    [
        ("skip", ["SAVEPOINT txfuzz_step", "look", "ROLLBACK TO SAVEPOINT txfuzz_step", "then"], "committed"),
        ("stop", ["SAVEPOINT txfuzz_step", "look", "ROLLBACK TO SAVEPOINT txfuzz_step"], "committed"),
        ("abort", ["look"], "aborted"),
        (RollbackTo("here"), ["look", "ROLLBACK TO SAVEPOINT here", "then"], "committed"),
    ],
)
def test_errors(rule: str | RollbackTo, asked: list[str], ending: str) -> None:
    error = SessionError(Outcome.FAIL, "23505", "duplicate key")
    step = Step(None, sql="look", on_error=(("23505", rule),))
    outcome, done = run({"look": error}, step, Step(None, sql="then"))
    assert (done, outcome.ending.value) == (asked, ending)


def test_a_setup_that_is_refused_names_its_statement() -> None:
    session = Session({"two": SessionError(Outcome.BUG, "42601", "syntax error")})
    with pytest.raises(SetupRefused) as caught:
        run_setup(("one", "two", "three"), lambda sql: session.run(sql, {}))
    error = caught.value
    assert (error.statement, error.code, error.message) == ("two", "42601", "syntax error")
    assert [sql for sql, _ in session.asked] == ["one", "two"]
