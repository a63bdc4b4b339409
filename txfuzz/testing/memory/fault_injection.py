"""Faults in the database in memory; see txfuzz.database.faults.Injectable."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from txfuzz.database.faults import CUT, KILL, LIMIT, PAUSE, TERMINATE
from txfuzz.testing.memory.backend import Backend
from txfuzz.testing.memory.store import Store

ABILITIES = frozenset({CUT, KILL, LIMIT, PAUSE, TERMINATE})


class MemoryInjector:
    """down: the server was killed and not restarted. What was committed survives a crash."""

    def __init__(self, stores: Iterable[Store]) -> None:
        self.down = False
        self._stores = tuple(stores)

    def cannot(self, ability: str) -> str | None:
        return None if ability in ABILITIES else f"the database in memory has no ability {ability!r}"

    def kill(self) -> int:
        self.down = True
        return 1 + self._end(self._backends())

    def restart(self) -> None:
        self.down = False

    def terminate(self, share: float, chance: Random) -> int:
        backends = self._backends()
        return self._end(chance.sample(backends, min(len(backends), max(1, round(share * len(backends))))))

    def pause(self, whom: str, chance: Random) -> int:
        """There are no background processes, so pausing those has no effect."""
        backends = self._backends()
        if whom == "session" and backends:
            chance.choice(backends).paused = True
            return 1
        if whom == "server":
            for store in self._stores:
                store.paused = True
            return 1 + len(backends)
        return 0

    def resume(self) -> None:
        for store in self._stores:
            with store.turn:
                store.paused = False
                for backend in store.backends:
                    backend.paused = False
                store.turn.notify_all()

    def limit(self, statement_ms: int, lock_ms: int) -> None:
        """Statements only take time waiting for locks, so the shorter limit counts."""
        limits = [each / 1000 for each in (statement_ms, lock_ms) if each]
        for store in self._stores:
            store.lock_seconds = min(limits, default=None)

    def cut_commits(self, count: int, chance: Random) -> int:
        backends = self._backends()
        chosen = chance.sample(backends, min(count, len(backends)))
        for backend in chosen:
            backend.cut = chance.choice(("there", "back"))
        return len(chosen)

    def _backends(self) -> list[Backend]:
        return [backend for store in self._stores for backend in store.connected()]

    def _end(self, backends: Iterable[Backend]) -> int:
        ended = set(backends)
        for store in self._stores:
            for backend in store.connected():
                if backend in ended:
                    store.disconnect(backend)
        return len(ended)
