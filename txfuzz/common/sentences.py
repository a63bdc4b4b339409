"""Helpers for composing sentences."""

from __future__ import annotations

from collections.abc import Iterable


def listed(words: Iterable[object], word: str = "and") -> str:
    """a, b and c"""
    *first, last = map(str, words)
    return f"{', '.join(first)} {word} {last}" if first else last
