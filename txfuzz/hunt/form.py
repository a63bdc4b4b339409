"""Forms: the ways to write a statement that a database knows, as data that adapters and plugins register."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from txfuzz.errors import UsageError
from txfuzz.transactions.model import Mode

# Words for what a form may need of a layout
NO_DUPLICATES = "no duplicates"  # a second row with the same key is refused
UNIQUE_KEY = "unique key"  # and ON CONFLICT (k), or what a database has like it, finds the constraint
OWN_TABLE = "own table"  # a key has a table of its own, so that a predicate on v speaks of its row alone
_LOCKING = re.compile(r"\b(FOR (UPDATE|NO KEY UPDATE|SHARE|KEY SHARE)|LOCK IN SHARE MODE)\b")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class RowState(Enum):
    """Is there a row with the key?"""

    ABSENT = "absent"
    PRESENT = "present"


class Change(Enum):
    """What a statement does to the row of a key. REFUSED: the database answers with an error."""

    NOTHING = "nothing"
    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"
    REFUSED = "refused"

    @property
    def writes(self) -> bool:
        return self in (Change.INSERT, Change.UPDATE, Change.DELETE)


@dataclass(frozen=True, slots=True)
class Effect:
    """What a form does to the row of a key, by the state in which it finds it."""

    absent: Change = Change.NOTHING
    present: Change = Change.NOTHING

    def on(self, state: RowState) -> Change:
        return self.absent if state is RowState.ABSENT else self.present


NO_EFFECT = Effect()
PLAIN_MODE = Mode()


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write a statement on the row of a key, or on the rows of two keys.

    statements: one after the other, each of them a point at which others may go on; with the placeholders
        {table}, {key}, {value} (a number that no other statement writes, greater than 0, to be written as
        it is or added to what is there), and for forms on two keys {other_table} and {other_key}. Rows
        have the columns k and v; a result that shows v calls it v, and that of the second key other_v.
    effect: on the row of its key. other: on that of the second key, None for a form on one. without_other:
        its effect on the first where the second row is absent; None: the same.
    returns_rows: it shows rows, or a number that comes from them, rather than the number of rows changed.
    needs: words for what a layout must have, such as "unique key".
    mode: how a transaction begins that has such a statement, READ ONLY for example.
    weight: how often it is drawn, beside others that do the same, of which each has 1.
    adapter: whose SQL it is.
    """

    name: str
    about: str
    statements: tuple[str, ...]
    effect: Effect = NO_EFFECT
    other: Effect | None = None
    without_other: Effect | None = None
    returns_rows: bool = False
    needs: frozenset[str] = frozenset()
    mode: Mode = PLAIN_MODE
    weight: float = 1.0
    adapter: str = ""

    def __post_init__(self) -> None:
        if not self.weight > 0:
            raise UsageError(f"form {self.name!r} has the weight {self.weight}, expected more than 0")
        if self.mode.isolation is not None:
            raise UsageError(f"form {self.name!r} has a level in its mode; a hunt chooses the level")
        known = {"table", "key", "value"} | ({"other_table", "other_key"} if self.keys == 2 else set())
        for statement in self.statements:
            for name in _PLACEHOLDER.findall(statement):
                if name not in known:
                    raise UsageError(f"form {self.name!r} has {{{name}}}, expected one of {sorted(known)}")
        if not self.statements:
            raise UsageError(f"form {self.name!r} has no statements")

    @property
    def keys(self) -> int:
        return 1 if self.other is None else 2

    def changes(self, states: tuple[RowState, ...]) -> tuple[Change, ...]:
        """What it does to the row of each of its keys, which are in these states."""
        if self.other is None:
            return (self.effect.on(states[0]),)
        alone = states[1] is RowState.ABSENT and self.without_other is not None
        effect = self.without_other if alone and self.without_other is not None else self.effect
        return (effect.on(states[0]), self.other.on(states[1]))

    @property
    def plainness(self) -> tuple[int, bool, bool, int, int, str]:
        """The less, the plainer."""
        length = sum(map(len, self.statements))
        own = OWN_TABLE in self.needs
        return (self.keys, self.mode != PLAIN_MODE, own, len(self.statements), length, self.name)

    @property
    def writes(self) -> bool:
        """Whether it changes a row in any state."""
        effects = [effect for effect in self.deed if effect is not None]
        return any(effect.absent.writes or effect.present.writes for effect in effects)

    @property
    def locks(self) -> bool:
        """Whether it goes by the latest rows rather than by a snapshot: it writes, or locks what it reads."""
        return self.writes or any(map(_LOCKING.search, self.statements))

    @property
    def moves_rows(self) -> bool:
        """Whether it makes or takes away a row in any state, or is refused."""
        effects = [effect for effect in self.deed if effect is not None]
        changes = {change for effect in effects for change in (effect.absent, effect.present)}
        return not changes <= {Change.NOTHING, Change.UPDATE}

    @property
    def deed(self) -> tuple[Effect | None, ...]:
        """What it does, whatever it looks like: forms that do the same are alike in this."""
        return (self.effect, self.other, self.without_other)


def filled(text: str, values: Mapping[str, object]) -> str:
    """A statement with its placeholders replaced; other braces stay as they are."""
    return _PLACEHOLDER.sub(lambda found: str(values.get(found[1], found[0])), text)
