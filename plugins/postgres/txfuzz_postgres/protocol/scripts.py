"""Statements that are run together after every schedule."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

from .plans import KeptPlans, results

_LATE = frozenset({"57014", "55P03"})  # statement_timeout and lock_timeout


class Scripts:
    """pgconn: in autocommit. All methods raise psycopg.Error, and leave no transaction open."""

    def __init__(self, pgconn: PGconn) -> None:
        self._pgconn, self._plans = pgconn, KeptPlans(pgconn)

    def run(self, statements: Sequence[str]) -> list[PGresult]:
        """The result of each. What a plan that was kept is refused for (its table has got another column
        since) is asked again as it stands."""
        plans, pgconn = self._plans, self._pgconn
        names = list(map(plans.name, statements))
        if None in names:
            plans.make(statements)
            names = list(map(plans.name, statements))
        if None in names:
            return self.run_plain(statements)
        pgconn.enter_pipeline_mode()
        for name in names:
            pgconn.send_query_prepared(name or b"", None)
        pgconn.pipeline_sync()
        came, failed = results(pgconn)
        pgconn.exit_pipeline_mode()
        if failed is None:
            return came
        self._roll_back()
        error = psycopg.errors.error_from_result(failed, encoding="utf-8")
        if error.sqlstate in _LATE:  # it would only be late once more
            raise error
        return self.run_plain(statements)

    def run_plain(self, statements: Sequence[str]) -> list[PGresult]:
        """The same, each of them parsed and planned now."""
        pgconn, found, failed = self._pgconn, [], None
        pgconn.send_query("; ".join(statements).encode())
        while (result := pgconn.get_result()) is not None:  # up to the end, also behind an error
            if result.status == ExecStatus.FATAL_ERROR:
                failed = failed or psycopg.errors.error_from_result(result, encoding="utf-8")
            else:
                found.append(result)
        if failed is not None:
            self._roll_back()
            raise failed
        return found

    def _roll_back(self) -> None:
        if self._pgconn.transaction_status == TransactionStatus.INERROR:
            self._pgconn.exec_(b"ROLLBACK")
