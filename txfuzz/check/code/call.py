"""A function as a transaction that can be checked; see CheckedTransaction and Call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from txfuzz.check.code.arguments import Parameters, function_name, place_of
from txfuzz.check.code.effects import as_changed
from txfuzz.check.code.errors import database_error, is_mistake, is_operational, is_shared_session, refused
from txfuzz.check.code.place import raised_at
from txfuzz.check.code.resources import Resources
from txfuzz.check.code.session import CodeRun, CodeSession, Rewrite
from txfuzz.check.code.values import comparable
from txfuzz.check.contract import Arguments, FunctionRows
from txfuzz.check.scheduling.schedule import Abandoned
from txfuzz.check.scheduling.threads import Body, Stop
from txfuzz.check.serial.outcome import CallOutcome, Ending
from txfuzz.check.serial.value import CodeValue
from txfuzz.database.api import SessionError
from txfuzz.database.scenario import Cell, Rows, ScenarioSession, ScenarioTables
from txfuzz.errors import TxfuzzError, UsageError

MOST_POINTS = 1_000  # of one call: nobody knows how many statements code will send


@dataclass(frozen=True)
class CodeTransaction:
    """rewrite: another statement in place of one that it sends, to try what that would mend. For isolation,
    retries and writes see txfuzz.transaction()."""

    name: str
    function: Callable[..., Any]
    parameters: Parameters
    resources: Resources
    isolation: str | None = None
    retries: int = 0
    writes: bool = True
    rewrite: Rewrite | None = None

    @property
    def params(self) -> tuple[tuple[str, tuple[Cell, ...]], ...]:
        return self.parameters.chosen

    def call(self, label: str, arguments: Arguments, isolation: str) -> CodeCall:
        return CodeCall(label, self, arguments, self.isolation or isolation)


@dataclass(frozen=True)
class CodeCall:
    label: str
    transaction: CodeTransaction
    arguments: Arguments
    isolation: str
    points: int = field(default=MOST_POINTS, init=False)

    def at(self, isolation: str) -> CodeCall:
        return replace(self, isolation=isolation)

    def body(self, session: ScenarioSession, retried: frozenset[str]) -> Body:
        assert isinstance(session, CodeSession)
        self._warm(session, retried)
        return lambda stop: self._run(session, stop, retried)

    def _warm(self, session: CodeSession, retried: frozenset[str]) -> None:
        """Once in each thread it runs alone and unscheduled, so that pools, caches and late imports are
        what they are from then on; and a mistake in it is found that would else pass for a refusal.
        """
        what = (self.transaction.name, repr(self.arguments))
        if what in session.warmed:
            return
        run = CodeRun(session, self.isolation, None)
        place = place_of(self.transaction.function)
        try:
            session.call(run, self._function, alone=True)
        except TimeoutError as error:
            raise UsageError(str(error)) from None
        except (Exception, SystemExit) as error:
            if is_mistake(error) or not run.answers:
                raise refused(error, place) from error
        if not run.answers:
            needs = session.connections.drivers.needs
            raise UsageError(
                f"{place}: {self.transaction.name}() has sent no statement that can be seen: {needs}"
            )
        session.warmed.add(what)
        session.restore()

    def _function(self) -> Any:
        """Called in the session's thread. The value is made comparable while what it needs is still open."""
        with self.transaction.resources.of(self.transaction.parameters.opened) as opened:
            found = self.transaction.function(**opened, **self.arguments)
            return comparable(found)

    def _run(self, session: CodeSession, stop: Stop, retried: frozenset[str]) -> CallOutcome:
        codes: tuple[str, ...] = ()
        while True:
            outcome = self._attempt(session, stop, len(codes), retried)
            again = outcome.ending is Ending.ABORTED and outcome.code in retried
            if not again or len(codes) >= self.transaction.retries:
                return replace(outcome, retried=(*codes, *outcome.retried))
            codes = (*codes, outcome.code)

    def _attempt(
        self, session: CodeSession, stop: Stop, attempt: int, retried: frozenset[str]
    ) -> CallOutcome:
        run = CodeRun(session, self.isolation, stop, attempt, self.transaction.rewrite)
        try:
            returned = session.call(run, self._function)
        except (Abandoned, TxfuzzError):
            raise
        except (Exception, SystemExit) as error:
            return self._raised(run, error, retried)
        # What the function itself has tried again after
        met = tuple(code for code in run.codes if code in retried)
        return self._outcome(run, Ending.COMMITTED, value=self._value(run, returned), retried=met)

    def _raised(self, run: CodeRun, error: BaseException, retried: frozenset[str]) -> CallOutcome:
        """A call that has raised is as if it had not been, unless something of it stays."""
        name = type(error).__name__
        if is_shared_session(error):
            place, message = place_of(self.transaction.function), " ".join(str(error).split())
            raise UsageError(
                f"{raised_at(error) or place}: {name}: {message} It does not raise this when it runs alone: "
                "each function has to open a session of its own"
            )
        code = database_error(error)
        message = " ".join(str(error).split())
        if run.effects.commits:
            value = self._value(run, None, name)
            return self._outcome(run, Ending.COMMITTED, value=value, message=message)
        lost = run.commit_failed is not None and code not in retried and is_operational(error)
        ending = Ending.UNKNOWN if lost else Ending.ABORTED
        return self._outcome(run, ending, code=code or name, message=message)

    def _outcome(self, run: CodeRun, ending: Ending, **more: Any) -> CallOutcome:
        return CallOutcome(ending, seen=run.seen(), begun=max(1, run.begun), **more)

    def _value(self, run: CodeRun, returned: Any, raised: str = "") -> CodeValue:
        """Several transactions in one function may undo each other: then only the rows in the end count."""
        counts = self.transaction.writes and run.effects.commits <= 1
        return CodeValue(returned, raised, as_changed(run.effects.kept) if counts else None)


