"""A database in memory. "locked" runs one transaction at a time, "dirty" isolates nothing."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import ClassVar

from txfuzz import Capabilities, Outcome, SessionError, TxfuzzError


@dataclass(frozen=True)
class DictionaryAdapter:
    """Lists and registers in a dictionary."""

    name: ClassVar[str] = "dictionary"
    about: ClassVar[str] = "a dictionary behind a lock"

    fail_every: int = field(
        default=0, metadata={"help": "every so many commits fail; 0 for none", "least": 0}
    )
    lose_every: int = field(
        default=0, metadata={"help": "every so many commits lose the connection", "least": 0}
    )
    refuse: str = field(default="", metadata={"help": "a key that no statement may touch"})
    down: bool = field(default=False, metadata={"help": "nobody can connect"})

    def capabilities(self):
        return Capabilities(
            isolation={"dirty": "read-uncommitted", "locked": "strict-serializable"},
            default_isolation="locked",
        )

    def open(self, url):
        return DictionaryDatabase(self)


class DictionaryDatabase:
    def __init__(self, adapter):
        self.adapter = adapter
        self.rows = {}
        self.commits = 0
        self.sessions = 0
        self.lock = threading.Lock()
        self.counting = threading.Lock()
        self.closed = False

    def describe(self):
        return {"product": "dictionary", "version": "1"}

    def warnings(self):
        return ()

    def prepare(self, kind, *, fresh):
        if fresh:
            self.rows.clear()
        return max(self.rows, default=0)

    def insert_rows(self, kind, keys):
        for key in keys:
            self.rows[key] = ()

    def session(self, kind):
        if self.adapter.down:
            raise Unreachable("nobody is there")
        with self.counting:
            self.sessions += 1
        return DictionarySession(self)

    def close(self):
        self.closed = True

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.close()


class Unreachable(TxfuzzError):
    exit_code = 4


class DictionarySession:
    def __init__(self, database):
        self.database = database
        self.held = False
        self.undo = []

    def begin(self, isolation):
        self.undo = []
        time.sleep(1e-5)  # as long as a database's answer would take: the other clients get their turn
        if isolation == "locked":
            self.database.lock.acquire()
            self.held = True

    def execute(self, step):
        if step.key is not None and str(step.key) == self.database.adapter.refuse:
            raise SessionError(Outcome.BUG, "X42", f"no such\n  key as {step.key}")
        rows = self.database.rows
        if step.f == "r":
            return rows.get(step.key, ())
        before = rows.get(step.key)
        self.undo.append((step.key, before))
        rows[step.key] = (*(before or ()), step.value) if step.f == "append" else step.value
        return None

    def commit(self):
        adapter = self.database.adapter
        with self.database.counting:
            self.database.commits += 1
            number = self.database.commits
        if adapter.lose_every and number % adapter.lose_every == 0:
            self.let_go()
            raise SessionError(Outcome.INFO, "X08", "the connection is gone", lost=True)
        if adapter.fail_every and number % adapter.fail_every == 0:
            raise SessionError(Outcome.FAIL, "X40", "not this time")
        self.let_go()

    def rollback(self):
        for key, before in reversed(self.undo):
            if before is None:
                self.database.rows.pop(key, None)
            else:
                self.database.rows[key] = before
        self.let_go()

    def let_go(self):
        self.undo = []
        if self.held:
            self.held = False
            self.database.lock.release()

    def cancel(self):
        pass

    def close(self):
        self.let_go()
