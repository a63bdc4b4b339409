"""A transaction in SQL as an actor: a switch point before each statement, and what it came to."""

from __future__ import annotations

import operator
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from txfuzz.check.contract import Arguments
from txfuzz.check.scheduling.sessions import Steps
from txfuzz.check.scheduling.threads import Body, Stop
from txfuzz.check.serial.outcome import CallOutcome, Ending, StatementOutcome
from txfuzz.common.sentences import listed
from txfuzz.database.api import Outcome as Effect
from txfuzz.database.api import SessionError
from txfuzz.database.scenario import (
    Begin,
    Cell,
    Commit,
    Request,
    Rollback,
    Run,
    ScenarioSession,
    StatementAnswer,
)
from txfuzz.transactions.model import Param, Returned, RollbackTo, Step, StepCondition, Transaction
from txfuzz.workload.yaml.runtime_errors import RefusedStep

GIVES_UP = "ROLLBACK"  # the code of a transaction that gives itself up, as `rows` or `on_error` say
SAVEPOINT = "txfuzz_step"
_TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}


@dataclass(frozen=True, slots=True)
class StatementPoint:
    """Before a statement. step: its number, from 0. attempt: how often the transaction was begun before."""

    step: int
    sql: str
    attempt: int = 0

    def __str__(self) -> str:
        return f"step {self.step + 1} ({self.sql})"


@dataclass(frozen=True, slots=True)
class CommitPoint:
    attempt: int = 0

    def __str__(self) -> str:
        return "COMMIT"


@dataclass(frozen=True, slots=True)
class SqlTransaction:
    """A transaction of a scenario; see CheckedTransaction."""

    transaction: Transaction

    @property
    def name(self) -> str:
        return self.transaction.name

    @property
    def params(self) -> tuple[tuple[str, tuple[Cell, ...]], ...]:
        return self.transaction.params

    def call(self, label: str, arguments: Arguments, isolation: str) -> SqlCall:
        return SqlCall(label, self.transaction, arguments, self.transaction.mode.isolation or isolation)


@dataclass(frozen=True, slots=True)
class SqlCall:
    """A transaction with the values of its parameters; see Call."""

    label: str
    transaction: Transaction
    arguments: Arguments
    isolation: str

    def at(self, isolation: str) -> SqlCall:
        return replace(self, isolation=isolation)

    @property
    def points(self) -> int:
        return (len(self.transaction.steps) + 1) * (self.transaction.retry + 1)

    def body(self, session: ScenarioSession, retried: frozenset[str]) -> Body:
        def run(stop: Stop) -> CallOutcome:
            outcome: CallOutcome = performed(self.steps(retried), session, stop)
            return outcome

        return run

    def steps(self, retried: frozenset[str]) -> Generator[Any, StatementAnswer | None, CallOutcome]:
        """The same as switch points and requests to a session, whoever makes them; see Steps."""
        codes: tuple[str, ...] = ()
        while True:
            outcome = yield from _Try(self, len(codes)).steps()
            again = outcome.ending is Ending.ABORTED and outcome.code in retried and not outcome.lost
            if not again or len(codes) >= self.transaction.retry:
                return replace(outcome, retried=codes) if codes else outcome
            codes = (*codes, outcome.code)


def performed(steps: Steps, session: ScenarioSession, stop: Stop) -> Any:
    """What they come to on a session that blocks."""
    answer: StatementAnswer | None = None
    error: SessionError | None = None
    while True:
        try:
            made = steps.send(answer) if error is None else steps.throw(error)
        except StopIteration as returned:
            return returned.value
        answer = error = None
        if not isinstance(made, Request):
            stop(made)
            continue
        try:
            answer = performed_once(made, session)
        except SessionError as raised:
            error = raised


def performed_once(request: Request, session: ScenarioSession) -> StatementAnswer:
    match request:
        case Run():
            return session.run(request.sql, request.arguments)
        case Begin():
            session.begin(request.isolation, read_only=request.read_only, deferrable=request.deferrable)
        case Commit():
            session.commit()
        case Rollback():
            session.rollback()
    return StatementAnswer()


class _GivesUp(Exception):
    pass


