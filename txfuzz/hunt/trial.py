"""Does a form do what it says? Run alone, on rows in every state, on a layout."""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from txfuzz.database.api import SessionError
from txfuzz.database.scenario import (
    AnswersLater,
    Begin,
    Cell,
    Commit,
    Request,
    Rows,
    Run,
    ScenarioSession,
    ScenarioTables,
    StatementAnswer,
)
from txfuzz.hunt.form import Change, Form, RowState, filled
from txfuzz.hunt.layout import KeyPlace, Layout
from txfuzz.hunt.program import SmallProgram, Use, in_sql
from txfuzz.hunt.tables import HuntTables
from txfuzz.transactions.model import Transaction

SECONDS = 5.0  # in which statements that nobody is in the way of have returned
_CANCEL_SECONDS = 2.0
_MOMENT = 0.01
_EMPTY = (RowState.ABSENT, RowState.ABSENT)


@dataclass(frozen=True, slots=True)
class Trial:
    """What a form has done to rows in these states. code, message: of the error that it ended with.
    rows: whether one of its statements returned rows. ended: within SECONDS, on a connection that stayed.
    deleted: rows that are absent were there before."""

    form: Form
    layout: Layout
    states: tuple[RowState, ...]
    changes: tuple[Change, ...]
    rows: bool
    code: str = ""
    message: str = ""
    ended: bool = True
    deleted: bool = False

    @property
    def expected(self) -> tuple[Change, ...]:
        return self.form.changes(self.states)

    @property
    def as_said(self) -> bool:
        if Change.REFUSED in self.expected:
            return bool(self.code)
        return not self.code and self.changes == self.expected and self.rows == self.form.returns_rows

    def __str__(self) -> str:
        absent = "deleted" if self.deleted else RowState.ABSENT.value
        found = ", ".join(absent if state is RowState.ABSENT else state.value for state in self.states)
        expected = ", ".join(change.value for change in self.expected)
        came = (
            f"it was refused ({self.code}: {self.message})"
            if self.code
            else ", ".join(change.value for change in self.changes)
        )
        rows = (
            "" if self.rows == self.form.returns_rows or self.code else f", and returns_rows is {self.rows}"
        )
        return (
            f"form {self.form.name!r} on layout {self.layout.name!r}, rows {found}: "
            f"expected {expected}, but {came}{rows}"
        )


def trials(
    tables: HuntTables, form: Form, layout: Layout, level: str, *, deleted: bool = False
) -> Iterator[Trial]:
    """On rows in every state in which they can be; none where a foreign key has a say in what it does.
    deleted: also on rows that have just been deleted."""
    if layout.dependent and form.keys > 1:
        return
    for states in product(RowState, repeat=form.keys):
        for before in (False, True) if deleted and RowState.ABSENT in states else (False,):
            opened = tables.opened(layout, _EMPTY)  # one set of tables for all states
            found = trial(opened.tables, opened.session(), form, layout, states, level, deleted=before)
            if not found.ended:  # its session is of no more use
                tables.discard(layout, _EMPTY)
            yield found


def trial(
    tables: ScenarioTables,
    session: ScenarioSession,
    form: Form,
    layout: Layout,
    states: tuple[RowState, ...],
    level: str,
    *,
    deleted: bool = False,
) -> Trial:
    """tables: whose rows are all absent. session: on them, for one transaction after the other."""
    tables.reset()
    places = layout.places(len(states))
    present = [place for place, state in zip(places, states, strict=True) if state is RowState.PRESENT]
    made = _filled(layout.row, places if deleted else present)
    gone = _filled(
        "DELETE FROM {table} WHERE k = {key}", [each for each in places if deleted and each not in present]
    )
    program = SmallProgram(layout, states, (((Use(form, tuple(range(form.keys))),),),))
    [transaction] = in_sql(program)
    shown = [f"SELECT v FROM {place.table} WHERE k = {place.number}" for place in places]
    if isinstance(session, AnswersLater):
        before, came, after = _in_few_messages(session, (made, gone), transaction, shown, level)
    else:
        for statements in filter(None, (made, gone)):
            _run(session, statements, level)
        before = [_value(tables.query(each)) for each in shown]
        came = _in_time(session, transaction, level)
        after = [_value(tables.query(each)) for each in shown]
    changes = tuple(_change(one, other) for one, other in zip(before, after, strict=True))
    return Trial(form, layout, states, changes, came.rows, came.code, came.message, came.ended, deleted)


