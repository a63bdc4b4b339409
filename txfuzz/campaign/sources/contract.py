"""The contract of history sources: what puts the history of an iteration in place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from txfuzz.campaign.directory.run_directory import IterationDirectory
from txfuzz.campaign.stop_conditions import Deadline
from txfuzz.execution.run import Reading, Watch
from txfuzz.execution.summary import ExecutionSummary
from txfuzz.workload.model import Workload


@dataclass(frozen=True)
class HistoryRequest:
    """deadline: when the run has to end. progress: called with counts of transactions every now and then.
    written: called with the size of the history in bytes."""

    workload: Workload
    files: IterationDirectory
    deadline: Deadline
    progress: Watch | None = None
    written: Reading | None = None


@dataclass(frozen=True)
class ProvidedHistory:
    """How the history of an iteration was made.

    execution: the summary of the run; None if unknown. earlier: an earlier campaign left the history
    there, with its replays. keeps_graphs: existing graphs belong to this history. warning: a sentence for
    the user, or empty.
    """

    execution: ExecutionSummary | None = None
    earlier: bool = False
    keeps_graphs: bool = False
    warning: str = ""


class HistorySource(Protocol):
    """Provides the histories of a campaign."""

    def provide(self, request: HistoryRequest) -> ProvidedHistory:
        """Put the history of this iteration into `request.files.history`, then return."""
