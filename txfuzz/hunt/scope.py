"""The scope of a hunt: how large its programs may be, and what they are made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement, permutations
from random import Random

from txfuzz.hunt.form import Effect, Form
from txfuzz.hunt.layout import Layout

# For each session the number of statements of each of its transactions
Shape = tuple[tuple[int, ...], ...]
MOST_TRANSACTIONS = 3  # of a program: the serial orders of more take too long


@dataclass(frozen=True)
class Scope:
    """sessions, statements, keys: the most of each; statements of one session, in one or two transactions."""

    forms: tuple[Form, ...]
    layouts: tuple[Layout, ...]
    sessions: int = 2
    statements: int = 2
    keys: int = 2

    def shapes(self) -> tuple[Shape, ...]:
        """Smallest first: by statements, then by transactions."""
        return tuple(sorted(self._shapes(), key=lambda each: (_statements(each), _transactions(each), each)))

    def _shapes(self) -> Iterator[Shape]:
        counts = range(1, self.statements + 1)
        own: list[tuple[int, ...]] = [(count,) for count in counts]
        own += [(one, two) for one in counts for two in counts if one + two <= self.statements]
        for sessions in range(2, self.sessions + 1):
            for shape in combinations_with_replacement(own, sessions):
                if _transactions(shape) <= MOST_TRANSACTIONS:
                    yield shape


def plain_scope(scope: Scope, *, still: bool) -> Scope:
    """Each deed in its plainest form, on the plain layout; the shapes and keys of the scope.

    still: without forms that make or take away rows: only rows that stay prove dependencies (see
    txfuzz.hunt.judging.evidence). As the scope has it where no form is left.
    """
    plainest: dict[object, Form] = {}
    for form in sorted(scope.forms, key=lambda each: each.plainness):
        if not (still and form.moves_rows):
            plainest.setdefault(form.deed, form)
    layouts = tuple(each for each in scope.layouts if each.plain) or scope.layouts
    fitting = [each for each in layouts if any(map(each.allows, plainest.values()))]
    return replace(scope, forms=tuple(plainest.values()) or scope.forms, layouts=tuple(fitting) or layouts)


def _statements(shape: Shape) -> int:
    return sum(map(sum, shape))


def _transactions(shape: Shape) -> int:
    return sum(map(len, shape))


@dataclass(frozen=True)
class Deed:
    """What a statement does to which keys, and the forms in which it can be written, by name."""

    keys: tuple[int, ...]
    forms: tuple[Form, ...]

    @property
    def weight(self) -> float:
        """How often it is drawn, beside others: as its form of the greatest weight."""
        return max(form.weight for form in self.forms)

    def drawn(self, random: Random) -> Form:
        """One of its forms, by their weights."""
        return random.choices(self.forms, [form.weight for form in self.forms])[0]


def deeds(forms: tuple[Form, ...], keys: int) -> tuple[Deed, ...]:
    """Forms that do the same to a row are one deed, in however many ways it can be written.

    Chosen by deed first, a rare deed is as likely as one that has twenty forms.
    """
    alike: dict[tuple[Effect | None, ...], list[Form]] = {}
    for form in sorted(forms, key=lambda each: each.name):
        alike.setdefault(form.deed, []).append(form)
    return tuple(
        Deed(chosen, tuple(same))
        for same in alike.values()
        for chosen in permutations(range(keys), same[0].keys)
    )
