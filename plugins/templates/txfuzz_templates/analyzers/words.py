"""Transactions and moments, as anomalies tell of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from txfuzz.plugin_api import History, TransactionView, elapsed, mop_text, transaction_view

_WHOLE = 8  # micro-operations of a transaction that is shown as it is


def view(history: History, row: int, keys: Collection[int]) -> TransactionView:
    """A transaction; of a long one (a final read has dozens of keys) what it did on these keys."""
    whole = transaction_view(history, row)
    mops = range(int(history.mops[row]), int(history.mops[row + 1]))
    if len(mops) <= _WHOLE:
        return whole
    told = [mop_text(history, mop) for mop in mops if int(history.mop_key[mop]) in keys]
    return replace(whole, mops=" ".join([*told, "…"] if len(told) < len(mops) else told))


def after(history: History, earlier: int, later: int) -> str:
    """ "after that, 12 ms later": how a transaction began when another one was over."""
    end, start = int(history.complete_time[earlier]), int(history.invoke_time[later])
    return f"after that, {elapsed(start - end)} later" if 0 <= end < start else "after that"


def counted(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")
