"""What the final reads show about commits: which unknown ones took effect, which acknowledged ones are gone.

The checker needs none of this, because unread writes have no dependencies. But after a crash it is the
simplest measure of durability, and it settles outcomes that a client could not know.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from txfuzz.common.kind import Kind
from txfuzz.history.model import APPEND, FINAL_READ, INFO, NIL, OK, READ, History, Ints


@dataclass(frozen=True, slots=True)
class Durability:
    """Counts of transactions that appended to keys covered by the final reads.

    unknown: writers of unknown outcome; happened: those of them whose appends are present.
    lost: acknowledged transactions with a missing append.
    """

    unknown: int = 0
    happened: int = 0
    lost: int = 0


def durability(history: History) -> Durability:
    """Compare all appends with the final reads; zeros without final reads, and for registers."""
    if history.kind is not Kind.LIST_APPEND or FINAL_READ not in history.templates:
        return Durability()
    owner = np.repeat(np.arange(len(history)), np.diff(history.mops))
    final = (history.template == list(history.templates).index(FINAL_READ)) & (history.type == OK)
    reads = np.flatnonzero(final[owner] & (history.mop_f == READ))
    there: list[Ints] = [
        history.read_elements(int(row)) for row in history.mop_value[reads] if row != NIL and row >= 0
    ]
    present = np.concatenate(there) if there else np.empty(0, np.int64)
    appends = np.flatnonzero(
        (history.mop_f == APPEND) & np.isin(history.mop_key, np.unique(history.mop_key[reads]))
    )
    seen = np.isin(history.mop_value[appends], present)
    writers, who = np.unique(owner[appends], return_inverse=True)
    whole = np.ones(len(writers), np.bool_)
    np.logical_and.at(whole, who, seen)
    unknown = history.type[writers] == INFO
    return Durability(
        unknown=int(unknown.sum()),
        happened=int((unknown & whole).sum()),
        lost=int(((history.type[writers] == OK) & ~whole).sum()),
    )
