"""Shared by the analyzers: what counts as an anomaly, and wording."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from itertools import compress
from typing import Any

from txfuzz.plugin_api import (
    History,
    TransactionView,
    canonical,
    elapsed,
    implies,
    option,
    prohibited,
    transaction_view,
)

EXPECT, ALWAYS = "expect", "always"
_WHOLE = 8  # micro-operations up to which a transaction is shown in full


def against_option() -> Any:
    return option(
        EXPECT,
        "what counts as an anomaly: `expect`, only what contradicts the expected model; `always`, everything",
        choices=(EXPECT, ALWAYS),
    )


def shown_option() -> Any:
    return option(5, "how many anomalies of each type are explained", least=1)


def forbids(expect: str, anomaly: str) -> bool:
    """Whether the model prohibits this Elle anomaly."""
    return anomaly in prohibited(canonical(expect))


def forbids_stale_reads(expect: str) -> bool:
    """Whether the model respects real time."""
    return forbids(expect, "G-single-item-realtime")


def forbids_half_seen(expect: str) -> bool:
    """Whether the model makes a transaction's writes visible together or not at all."""
    return forbids(expect, "G-single-item") or implies(expect, "read-atomic")


def view(history: History, row: int, keys: Collection[int]) -> TransactionView:
    """A transaction; of a long one (a final read has dozens of keys) only its operations on these keys."""
    whole = transaction_view(history, row)
    mops = range(int(history.mops[row]), int(history.mops[row + 1]))
    if len(mops) <= _WHOLE:
        return whole
    on_keys = [int(key) in keys for key in history.mop_key[mops]]
    told = tuple(compress(whole.mops, on_keys))
    return replace(whole, mops=told, left_out=len(mops) - len(told))


def after(history: History, earlier: int, later: int) -> str:
    """When a transaction began, seen from the end of another: "12 ms after that"."""
    end, start = int(history.complete_time[earlier]), int(history.invoke_time[later])
    return f"{elapsed(start - end)} after that" if 0 <= end < start else "after that"


def counted(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")
