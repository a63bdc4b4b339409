"""Preconditions for judging a history."""

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

    writers: rows of two transactions, or twice the same. writes: how many the key has, if all have the
    value.
    """

    element: int
    writers: tuple[int, int]
    writes: int | None


@dataclass(frozen=True)
class IndistinctVersions:
    """A key whose writes all have the same value, and how many more such keys there are."""

    element: int
    writes: int
    more: int


def check_options(options: VersionOptions, kind: Kind | None, what: str) -> None:
    """UsageError for register options on a history of lists. what: for the message."""
    if options and kind is Kind.LIST_APPEND:
        is_ = "is an assumption" if len(options.names) == 1 else "are assumptions"
        raise UsageError(
            f"{what}: {' and '.join(options.names)} {is_} about the versions of registers, and cannot be "
            "applied to list-append, where reads show their order"
        )


def violated_precondition(
    columns: Columns, options: VersionOptions
) -> UnknownMicroOperation | DuplicateWrite | None:
    """Why this history cannot be judged; None if it can."""
    history = columns.history
    if history.unknown_mops:
        line, text = history.unknown_mops[0]
        return UnknownMicroOperation(line, text, len(history.unknown_mops) - 1)
    for element, first, second in _duplicates(columns, options):
        writes = int(_writes_of_keys(columns)[history.element_key[element]])
        return DuplicateWrite(element, (first, second), writes if _only_value(columns)[element] else None)
    return None


def indistinct_versions(columns: Columns) -> IndistinctVersions | None:
    """In a history that is judged, the keys whose versions cannot be told apart; None if there are none."""
    elements = np.flatnonzero(_only_value(columns))
    if not len(elements):
        return None
    first = int(elements[0])
    writes = int(_writes_of_keys(columns)[columns.history.element_key[first]])
    return IndistinctVersions(first, writes, len(elements) - 1)


def _duplicates(columns: Columns, options: VersionOptions) -> list[tuple[int, int, int]]:
    """Duplicate writes that matter: in a list all, including those of failed transactions.

    A register's duplicate is harmless unless it was read or an option orders versions. But if all writes
    of a key have one value and reads saw others, the history probably does not record what was written.
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
    """(keys) the number of writes to each, by transactions of any outcome."""
    keys = columns.history.mop_key[~columns.is_read]
    return np.bincount(keys, minlength=len(columns.history.keys))


def _only_value(columns: Columns) -> Flags:
    """(elements) those that all of several writes to their key have."""
    history = columns.history
    values = history.mop_value[~columns.is_read]
    writes = np.bincount(values, minlength=len(history.element_key))
    only: Flags = (writes > 1) & (writes == _writes_of_keys(columns)[history.element_key])
    return only
