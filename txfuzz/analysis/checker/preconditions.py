"""What a history must fulfil to be judged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from txfuzz.analysis.dependencies.columns import Columns, Flags
from txfuzz.analysis.dependencies.register_versions import VersionOptions
from txfuzz.common.kind import Kind
from txfuzz.errors import UsageError
from txfuzz.history.model import FAIL, Ints


@dataclass(frozen=True)
class UnknownMicroOperation:
    """The first micro-operation that the checker does not know, and how many more there are."""

    line: int
    text: str
    more: int


@dataclass(frozen=True)
class DuplicateWrite:
    """A value that was written to its key twice.

    writers: rows of two transactions, or twice the same. writes: those of the key, where all of them carry
    the value.
    """

    element: int
    writers: tuple[int, int]
    writes: int | None


@dataclass(frozen=True)
class IndistinctVersions:
    """A key all writes of which carry the same value, and how many more keys are like it."""

    element: int
    writes: int
    more: int


def check_options(options: VersionOptions, kind: Kind | None, what: str) -> None:
    """UsageError where something is assumed of registers, and there are none. what: for the message."""
    if options and kind is Kind.LIST_APPEND:
        is_ = "is an assumption" if len(options.names) == 1 else "are assumptions"
        raise UsageError(
            f"{what}: {' and '.join(options.names)} {is_} about the versions of registers, and cannot be "
            "applied to list-append, where the reads tell their order"
        )


def violated_precondition(
    columns: Columns, options: VersionOptions
) -> UnknownMicroOperation | DuplicateWrite | None:
    """Why this history cannot be judged; None where it can."""
    history = columns.history
    if history.unknown_mops:
        line, text = history.unknown_mops[0]
        return UnknownMicroOperation(line, text, len(history.unknown_mops) - 1)
    for element, first, second in _duplicates(columns, options):
        writes = int(_writes_of_keys(columns)[history.element_key[element]])
        return DuplicateWrite(element, (first, second), writes if _only_value(columns)[element] else None)
    return None


def indistinct_versions(columns: Columns) -> IndistinctVersions | None:
    """Of a history that is judged, the keys whose versions cannot be told apart; None without such keys."""
    elements = np.flatnonzero(_only_value(columns))
    if not len(elements):
        return None
    first = int(elements[0])
    writes = int(_writes_of_keys(columns)[columns.history.element_key[first]])
    return IndistinctVersions(first, writes, len(elements) - 1)


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
