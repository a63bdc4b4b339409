"""How transactions, keys and versions are put into words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from txfuzz.analysis.result import TransactionView
from txfuzz.common.kind import Kind
from txfuzz.history.model import APPEND, INFO, NIL, OK, UNKNOWN, History
from txfuzz.history.values import display_name, edn

_SHOWN = 24  # elements of a list, beyond which its middle is left out


def key_text(history: History, key: int) -> str:
    return edn(history.keys[key])


def value_text(history: History, element: int) -> str:
    """The value of an element, or what stands for the initial state."""
    if element == NIL:
        return "nil" if history.kind is Kind.RW_REGISTER else "[]"
    return edn(history.element_value[element])


def list_text(values: Sequence[Any]) -> str:
    """A list as EDN, its middle left out where it is long."""
    if len(values) > _SHOWN:
        half = _SHOWN // 2
        shown = [*map(edn, values[:half]), f"… {len(values) - 2 * half} more …", *map(edn, values[-half:])]
    else:
        shown = [edn(value) for value in values]
    return f"[{' '.join(shown)}]"


def read_text(history: History, mop: int) -> str:
    """What a read saw."""
    value = int(history.mop_value[mop])
    if value == UNKNOWN:
        return "nil"
    if value == NIL:
        return "nil" if history.kind is Kind.RW_REGISTER or history.nil_literal[mop] else "[]"
    if history.kind is Kind.RW_REGISTER:
        return value_text(history, value)
    return list_text(history.values(history.read_elements(value)))


def mop_text(history: History, mop: int) -> str:
    """A micro-operation as EDN."""
    key = key_text(history, int(history.mop_key[mop]))
    if history.mop_f[mop] == 0:
        return f"[:r {key} {read_text(history, mop)}]"
    f = ":append" if history.mop_f[mop] == APPEND else ":w"
    return f"[{f} {key} {value_text(history, int(history.mop_value[mop]))}]"


def transaction_view(history: History, row: int) -> TransactionView:
    """One transaction as a person wants to see it."""
    mops = range(int(history.mops[row]), int(history.mops[row + 1]))
    template = int(history.template[row])
    start, end = int(history.invoke_time[row]), int(history.complete_time[row])
    return TransactionView(
        row,
        name_of(history, row),
        process_of(history, row),
        None if template < 0 else history.templates[template],
        " ".join(mop_text(history, mop) for mop in mops),
        None if start < 0 else start,
        None if end < 0 else end,
    )


def process_of(history: History, row: int) -> int | str:
    """The process of a transaction: its number, or the name that the file has."""
    name = history.process_name(row)
    return name if isinstance(name, int) else display_name(name)


def process_text(history: History, process: int) -> str:
    """A process by its number in the History."""
    return display_name(history.process_names.get(process, process))


def name_of(history: History, row: int) -> int:
    """Elle's name for a transaction: the index of its completion, else of its invocation."""
    index = int(history.complete_index[row])
    return int(history.invoke_index[row]) if index < 0 else index


def outcome(history: History, row: int) -> str:
    """How a transaction ended, in a word or two."""
    kind = int(history.type[row])
    return "committed" if kind == OK else "may have committed" if kind == INFO else "failed"


def elapsed(nanoseconds: int) -> str:
    """A duration in the unit that suits it."""
    for unit, size in (("s", 10**9), ("ms", 10**6), ("µs", 10**3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g} {unit}"
    return f"{nanoseconds} ns"
