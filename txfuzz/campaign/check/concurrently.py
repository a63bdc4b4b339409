"""txfuzz.concurrently(): functions of a test, in every order of their statements, on its own database."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from txfuzz.check.code.arguments import Parameters, function_name, parameters_of
from txfuzz.check.code.call import CodeInvariant, CodeTransaction
from txfuzz.check.code.resources import Resources
from txfuzz.check.code.session import around, watched
from txfuzz.check.code.tables import CodeTables
from txfuzz.check.code.values import comparable
from txfuzz.check.finding.locked_code import locked_code
from txfuzz.check.finding.result import Finding
from txfuzz.check.program import Program
from txfuzz.check.run import FollowedSchedule, ProgramRunner
from txfuzz.check.search import Schedule, ScheduleSearch
from txfuzz.check.serial.judge import SerialAnswer
from txfuzz.database.api import Adapter, SessionError
from txfuzz.database.drivers import Drivers, KnowsDrivers
from txfuzz.database.isolation_levels import capabilities_of, level_named
from txfuzz.database.scenario import Rows, SeesTables
from txfuzz.errors import DatabaseUnavailable, UsageError
from txfuzz.plugin.loader import load_plugins

Function = Callable[..., Any]
Numbers = tuple[int, ...]
_LONGEST = 24  # characters of an argument that is shown
_ADVICE = 5.0  # seconds for trying what would mend it
_ORDINALS = "first", "second", "third", "fourth", "fifth", "sixth"


class ConcurrencyFailure(AssertionError):
    """A schedule whose outcome no serial order gives, or that breaks an invariant. schedule: who went on at
    each switch point, the number of a function, from 0; concurrently(…, schedule=…) follows it again."""

    def __init__(self, text: str, schedule: Numbers) -> None:
        super().__init__(text)
        self.schedule = schedule


@dataclass(frozen=True)
class ConcurrencyResult:
    """What was seen where nothing failed. complete: every schedule was followed. waited: in how many of them
    somebody waited for a lock. aborted: error code, or class of an exception → how often it ended a call."""

    schedules: int
    complete: bool
    waited: int = 0
    aborted: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ConcurrentCalls:
    """What concurrently() was asked; see there."""

    functions: Sequence[Function]
    setup: Function
    invariants: Sequence[Function] = ()
    state: Function | None = None
    url: str | None = field(default=None, repr=False)
    engine: Any = None
    connect: Function | None = None
    isolation: str | None = None
    serial: bool = True
    writes: bool = True
    schedules: int = 1_000
    seconds: float = 5.0
    budget: float = 60.0
    schedule: Numbers | None = None
    ignore: Sequence[str] = ()


def concurrently(
    *functions: Function,
    setup: Function,
    invariant: Function | Sequence[Function] = (),
    state: Function | None = None,
    url: str | None = None,
    engine: Any = None,
    connect: Function | None = None,
    isolation: str | None = None,
    serial: bool = True,
    writes: bool = True,
    schedules: int = 1_000,
    seconds: float = 5.0,
    budget: float = 60.0,
    schedule: Sequence[int] | None = None,
    ignore: Sequence[str] = (),
) -> ConcurrencyResult:
    """Run these functions beside each other, in every order of the statements that they send.

    Each runs in a thread of its own, one at a time; before each statement and COMMIT the next one to go on
    is chosen. setup puts the rows back and is called before every schedule. Raises ConcurrencyFailure for
    the first schedule whose outcome no serial order of the functions gives (serial=False: not asked), or
    in which an invariant returns something, or raises an AssertionError. The outcome is what the functions
    return, how many rows of which tables they have changed for good (writes=False: not compared), and all
    rows of the tables of the schema in the end, or in their place what `state` returns.

    url, engine (SQLAlchemy's), connect: where the database is, and what a parameter named connection,
    session, engine or url is opened with; without them it is found by the first connection that setup
    uses. isolation: of transactions that choose none. schedules, budget: at most so many, or so many
    seconds in all; what needs few switches comes first. seconds: of one schedule. schedule: follow only
    this one. ignore: "table.column" of what is no evidence. Raises UsageError where nothing can be said: a
    schedule that does not end, functions that do not do the same twice, a database that is not known.
    """
    __tracebackhide__ = True
    asked = calls_to_check(
        *functions, setup=setup, invariant=invariant, state=state, url=url, engine=engine, connect=connect,
        isolation=isolation, serial=serial, writes=writes, schedules=schedules, seconds=seconds,
        budget=budget, schedule=schedule, ignore=ignore,
    )  # fmt: skip
    result, failure = run_concurrently(asked)
    if failure is not None:
        raise failure
    return result


def calls_to_check(
    *functions: Function,
    invariant: Function | Sequence[Function] = (),
    schedule: Sequence[int] | None = None,
    **more: Any,
) -> ConcurrentCalls:
    """The arguments of concurrently()."""
    invariants = (invariant,) if callable(invariant) else tuple(invariant)
    followed = None if schedule is None else tuple(schedule)
    return ConcurrentCalls(functions, invariants=invariants, schedule=followed, **more)


def run_concurrently(
    asked: ConcurrentCalls, first: Sequence[Numbers] = ()
) -> tuple[ConcurrencyResult, ConcurrencyFailure | None]:
    """first: schedules to begin with, such as those that have failed before."""
    __tracebackhide__ = True
    if len(asked.functions) < 2:
        raise UsageError("concurrently() needs at least two functions; the same one may be given twice")
    strangers = threading.enumerate()
    with ExitStack() as opened:
        adapter, drivers, url = _database(asked, opened)
        resources = Resources(url, drivers, asked.connect, asked.engine)
        opened.callback(resources.close)
        restore = partial(_restore, asked.setup, resources, drivers)
        restore()
        assert isinstance(adapter, SeesTables)
        tables = opened.enter_context(adapter.existing(url))
        level = "" if asked.isolation is None else level_named(capabilities_of(adapter), asked.isolation)
        state = None if asked.state is None else partial(_state, asked.state, resources)
        made = CodeTables(
            tables,
            drivers,
            resources,
            restore=restore,
            state=state,
            seconds=asked.seconds,
            strangers=strangers,
            opened=opened.pop_all(),
        )
    invariants = [
        CodeInvariant(
            function_name(each).replace("_", " "), each, parameters_of(each, {}, "invariant"), resources
        )
        for each in asked.invariants
    ]
    program = _program(asked, resources)
    with (
        made,
        ProgramRunner(
            made, invariants, ignored=frozenset(asked.ignore), serial_level=level, seconds=asked.seconds
        ) as runner,
    ):
        return _Search(asked, runner, program, level, capabilities_of(adapter).locks).run(first)


@dataclass
class _Search:
    asked: ConcurrentCalls
    runner: ProgramRunner
    program: Program
    level: str
    locks: Collection[str] = ()
    followed: int = 0
    waited: int = 0
    aborted: dict[str, int] = field(default_factory=dict)
    reason: str = ""

    def run(self, first: Sequence[Numbers]) -> tuple[ConcurrencyResult, ConcurrencyFailure | None]:
        __tracebackhide__ = True
        until = time.monotonic() + self.asked.budget
        search = ScheduleSearch(most=self.asked.schedules)
        for schedule, found in self._chosen(first, search):
            attempt = self.runner.follow(self.program, self.level, schedule)
            if found:
                search.followed(schedule, attempt.trace)
            if self._fails(attempt):
                attempt = self.runner.confirm(attempt)
            self._count(attempt)
            if self._fails(attempt):
                return self._result(complete=False), self._failure(attempt)
            if time.monotonic() > until:
                break
        if self.reason:
            raise UsageError(f"nothing can be said of some of {self.followed} schedules: {self.reason}")
        return self._result(complete=search.exhausted), None

    def _chosen(self, first: Sequence[Numbers], search: ScheduleSearch) -> Iterator[tuple[Schedule, bool]]:
        """And whether the search has found it."""
        wanted = first if self.asked.schedule is None else [self.asked.schedule]
        labels = self.program.labels
        for numbers in wanted:
            yield tuple(labels[number] for number in numbers if number < len(labels)), False
        if self.asked.schedule is None:
            yield from ((schedule, True) for schedule in search)

    def _count(self, attempt: FollowedSchedule) -> None:
        __tracebackhide__ = True
        if attempt.trace.stuck:
            raise UsageError(f"schedule {self.followed + 1} cannot be judged: {attempt.trace.stuck}")
        self.followed += 1
        self.waited += any(step.waited for step in attempt.trace.steps)
        for each in attempt.outcome.transactions.values():
            if each.code:
                self.aborted[each.code] = self.aborted.get(each.code, 0) + 1
        if self.asked.serial and attempt.judgement.answer is SerialAnswer.UNKNOWN:
            self.reason = self.reason or attempt.judgement.reason

    def _fails(self, attempt: FollowedSchedule) -> bool:
        unexplained = attempt.judgement.answer is SerialAnswer.UNEXPLAINED
        return bool(attempt.broken) or (self.asked.serial and unexplained)

    def _result(self, *, complete: bool) -> ConcurrencyResult:
        return ConcurrencyResult(self.followed, complete, self.waited, self.aborted)

    def _failure(self, attempt: FollowedSchedule) -> ConcurrencyFailure:
        from txfuzz.report.check.story import story_lines

        schedule = attempt.trace.schedule
        numbers = tuple(self.program.labels.index(label) for label in schedule)
        finding = Finding(attempt, attempt, (), *attempt.failed_again)
        at = f" at {self.level.upper()}" if self.level else ""
        number = "the first schedule" if self.followed == 1 else f"schedule {self.followed}"
        text = [
            f"{self.program.name}{at}: {number} goes wrong",
            "",
            *story_lines(finding),
            "",
            *self._advice(attempt),
            f"The same schedule again: txfuzz.concurrently(…, schedule={list(numbers)!r})",
        ]
        return ConcurrencyFailure("\n".join(text), numbers)

    def _advice(self, attempt: FollowedSchedule) -> list[str]:
        """The lock that mends it, if there is one. Nothing is tried where one schedule is followed again."""
        from txfuzz.report.check.text import locked_code_lines

        found, asked = None, self.asked
        with suppress(UsageError, SessionError, DatabaseUnavailable):  # the failure is what has to be told
            if asked.schedule is None:
                seconds = min(_ADVICE, asked.budget)
                found = locked_code(
                    attempt, self.runner, self.locks, self._fails, most=asked.schedules, seconds=seconds
                )
        return [] if found is None else [*locked_code_lines(found), ""]


def _program(asked: ConcurrentCalls, resources: Resources) -> Program:
    calls = []
    for number, function in enumerate(asked.functions):
        plain, given = _unwrapped(function)
        parameters = parameters_of(plain, given, "transaction")
        name = _name(plain, number)
        arguments = {each: values[0] for each, values in parameters.chosen}
        shown = {
            each: value for each, value in arguments.items() if each in given and len(str(value)) <= _LONGEST
        }
        hidden = {each: value for each, value in arguments.items() if each not in shown}
        called = partial(plain, **hidden) if hidden else plain
        transaction = CodeTransaction(
            name, called, Parameters(parameters.opened), resources, writes=asked.writes
        )
        calls.append((transaction, shown))
    return Program(" × ".join(transaction.name for transaction, _ in calls), tuple(calls))


def _name(function: Function, number: int) -> str:
    """A partial of something that takes any arguments has the name of that."""
    while isinstance(function, partial):
        function = function.func
    name = function_name(function)
    if name == "<lambda>":
        return _ORDINALS[number] if number < len(_ORDINALS) else f"number {number + 1}"
    return name


def _unwrapped(function: Function) -> tuple[Function, dict[str, Any]]:
    """A function, and the arguments that functools.partial has bound: those are shown."""
    if not isinstance(function, partial):
        return function, {}
    plain: Function = function.func
    try:
        bound = inspect.signature(plain).bind_partial(*function.args, **function.keywords)
    except (TypeError, ValueError):  # it will say so itself when it is called
        return function, {}
    kinds = {bound.signature.parameters[name].kind for name in bound.arguments}
    if kinds <= {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}:
        return plain, dict(bound.arguments)
    return function, {}


def _restore(setup: Function, resources: Resources, drivers: Drivers) -> None:
    __tracebackhide__ = True
    with watched() as seen:
        _called(setup, "setup", resources)
    if any(drivers.url_of(each) is not None and drivers.in_transaction(each) for each in seen.connections):
        raise UsageError(
            "setup leaves a transaction open: the functions would not see its rows, and wait for its locks "
            "(with Django, use TransactionTestCase, or pytest.mark.django_db(transaction=True))"
        )


def _state(state: Function, resources: Resources) -> Mapping[str, Rows]:
    return {"state": Rows(("state",), ((comparable(_called(state, "state", resources)),),))}


def _called(function: Function, word: str, resources: Resources) -> Any:
    parameters = parameters_of(function, {}, word)
    with resources.of(parameters.opened) as opened:
        return function(**opened, **{name: values[0] for name, values in parameters.chosen})


def _database(asked: ConcurrentCalls, opened: ExitStack) -> tuple[Adapter, Drivers, str]:
    """The adapter, its drivers, whose calls are met from here on, and the URL."""
    __tracebackhide__ = True
    known = list(_adapters())
    for _, drivers in known:
        opened.enter_context(drivers.intercept(around))
    url = asked.url
    if url is None and asked.engine is not None:
        url = asked.engine.url.render_as_string(hide_password=False)
    if url is not None:
        scheme = url.partition("://")[0].partition("+")[0].lower()
        for adapter, drivers in known:
            if scheme in drivers.schemes:
                return adapter, drivers, url
        raise UsageError(f"no installed adapter knows databases whose URL begins with {scheme}://")
    place = _place(asked, known)
    if place is not None:
        return place
    names = ", ".join(drivers.needs.removeprefix("it has to use ").split(",")[0] for _, drivers in known)
    raise UsageError(
        "where the database is cannot be seen: setup has opened no connection to a server or a file by "
        f"{names}; give url=, engine= or connect="
    )


def _place(
    asked: ConcurrentCalls, known: Sequence[tuple[Adapter, Drivers]]
) -> tuple[Adapter, Drivers, str] | None:
    """Where the first connection leads that connect() opens, or that setup uses."""
    found: list[tuple[Adapter, Drivers, str]] = []

    def note(connection: Any) -> None:
        for adapter, drivers in known:
            if (url := drivers.url_of(connection)) is not None:
                found.append((adapter, drivers, url))

    if asked.connect is not None:
        connection = asked.connect()
        note(connection)
        with suppress(Exception):
            connection.close()
    elif not inspect.signature(asked.setup).parameters:
        with watched(note):
            asked.setup()
    return found[0] if found else None


def _adapters() -> Iterator[tuple[Adapter, Drivers]]:
    for entry in load_plugins().all("adapter"):
        adapter: Adapter = entry.value()
        if isinstance(adapter, KnowsDrivers) and isinstance(adapter, SeesTables):
            yield adapter, adapter.drivers()
