"""The source of histories that runs our own clients against a database."""

from __future__ import annotations

from txfuzz.campaign.sources.contract import HistoryRequest, ProvidedHistory
from txfuzz.database.api import Database
from txfuzz.execution.fault_injector import PlannedFault, at_times_of
from txfuzz.execution.run import execute


class ClientSource:
    """Runs clients and injects faults. No physical key is used in two runs."""

    def __init__(self, database: Database, isolation: str, faults: tuple[PlannedFault, ...] = ()) -> None:
        self._database = database
        self._isolation = isolation
        self._faults = faults
        self._last_key = 0

    def skip_keys(self, last: int) -> None:
        """Do not use physical keys up to this one: an earlier campaign has."""
        self._last_key = max(self._last_key, last)

    def provide(self, request: HistoryRequest) -> ProvidedHistory:
        deadline = request.deadline
        summary = execute(
            request.workload,
            self._database,
            request.files.history,
            isolation=self._isolation,
            fresh=request.workload.init_schema,
            after=self._last_key,
            faults=at_times_of(self._faults, request.workload),
            interrupted=deadline.interrupted,
            watch=request.progress,
            reading=request.written,
            until=deadline.until,
            why=deadline.reason,
        )
        self._last_key = summary.last_key
        return ProvidedHistory(summary)
