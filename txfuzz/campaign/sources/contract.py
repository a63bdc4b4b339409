"""What a source of histories is: something that puts the history of an iteration in its place."""

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
    """What one iteration asks for. deadline: when it has to end.

    progress: told of transactions now and then. written: told how many bytes of the history there are.
    """

    workload: Workload
    files: IterationDirectory
    deadline: Deadline
    progress: Watch | None = None
    written: Reading | None = None


@dataclass(frozen=True)
class ProvidedHistory:
    """How the history of an iteration came to be in its place.

    execution: what became of the run; None where nobody knows. earlier: an earlier campaign left it there,
    with its replays. keeps_graphs: the graphs that are there are its own, too. warning: what is to be
    said of it, empty for nothing.
    """

    execution: ExecutionSummary | None = None
    earlier: bool = False
    keeps_graphs: bool = False
    warning: str = ""


class HistorySource(Protocol):
    """Where the histories of a campaign come from."""

    def provide(self, request: HistoryRequest) -> ProvidedHistory:
        """Return when the history of this iteration is in `request.files.history`, as far as it goes."""
