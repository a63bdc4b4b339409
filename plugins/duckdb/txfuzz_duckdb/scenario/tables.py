"""Tables that the user designed, in a database of ours; see txfuzz.plugin_api.ScenarioTables."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import duckdb

from txfuzz.plugin_api import (
    AdoptedSession,
    Closeable,
    ColumnFacts,
    Rows,
    ScenarioSession,
    UsageError,
    run_setup,
)

from ..codes import RETRIED, session_error
from ..files import DatabaseFile, new_database_file
from ..options import MEMORY, DuckdbOptions
from ..statements import run
from .schema import quoted, read_facts, read_tables
from .sessions import DuckdbScenarioSession

Result = TypeVar("Result")
LIVE, KEPT = "txfuzz_live", "txfuzz_kept"  # databases that are attached under these names
_NO_CODE = "DuckDB's tables of a check are in memory of this process: other code cannot connect to them"


class DuckdbScenario(Closeable):
    """Made by DuckdbDatabase.scenario(), in an instance of its own.

    What is to be restored is in one database, what transactions see in another, which is replaced by a copy
    before each attempt: rows, indexes, sequences and all.
    """

    retried = RETRIED
    constraints = frozenset({"ConstraintException"})

    def __init__(self, options: DuckdbOptions, setup: Sequence[str]) -> None:
        self._file: DatabaseFile | None = None
        if options.storage != MEMORY:
            self._file = new_database_file(options.storage)
        self._number = 0  # of the file that holds the tables now
        self._lock = threading.Lock()  # the control connection is asked by several threads
        # The one that attaches must not use what it attaches: that could not be replaced.
        self._attacher = duckdb.connect(":memory:", config=dict(options.settings))
        self._control = self._attacher.cursor()
        try:
            self._attach()
            self._control.execute(f"USE {LIVE}")
            run_setup(setup, lambda each: self._checked(lambda: run(self._control, each)))
            self.keep()
        except BaseException:
            self.close()
            raise

    def _attach(self) -> None:
        where = ":memory:"
        if self._file is not None and self._file.path is not None:
            self._remove_file()
            self._number += 1
            where = str(self._file_now())
        self._replace(LIVE, where)

    def _replace(self, name: str, where: str) -> None:
        self._attacher.execute(f"DETACH DATABASE IF EXISTS {name}")
        self._attacher.execute(f"ATTACH '{where}' AS {name}")

    def _file_now(self) -> Any:
        assert self._file is not None
        assert self._file.path is not None
        return self._file.path.with_name(f"scenario_{self._number}.duckdb")

    def _remove_file(self) -> None:
        """It stays open until another one has taken its place, which a file without a name can do."""
        if self._file is not None and self._number:
            for suffix in ("", ".wal"):
                with suppress(FileNotFoundError):
                    path = self._file_now()
                    path.with_name(path.name + suffix).unlink()

    def close(self) -> None:
        self._control.close()
        self._attacher.close()
        if self._file is not None:
            self._remove_file()
            self._file.close()

    def facts(self) -> ColumnFacts:
        return self._facts

    def url(self) -> str:
        raise UsageError(_NO_CODE)

    def adopt(self, connection: Any) -> AdoptedSession:
        raise UsageError(_NO_CODE)

    # -- rows ---------------------------------------------------------------------------------

    def keep(self) -> None:
        self._checked(self._keep)

    def _keep(self) -> None:
        self._replace(KEPT, ":memory:")
        self._attacher.execute(f"COPY FROM DATABASE {LIVE} TO {KEPT}")
        self._shown = read_tables(self._control)
        self._facts = read_facts(self._control)

    def reset(self) -> None:
        self._checked(self._restore)

    def _restore(self) -> None:
        self._attach()
        self._attacher.execute(f"COPY FROM DATABASE {KEPT} TO {LIVE}")

    def tables(self) -> Mapping[str, Rows]:
        return {
            table: self.query(f"SELECT {', '.join(map(quoted, columns))} FROM {quoted(table)}")
            for table, columns in self._shown.items()
        }

    def query(self, sql: str) -> Rows:
        found, _ = self._checked(lambda: run(self._control, sql))
        return Rows(found.columns, tuple(found.rows))

    def _checked(self, work: Callable[[], Result]) -> Result:
        with self._lock:
            try:
                return work()
            except duckdb.Error as error:
                raise session_error(error) from None

    # -- sessions -----------------------------------------------------------------------------

    def session(self) -> DuckdbScenarioSession:
        with self._lock:
            made = self._control.cursor()
        made.execute(f"USE {LIVE}")
        return DuckdbScenarioSession(made)

    def waiting(self, sessions: Sequence[ScenarioSession | AdoptedSession]) -> Mapping[int, frozenset[int]]:
        """Nobody waits for another transaction to end: DuckDB refuses instead."""
        return {}