class _Try:
    def __init__(self, bound: SqlCall, attempt: int) -> None:
        self._bound, self._attempt = bound, attempt
        returned = {name: None for step in bound.transaction.steps for name, _ in step.returns}
        self._names: dict[str, Cell] = {**returned, **bound.arguments}  # what is skipped returns nothing
        self._seen: list[StatementOutcome] = []
        self._begun = False
        # Statements and COMMIT, from the first one on behind which nothing depends on answers
        self._ahead: tuple[Request, ...] = (Commit(),)
        for step in reversed(bound.transaction.steps):
            if not _runs_anyhow(step):
                break
            self._ahead = (Run(str(step.sql), self._bind(step)), *self._ahead)

    def steps(self) -> Generator[Any, StatementAnswer | None, CallOutcome]:
        committing = False
        try:
            for number, step in enumerate(self._bound.transaction.steps):
                if not self._runs(number, step):
                    continue
                yield StatementPoint(number, str(step.sql), self._attempt)
                if (yield from self._statement(number, step)) == "stop":
                    break
            yield CommitPoint(self._attempt)
            yield from self._begin(Commit())  # also where every step was skipped
            committing = True
            yield Commit()
        except _GivesUp:
            yield Rollback()
            return self._outcome(Ending.ABORTED, GIVES_UP)
        except SessionError as error:
            if not error.lost:
                yield Rollback()
            unknown = committing and error.outcome is Effect.INFO
            ending = Ending.UNKNOWN if unknown else Ending.ABORTED
            outcome = self._outcome(ending, error.code, error.message)
            return replace(outcome, lost=error.lost, refused=error.outcome is Effect.BUG)
        return self._outcome(Ending.COMMITTED)

    def _outcome(self, ending: Ending, code: str = "", message: str = "") -> CallOutcome:
        return CallOutcome(ending, tuple(self._seen), code, message=message)

    def _behind(self, number: int) -> tuple[Request, ...]:
        """What is asked behind the statement of this number, if that is settled."""
        left = len(self._bound.transaction.steps) - number
        return self._ahead[-left:] if left <= len(self._ahead) else ()

    def _begin(self, *then: Request) -> Iterator[Request]:
        """With the first statement: what a transaction sees is settled by that, not by BEGIN."""
        if not self._begun:
            mode = self._bound.transaction.mode
            self._begun = True
            yield Begin(self._bound.isolation, mode.read_only, mode.deferrable, then=then)

    def _statement(self, number: int, step: Step) -> Generator[Request, StatementAnswer | None, str]:
        """What becomes of the transaction: "go on" or "stop"."""
        goes_on = any(rule in ("skip", "stop") for _, rule in step.on_error)
        saved = Run(f"SAVEPOINT {SAVEPOINT}")
        behind = self._behind(number) if _runs_anyhow(step) else ()
        statement = Run(str(step.sql), self._bind(step), then=behind)
        yield from self._begin(*((saved,) if goes_on else (statement, *behind)))
        try:
            if goes_on:
                yield saved
            answer = yield statement
            if goes_on:
                yield Run(f"RELEASE SAVEPOINT {SAVEPOINT}")
        except SessionError as error:
            rule = dict(step.on_error).get(error.code)
            if rule is None or error.lost:
                raise
            self._seen.append(StatementOutcome(number, code=error.code))
            if rule == "abort":
                raise _GivesUp from None
            back = rule.savepoint if isinstance(rule, RollbackTo) else SAVEPOINT
            yield Run(f"ROLLBACK TO SAVEPOINT {back}")
            return "stop" if rule == "stop" else "go on"
        assert answer is not None
        self._seen.append(StatementOutcome(number, answer.rows, answer.changed))
        return self._take(number, step, answer)

    def _runs(self, number: int, step: Step) -> bool:
        for each in step.when:
            try:
                if not holds(each, self._names):
                    return False
            except TypeError:
                one, other = compared(each, self._names)
                reason = (
                    f"`when` compares {each.name!r}, which is {one!r}, with {other!r}: they have no order"
                )
                raise self._refused(number, reason) from None
        return True

    def _refused(self, number: int, reason: str) -> RefusedStep:
        name = self._bound.transaction.name
        return RefusedStep(f"transaction {name!r}, step {number + 1}: {reason}", name, number)

    def _bind(self, step: Step) -> dict[str, Cell]:
        return {
            placeholder: self._names[argument.name]
            for placeholder, argument in step.args
            if isinstance(argument, Param | Returned)
        }

    def _take(self, number: int, step: Step, answer: StatementAnswer) -> str:
        rows = answer.rows
        for name, column in step.returns:
            if rows is None or column not in rows.columns:
                has = "no columns" if rows is None else f"the columns {listed(map(repr, rows.columns))}"
                raise self._refused(number, f"`returns` names the column {column!r}, the statement has {has}")
            self._names[name] = rows.rows[0][rows.columns.index(column)] if rows.rows else None
        count = answer.changed if rows is None else len(rows.rows)
        rule = dict(step.rows).get(count, "ok") if count is not None else "ok"
        if rule == "abort":
            raise _GivesUp
        return "stop" if rule == "stop" else "go on"


def _runs_anyhow(step: Step) -> bool:
    """Whatever statements before it have answered, and nothing depends on what it answers but an error."""
    return not (step.when or step.returns or step.rows or step.on_error) and all(
        isinstance(argument, Param) for _, argument in step.args
    )


def compared(condition: StepCondition, names: Mapping[str, Cell]) -> tuple[Cell, Cell]:
    other = condition.value if condition.other is None else names[condition.other]
    return names[condition.name], other


def holds(condition: StepCondition, names: Mapping[str, Cell]) -> bool:
    """As in Python, but that nothing is less or greater than null. TypeError for what has no order."""
    one, other = compared(condition, names)
    if condition.test not in ("eq", "ne") and (one is None or other is None):
        return False
    if isinstance(one, Decimal) and isinstance(other, float):
        one = float(one)  # 0.1 is written as 0.1, and Decimal("0.1") is another number
    elif isinstance(one, float) and isinstance(other, Decimal):
        other = float(other)
    return _TESTS[condition.test](one, other)
