"""The places of a database that the clients of one run connect to."""

from __future__ import annotations

from collections.abc import Sequence

from txfuzz.common.kind import Kind
from txfuzz.database.api import Database, ReachesEndpoints, Session
from txfuzz.errors import UsageError
from txfuzz.transactions.model import Mode
from txfuzz.workload.database.endpoints import reachable
from txfuzz.workload.model import Workload


class Places:
    """The endpoints of a workload on an open database; one without a name for a workload without endpoints.

    names: of those that some transaction may go to, and of the first, where every key is read at the end.
    Raises UsageError if the database has no endpoints, or an endpoint's URL is in an unset variable.
    """

    def __init__(self, workload: Workload, database: Database) -> None:
        endpoints = reachable(workload.database.endpoints)
        if endpoints and not isinstance(database, ReachesEndpoints):
            raise UsageError(f"the workload {workload.name!r} has endpoints, and this database has none")
        self.final_mode = Mode()  # how and where every key is read at the end
        if endpoints:
            self.final_mode = Mode(isolation=endpoints[0].isolation, at=((endpoints[0].name, 1.0),))
        self._database = database
        self._by_name = {each.name: each for each in endpoints}
        asked = {name for each in workload.transactions for name, share in each.mode.at if share > 0}
        self.names: Sequence[str | None] = [
            each.name for at, each in enumerate(endpoints) if at == 0 or each.name in asked
        ] or [None]

    def session(self, kind: Kind, name: str | None) -> Session:
        """A new connection to the endpoint of this name."""
        if name is None or not isinstance(self._database, ReachesEndpoints):
            return self._database.session(kind)
        return self._database.session_at(kind, self._by_name[name])

    def settle(self) -> None:
        """Wait until nothing older than what is committed now can be read anywhere."""
        if self._by_name and isinstance(self._database, ReachesEndpoints):
            self._database.settle(tuple(self._by_name.values()))
