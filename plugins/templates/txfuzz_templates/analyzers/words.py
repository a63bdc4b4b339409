"""Transactions and moments, as anomalies tell of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from itertools import compress

from txfuzz import History
from txfuzz.analysis.describe import elapsed, transaction_view
from txfuzz.analysis.result import TransactionView

_WHOLE = 8  # micro-operations of a transaction that is shown as it is


def view(history: History, row: int, keys: Collection[int]) -> TransactionView:
    """A transaction; of a long one (a final read has dozens of keys) what it did on these keys."""
    whole = transaction_view(history, row)
    mops = range(int(history.mops[row]), int(history.mops[row + 1]))
    if len(mops) <= _WHOLE:
        return whole
    on_keys = [int(key) in keys for key in history.mop_key[mops]]
    told = tuple(compress(whole.mops, on_keys))
    return replace(whole, mops=told, left_out=len(mops) - len(told))


def after(history: History, earlier: int, later: int) -> str:
    """ "after that, 12 ms later": how a transaction began when another one was over."""
    end, start = int(history.complete_time[earlier]), int(history.invoke_time[later])
    return f"after that, {elapsed(start - end)} later" if 0 <= end < start else "after that"


def counted(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")
