"""What a campaign can be made of: a workload to fuzz, and histories that belong to it."""

from __future__ import annotations

import shlex
from pathlib import Path

from txfuzz.errors import UsageError
from txfuzz.history.model import FINAL_READ, History
from txfuzz.report.verdict import listed
from txfuzz.workload.model import Workload

_NAMED = 5


def refuse_replay(workload: Workload, path: Path) -> None:
    """UsageError for a schedule that is to be followed: a campaign would fuzz its transactions instead."""
    if workload.replay is not None and workload.replay.enabled:
        raise UsageError(
            f"{path}: is a replay: `txfuzz execute --config {shlex.quote(str(path))} --out FILE` follows it; "
            "with `enabled: false` in its `replay` stanza its transactions are fuzzed instead"
        )


def check_kind(history: History, workload: Workload) -> None:
    """UsageError for a history of lists where the workload makes one of registers, or the other way round."""
    if history.kind is not None and history.kind is not workload.kind:
        raise UsageError(
            f"{history.source}: is a history of {history.kind.value}, and the workload {workload.name!r} "
            f"makes histories of {workload.kind.value}"
        )


def check_made_by(history: History, workload: Workload) -> None:
    """UsageError for a history that this workload cannot have made, so that it says nothing about it."""
    check_kind(history, workload)
    if sentence := made_by_another(history, workload):
        raise UsageError(sentence)


def made_by_another(history: History, workload: Workload) -> str | None:
    """Why this workload cannot have made the history; None where it can.

    Where a history names its transactions, the workload must know one of them. One that names none
    (most runners' do not) is taken at the user's word.
    """
    named = [name for name in history.templates if name != FINAL_READ]
    if named and {each.name for each in workload.transactions}.isdisjoint(named):
        more = [f"{len(named) - _NAMED} more"] if len(named) > _NAMED else []
        return (
            f"{history.source}: is a history of {listed([*named[:_NAMED], *more])}, none of which the "
            f"workload {workload.name!r} has"
        )
    return None
