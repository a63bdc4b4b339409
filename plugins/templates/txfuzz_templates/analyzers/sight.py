"""What all three analyzers ask of a history: who writes what they judge, and who saw it when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from txfuzz import History, Part, Verdict
from txfuzz.analysis.columns import Columns
from txfuzz.analysis.dependencies import VersionOptions
from txfuzz.analysis.refusals import refusal
from txfuzz.history.model import NIL, OK, Ints
from txfuzz.kind import Kind

Flags = npt.NDArray[np.bool_]

EVERY = "*"  # every transaction, whatever its name


def refused(columns: Columns, lists_only: str = "") -> Part | None:
    """The answer to a history that nobody can judge. lists_only: what cannot be judged on registers."""
    if reason := refusal(columns, VersionOptions()):
        return Part(Verdict.UNKNOWN, reason)
    if lists_only and columns.history.kind is Kind.RW_REGISTER:
        return Part(Verdict.UNKNOWN, f"{lists_only} is judged on lists, not on registers")
    return None


def writes_of(columns: Columns, names: Sequence[str]) -> Ints:
    """The writes of the transactions of these names, as micro-operations."""
    history = columns.history
    if EVERY in names:
        chosen = np.ones(len(history), np.bool_)
    else:
        numbers = [at for at, name in enumerate(history.templates) if name in names]
        chosen = np.isin(history.template, numbers)
    return np.flatnonzero(~columns.is_read & chosen[columns.txn])


@dataclass(frozen=True, eq=False)
class Sight:
    """What committed transactions read of some keys.

    Per read, in the order of (key, beginning): mop; key; txn; began, ended: positions of its
    transaction in the history, -1 where the file does not say.
    Pairs (read, element), each once: pair_read, pair_element.
    twice: (read, element) where a list has the element more than once.
    """

    mop: Ints
    key: Ints
    txn: Ints
    began: Ints
    ended: Ints
    pair_read: Ints
    pair_element: Ints
    twice: tuple[tuple[int, int], ...]

    def __len__(self) -> int:
        return len(self.mop)


def sight_of(columns: Columns, keys: Ints) -> Sight:
    """The reads of committed transactions on these keys."""
    history = columns.history
    mops = np.flatnonzero(
        columns.is_read & (columns.type == OK) & (history.mop_value >= NIL) & np.isin(history.mop_key, keys)
    )
    txn = columns.txn[mops].astype(np.int64)
    order = np.lexsort((mops, history.invoke_at[txn], history.mop_key[mops]))
    mops, txn = mops[order], txn[order]
    seen = [_elements(history, int(value)) for value in history.mop_value[mops]]
    reads = np.repeat(np.arange(len(mops)), [len(each) for each in seen])
    elements = np.concatenate([*seen, np.zeros(0, np.int64)]).astype(np.int64)
    pairs, counts = np.unique(np.stack([reads, elements], axis=1), axis=0, return_counts=True)
    return Sight(
        mops,
        history.mop_key[mops],
        txn,
        history.invoke_at[txn],
        history.complete_at[txn],
        pairs[:, 0],
        pairs[:, 1],
        tuple((int(read), int(element)) for read, element in pairs[counts > 1]),
    )


def _elements(history: History, value: int) -> Ints:
    if value == NIL:
        return np.zeros(0, np.int64)
    if history.kind is Kind.RW_REGISTER:
        return np.array([value], np.int64)
    return history.read_elements(value)
