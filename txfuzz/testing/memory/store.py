"""The store: versions of keys, and write locks.

Every statement runs under one mutex (`turn`) and so is atomic; other sessions run in
between. A statement that needs another transaction's lock waits, and
fails at once if that would be a deadlock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from txfuzz.common.kind import Kind
from txfuzz.database.api import Outcome, ReadValue
from txfuzz.testing.memory import defects as bad
from txfuzz.testing.memory.backend import (
    CANCELLED,
    CONFLICT,
    DEADLOCK,
    LEVELS,
    NO_TRANSACTION,
    TIMED_OUT,
    Backend,
    failed,
    lost,
    refused,
)
from txfuzz.testing.memory.defects import Defects

_RECENT = 4  # a bad snapshot may lack one of this many last commits
_KEPT = 16  # versions of a key before invisible ones are removed


class Version(NamedTuple):
    """at: the number of its commit, from 1; 0 for an absent key."""

    at: int
    value: ReadValue


class Store:
    """The rows of one kind of history."""

    def __init__(self, kind: Kind, defects: Defects) -> None:
        self.lock_seconds: float | None = None  # limit of lock waits; None: unlimited
        self.paused = False
        self.turn = threading.Condition()
        self._kind = kind
        self._defects = defects
        self._absent = Version(0, () if kind is Kind.LIST_APPEND else None)
        self._versions: dict[int, list[Version]] = {}
        self._owners: dict[int, Backend] = {}
        self._queues: dict[int, list[Backend]] = {}  # who waits for a lock gets it in turn
        self._commits = 0
        self.backends: dict[Backend, None] = {}  # in the order in which they connected

    # -- outside of sessions --------------------------------------------------------------

    def clear(self) -> None:
        with self.turn:
            self._versions.clear()

    def last_key(self) -> int:
        with self.turn:
            return max(self._versions, default=0)

    def newest(self) -> Mapping[int, ReadValue]:
        """Each key's last committed value."""
        with self.turn:
            return {key: self._newest(key).value for key in self._versions}

    def insert(self, keys: Iterable[int]) -> None:
        """Commit an empty row for each key."""
        with self.turn:
            self._commits += 1
            for key in keys:
                self._versions.setdefault(key, [Version(self._commits, self._absent.value)])

    def delete(self, keys: Iterable[int]) -> None:
        """Delete the rows of these keys, which nobody has used."""
        with self.turn:
            for key in keys:
                self._versions.pop(key, None)

    def waits(self) -> Mapping[Backend, Backend]:
        """Waiting backend → the one it waits for."""
        with self.turn:
            return {
                each: self._owners[each.waits_for]
                for each in self.backends
                if each.waits_for is not None and each.waits_for in self._owners
            }

    # -- statements -------------------------------------------------------------------------

    def begin(self, backend: Backend, isolation: str) -> None:
        with self.turn:
            self._enter(backend)
            if backend.open:
                raise refused("a transaction is already open")
            if isolation not in LEVELS:
                raise refused(f"there is no isolation level {isolation!r}")
            level = LEVELS[isolation]
            backend.start(level, self._commits, self._hidden() if level.snapshot else frozenset())

    def read(self, backend: Backend, key: int, *, lock: bool) -> ReadValue:
        """The key's value as the transaction sees it; `lock` first takes its write lock."""
        with self.turn:
            self._enter_transaction(backend)
            if lock:
                self._claim(backend, key)
            if key in backend.written:
                return backend.written[key]
            versions = self._versions.get(key, [])
            place = self._visible(backend, versions)
            seen = versions[place] if place >= 0 else self._absent
            backend.read[key] = self._due(backend, versions).at
            dirty = self._owners.get(key, backend).written
            if key in dirty and (backend.level.dirty or self._defects.strikes(bad.DIRTY_READ, backend.form)):
                return dirty[key]
            if place >= 0 and self._defects.strikes(bad.STALE_READ, backend.form):
                seen = versions[place - 1] if place else self._absent
            return seen.value

    def write(self, backend: Backend, key: int, value: int) -> None:
        with self.turn:
            self._enter_transaction(backend)
            self._claim(backend, key)
            if self._kind is Kind.RW_REGISTER:
                backend.written[key] = value
                return
            before = backend.written[key] if key in backend.written else self._base(backend, key).value
            assert isinstance(before, tuple)
            backend.written[key] = (*before, value)

    def commit(self, backend: Backend) -> None:
        with self.turn:
            self._enter_transaction(backend, committing=True)
            cut, backend.cut = backend.cut, ""
            if cut == "there":
                self._lose(backend)
                raise lost(Outcome.INFO)
            if backend.written and backend.level.validated:
                self._validate(backend)
            self._lose_versions(backend)
            self._commits += bool(backend.written)
            for key, value in backend.written.items():
                self._install(key, Version(self._commits, value))
            self._end(backend)
            if cut:
                self._lose(backend)
                raise lost(Outcome.INFO)

    def rollback(self, backend: Backend) -> None:
        with self.turn:
            self._end(backend)

    # -- connections ------------------------------------------------------------------------

    def connect(self) -> Backend:
        with self.turn:
            backend = Backend()
            self.backends[backend] = None
            return backend

    def connected(self) -> list[Backend]:
        with self.turn:
            return list(self.backends)

    def disconnect(self, backend: Backend) -> None:
        """The connection is closed or lost; its transaction is rolled back."""
        with self.turn:
            self._lose(backend)

    def cancel(self, backend: Backend) -> None:
        """End its blocked call, if any."""
        with self.turn:
            if backend.waits_for is not None or self.paused or backend.paused:
                backend.stopped = CANCELLED
                self.turn.notify_all()

    def _enter(self, backend: Backend, *, committing: bool = False) -> None:
        """Begin a statement: wait while the server is paused; fail if the connection is gone."""
        while (self.paused or backend.paused) and not backend.gone:
            if backend.stopped:
                backend.stopped = ""
                self._doom(backend, CANCELLED, "cancelled while the server was paused")
            self.turn.wait()
        backend.stopped = ""
        if backend.gone:
            raise lost(Outcome.INFO if committing else Outcome.FAIL)

    def _enter_transaction(self, backend: Backend, *, committing: bool = False) -> None:
        self._enter(backend, committing=committing)
        if not backend.open:
            raise failed(NO_TRANSACTION, "no transaction is open: it has been rolled back, or never begun")

    def _doom(self, backend: Backend, code: str, message: str) -> None:
        self._end(backend)
        raise failed(code, message)

    def _end(self, backend: Backend) -> None:
        """Its transaction is over: release its locks."""
        backend.open = False
        for key in [key for key, owner in self._owners.items() if owner is backend]:
            del self._owners[key]
        self.turn.notify_all()

    def _lose(self, backend: Backend) -> None:
        backend.gone = True
        self.backends.pop(backend, None)
        self._end(backend)

    # -- locks --------------------------------------------------------------------------------

    def _claim(self, backend: Backend, key: int) -> None:
        """Take the key's write lock. At the snapshot levels the first updater wins."""
        self._lock(backend, key)
        if backend.level.snapshot and key not in backend.written and key not in backend.forgiven:
            newest = self._newest(key).at
            if newest > backend.began:
                if not self._defects.strikes(bad.LOST_UPDATE, backend.form):
                    self._doom(backend, CONFLICT, f"key {key} was changed since the transaction began")
                backend.forgiven.add(key)

    def _lock(self, backend: Backend, key: int) -> None:
        until = None if self.lock_seconds is None else time.monotonic() + self.lock_seconds
        queue = self._queues.setdefault(key, [])
        queue.append(backend)
        try:
            self._await_lock(backend, key, queue, until)
        finally:
            queue.remove(backend)
            if queue:
                self.turn.notify_all()
        self._owners[key] = backend

    def _await_lock(self, backend: Backend, key: int, queue: list[Backend], until: float | None) -> None:
        while self._owners.get(key, backend) is not backend or (
            key not in self._owners and queue[0] is not backend
        ):
            if self._deadlocks(backend, key):
                self._doom(backend, DEADLOCK, f"waiting for key {key} would never end")
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                self._doom(backend, TIMED_OUT, f"timed out waiting for the lock of key {key}")
            backend.waits_for = key
            self.turn.wait(left)
            backend.waits_for = None
            if backend.gone:
                raise lost(Outcome.FAIL)
            if backend.stopped:
                backend.stopped = ""
                self._doom(backend, CANCELLED, f"cancelled while waiting for key {key}")

    def _deadlocks(self, backend: Backend, key: int) -> bool:
        owner = self._owners.get(key)
        while owner is not None and owner is not backend:
            owner = None if owner.waits_for is None else self._owners.get(owner.waits_for)
        return owner is backend

    # -- versions -----------------------------------------------------------------------------

    def _newest(self, key: int) -> Version:
        versions = self._versions.get(key)
        return versions[-1] if versions else self._absent

    def _visible(self, backend: Backend, versions: list[Version]) -> int:
        """The index of the version that it sees, -1 if none."""
        place = len(versions) - 1
        if backend.level.snapshot:
            while place >= 0 and (versions[place].at > backend.began or versions[place].at in backend.hidden):
                place -= 1
        return place

    def _due(self, backend: Backend, versions: list[Version]) -> Version:
        """The version that it should see, disregarding defects."""
        for version in reversed(versions):
            if not backend.level.snapshot or version.at <= backend.began:
                return version
        return self._absent

    def _base(self, backend: Backend, key: int) -> Version:
        """The version that a write builds on: the newest, since its lock is held."""
        newest = self._newest(key)
        saw = backend.read.get(key, backend.began)
        stale = newest.at > saw
        if stale and (
            key in backend.forgiven
            or (not backend.level.snapshot and self._defects.strikes(bad.LOST_UPDATE, backend.form))
        ):
            older = [version for version in self._versions[key] if version.at <= saw]
            return older[-1] if older else self._absent
        return newest

    def _validate(self, backend: Backend) -> None:
        for key, at in backend.read.items():
            if self._newest(key).at != at and key not in backend.forgiven:
                self._doom(backend, CONFLICT, f"key {key} was changed since the transaction read it")

    def _install(self, key: int, version: Version) -> None:
        versions = self._versions.setdefault(key, [])
        versions.append(version)
        if len(versions) > _KEPT:
            oldest = min(
                (each.began for each in self.backends if each.open and each.level.snapshot),
                default=self._commits,
            )
            seen = sum(each.at <= oldest for each in versions)
            del versions[: max(0, seen - 2)]  # one more than can be seen, for stale reads

    # -- defects ------------------------------------------------------------------------------

    def _hidden(self) -> frozenset[int]:
        """The commits that a new snapshot lacks."""
        recent = min(self._commits, _RECENT)
        if recent < 2 or not self._defects.strikes(bad.NON_MONOTONIC_SNAPSHOT):
            return frozenset()
        return frozenset({self._commits - 1 - self._defects.one_of(bad.NON_MONOTONIC_SNAPSHOT, recent - 1)})

    def _lose_versions(self, backend: Backend) -> None:
        """Lose committed versions that this transaction read; its own appends are kept."""
        for key, at in backend.read.items():
            newest, own = self._newest(key), backend.written.get(key)
            if newest.at != at or not newest.value or self._owners.get(key, backend) is not backend:
                continue
            if isinstance(own, int) or not self._defects.strikes(bad.LOST_COMMITTED_WRITE, backend.form):
                continue  # overwriting a register at the same time loses nothing
            self._versions[key].pop()
            before = self._newest(key).value
            if isinstance(own, tuple) and isinstance(newest.value, tuple) and isinstance(before, tuple):
                backend.written[key] = (*before, *own[len(newest.value) :])
