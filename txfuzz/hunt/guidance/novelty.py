"""How often what a program is made of has been run: forms that meet on a row, and forms on layouts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import permutations
from typing import Any

from txfuzz.hunt.conflicts import writes_alone
from txfuzz.hunt.program import SmallProgram

Part = tuple[str, ...]
_READER, _WRITER, _FORMS, _FOUND, _LAYOUT = "reader", "writer", "forms", "found", "layout"
# What a part that has never been run is worth: of few there are more programs that have them
_WORTH = {_READER: 3.0, _WRITER: 3.0, _FORMS: 1.0, _FOUND: 1.0, _LAYOUT: 0.5}


class Novelty:
    """Counts the parts of what has been run."""

    def __init__(self) -> None:
        self._counts: Counter[Part] = Counter()

    def run(self, program: SmallProgram) -> None:
        self._counts.update(set(_parts(program)))

    def of(self, program: SmallProgram) -> float:
        """Greater for a program whose parts have been run less often."""
        return sum(_WORTH[part[0]] / (1 + self._counts[part]) for part in set(_parts(program)))

    def state(self) -> list[list[Any]]:
        """For JSON."""
        return [[*part, count] for part, count in sorted(self._counts.items())]

    def merge(self, state: Iterable[Sequence[Any]]) -> None:
        """Of each count the greater one: two that have been told of each other have counted much of it
        together. state: of state(), by way of JSON."""
        for *part, count in state:
            self._counts[tuple(part)] = max(count, self._counts[tuple(part)])


def _parts(program: SmallProgram) -> Iterator[Part]:
    """For each statement that looks at a row which another transaction writes: its form and the other's, by
    themselves, together, with the state of the row and with the layout."""
    layout = program.layout.name
    written = [list(writes_alone(uses, program.states)) for uses in program.transactions]
    for one, other in permutations(range(len(written)), 2):
        own: set[int] = set()
        for use in program.transactions[one]:
            form = use.form.name
            for key, writer, change in written[other]:
                if key in use.keys and key not in own:
                    yield _READER, form
                    yield _WRITER, writer.form.name
                    yield _FORMS, form, writer.form.name
                    yield _FOUND, form, program.states[key].value, change.value
                    yield _LAYOUT, form, layout
                    yield _LAYOUT, writer.form.name, layout
            own |= {key for key, writer, _ in written[one] if writer is use}
