"""Programs of a hunt: a few transactions made of forms, as values, and as what the check runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

from txfuzz.check.contract import Arguments
from txfuzz.check.program import Program
from txfuzz.check.transaction import SqlTransaction
from txfuzz.hunt.form import Form, RowState, filled
from txfuzz.hunt.layout import Layout
from txfuzz.transactions.model import Mode, Step, Transaction


@dataclass(frozen=True, slots=True)
class Use:
    """A form on the keys of these numbers, from 0."""

    form: Form
    keys: tuple[int, ...]

    @property
    def sign(self) -> tuple[str, tuple[int, ...]]:
        return (self.form.name, self.keys)


Uses = tuple[Use, ...]  # of a transaction


def mode_of(uses: Uses) -> Mode:
    """How a transaction begins: as any of its forms asks for."""
    modes = [use.form.mode for use in uses]
    return Mode(
        read_only=any(mode.read_only for mode in modes), deferrable=any(mode.deferrable for mode in modes)
    )


@dataclass(frozen=True, slots=True)
class SmallProgram:
    """Transactions that run beside each other, on keys that are in these states when they begin.

    sessions: for each its transactions, of which the next one begins when the one before has ended.
    """

    layout: Layout
    states: tuple[RowState, ...]
    sessions: tuple[tuple[Uses, ...], ...]

    @property
    def transactions(self) -> tuple[Uses, ...]:
        return tuple(uses for session in self.sessions for uses in session)

    @property
    def uses(self) -> Uses:
        return tuple(use for uses in self.transactions for use in uses)

    @property
    def forms(self) -> tuple[Form, ...]:
        """Each form once, by name."""
        found = {use.form.name: use.form for use in self.uses}
        return tuple(found[name] for name in sorted(found))

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(f"T{number + 1}" for number in range(len(self.transactions)))

    @property
    def points(self) -> tuple[int, ...]:
        """Of each transaction the statements and the COMMIT."""
        return tuple(sum(len(use.form.statements) for use in uses) + 1 for uses in self.transactions)

    def sign(self) -> tuple[object, ...]:
        """Comparable, and equal for equal programs."""
        return (
            self.layout.name,
            tuple(state.value for state in self.states),
            tuple(tuple(tuple(use.sign for use in uses) for uses in session) for session in self.sessions),
        )


def program_of(sign: Sequence[Any], forms: Sequence[Form], layouts: Sequence[Layout]) -> SmallProgram:
    """The program of a sign(), as JSON has kept it. KeyError where a form or the layout is not there."""
    layout, states, sessions = sign
    named = {each.name: each for each in forms}
    return SmallProgram(
        {each.name: each for each in layouts}[layout],
        tuple(RowState(each) for each in states),
        tuple(
            tuple(tuple(Use(named[name], tuple(keys)) for name, keys in uses) for uses in session)
            for session in sessions
        ),
    )


def renamed(program: SmallProgram) -> Iterator[SmallProgram]:
    """The program with its sessions and keys named in every other way, itself included."""
    numbers = range(len(program.states))
    for order in permutations(numbers) if program.layout.symmetric else (tuple(numbers),):
        new = {old: number for number, old in enumerate(order)}
        states = tuple(program.states[old] for old in order)
        sessions = tuple(
            tuple(
                tuple(Use(use.form, tuple(new[key] for key in use.keys)) for use in uses) for uses in session
            )
            for session in program.sessions
        )
        for arranged in permutations(sessions):
            yield SmallProgram(program.layout, states, arranged)


def canonical(program: SmallProgram) -> SmallProgram:
    """The same for all programs that differ in the names of sessions, keys and values only."""
    return min(renamed(program), key=lambda each: repr(each.sign()))


def value_of(number: int) -> int:
    """What the statement of this number writes, from 0: no sum of the others is the same."""
    return int(2**number)


def as_check(program: SmallProgram) -> Program:
    """The program as a check runs it: its transactions T1, T2, … in SQL."""
    calls: tuple[tuple[SqlTransaction, Arguments], ...] = tuple(
        (SqlTransaction(each), {}) for each in in_sql(program)
    )
    sessions = tuple(at for at, session in enumerate(program.sessions) for _ in session)
    return Program(" × ".join(program.labels), calls, sessions)


def in_sql(program: SmallProgram) -> tuple[Transaction, ...]:
    """Its transactions T1, T2, …, each statement with a value of its own."""
    places = program.layout.places(len(program.states))
    transactions, number = [], 0
    for label, uses in zip(program.labels, program.transactions, strict=True):
        steps = []
        for use in uses:
            given: Mapping[str, object] = {
                "table": places[use.keys[0]].table,
                "key": places[use.keys[0]].number,
                "other_table": places[use.keys[-1]].table,
                "other_key": places[use.keys[-1]].number,
                "value": value_of(number),
            }
            number += 1
            steps += [Step(None, sql=filled(text, given)) for text in use.form.statements]
        transactions.append(Transaction(label, tuple(steps), mode=mode_of(uses)))
    return tuple(transactions)
