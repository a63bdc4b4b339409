"""Transactions, keys and versions as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from txfuzz.analysis.result import TransactionView
from txfuzz.analysis.views.mop_view import MopView
from txfuzz.common.kind import Kind
from txfuzz.history.model import APPEND, INFO, NIL, OK, READ, UNKNOWN, History
from txfuzz.history.values import display_name, edn

_SHOWN = 24  # elements; the middle of a longer list is left out


def key_text(history: History, key: int) -> str:
    return edn(history.keys[key])


def value_text(history: History, element: int) -> str:
    """The value of an element, or the notation for the initial state."""
    if element == NIL:
        return "nil" if history.kind is Kind.RW_REGISTER else "[]"
    return edn(history.element_value[element])


def list_text(values: Sequence[Any]) -> str:
    """A list as EDN; the middle of a long one is left out."""
    return MopView("r", None, *_shortened(values)).value_text


def _shortened(values: Sequence[Any]) -> tuple[tuple[Any, ...], int]:
    """Both ends of a long list, and the number of elements between them."""
    if len(values) <= _SHOWN:
        return tuple(values), 0
    half = _SHOWN // 2
    return (*values[:half], *values[-half:]), len(values) - 2 * half


def mop_view(history: History, mop: int) -> MopView:
    """A micro-operation by its number in the History."""
    f, value = int(history.mop_f[mop]), int(history.mop_value[mop])
    key = history.keys[int(history.mop_key[mop])]
    if f != READ:
        name = "append" if f == APPEND else "w"
        return MopView(name, key, None if value < 0 else history.element_value[value])
    if value == UNKNOWN:
        return MopView("r", key)
    if value == NIL:
        register = history.kind is Kind.RW_REGISTER or history.nil_literal[mop]
        return MopView("r", key, None if register else ())
    if history.kind is Kind.RW_REGISTER:
        return MopView("r", key, history.element_value[value])
    return MopView("r", key, *_shortened(history.values(history.read_elements(value))))


def mop_of_step(history: History, row: int, step: int | None, reads: bool) -> int | None:
    """The index, within a transaction, of the micro-operation made by a step of its template."""
    mops = slice(int(history.mops[row]), int(history.mops[row + 1]))
    fits = (history.mop_step[mops] == step) & ((history.mop_f[mops] == READ) == reads)
    return int(np.argmax(fits)) if step is not None and fits.any() else None


def read_text(history: History, mop: int) -> str:
    """What a read saw."""
    return mop_view(history, mop).value_text


def mop_text(history: History, mop: int) -> str:
    """A micro-operation as EDN."""
    return mop_view(history, mop).text


def transaction_view(history: History, row: int) -> TransactionView:
    """One transaction, for display."""
    mops = range(int(history.mops[row]), int(history.mops[row + 1]))
    template = int(history.template[row])
    return TransactionView(
        row,
        name_of(history, row),
        process_of(history, row),
        None if template < 0 else history.templates[template],
        tuple(mop_view(history, mop) for mop in mops),
        _known(history.invoke_time[row]),
        _known(history.complete_time[row]),
        outcome(history, row),
        _known(history.invoke_at[row]),
        _known(history.complete_at[row]),
    )


def _known(number: np.integer[Any]) -> int | None:
    return None if number < 0 else int(number)


def process_of(history: History, row: int) -> int | str:
    """The process of a transaction: its number, or its name in the file."""
    name = history.process_name(row)
    return name if isinstance(name, int) else display_name(name)


def process_text(history: History, process: int) -> str:
    """A process by its number in the History."""
    return display_name(history.process_names.get(process, process))


def labels_of(history: History, rows: Sequence[int]) -> list[str]:
    """What an explanation calls these transactions: by session in a replay, else T1, T2, …"""
    sessions = history.session_names
    return [sessions[row] if row < len(sessions) else f"T{at}" for at, row in enumerate(rows, 1)]


def name_of(history: History, row: int) -> int:
    """Elle's name for a transaction: the index of its completion, else of its invocation."""
    index = int(history.complete_index[row])
    return int(history.invoke_index[row]) if index < 0 else index


def outcome(history: History, row: int) -> str:
    """How a transaction ended."""
    kind = int(history.type[row])
    return "committed" if kind == OK else "may have committed" if kind == INFO else "failed"


def elapsed(nanoseconds: int) -> str:
    """A duration in a suitable unit."""
    for unit, size in (("s", 10**9), ("ms", 10**6), ("µs", 10**3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g} {unit}"
    return f"{nanoseconds} ns"
