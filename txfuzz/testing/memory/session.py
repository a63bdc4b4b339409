"""A session of the database in memory; see txfuzz.database.api.Session."""

from __future__ import annotations

import time

from txfuzz.common.kind import Kind
from txfuzz.database.api import BoundStep, ReadValue
from txfuzz.testing.memory.backend import refused
from txfuzz.testing.memory.defects import FORMS
from txfuzz.testing.memory.store import Store

PRIMARY, REPLICA = "primary", "replica"  # the roles of endpoints
REPLICA_LEVELS = ("read uncommitted", "read committed", "snapshot")
LOCK = "update"  # the only `lock` of reading steps
_WRITE = {Kind.LIST_APPEND: "append", Kind.RW_REGISTER: "w"}


class MemorySession:
    """One client's connection.

    latency: seconds that every call takes. Without it one thread would run transaction after
    transaction while it holds the GIL, and there would be no dependencies.
    """

    def __init__(self, store: Store, kind: Kind, latency: float) -> None:
        self._store = store
        self._write = _WRITE[kind]
        self._latency = latency
        self.backend = store.connect()

    def begin(self, isolation: str) -> None:
        time.sleep(self._latency)
        self._store.begin(self.backend, isolation)

    def execute(self, step: BoundStep) -> ReadValue:
        time.sleep(self._latency)
        if step.step.sql is not None:
            raise refused(f"the database in memory takes no SQL: {step.step.sql}")
        form = step.step.form
        if form is not None and form not in FORMS.get(step.f or "", ()):
            raise refused(f"there is no form {form!r} of {step.f!r}")
        self.backend.form = form
        if step.f == "r" and step.key is not None:
            return self._store.read(self.backend, step.key, lock=self._locks(step))
        if step.f == self._write and step.key is not None and step.value is not None:
            self._store.write(self.backend, step.key, step.value)
            return None
        raise refused(f"a table for {self._write!r} takes no step {step.f!r}")

    def commit(self) -> None:
        time.sleep(self._latency)
        self._store.commit(self.backend)

    def rollback(self) -> None:
        self._store.rollback(self.backend)

    def cancel(self) -> None:
        self._store.cancel(self.backend)

    def close(self) -> None:
        self._store.disconnect(self.backend)

    def _locks(self, step: BoundStep) -> bool:
        lock = step.step.lock
        if lock not in (None, LOCK):
            raise refused(f"there is no row lock {lock!r}, only {LOCK!r}")
        return lock is not None


class MemoryReplicaSession(MemorySession):
    """A connection to a replica, which shows what the primary shows and takes no writes."""

    def begin(self, isolation: str) -> None:
        if isolation not in REPLICA_LEVELS:
            raise refused(f"a replica has no level {isolation!r}")
        super().begin(isolation)

    def execute(self, step: BoundStep) -> ReadValue:
        if step.f != "r" or step.step.lock:
            self.rollback()
            raise refused("a replica is read-only")
        return super().execute(step)
