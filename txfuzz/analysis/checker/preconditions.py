"""Histories that are not judged, and why not."""

from __future__ import annotations

import numpy as np

from txfuzz.analysis.dependencies.columns import Columns, Flags
from txfuzz.analysis.dependencies.edges import VersionOptions
from txfuzz.analysis.describe import key_text, name_of, value_text
from txfuzz.common.kind import Kind
from txfuzz.errors import UsageError
from txfuzz.history.model import FAIL, Ints


def check_options(options: VersionOptions, kind: Kind | None, what: str) -> None:
    """UsageError where something is assumed of registers, and there are none. what: for the message."""
    if options and kind is Kind.LIST_APPEND:
        is_ = "is an assumption" if len(options.names) == 1 else "are assumptions"
        raise UsageError(
            f"{what}: {' and '.join(options.names)} {is_} about the versions of registers, and cannot be "
            "applied to list-append, where the reads tell their order"
        )


def refusal(columns: Columns, options: VersionOptions) -> str:
    """One sentence that says why this history cannot be judged; empty where it can."""
    history = columns.history
    if history.unknown_mops:
        line, text = history.unknown_mops[0]
        more = len(history.unknown_mops) - 1
        also = f" (and {more} more)" if more else ""
        return f"line {line}: the checker does not know the micro-operation {text}{also}"
    for element, first, second in _duplicates(columns, options):
        key = key_text(history, int(history.element_key[element]))
        names = name_of(history, first), name_of(history, second)
        both = (
            f"transaction {names[0]} more than once"
            if first == second
            else f"transactions {names[0]} and {names[1]}"
        )
        verb = "written" if history.kind is Kind.RW_REGISTER else "appended"
        writes = int(_writes_of_keys(columns)[history.element_key[element]])
        alone = f", and all {writes} writes of this key carry it" if _only_value(columns)[element] else ""
        return (
            f"duplicate writes: the value {value_text(history, element)} of key {key} was {verb} by {both}"
            f"{alone}; versions can only be told apart when every write of a key has a value of its own"
        )
    return ""


def untold_versions(columns: Columns) -> tuple[str, ...]:
    """Of a history that is judged, the keys whose versions cannot be told apart, in a sentence."""
    history = columns.history
    elements = np.flatnonzero(_only_value(columns))
    if not len(elements):
        return ()
    first = int(elements[0])
    key = int(history.element_key[first])
    more = f" (so it is with {len(elements) - 1} more)" if len(elements) > 1 else ""
    return (
        f"all {_writes_of_keys(columns)[key]} writes of key {key_text(history, key)} carry the value "
        f"{value_text(history, first)}, so that its versions cannot be told apart and nothing is inferred "
        f"from them{more}",
    )


def _duplicates(columns: Columns, options: VersionOptions) -> list[tuple[int, int, int]]:
    """Duplicate writes that matter. In a list all do, those of failed transactions too.

    A register's duplicate does no harm while nobody read it and no option puts it in order. But where
    all writes of a key carry one value and reads of it saw others, those were hardly from nowhere: what
    was written is not what the history says.
    """
    history = columns.history
    found = list(history.duplicate_writes)
    if not found or history.kind is not Kind.RW_REGISTER or options:
        return found
    read = np.zeros(len(history.element_key), np.bool_)
    saw = columns.saw[columns.type != FAIL]
    read[saw[saw >= 0]] = True
    of_nobody = np.zeros(len(history.keys), np.bool_)
    of_nobody[history.element_key[read & (columns.writer < 0)]] = True
    untold = _only_value(columns) & of_nobody[history.element_key]
    return [each for each in found if read[each[0]] or untold[each[0]]]


def _writes_of_keys(columns: Columns) -> Ints:
    """(keys) how many writes there are of each, of transactions of any outcome."""
    keys = columns.history.mop_key[~columns.is_read]
    return np.bincount(keys, minlength=len(columns.history.keys))


def _only_value(columns: Columns) -> Flags:
    """(elements) those that all writes of their key carry, where there are several."""
    history = columns.history
    values = history.mop_value[~columns.is_read]
    writes = np.bincount(values, minlength=len(history.element_key))
    only: Flags = (writes > 1) & (writes == _writes_of_keys(columns)[history.element_key])
    return only
