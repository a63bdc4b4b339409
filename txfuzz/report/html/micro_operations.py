"""Micro-operations in few words, for the cells of a picture."""

from __future__ import annotations

import unicodedata

from txfuzz.analysis.views.mop_view import MopView
from txfuzz.history.values import edn

_VALUE = 14  # characters of a value
_LIST = 3  # elements of a list


def short_mop(mop: MopView) -> str:
    """ "r 3 [… 5 6 7]", "append 3 8"."""
    value = _short(edn(mop.value))
    if isinstance(mop.value, tuple | list):
        shown = " ".join(_short(edn(item)) for item in mop.value[-_LIST:])
        value = f"[{'… ' if len(mop.value) > _LIST else ''}{shown}]"
    return f"{mop.f} {_short(edn(mop.key))} {value}"


def _short(text: str) -> str:
    return text if len(text) <= _VALUE else f"{text[: _VALUE - 1]}…"


def cells(text: str) -> int:
    """How many columns of a fixed-width font a text takes."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )
