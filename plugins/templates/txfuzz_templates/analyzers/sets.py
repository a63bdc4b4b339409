"""set-elements: what was added to a set and acknowledged is in it from then on.

Jepsen's set-full checker. An element is known from its acknowledgement or the first read that had it,
whichever came first. It is lost if the last read of its key lacks it, stale if a read that began after
it was known lacks it and a later one has it, and never read if no read followed.

Elements are appended to lists, or inserted into registers; a register written several times says
nothing about values before the last one and is ignored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from txfuzz.plugin_api import (
    FAIL,
    NO_WRITER,
    OK,
    Calls,
    Columns,
    History,
    Ints,
    Kind,
    Part,
    Verdict,
    columns_of,
    option,
)

from ..calls.sets import is_set, judge_set
from .anomalies import ALWAYS, against_option, counted, forbids, forbids_stale_reads, shown_option
from .committed_reads import CommittedReads, Flags, committed_reads, judged_writes
from .set_anomalies import DUPLICATE, LOST, STALE, UNEXPECTED, explain

ADDING = (
    "set-add",
    "read-modify-write",
    "read-modify-write-locked",
    "savepoint-rollback",
    "savepoint-rollback-locked",
    "merge-append",
    "insert-do-nothing",
)
# Type → the Elle anomaly that a model must prohibit for it to count
RULES = {LOST: "lost-update", UNEXPECTED: "G1a", DUPLICATE: "duplicate-elements"}
NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class SetElements:
    """Sets keep every acknowledged element. The fields are options."""

    name: ClassVar[str] = "set-elements"
    about: ClassVar[str] = "whether sets keep every acknowledged element, once each, and no others"
    models: ClassVar[tuple[str, ...]] = ("set", "set-full")

    adds: tuple[str, ...] = option(ADDING, "transactions that write to sets; `*` for all")
    against: str = against_option()
    shown: int = shown_option()

    def analyze(self, history: History, expect: str) -> Part:
        columns = columns_of(history)
        writes = judged_writes(columns, self.adds, "elements")
        if isinstance(writes, Part):
            return writes
        keys = _sets(columns, np.unique(history.mop_key[writes]))
        observed = committed_reads(columns, keys)
        fates = _fates(columns, observed, keys)
        found = {
            LOST: np.flatnonzero(fates.lost),
            STALE: np.flatnonzero(fates.stale),
            UNEXPECTED: np.flatnonzero(fates.unexpected),
            DUPLICATE: np.unique([element for _, element in observed.twice]).astype(np.int64),
        }
        counting = [type for type, elements in found.items() if len(elements) and self._counts(type, expect)]
        data: dict[str, Any] = {
            "elements": int(fates.added.sum()),
            "acknowledged": int(fates.acknowledged.sum()),
            "never_read": int(fates.never_read.sum()),
            **{type.removeprefix("set-"): len(elements) for type, elements in found.items()},
            "contradicts": bool(counting),
        }
        if counting:
            anomalies = tuple(
                explain(columns, observed, fates.known, type, int(element))
                for type in counting
                for element in found[type][: self.shown]
            )
            told = (f"{counted(len(found[type]), 'element')} {_WORDS[type]}" for type in counting)
            return Part(Verdict.INVALID, ", ".join(told), anomalies, data)
        if not fates.judged.any():
            return Part(Verdict.UNKNOWN, "no element was read after it was known to be there", data=data)
        return Part(data=data)

    def judge(self, calls: Calls, model: str) -> Part:
        """A history of one of Jepsen's set tests: elements are added, and the whole set is read."""
        return judge_set(calls, model, self.shown)

    def likely(self, calls: Calls) -> tuple[str, ...]:
        return self.models if is_set(calls) else ()

    def _counts(self, type: str, expect: str) -> bool:
        if self.against == ALWAYS:
            return True
        return forbids_stale_reads(expect) if type == STALE else forbids(expect, RULES[type])


_WORDS = {
    LOST: "lost",
    STALE: "missing from a later read",
    UNEXPECTED: "read but never added",
    DUPLICATE: "duplicated",
}


@dataclass(frozen=True, eq=False)
class _Fates:
    """For each element of the history, whether it is in a set and what became of it.

    added: written by a transaction that did not fail. known: the position from which it must be
    present, or NEVER. judged: its key was read after that.
    """

    added: Flags
    acknowledged: Flags
    known: Ints
    judged: Flags
    lost: Flags
    stale: Flags
    never_read: Flags
    unexpected: Flags


def _sets(columns: Columns, keys: Ints) -> Ints:
    """The keys that can be judged: all lists, and registers written once."""
    history = columns.history
    if history.kind is not Kind.RW_REGISTER:
        return keys
    writes = ~columns.is_read & (columns.type != FAIL)
    times = np.bincount(history.mop_key[writes], minlength=len(history.keys))
    return keys[times[keys] <= 1]


def _fates(columns: Columns, observed: CommittedReads, keys: Ints) -> _Fates:
    history = columns.history
    size = len(history.element_key)
    in_sets = np.isin(history.element_key, keys)
    written = (columns.writer != NO_WRITER) & in_sets
    writer = columns.txn[np.where(written, columns.writer, 0)]
    failed = written & (history.type[writer] == FAIL)
    acknowledged = written & (history.type[writer] == OK)
    known = np.where(acknowledged, history.complete_at[writer], NEVER)
    seen = np.zeros(size, np.int64)
    for read, element in observed.pairs():
        np.minimum.at(known, element, observed.ended[read])
        seen += np.bincount(element, minlength=size)
    # How many reads began after each element was known, and how many of them have it
    looked = _later(observed, history.element_key, known)
    having = np.zeros(size, np.int64)
    kept = np.zeros(size, np.bool_)
    latest = np.full(len(history.keys), -1, np.int64)
    np.maximum.at(latest, observed.key, observed.began)
    for read, element in observed.pairs():
        having += np.bincount(element[observed.began[read] > known[element]], minlength=size)
        # the last read of its key, or one that overlapped with it
        kept[element[observed.ended[read] >= latest[observed.key[read]]]] = True
    lacking = in_sets & (known < NEVER) & (looked > having)
    return _Fates(
        added=written & ~failed,
        acknowledged=acknowledged,
        known=known,
        judged=in_sets & (known < NEVER) & (looked > 0),
        lost=lacking & ~kept,
        stale=lacking & kept,
        never_read=acknowledged & (seen == 0) & (looked == 0),
        unexpected=in_sets & (seen > 0) & (~written | failed),
    )


def _later(observed: CommittedReads, keys: Ints, position: Ints) -> Ints:
    """For each key, how many reads of it began after the given position."""
    span = int(observed.ended.max(initial=0)) + 3
    places = observed.key * span + observed.began + 1  # sorted, as the reads are
    ends = np.searchsorted(places, (keys + 1) * span)
    later: Ints = ends - np.searchsorted(
        places, keys * span + np.minimum(position + 1, span - 1), side="right"
    )
    return later
