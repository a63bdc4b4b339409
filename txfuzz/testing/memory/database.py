"""An open database in memory; see txfuzz.database.api.Database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from txfuzz.common.closeable import Closeable
from txfuzz.common.kind import Kind
from txfuzz.common.version import __version__
from txfuzz.database.api import Session
from txfuzz.database.endpoints import Endpoint
from txfuzz.errors import DatabaseUnavailable
from txfuzz.testing.memory.defects import Defects, MemoryOptions
from txfuzz.testing.memory.fault_injection import MemoryInjector
from txfuzz.testing.memory.session import PRIMARY, MemoryReplicaSession, MemorySession
from txfuzz.testing.memory.store import Store


class MemoryDatabase(Closeable):
    """One store per kind of history. url_given: a URL was given, which is ignored."""

    def __init__(self, options: MemoryOptions, *, url_given: bool) -> None:
        self._options = options
        self._defects = {kind: options.defects_anew() for kind in Kind}
        self._url_given = url_given
        self._closed = False
        self._stores = {kind: Store(kind, each) for kind, each in self._defects.items()}
        self._made: dict[Kind, str] = {}  # layouts
        self._injector = MemoryInjector(self._stores.values())

    @property
    def struck(self) -> Mapping[str, int]:
        """How often each defect has struck so far."""
        return {
            name: sum(defects.struck[name] for defects in self._defects.values())
            for name in self._options.defects
        }

    def internals(self, kind: Kind) -> tuple[Store, Defects]:
        """For tests of this package that need more than a session."""
        return self._reachable(kind), self._defects[kind]

    def describe(self) -> Mapping[str, str]:
        return {
            "product": "memory",
            "version": __version__,
            "server": "this process",
            "defects": ", ".join(self._options.defects) or "none",
        }

    def warnings(self) -> tuple[str, ...]:
        said = []
        if self._options.defects:
            said.append(f"defects are planted in this database: {', '.join(self._options.defects)}")
        if self._url_given:
            said.append("the database URL is ignored: this database is in the memory of this process")
        return tuple(said)

    def prepare(self, kind: Kind, *, fresh: bool) -> int:
        store = self._reachable(kind)
        layout = self._options.layout
        if fresh or self._made.get(kind, layout) != layout:
            store.clear()
        self._made[kind] = layout
        return store.last_key()

    def insert_rows(self, kind: Kind, keys: range) -> None:
        self._reachable(kind).insert(keys)

    def delete_rows(self, kind: Kind, keys: range) -> None:
        """See txfuzz.database.variations.DeletesRows."""
        self._reachable(kind).delete(keys)

    def vary(self, options: Mapping[str, Any]) -> None:
        """See txfuzz.database.variations.TakesVariations."""
        self._options = replace(self._options, **options)
        for defects in self._defects.values():
            defects.here = (self._options.layout, self._options.plan)

    def session(self, kind: Kind) -> MemorySession:
        return MemorySession(self._reachable(kind), kind, self._options.latency)

    def session_at(self, kind: Kind, endpoint: Endpoint) -> MemorySession:
        """See txfuzz.database.api.ReachesEndpoints."""
        if endpoint.role == PRIMARY:
            return self.session(kind)
        return MemoryReplicaSession(self._reachable(kind), kind, self._options.latency)

    def settle(self, endpoints: Sequence[Endpoint]) -> None:
        """See txfuzz.database.api.ReachesEndpoints. Replicas are never late."""

    def injector(self) -> MemoryInjector:
        """See txfuzz.database.faults.Breakable."""
        return self._injector

    def waiting(self, sessions: Sequence[Session]) -> Mapping[int, frozenset[int]]:
        """See txfuzz.database.api.SeesWaits."""
        places = {
            each.backend: place for place, each in enumerate(sessions) if isinstance(each, MemorySession)
        }
        return {
            places[waiter]: frozenset({places[owner]} if owner in places else ())
            for store in self._stores.values()
            for waiter, owner in store.waits().items()
            if waiter in places
        }

    def close(self) -> None:
        self._closed = True
        for store in self._stores.values():
            for backend in store.connected():
                store.disconnect(backend)
            store.clear()

    def _reachable(self, kind: Kind) -> Store:
        if self._closed or self._injector.down:
            raise DatabaseUnavailable(f"the database in memory is {'closed' if self._closed else 'down'}")
        return self._stores[kind]
