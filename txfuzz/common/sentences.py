"""Helpers for composing sentences."""

from __future__ import annotations

from collections.abc import Iterable


def listed(words: Iterable[object], word: str = "and", most: int | None = None) -> str:
    """a, b and c; with most=2: a, b and 1 more"""
    names = [*map(str, words)]
    if most is not None and len(names) > most:
        names = [*names[:most], f"{len(names) - most} more"]
    *first, last = names
    return f"{', '.join(first)} {word} {last}" if first else last


def counted(count: int, noun: str, plural: str = "") -> str:
    """1 key, 1,000 keys; plural: where it is not the noun with an s."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
