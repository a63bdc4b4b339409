"""Histories that are not judged, and why not."""

from __future__ import annotations

import numpy as np

from txfuzz.analysis.columns import Columns
from txfuzz.analysis.dependencies import VersionOptions
from txfuzz.analysis.wording import key_text, name_of, value_text
from txfuzz.history.model import FAIL
from txfuzz.kind import Kind


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
        return (
            f"duplicate writes: the value {value_text(history, element)} of key {key} was {verb} by {both}; "
            "versions can only be told apart when every write of a key has a value of its own"
        )
    return ""


def _duplicates(columns: Columns, options: VersionOptions) -> list[tuple[int, int, int]]:
    """Duplicate writes that matter. In a list all do, those of failed transactions too.

    A register's duplicate does no harm while nobody read it and no option puts it in order.
    """
    history = columns.history
    found = list(history.duplicate_writes)
    if not found or history.kind is not Kind.RW_REGISTER or options:
        return found
    read = np.zeros(len(history.element_key), np.bool_)
    saw = columns.saw[columns.type != FAIL]
    read[saw[saw >= 0]] = True
    return [each for each in found if read[each[0]]]
