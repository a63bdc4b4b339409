"""What to change in the workload, in sentences with the numbers behind them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from txfuzz.analysis.dependencies.metrics import Metrics, asked_for
from txfuzz.analysis.result import KeyPressure, NearCycle
from txfuzz.common.sentences import listed
from txfuzz.history.model import FAIL, INFO, OK, READ, History

LAGGING = 1.0  # concurrent edges per transaction, below which contention is too low
WASTEFUL = 0.5  # share of failed transactions, above which more contention does not pay
FEW_KEYS = 4


def suggestions(
    history: History, figures: Metrics, pressed: Sequence[KeyPressure], near: Sequence[NearCycle], found: bool
) -> Iterator[str]:
    """pressed: most pressure first. near: nearest first. found: the model is already contradicted."""
    outcomes = np.bincount(history.type, minlength=3)
    committed = int(outcomes[OK])
    if not committed:
        if len(history):
            yield f"None of the {len(history)} transactions committed: look at their errors first."
        return
    yield from _outcomes(outcomes, len(history))
    if found:
        return
    wrote = bool(np.any(history.mop_f != READ))
    if not wrote or np.all(history.mop_f != READ):
        what = "writes nothing" if not wrote else "reads nothing"
        yield f"The workload {what}: add a transaction that does, or no cycle of dependencies can be found."
        return
    yield from _near(near)
    yield from _contention(history, figures, pressed)


def _outcomes(outcomes: np.typing.NDArray[np.int64], total: int) -> Iterator[str]:
    failed, unknown = int(outcomes[FAIL]), int(outcomes[INFO])
    if failed > WASTEFUL * total:
        yield (
            f"{failed} of {total} transactions failed ({failed / total:.0%}): fewer clients or more keys "
            "would let more of them commit."
        )
    if unknown > total / 10:
        yield (
            f"The outcome of {unknown} of {total} transactions is unknown ({unknown / total:.0%}): raise "
            "timeouts, or find out why connections are lost."
        )


def _near(near: Sequence[NearCycle]) -> Iterator[str]:
    """About the nearest one, which the picture shows and the feedback pursues."""
    if not near:
        return
    best = near[0]
    keys = sorted(best.keys)
    if len(keys) > 1:
        yield (
            f"Narrow the choices of keys to a few, including {listed(keys)}: the nearest of {len(near)} "
            "near-cycles needs them."
        )
    missing = best.missing
    ends = [template for template in (missing.target_template, missing.source_template) if template]
    if len(ends) == 2:
        pair = f"{ends[0]!r} and {ends[1]!r}" if ends[0] != ends[1] else f"two of {ends[0]!r}"
        yield (
            f"Run {pair} at the same time more often: one {missing.kind} edge on key {missing.key} "
            f"is all the nearest {best.anomaly} lacks."
        )


def _contention(history: History, figures: Metrics, pressed: Sequence[KeyPressure]) -> Iterator[str]:
    density = figures.concurrent_edges_per_txn
    if density >= LAGGING:
        return
    clients = len(np.unique(history.process[(history.type == OK) & asked_for(history)]))
    if clients < 2:
        yield "All transactions ran on one client: transactions can only overlap with two or more."
        return
    touched = len({key for key in history.logical if key is not None}) or len(history.keys)
    if touched > FEW_KEYS:
        total = max(int(np.diff(history.mops)[history.type == OK].sum()), 1)
        share = sum(each.reads + each.writes for each in pressed[:FEW_KEYS]) / total
        yield (
            f"Use fewer keys: {touched} were touched, the {FEW_KEYS} hottest took {share:.1%} of the "
            f"operations, and there were only {density:.3g} dependencies per transaction between "
            "transactions that overlapped."
        )
    else:
        yield (
            "Use more clients, or a barrier so that their transactions start together: there were only "
            f"{density:.3g} dependencies per transaction between transactions that overlapped, on {touched} "
            "keys."
        )
