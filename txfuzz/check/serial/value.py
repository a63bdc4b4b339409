"""What code gave back that ran as a transaction, in a form that two runs can be compared by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from txfuzz.check.serial.canonical import Masks, Path, plain_cell
from txfuzz.check.serial.outcome import Ending, ProgramOutcome
from txfuzz.database.scenario import Cell

Identifiers = frozenset[str]


@dataclass(frozen=True, slots=True)
class CodeValue:
    """returned: plain data. raised: the class of an exception that it ended with after it had committed
    something. changed: ("UPDATE seats", rows), of what it has committed; None where that is no evidence."""

    returned: Cell = None
    raised: str = ""
    changed: tuple[tuple[str, int], ...] | None = None

    def __str__(self) -> str:
        """After "would have" or "has": "returned True, and changed 1 row (UPDATE seats)"."""
        text = f"raised {self.raised}" if self.raised else f"returned {_words(self.returned)}"
        if self.changed is None:
            return text
        if not self.changed:
            return f"{text}, and changed nothing"
        rows = " and ".join(
            f"{rows} {'row' if rows == 1 else 'rows'} ({what})" for what, rows in self.changed
        )
        return f"{text}, and changed {rows}"


def _words(value: Cell) -> str:
    """As it would be written in Python; an object by its class and fields (see txfuzz.check.code.values)."""
    if isinstance(value, Mapping):
        fields = [f"{name}={_words(each)}" for name, each in value.items() if name != ""]
        if "" in value:
            return f"{value['']}({', '.join(fields)})"
        return "{" + ", ".join(f"{name!r}: {_words(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_words, value))}]"
    return value if isinstance(value, str) and value.startswith("<") else repr(value)


def values_alike(one: ProgramOutcome, other: ProgramOutcome, masks: Masks) -> bool:
    """Did the transactions that committed in `one` give back the same in both?

    Generated identifiers in what code returns stand for whatever row they name; those of two runs count as
    alike, since nothing says which column a returned value comes from.
    """
    new = new_identifiers(one, masks) | new_identifiers(other, masks)
    return all(
        alike(
            compared(label, each.value, masks), compared(label, other.transactions[label].value, masks), new
        )
        for label, each in one.transactions.items()
        if each.ending is Ending.COMMITTED
    )


def compared(label: str, value: Cell, masks: Masks) -> Cell:
    """What this transaction's code gave back, without what is no evidence."""
    if not isinstance(value, CodeValue):
        return value
    left_out = frozenset(path for each, path in masks.values if each == label)
    return replace(value, returned=_without(value.returned, left_out)) if left_out else value


def _without(value: Cell, left_out: frozenset[Path], path: Path = ()) -> Cell:
    if path in left_out:
        return None
    if isinstance(value, Mapping):
        return {key: _without(each, left_out, (*path, key)) for key, each in value.items()}
    if isinstance(value, list):
        return [_without(each, left_out, (*path, None)) for each in value]
    return value


def new_identifiers(outcome: ProgramOutcome, masks: Masks) -> Identifiers:
    """The generated identifiers that were not there before, as plain cells."""
    found = set()
    for place, column in masks.generated.items():
        table, name = place.split(".", 1)
        rows = outcome.tables.get(table)
        if rows is not None:
            at = rows.columns.index(name)
            known = masks.known.get(column, frozenset())
            found |= {
                plain_cell(row[at]) for row in rows.rows if row[at] is not None and row[at] not in known
            }
    return frozenset(found)


def alike(one: Cell, other: Cell, new: Identifiers) -> bool:
    if isinstance(one, CodeValue) and isinstance(other, CodeValue):
        same = (one.raised, one.changed) == (other.raised, other.changed)
        return same and alike(one.returned, other.returned, new)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(alike(one[key], other[key], new) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(lambda a, b: alike(a, b, new), one, other))
    shown = plain_cell(one), plain_cell(other)
    return shown[0] == shown[1] or (shown[0] in new and type(one) is type(other)) or shown[1] in new
