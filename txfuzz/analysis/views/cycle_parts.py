"""The parts of anomalies and near-cycles: transactions, and the dependencies between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from txfuzz.analysis.views.mop_view import MopView


@dataclass(frozen=True, slots=True)
class TransactionView:
    """One transaction, for display.

    row: its row in the History. index: Elle's name for it (`:index` of the completion).
    process: the client that ran it: a number, or its name in the file.
    mops: its micro-operations. left_out: how many of them are not in `mops`.
    start, end: nanoseconds since the start of the run, None if unknown.
    outcome: "committed", "may have committed" or "failed".
    invoke_at, complete_at: positions in history order, None if unknown.
    call: argument or result, in a history of calls, which have no micro-operations.
    """

    row: int
    index: int
    process: int | str
    template: str | None
    mops: tuple[MopView, ...] = ()
    start: int | None = None
    end: int | None = None
    outcome: str = "committed"
    invoke_at: int | None = None
    complete_at: int | None = None
    left_out: int = 0
    call: str = ""

    @property
    def text(self) -> str:
        """What it did: the micro-operations as EDN, "[:r 3 [1 2]] [:append 3 4]", or the call."""
        return self.call or " ".join([*(mop.text for mop in self.mops), *(["…"] if self.left_out else [])])


@dataclass(frozen=True, slots=True)
class Edge:
    """One dependency and the values that justify it.

    kind: ww, wr, rw, process or realtime. source, target: rows of the History.
    key: the physical key; logical_key: the key of the workload. value: what the source wrote
    (ww, wr) or saw (rw; None for the initial state); next_value: what the target wrote (ww, rw).
    source_step, target_step: the steps of the templates, None if unknown.
    source_mop, target_mop: the micro-operations of the two transactions that make it, from 0; None if
    none does. why: one sentence that an engineer can check by hand in the history.
    """

    kind: str
    source: int
    target: int
    key: Any = None
    logical_key: int | None = None
    value: Any = None
    next_value: Any = None
    source_step: int | None = None
    target_step: int | None = None
    why: str = ""
    source_mop: int | None = None
    target_mop: int | None = None


@dataclass(frozen=True, slots=True)
class MissingEdge:
    """The edge that would close a near-cycle, and where it would have to arise.

    source_mop, target_mop: the micro-operations made by those steps, as in `Edge`.
    """

    kind: str
    source: int
    target: int
    key: int
    source_template: str | None
    source_step: int | None
    target_template: str | None
    target_step: int | None
    source_mop: int | None = None
    target_mop: int | None = None
