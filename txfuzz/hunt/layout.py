"""Layouts: how the tables of a hunt are made, as data that adapters and plugins register."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from txfuzz.errors import UsageError
from txfuzz.hunt.form import NO_DUPLICATES, OWN_TABLE, UNIQUE_KEY, Form, RowState, filled

TABLES = ("a", "b", "c")  # of the keys, in this order


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """Where the row of a key is: its table, and the number that it has in column k."""

    table: str
    number: int


@dataclass(frozen=True, slots=True)
class Layout:
    """How the tables are made that hold the rows of the keys.

    setup: the statements that make the table of one key, with {table} and {first}, the table of the first
        key. setup_others: those for the other keys, where they differ. shared: all keys are in one table.
    row: the statement that inserts a row, with {table}, {key} and {value}.
    settings: statements that each session runs when it opens, such as those that force a plan.
    fresh: statements that make the table of a key anew, empty, with {table}, before each schedule. Without
        them rows are deleted and inserted again, and what they leave behind in tables and indexes stays.
    dependent: a row of another key can only be there where that of the first is.
    plain: the one that a finding is shown on wherever it suffices.
    has: words for what a form may need (see Form.needs), beside OWN_TABLE.
    """

    name: str
    about: str
    setup: tuple[str, ...]
    setup_others: tuple[str, ...] | None = None
    shared: bool = False
    row: str = "INSERT INTO {table} (k, v) VALUES ({key}, {value})"
    settings: tuple[str, ...] = ()
    fresh: tuple[str, ...] = ()
    dependent: bool = False
    plain: bool = False
    has: frozenset[str] = frozenset({NO_DUPLICATES, UNIQUE_KEY})
    adapter: str = ""

    def __post_init__(self) -> None:
        if not self.setup:
            raise UsageError(f"layout {self.name!r} has no setup")

    def places(self, keys: int) -> tuple[KeyPlace, ...]:
        if self.shared:
            return tuple(KeyPlace(TABLES[0], number + 1) for number in range(keys))
        return tuple(KeyPlace(TABLES[number], 1) for number in range(keys))

    def statements(self, states: Sequence[RowState]) -> tuple[str, ...]:
        """The setup of tables whose keys are in these states."""
        return tuple(self._statements(states))

    def _statements(self, states: Sequence[RowState]) -> Iterator[str]:
        places = self.places(len(states))
        for number, table in enumerate(dict.fromkeys(place.table for place in places)):
            script = self.setup if number == 0 or self.setup_others is None else self.setup_others
            for statement in script:
                yield filled(statement, {"table": table, "first": TABLES[0]})
        yield from self.rows(states)

    def rows(self, states: Sequence[RowState]) -> Iterator[str]:
        """The statements that insert the rows of keys that are in these states."""
        for place, state in zip(self.places(len(states)), states, strict=True):
            if state is RowState.PRESENT:
                yield filled(self.row, {"table": place.table, "key": place.number, "value": 0})

    def anew(self, states: Sequence[RowState]) -> tuple[str, ...]:
        """What makes the tables of the keys anew, with their rows; nothing where the layout does not ask for
        that."""
        tables = dict.fromkeys(place.table for place in self.places(len(states)))
        emptied = [filled(each, {"table": table}) for table in tables for each in self.fresh]
        return (*emptied, *self.rows(states)) if emptied else ()

    def can_be(self, states: Sequence[RowState]) -> bool:
        first, *others = states
        return not self.dependent or first is RowState.PRESENT or RowState.PRESENT not in others

    def allows(self, form: Form) -> bool:
        return form.needs <= (self.has if self.shared else self.has | {OWN_TABLE})

    @property
    def symmetric(self) -> bool:
        """Whether its keys can change places."""
        return self.setup_others is None