@dataclass
class _Came:
    rows: bool = False
    code: str = ""
    message: str = ""
    ended: bool = False


class _Late(Exception):
    pass


def _in_few_messages(
    session: AnswersLater,
    earlier: Sequence[Sequence[str]],
    transaction: Transaction,
    shown: Sequence[str],
    level: str,
) -> tuple[list[Cell], _Came, list[Cell]]:
    """As by _run(), _in_time() and query(), with a message for each transaction: what shows the rows before
    goes with the last one before, what shows them after with the transaction itself."""
    reads = [Run(each) for each in shown]
    plain = [[Begin(level), *map(Run, each), Commit()] for each in earlier if each]
    for each in plain[:-1]:
        _answers(session, each)
    told = _answers(session, [*(plain[-1] if plain else ()), *reads])
    before = [_value(each.rows) for each in told[-len(reads) :]]
    came, mode = _Came(), transaction.mode
    steps = [Run(str(step.sql)) for step in transaction.steps]
    try:
        begin = Begin(level, mode.read_only, mode.deferrable)
        told = _answers(session, [begin, *steps, Commit(), *reads])
    except _Late:
        came.code, came.message = "late", "it did not return"
    except SessionError as error:
        came.code, came.message, came.ended = error.code, error.message, not error.lost
        if not error.lost:
            session.rollback()
    else:
        came.ended, came.rows = True, any(each.rows is not None for each in told[1 : 1 + len(steps)])
        return before, came, [_value(each.rows) for each in told[-len(reads) :]]
    return before, came, before


def _answers(session: AnswersLater, requests: Sequence[Request]) -> list[StatementAnswer]:
    """Sent together. Raises _Late where they do not end in time."""
    found = []
    until, cancelled = time.monotonic() + SECONDS, False
    then = tuple(requests[1:])
    try:
        for number, request in enumerate(requests):
            session.ask(request if number else replace(request, then=then), len(then))
            while (answer := session.answered()) is None:
                left = until - time.monotonic()
                if left <= 0:
                    if cancelled:
                        raise _Late
                    session.cancel()
                    until, cancelled = time.monotonic() + _CANCEL_SECONDS, True
                file = session.fileno()
                if file is None:
                    time.sleep(_MOMENT)
                else:
                    select.select([file], [], [], max(0.0, left))
            found.append(answer)
    except SessionError as error:
        if cancelled:
            raise _Late from error
        raise
    if cancelled:
        raise _Late
    return found


def _in_time(session: ScenarioSession, transaction: Transaction, level: str) -> _Came:
    """Runs a transaction, in a thread that is left behind where it can neither end nor be cancelled."""
    came, mode = _Came(), transaction.mode

    def run() -> None:
        try:
            session.begin(level, read_only=mode.read_only, deferrable=mode.deferrable)
            for step in transaction.steps:
                came.rows |= session.run(str(step.sql), {}).rows is not None
            session.commit()
            came.ended = True
        except SessionError as error:
            came.code, came.message, came.ended = error.code, error.message, not error.lost
            if not error.lost:
                session.rollback()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(SECONDS)
    if thread.is_alive():
        session.cancel()
        thread.join(_CANCEL_SECONDS)
        return replace(came, code=came.code or "late", message="it did not return", ended=False)
    return came


def _filled(text: str, places: Iterable[KeyPlace]) -> list[str]:
    return [filled(text, {"table": place.table, "key": place.number, "value": 0}) for place in places]


def _run(session: ScenarioSession, statements: Sequence[str], level: str) -> None:
    """One transaction."""
    session.begin(level)
    for each in statements:
        session.run(each, {})
    session.commit()


def _value(found: Rows | None) -> Cell:
    return found.rows[0][0] if found and found.rows else None


def _change(before: Cell, after: Cell) -> Change:
    if before == after:
        return Change.NOTHING
    if before is None:
        return Change.INSERT
    return Change.DELETE if after is None else Change.UPDATE
