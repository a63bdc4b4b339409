"""Which of several equally long, contradictory reads of a list is used as its version order.

No choice is right: the reads contradict each other, which incompatible-order reports. But the cycles found
besides depend on the choice, so Elle's is followed: the last of the longest values in the order of
Clojure's hash sets, which depends on their hashes (Murmur3).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from txfuzz.common.kind import Kind
from txfuzz.history.model import History, Ints

_MASK = 0xFFFFFFFF


def with_elles_choice(history: History) -> History:
    """The same history with the trunk that Elle would choose for each key; usually itself."""
    if history.kind is not Kind.LIST_APPEND or not history.odd_reads:
        return history
    odd = np.fromiter(history.odd_reads, np.int64)
    longest = np.diff(history.trunks)
    tied = np.unique(history.read_key[odd[history.read_length[odd] == longest[history.read_key[odd]]]])
    if not len(tied):
        return history
    by_key = np.argsort(history.read_key, kind="stable")
    starts, ends = (np.searchsorted(history.read_key[by_key], tied, side) for side in ("left", "right"))
    rows = {int(key): by_key[start:end] for key, start, end in zip(tied, starts, ends, strict=True)}
    chosen = {
        key: row for key, own in rows.items() if (row := _choice(history, own, longest[key])) is not None
    }
    return _with_trunks(history, chosen, rows) if chosen else history


def _choice(history: History, own: Ints, longest: int) -> int | None:
    """Which of a key's rows in the read table should be its trunk; None if it already is."""
    rows = own[history.read_length[own] == longest].tolist()
    places = {row: _place(history.values(history.read_elements(row))) for row in rows}
    if None in places.values():
        return None
    last: int = max(rows, key=lambda row: places[row] or ())
    return None if history.read_trunk[last] else last


def _with_trunks(history: History, chosen: dict[int, int], rows: dict[int, Ints]) -> History:
    elements = history.trunk_elements.copy()
    on_trunk = history.read_trunk.copy()
    odd: dict[int, Ints] = dict(history.odd_reads)
    for key, row in chosen.items():
        trunk = history.odd_reads[row]
        elements[history.trunks[key] : history.trunks[key + 1]] = trunk
        for other in rows[key].tolist():
            seen = history.read_elements(other)
            on_trunk[other] = np.array_equal(seen, trunk[: len(seen)])
            odd.pop(other, None)
            if not on_trunk[other]:
                odd[other] = seen.copy()
    return dataclasses.replace(history, trunk_elements=elements, read_trunk=on_trunk, odd_reads=odd)


def _place(values: Sequence[Any]) -> tuple[int, ...] | None:
    """Where a vector of these values comes in the order of a Clojure hash set: the hash in groups
    of five bits, lowest first. None for values whose hash is not known here."""
    total = 1
    for value in values:
        one = _hash(value)
        if one is None:
            return None
        total = (31 * total + one) & _MASK
    mixed = _finish(_mix(0, _scramble(total)), len(values))
    return tuple(mixed >> shift & 31 for shift in range(0, 35, 5))


def _hash(value: Any) -> int | None:
    """Clojure's hash of an integer of 64 bits or of a string."""
    if type(value) is int and -(1 << 63) <= value < 1 << 63:
        if value == 0:
            return 0
        low, high = value & _MASK, value >> 32 & _MASK
        return _finish(_mix(_mix(0, _scramble(low)), _scramble(high)), 8)
    if type(value) is str:
        code = 0
        units = value.encode("utf-16-le", "surrogatepass")
        for at in range(0, len(units), 2):
            code = (31 * code + int.from_bytes(units[at : at + 2], "little")) & _MASK
        return _finish(_mix(0, _scramble(code)), 4) if code else 0
    return None


# Murmur3 (Appleby), 32 bits, as Clojure applies it.
def _rotate(word: int, by: int) -> int:
    return ((word << by) | (word >> (32 - by))) & _MASK


def _scramble(word: int) -> int:
    return _rotate(word * 0xCC9E2D51 & _MASK, 15) * 0x1B873593 & _MASK


def _mix(state: int, word: int) -> int:
    return (_rotate(state ^ word, 13) * 5 + 0xE6546B64) & _MASK


def _finish(state: int, length: int) -> int:
    state ^= length
    state = (state ^ state >> 16) * 0x85EBCA6B & _MASK
    state = (state ^ state >> 13) * 0xC2B2AE35 & _MASK
    return state ^ state >> 16