@dataclass(frozen=True)
class CodeInvariant:
    """A function that returns the rows that break it, or asserts it."""

    name: str
    function: Callable[..., Any]
    parameters: Parameters
    resources: Resources

    def rows(self, tables: ScenarioTables) -> Rows:
        values = {name: values[0] for name, values in self.parameters.chosen}
        try:
            with self.resources.of(self.parameters.opened) as opened:
                found = _as_rows(self.function(**opened, **values))
                return FunctionRows(found.columns, found.rows, function=function_name(self.function))
        except AssertionError as error:
            message = " ".join(str(error).split())
            raised = f"AssertionError: {message}" if message else f"AssertionError at {raised_at(error)}"
            rows = ((message or "the assertion does not hold",),)
            return FunctionRows(
                ("AssertionError",), rows, function=function_name(self.function), raised=raised
            )
        except SessionError:
            raise
        except (Exception, SystemExit) as error:
            raise refused(error, place_of(self.function)) from None


def _as_rows(found: Any) -> Rows:
    if found is None or found is False or (hasattr(found, "__len__") and len(found) == 0):
        return Rows((), ())
    if isinstance(found, str | bytes | int | float) or not hasattr(found, "__iter__"):
        return Rows(("found",), ((comparable(found),),)) if found else Rows((), ())
    rows = [comparable(each) for each in found]
    if not rows:
        return Rows((), ())
    if all(isinstance(each, dict) for each in rows):  # of objects their classes are no column
        rows = [{name: value for name, value in each.items() if name} for each in rows]
    if all(isinstance(each, dict) and each.keys() == rows[0].keys() for each in rows):
        return Rows(tuple(rows[0]), tuple(tuple(each.values()) for each in rows))
    if all(isinstance(each, list) and len(each) == len(rows[0]) for each in rows):
        return Rows(tuple(f"column {n + 1}" for n in range(len(rows[0]))), tuple(map(tuple, rows)))
    return Rows(("found",), tuple((each,) for each in rows))
