"""Which transaction has certainly read and written what, from the values in the answers of a schedule.

Each statement of a program has a value of its own, a power of two, and rows begin with 0. So a row with
exactly that value was written by that statement, also where others add to what they find: a sum of several
powers is none. What this does not tell is left out: a missing dependency hides an anomaly, but makes none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from txfuzz.check.run import FollowedSchedule
from txfuzz.check.serial.outcome import Ending, StatementOutcome
from txfuzz.check.transaction import CommitPoint, StatementPoint
from txfuzz.database.scenario import Cell
from txfuzz.hunt.form import NO_DUPLICATES, OWN_TABLE, Change, Effect, RowState
from txfuzz.hunt.program import SmallProgram, Use, value_of

VALUE, OTHER_VALUE = "v", "other_v"  # the columns that show values, of the first and of the second key


@dataclass(frozen=True, slots=True)
class Statement:
    """A use of a form as it ran. number: among all of the program, from 0. began, ended: decisions of the
    schedule; ended is None where it had to wait, and so ended at a moment that is not known."""

    number: int
    transaction: str
    use: Use
    answers: tuple[StatementOutcome, ...]
    began: int
    ended: int | None

    @property
    def changed(self) -> bool:
        """Whether it has certainly changed a row."""
        counts = [each.changed for each in self.answers if each.rows is None and each.changed is not None]
        if counts:
            return any(count > 0 for count in counts)
        rows = [each.rows for each in self.answers if each.rows is not None]
        return len(self.answers) == 1 and any(each.rows for each in rows)  # … RETURNING

    @property
    def writes(self) -> int | None:
        """The key whose row it has certainly written."""
        effect = self.use.form.effect
        if not self.changed or not _writes(effect):
            return None
        if effect.present is Change.NOTHING:  # some databases count a row that is kept as it is
            return None
        other = self.use.form.other
        return self.use.keys[0] if other is None or not _writes(other) else None


@dataclass(frozen=True, slots=True)
class Read:
    """What a committed transaction saw of the row of a key. writer: the statement that wrote it, None for
    the row that was there at the beginning; seen: there was a row."""

    statement: Statement
    key: int
    writer: int | None
    seen: bool = True


def _effects(use: Use) -> tuple[Effect, ...]:
    each = (use.form.effect, use.form.other, use.form.without_other)
    return tuple(effect for effect in each if effect is not None)


def _writes(effect: Effect) -> bool:
    return effect.absent.writes or effect.present.writes


class Evidence:
    """Of one schedule of a program."""

    def __init__(self, program: SmallProgram, attempt: FollowedSchedule) -> None:
        self.program, self.attempt = program, attempt
        self.endings = {label: each.ending for label, each in attempt.outcome.transactions.items()}
        self.statements = {each.number: each for each in self._statements()}
        self.owners = dict(enumerate(label for label, uses in _labelled(program) for _ in uses))
        self.uses = dict(enumerate(program.uses))
        self.commits = {
            step.chosen.actor: number
            for number, step in enumerate(attempt.trace.steps)
            if isinstance(step.chosen.what, CommitPoint)
        }
        self._numbers = {value_of(number): number for number in self.uses}

    def _statements(self) -> Iterator[Statement]:
        steps = {
            (step.chosen.actor, step.chosen.what.step): (number, step.waited)
            for number, step in enumerate(self.attempt.trace.steps)
            if isinstance(step.chosen.what, StatementPoint)
        }
        number = -1
        for label, uses in _labelled(self.program):
            outcome = self.attempt.outcome.transactions.get(label)
            answers = {each.step: each for each in outcome.statements} if outcome is not None else {}
            place = 0
            for use in uses:
                number += 1
                numbers = range(place, place + len(use.form.statements))
                place = numbers.stop
                own = tuple(answers[each] for each in numbers if each in answers)
                ran = [steps[label, each] for each in numbers if (label, each) in steps]
                if own and ran:
                    waited = any(each for _, each in ran)
                    yield Statement(number, label, use, own, ran[0][0], None if waited else ran[-1][0])

    def committed(self, label: str) -> bool:
        return self.endings.get(label) is Ending.COMMITTED

    def reads(self) -> Iterator[Read]:
        """Of committed transactions, without what they wrote themselves."""
        for statement in self.statements.values():
            if self.committed(statement.transaction):
                for answer in statement.answers:
                    yield from self._reads(statement, answer)

    def _reads(self, statement: Statement, answer: StatementOutcome) -> Iterator[Read]:
        keys = dict(zip((VALUE, OTHER_VALUE), statement.use.keys, strict=False))
        if answer.rows is None:
            return
        for column, key in keys.items():
            if column not in answer.rows.columns:
                continue
            at = answer.rows.columns.index(column)
            if not answer.rows.rows and len(keys) == 1 and self._absent_is_initial(statement, key):
                yield Read(statement, key, None, seen=False)
            for value in _numbers(row[at] for row in answer.rows.rows):
                if value == 0:
                    if not self._may_have_moved(statement, key):
                        yield Read(statement, key, None)
                elif self._numbers.get(value, statement.number) != statement.number:
                    writer = self._numbers[value]
                    if self.owners[writer] != statement.transaction and key in self.uses[writer].keys:
                        yield Read(statement, key, writer)

    def _absent_is_initial(self, statement: Statement, key: int) -> bool:
        """Where no row can have gone, one that is not seen was not there yet."""
        return (
            self.program.states[key] is RowState.ABSENT
            and not _writes(statement.use.form.effect)
            and not any(self._can(Change.DELETE, use, key) for use in self.program.uses)
        )

    def _may_have_moved(self, statement: Statement, key: int) -> bool:
        """A row that a predicate finds, and another statement may have given another key."""
        return OWN_TABLE in statement.use.form.needs and any(
            self._can(Change.DELETE, use, key) for use in self.program.uses
        )

    def _can(self, change: Change, use: Use, key: int) -> bool:
        if key not in use.keys or self.program.layout.dependent:
            return self.program.layout.dependent
        return any(change in (each.absent, each.present) for each in _effects(use))

    def written(self, key: int) -> tuple[Statement, ...]:
        """By committed transactions. None where there can be several rows, or other statements reach them.

        A row that is inserted after another one with its key was deleted is another row (Adya 1999, 4.1.1):
        where both can be, nothing is said of who overwrote whom.
        """
        layout = self.program.layout
        again = any(self._can(Change.DELETE, use, key) for use in self.program.uses) and any(
            self._can(Change.INSERT, use, key) for use in self.program.uses
        )
        if again or layout.dependent or NO_DUPLICATES not in layout.has:
            return ()
        return tuple(
            each
            for each in self.statements.values()
            if each.writes == key and self.committed(each.transaction)
        )

    def last_writer(self, key: int) -> str | None:
        """Whose row is there in the end."""
        place = self.program.layout.places(len(self.program.states))[key]
        table = self.attempt.outcome.tables.get(place.table)
        if table is None or not {"k", VALUE} <= set(table.columns):
            return None
        k, v = table.columns.index("k"), table.columns.index(VALUE)
        values = [row[v] for row in table.rows if row[k] == place.number]
        if len(values) != 1 or values[0] not in self._numbers:
            return None
        last = self._numbers[values[0]]
        statement = self.statements.get(last)
        return statement.transaction if statement is not None and statement.writes == key else None


def _numbers(cells: Iterable[Cell]) -> Iterator[int]:
    return (cell for cell in cells if isinstance(cell, int) and not isinstance(cell, bool))


def _labelled(program: SmallProgram) -> Iterator[tuple[str, tuple[Use, ...]]]:
    yield from zip(program.labels, program.transactions, strict=True)
