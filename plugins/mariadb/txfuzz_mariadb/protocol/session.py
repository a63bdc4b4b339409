"""The hot path: one connection, driven by one thread, one message per statement."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping

from txfuzz.plugin_api import (
    Outcome,
    SessionCodes,
    SessionError,
    SqlSession,
    StatementResult,
    Tables,
)

from ..options import MariadbOptions
from ..statements import ON_DUPLICATE, compile_raw, level, read_sql, write_sql
from .codes import DEADLOCK, NO_ROW, NOT_IN_TRANSACTION, SYNTAX_ERROR, UNDECLARED, WRONG_TYPE
from .connection import FAILURES, Link, session_error

# MySQL and late MariaDB call it transaction_isolation, early MariaDB tx_isolation.
_SHOW_LEVEL = "SHOW SESSION VARIABLES WHERE Variable_name IN ('tx_isolation', 'transaction_isolation')"


class MariadbSession(SqlSession):
    """One connection; see txfuzz.plugin_api.Session.

    kill: asks the server to cancel the statement of the connection with this number.
    """

    codes = SessionCodes(
        ended=str(DEADLOCK),
        not_allowed=NOT_IN_TRANSACTION,
        syntax=SYNTAX_ERROR,
        wrong_type=WRONG_TYPE,
        no_row=NO_ROW,
        unbound=UNDECLARED,
    )

    def __init__(
        self, link: Link, tables: Tables, options: MariadbOptions, kill: Callable[[int], bool]
    ) -> None:
        super().__init__(tables)
        self._link = link
        self._options = options
        self._kill = kill
        self._level = ""  # of the connection's next transaction
        self.reported_levels: set[str] = set()  # those that the server itself has confirmed
        self._begun = False  # the server may have a transaction open
        self._cut: int | None = None  # see cut_next_commit()
        self._cancelled = False
        self._guard = threading.Lock()  # cancel() comes from other threads, close() may be under way

    @property
    def number(self) -> int:
        """The server's id of this connection."""
        return self._link.thread_id

    @property
    def usable(self) -> bool:
        return self._link.open

    def begin(self, isolation: str, *, read_only: bool = False) -> None:
        self.require_closed()
        self._cancelled = False
        wanted = level(isolation)
        if wanted != self._level:
            self.run(f"SET SESSION TRANSACTION ISOLATION LEVEL {wanted.upper()}")
            self._level = wanted
            self._check_level()
        self._begun = True
        self.run("START TRANSACTION READ ONLY" if read_only else "START TRANSACTION")
        self._open = True

    def commit(self) -> None:
        self.require_open("COMMIT")
        self._open = False
        if self._raw_ran:
            self._check_level()
        self._before_commit()
        try:
            self._link.run("COMMIT")
        except FAILURES as error:
            raise session_error(self._link, error, committing=True) from None
        self._begun = False

    def rollback(self) -> None:
        self._open = False
        if self._begun and self._link.open:
            try:
                self._link.run("ROLLBACK")
            except FAILURES:
                self._link.close()  # which also ends the transaction; the next begin() will fail
        self._begun = False

    def cancel(self) -> None:
        """Ask the server to cancel; if that fails, or the second time, cut the connection."""
        with self._guard:
            if not self._link.open:
                return
            asked, self._cancelled = self._cancelled, True
            if asked or not self._kill(self.number):
                self._link.cut()

    def close(self) -> None:
        with self._guard, contextlib.suppress(*FAILURES):
            self._open = False
            self._link.close()

    # -- statements -----------------------------------------------------------------------

    compile_raw = staticmethod(compile_raw)

    @property
    def in_transaction(self) -> bool:
        return self._link.in_transaction

    def table(self, index: int) -> str:
        return super().table(index).replace("%", "%%")  # % starts a driver placeholder

    def read_sql(self, table: str, lock: str | None) -> str:
        return read_sql(table, lock, plan=self._options.plan)

    def write_sql(self, table: str) -> tuple[str, ...]:
        return write_sql(self._tables.kind, table, self._options.append)

    def form_sql(self, f: str, table: str, form: str, lock: str | None) -> tuple[str, ...]:
        if f == "r":
            return (read_sql(table, lock, form, plan=self._options.plan),)
        return write_sql(self._tables.kind, table, form)

    def most_changed(self, sql: str) -> int:
        """ON DUPLICATE KEY UPDATE counts an existing row twice."""
        return 2 if ON_DUPLICATE in sql else 1

    def run(self, sql: str, args: Mapping[str, int] | None = None) -> StatementResult:
        try:
            return self._link.run(sql, args)
        except FAILURES as error:
            raise session_error(self._link, error, committing=False) from None

    def _check_level(self) -> None:
        """Promises are checked at the level that the server itself reports for the session.

        A statement cannot change the level of an open transaction, only of later ones.
        """
        row = self.run(_SHOW_LEVEL).row
        said = "" if row is None else str(row[1]).replace("-", " ").lower()
        if said != self._level:
            message = f"the session runs at {said!r}, not at {self._level!r}"
            self._level = ""
            raise SessionError(Outcome.BUG, NOT_IN_TRANSACTION, message)
        self.reported_levels.add(self._level)

    def _before_commit(self) -> None:
        """Called just before COMMIT is sent."""
        if not self._link.open:
            raise SessionError(Outcome.FAIL, "2006", "the connection was lost before COMMIT", lost=True)
        how, self._cut = self._cut, None
        if how is not None:
            self._link.cut(how)

    def cut_next_commit(self, how: int) -> None:
        """See txfuzz.database.fault_injection.Cuttable."""
        self._cut = how
