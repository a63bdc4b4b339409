"""Makes the read table of lists from texts: trunks, lengths, and odd reads.

A candidate is a list that may be the longest one of its key: the text of which most reads are prefixes (the
main text), or one of the odd reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from txfuzz.history.arrays import ranges
from txfuzz.history.columns.interning import PLAIN, SIDE_MARK
from txfuzz.history.model import Ints

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class ReadTable:
    """codes, key: of every element of every candidate, flat, main texts first.
    trunk_start, trunk_length: for every key, its trunk in `codes`.
    row_key, row_length, row_on_trunk, row_start: the table; row_start points into `codes`.
    main_row, odd_row: the row of each given read, and of each odd read.
    """

    codes: Ints
    key: Ints
    trunk_start: Ints
    trunk_length: Ints
    row_key: Ints
    row_length: Ints
    row_on_trunk: Bools
    row_start: Ints
    main_row: Ints
    odd_row: Ints


def read_table(
    texts: Sequence[bytes], odd: Sequence[tuple[int, bytes, int]], key: Ints, length: Ints
) -> ReadTable:
    """The table of all reads of lists.

    texts: the main text of every key. odd: (key, text, length of the main text then).
    key, length: of every read of a prefix of a main text, the length in bytes.
    """
    main_count, read_count = _count(texts, key, length)
    odd_key = np.array([at for at, _, _ in odd], np.int64)
    odd_count = np.array([text.count(b" ") + 1 for _, text, _ in odd], np.int64)
    counts = np.concatenate([main_count, odd_count])
    starts = np.cumsum(counts) - counts
    codes = _parse(b"".join([*texts, *(text + b" " for _, text, _ in odd)]), int(counts.sum()))
    keys = np.concatenate([np.arange(len(texts)), odd_key])
    trunk = _trunks(texts, odd, counts)
    # Every element of a main text stands for the read that ends with it.
    total = int(main_count.sum())
    ends = starts[key] + read_count - 1
    seen = np.zeros(total, np.bool_)
    seen[ends] = True
    main_ends = np.flatnonzero(seen)
    main_key = np.repeat(keys, counts)[:total][main_ends]
    main_length = main_ends - starts[main_key] + 1
    common = _common_prefix(codes, starts, counts, keys, trunk)
    return ReadTable(
        codes=codes,
        key=np.repeat(keys, counts),
        trunk_start=starts[trunk],
        trunk_length=counts[trunk],
        row_key=np.concatenate([main_key, odd_key]),
        row_length=np.concatenate([main_length, odd_count]),
        row_on_trunk=np.concatenate([main_length <= common[main_key], odd_count <= common[len(texts) :]]),
        row_start=np.concatenate([starts[main_key], starts[len(texts) :]]),
        main_row=(np.cumsum(seen) - 1)[ends],
        odd_row=len(main_ends) + np.arange(len(odd)),
    )


def _count(texts: Sequence[bytes], key: Ints, length: Ints) -> tuple[Ints, Ints]:
    """The numbers of elements of each main text and each prefix: every element ends with a space."""
    size = np.array([len(text) for text in texts], np.int64)
    start = np.cumsum(size) - size
    spaces = np.cumsum(np.frombuffer(b"".join(texts), np.uint8) == 32, dtype=np.int32)
    if not len(spaces):
        return size, length
    # A text begins with a bracket, where only the spaces of earlier texts are counted.
    return (spaces[start + size - 1] - spaces[start]).astype(np.int64), spaces[start[key] + length] - spaces[
        start[key]
    ]


def _parse(text: bytes, count: int) -> Ints:
    """The codes in the texts of lists."""
    if SIDE_MARK in text:
        tokens = text.replace(b"[", b" ").split()
        codes = np.array(
            [-PLAIN - int(t[1:]) if t.startswith(SIDE_MARK) else int(t) for t in tokens], np.int64
        )
    else:
        codes = np.fromstring(text.replace(b"[", b" "), np.int64, sep=" ") if count else np.zeros(0, np.int64)
    if len(codes) != count:
        raise AssertionError(f"{count} elements were read as {len(codes)}")
    return codes


def _trunks(texts: Sequence[bytes], odd: Sequence[tuple[int, bytes, int]], counts: Ints) -> Ints:
    """The longest candidate of each key; of equally long ones the first that was read."""
    trunk = np.arange(len(texts))
    for at, (key, _, main_then) in enumerate(odd, len(texts)):
        longest = int(trunk[key])
        was_first = longest == key and main_then < len(texts[key])
        if counts[at] > counts[longest] or (counts[at] == counts[longest] and was_first):
            trunk[key] = at
    return trunk


def _common_prefix(codes: Ints, starts: Ints, counts: Ints, keys: Ints, trunk: Ints) -> Ints:
    """The length of the common prefix of each candidate with the trunk of its key."""
    common = counts.copy()
    other = np.flatnonzero(trunk[keys] != np.arange(len(keys)))
    if len(other):
        length = counts[other]  # never longer than the trunk
        mine = codes[ranges(starts[other], length)]
        theirs = codes[ranges(starts[trunk[keys[other]]], length)]
        # The first difference, or the end: the smallest position among those that differ.
        at = np.where(mine == theirs, np.repeat(length, length), ranges(0, length))
        some = length > 0
        common[other[some]] = np.minimum.reduceat(at, (np.cumsum(length) - length)[some])
        common[other[~some]] = 0
    return common
