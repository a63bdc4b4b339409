"""Helpers for composing sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping


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


def weighted(weights: Mapping[str, float], words: Callable[[str, float], str], most: int = 12) -> list[str]:
    """Each in its words; of more than `most` those with the highest weights, and how many more there are."""
    if len(weights) <= most:
        return [words(name, weight) for name, weight in weights.items()]
    heaviest = sorted(weights, key=lambda name: -weights[name])[:most]
    return [*(words(name, weights[name]) for name in heaviest), f"{len(weights) - most:,} more"]
