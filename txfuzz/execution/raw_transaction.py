"""Runs transactions of raw SQL and determines their micro-operations.

The keys of a statement may be values returned by earlier ones, a statement may find no row, and the
transaction may survive an error. So what happened to which key is known only afterwards. Only what happened
is recorded: a read that found no row has read nothing, unless the workload declares absence a value
(`empty`); a write that changed no row did nothing; a write that is rolled back to a savepoint did not happen.
What was read before that has been seen, and counts, unless it may be what the transaction itself had written
and took back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from txfuzz.database.api import (
    Answer,
    BoundStep,
    GoesOn,
    Outcome,
    ReadValue,
    RunsSql,
    Session,
    SessionError,
)
from txfuzz.history.writer import Mop
from txfuzz.transactions.model import MicroOperation, Returned, RollbackTo, Step
from txfuzz.workload.generator import BoundTransaction
from txfuzz.workload.sql.tables import savepoint_named, tables_of

GIVEN_UP = "ROLLBACK"  # the code of a transaction that aborts because of `rows` or `on_error`
NOT_AS_SAID = "ROWS"  # the code of a statement that affects other rows than its micro-operations say
_OWN_SAVEPOINT = "txfuzz_step"
_SET = BoundStep(Step(None, sql=f"SAVEPOINT {_OWN_SAVEPOINT}"), None)
_FORGET = BoundStep(Step(None, sql=f"RELEASE SAVEPOINT {_OWN_SAVEPOINT}"), None)


class RecordedMop(NamedTuple):
    """A micro-operation that happened. step: its number; logical: its logical key."""

    step: int
    logical: int | None
    mop: Mop


class TransactionRun:
    """Runs the steps of one transaction, in order. The caller begins and ends it. Not thread-safe.

    steps: with values returned by earlier ones filled in, as far as they ran. seen: what to record if it
    commits.
    """

    def __init__(self, transaction: BoundTransaction) -> None:
        self.transaction = transaction
        self.steps = list(transaction.steps)
        self.seen: list[RecordedMop] = []
        self._returned: dict[str, int | None] = {}
        self._savepoints: list[_Savepoint] = []
        self._changes: list[int] = []  # of raw statements that may change rows: micro-operations before
        self._stopped = False
        self._logical: dict[tuple[int, int | None], int] = {}
        known = (
            (number, mop[1]) for number, step in enumerate(transaction.steps) for mop in step.micro_operations
        )
        for at, logical in zip(known, transaction.logical, strict=True):
            self._logical[at] = logical

    def execute_step(self, session: Session, number: int) -> ReadValue:
        """Run this step; what its first read saw. SessionError if it ends the transaction."""
        step = self._filled(number)
        if step is None or self._stopped:
            return None
        self.steps[number] = step
        if step.step.sql is None:
            value = session.execute(step)
            self._see(number, str(step.f), step.key, value if step.value is None else step.value)
            return value
        own = any(rule in ("skip", "stop") for _, rule in step.step.on_error)
        try:
            if own:
                _answer(session, _SET)
            answer = _answer(session, step)
            if own:
                _answer(session, _FORGET)
        except SessionError as error:
            if not self._goes_on(session, step.step, error):
                raise
            return None
        if not isinstance(answer, Answer):  # the session does not implement RunsSql
            if step.f is not None:
                self._see(number, step.f, step.key, answer if step.value is None else step.value)
            return answer
        self._savepoint(step.step)
        before = len(self.seen)
        read = self._take(number, step, answer)
        if _may_change(step.step):
            self._changes.append(before)
        return read

    def undone(self, number: int) -> list[RecordedMop]:
        """What to record if it does not commit but ends at this step: reads without values."""
        happened = [each._replace(mop=_unread(each.mop)) for each in self.seen if each.step < number]
        for at, step in enumerate(self.transaction.steps[number:], number):
            happened += (
                RecordedMop(at, self._logical.get((at, mop[1])), mop) for mop in step.micro_operations
            )
        return happened

    def _filled(self, number: int) -> BoundStep | None:
        """The step with values returned by earlier ones; None if one of them is missing."""
        step = self.transaction.steps[number]
        plain = step.step
        if isinstance(plain.key, Returned) and plain.sql is None:
            key = self._returned.get(plain.key.name)
            return None if key is None else step._replace(key=key)
        wanted = {name: arg.name for name, arg in plain.args if isinstance(arg, Returned)}
        if not wanted:
            return step
        found = {name: self._returned.get(returned) for name, returned in wanted.items()}
        if None in found.values():
            return None
        args: dict[str, Any] = {**step.args, **found}
        key = args.get(plain.key_arg or "", step.key)
        value = args.get(plain.value_arg or "", step.value)
        return step._replace(f=plain.f, key=key, value=value, args=args)

    def _take(self, number: int, step: BoundStep, answer: Answer) -> ReadValue:
        plain, count = step.step, answer.count
        first = answer.rows[0] if answer.rows else None
        for name, column in plain.returns:
            cell = None if first is None else first[_place(answer, column, plain)]
            self._returned[name] = _number(cell, column, plain)
        rule = dict(plain.rows).get(count) if count is not None else None
        if rule == "abort":
            rows = "1 row" if count == 1 else f"{count} rows"
            raise SessionError(Outcome.FAIL, GIVEN_UP, f"{rows}: the transaction gives up")
        self._stopped = rule == "stop"
        if rule == "skip":
            return None
        before = len(self.seen)
        written = (each for each in plain.micro_operations if each.writes and not each.key_column)
        rows_said = len({step.args[str(each.key)] for each in written})
        for each in plain.micro_operations:
            if each.writes:
                self._write(number, step, each, answer, rule, rows_said)
            else:
                self._read(number, step, each, answer, rule)
        read = next((each.mop[2] for each in self.seen[before:] if each.mop[0] == "r"), None)
        return read if isinstance(read, tuple | int) else None

    def _read(
        self, number: int, step: BoundStep, each: MicroOperation, answer: Answer, rule: str | None
    ) -> None:
        plain = step.step
        if not answer.columns:
            raise _wrong(plain, "a read must return rows")
        key = None if each.key is None else step.args[each.key]
        if each.key_column is None:
            if len(answer.rows) > 1:
                rows = f"{len(answer.rows)} rows"
                raise _wrong(
                    plain,
                    f"a read of one key returned {rows}, and no `key_column` says which is the right one",
                )
            found = [(key, row) for row in answer.rows]
        else:
            at = _place(answer, each.key_column, plain)
            keyed = [(_number(row[at], each.key_column, plain), row) for row in answer.rows]
            found = [(of, row) for of, row in keyed if key is None or of == key]
        absent = key is not None and not found and dict(plain.rows).get(0) == "empty"
        if absent:
            self._see(number, "r", key, answer.decode(None))
        for of, row in found:
            cell = row[_value_place(answer, each, plain)]
            try:
                value = answer.decode(cell)
            except ValueError as error:
                raise _wrong(plain, str(error)) from None
            self._see(number, "r", of, self._since(value) if plain.own_table else value)

    def _write(
        self,
        number: int,
        step: BoundStep,
        each: MicroOperation,
        answer: Answer,
        rule: str | None,
        rows_said: int,
    ) -> None:
        plain = step.step
        value = step.args[str(each.value)]
        key = None if each.key is None else step.args[each.key]
        if each.key_column is not None:
            at = _place(answer, each.key_column, plain)
            for row in answer.rows:
                of = _number(row[at], each.key_column, plain)
                if key is None or of == key:
                    self._see(number, each.f, of, value)
            return
        count = answer.count
        if rule == "ok" or count is None or rows_said <= count <= rows_said * (1 + answer.twice):
            self._see(number, each.f, key, value)
        elif count:
            keys = "one key" if rows_said == 1 else f"{rows_said} keys"
            raise _wrong(plain, f"a write of {keys} changed {count} row{'s' * (count != 1)}")

    def _see(self, number: int, f: str, key: int | None, value: Any) -> None:
        if key is None:
            return  # a row without a key is not ours
        mop: Mop = (f, key, value)
        if any(each.mop == mop and each.step == number for each in self.seen):
            return  # two choices of the same key
        logical = self._logical.get((number, key))
        if logical is None and self.transaction.keys is not None:
            logical = key if self.steps[number].step.own_table else self.transaction.keys.logical(key)
        if f != "r" and (number, key) not in self._logical and self.transaction.keys is not None:
            self.transaction.keys.written(key)
        self.seen.append(RecordedMop(number, logical, mop))

    def _since(self, value: ReadValue) -> ReadValue:
        """The value read, without what was in the table before this run."""
        keys = self.transaction.keys
        if keys is None or value is None:
            return value
        if isinstance(value, tuple):
            return tuple(each for each in value if keys.wrote(each))
        return value if keys.wrote(value) else None

    # -- savepoints and errors ----------------------------------------------------------------

    def _savepoint(self, plain: Step) -> None:
        tables = tables_of(plain.sql or "")
        name = tables.savepoint
        if name is None:
            return
        if tables.verb == "savepoint":
            self._savepoints.append(_Savepoint(name, len(self.seen), len(self._changes)))
            return
        self._back_to(name, undo=tables.verb == "rollback")

    def _back_to(self, name: str, *, undo: bool) -> None:
        """Roll back to a savepoint, which stays, or release it."""
        found = [at for at, each in enumerate(self._savepoints) if each.name == name]
        if not found:
            return
        at = found[-1]
        if undo:
            savepoint = self._savepoints[at]
            sure = next(iter(self._changes[savepoint.changes :]), len(self.seen))
            self.seen[savepoint.seen :] = _read_of_others(self.seen[savepoint.seen : sure])
            del self._changes[savepoint.changes :]
        del self._savepoints[at + undo :]

    def _goes_on(self, session: Session, plain: Step, error: SessionError) -> bool:
        rule = dict(plain.on_error).get(error.code)
        if rule is None or error.lost or not isinstance(session, GoesOn):
            return False
        if rule == "abort":
            raise SessionError(Outcome.FAIL, error.code, error.message)
        if isinstance(rule, RollbackTo):
            session.rollback_to(rule.savepoint)
            self._back_to(savepoint_named(rule.savepoint), undo=True)
            return True
        session.rollback_to(_OWN_SAVEPOINT)
        self._stopped = rule == "stop"
        return True


class _Savepoint(NamedTuple):
    """seen, changes: how much there was before it."""

    name: str
    seen: int
    changes: int


def _may_change(plain: Step) -> bool:
    """Whether it may change rows in a way that its micro-operations do not tell. A SELECT from nowhere is
    there for what its function does."""
    tables = tables_of(plain.sql or "")
    calls = tables.verb == "select" and not tables.reads
    return bool(tables.changes) or tables.opaque or calls


def _read_of_others(seen: Sequence[RecordedMop]) -> list[RecordedMop]:
    """The reads of what the transaction had not written before."""
    written: set[int] = set()
    found = []
    for each in seen:
        f, key, _ = each.mop
        if f != "r":
            written.add(key)
        elif key not in written:
            found.append(each)
    return found


def _answer(session: Session, step: BoundStep) -> Answer | ReadValue:
    return session.execute_sql(step) if isinstance(session, RunsSql) else session.execute(step)


def _unread(mop: Mop) -> Mop:
    return (mop[0], mop[1], None) if mop[0] == "r" else mop


def _place(answer: Answer, column: str, plain: Step) -> int:
    """The index of this column in a row, ignoring case."""
    names = [name.lower() for name in answer.columns]
    if column.lower() not in names:
        has = ", ".join(answer.columns) or "none"
        raise _wrong(plain, f"the statement returns no column {column!r} (its columns: {has})")
    return names.index(column.lower())


def _value_place(answer: Answer, each: MicroOperation, plain: Step) -> int:
    if each.column is not None:
        return _place(answer, each.column, plain)
    if each.key_column is None:
        return 0
    key = _place(answer, each.key_column, plain)
    return next((at for at in range(len(answer.columns)) if at != key), 0)


def _number(cell: Any, column: str, plain: Step) -> int | None:
    if cell is None:
        return None
    try:
        return int(cell)
    except (TypeError, ValueError):
        shown = cell.decode(errors="replace") if isinstance(cell, bytes) else cell
        raise _wrong(plain, f"the column {column!r} holds {shown!r}, which is not a whole number") from None


def _wrong(plain: Step, message: str) -> SessionError:
    return SessionError(Outcome.BUG, NOT_AS_SAID, f"{message}: {' '.join((plain.sql or '').split())}")
