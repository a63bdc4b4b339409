"""Races: small programs whose transactions are held at one point each, and let go in the same microseconds.

They are made of dangerous structures, which every cycle under serializable snapshot isolation has (Fekete et
al. 2005, Cahill et al. 2008): a pivot T2 that has not seen what T1 wrote and whose own writing T3 has not
seen, where T3 has seen T1's, or T1 and T3 are one and the same. Databases look for these when a statement
runs and when a transaction commits, so that is where they are let go.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random

from txfuzz.errors import UsageError
from txfuzz.hunt.form import NO_EFFECT, PLAIN_MODE, Form, RowState
from txfuzz.hunt.layout import Layout
from txfuzz.hunt.program import SmallProgram, Use, Uses, in_sql
from txfuzz.hunt.scope import Scope

KEYS = 2
_THREE = 0.6  # of the races have three transactions
_PLAINEST = 0.6  # of the choices of a form or layout take the plainest
_AT_COMMIT = 0.75  # a transaction that has all but ended is held before COMMIT, not before its last statement
_AT_FIRST = 0.75  # the third transaction is held before it begins
_READS_FIRST = 0.75


class HeldAt(Enum):
    """Before what a transaction is held."""

    FIRST = "BEGIN"
    STATEMENT = "a statement"
    COMMIT = "COMMIT"


@dataclass(frozen=True, slots=True)
class Race:
    """program: of sessions with one transaction each. held: for each the number of the step, from 0, before
    which it is held; a step more than it has statements is its COMMIT, and before step 0 it has not begun.
    fresh: the tables are empty in the beginning, and made anew each time rather than emptied."""

    program: SmallProgram
    held: tuple[int, ...]
    fresh: bool = False

    @property
    def held_at(self) -> tuple[HeldAt, ...]:
        return tuple(self._held_at())

    def _held_at(self) -> Iterator[HeldAt]:
        for step, points in zip(self.held, self.program.points, strict=True):
            last = HeldAt.COMMIT if step == points - 1 else HeldAt.STATEMENT
            yield HeldAt.FIRST if step == 0 else last

    @property
    def signs(self) -> frozenset[str]:
        """Who is held before what: "COMMIT of T1". Of three transactions T1 writes what T2 has not seen, and
        T3 only reads."""
        return frozenset(
            f"{at.value} of {label}" for at, label in zip(self.held_at, self.program.labels, strict=True)
        )

    @property
    def kind(self) -> str:
        """The same for races whose offsets are alike."""
        return " ".join(each.value for each in self.held_at) + (" on fresh tables" if self.fresh else "")

    def points(self) -> tuple[str, ...]:
        """What each transaction is held before, in words."""
        found = []
        for transaction, step in zip(in_sql(self.program), self.held, strict=True):
            statement = str(transaction.steps[step].sql) if step < len(transaction.steps) else "COMMIT"
            begins = "BEGIN; " if step == 0 else ""
            found.append(f"{transaction.name}: {begins}{statement}")
        return tuple(found)


class RaceSource:
    """Draws races of the scope by number. The same seed draws the same."""

    def __init__(self, scope: Scope, seed: int) -> None:
        self._seed = seed
        self._choices = [found for layout in scope.layouts if (found := _Choices(layout, scope.forms)).usable]
        if not self._choices:
            raise UsageError(
                "no race can be made of these forms: it takes some that read and some that write"
            )
        plain = [each for each in self._choices if each.layout.plain]
        self._plain = (plain or self._choices)[0]

    def race(self, number: int) -> Race:
        random = Random(f"{self._seed} race {number}")
        choices = self._plain if random.random() < _PLAINEST else random.choice(self._choices)
        three = random.random() < _THREE
        while True:
            states = tuple(random.choice(tuple(RowState)) for _ in range(KEYS))
            if choices.layout.can_be(states) and all(choices.writing[state] for state in states):
                break
        x, y = random.sample(range(KEYS), KEYS)
        fresh = RowState.PRESENT not in states and random.random() < 0.5
        pivot = choices.reads_and_writes(random, x, y, states)
        if three:
            transactions: tuple[Uses, ...] = (
                (choices.write(random, x, states),),
                pivot,
                (choices.read(random, x), choices.read(random, y)),
            )
            held: tuple[int, ...] = (
                _late(random, transactions[0]),
                _late(random, pivot),
                _early(random, transactions[2]),
            )
        else:
            transactions = (pivot, choices.reads_and_writes(random, y, x, states))
            held = tuple(random.randrange(_steps(uses) + 1) for uses in transactions)
        program = SmallProgram(choices.layout, states, tuple((uses,) for uses in transactions))
        return Race(program, held, fresh)


class _Choices:
    """The forms that a layout allows, by what they do; plainest first."""

    def __init__(self, layout: Layout, forms: Sequence[Form]) -> None:
        self.layout = layout
        single = sorted(
            (
                form
                for form in forms
                if form.keys == 1
                and form.mode == PLAIN_MODE
                and layout.allows(form)
                and not (layout.dependent or layout.fresh)
            ),
            key=lambda form: form.plainness,
        )
        self.reading = [form for form in single if form.effect == NO_EFFECT and form.returns_rows]
        self.writing = {
            state: [form for form in single if form.effect.on(state).writes] for state in RowState
        }

    @property
    def usable(self) -> bool:
        return bool(self.reading) and any(self.writing.values())

    def read(self, random: Random, key: int) -> Use:
        return Use(_chosen(random, self.reading), (key,))

    def write(self, random: Random, key: int, states: tuple[RowState, ...]) -> Use:
        deeds: dict[object, list[Form]] = {}
        for form in self.writing[states[key]]:
            deeds.setdefault(form.deed, []).append(form)
        return Use(_chosen(random, random.choice(list(deeds.values()))), (key,))

    def reads_and_writes(
        self, random: Random, read: int, written: int, states: tuple[RowState, ...]
    ) -> tuple[Use, Use]:
        uses = self.read(random, read), self.write(random, written, states)
        return uses if random.random() < _READS_FIRST else (uses[1], uses[0])


def _chosen(random: Random, forms: Sequence[Form]) -> Form:
    return forms[0] if random.random() < _PLAINEST else random.choice(forms)


def _steps(uses: Uses) -> int:
    return sum(len(use.form.statements) for use in uses)


def _late(random: Random, uses: Uses) -> int:
    return _steps(uses) if random.random() < _AT_COMMIT else _steps(uses) - 1


def _early(random: Random, uses: Uses) -> int:
    return 0 if random.random() < _AT_FIRST else _steps(uses) - 1
