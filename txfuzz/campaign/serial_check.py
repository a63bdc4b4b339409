"""Checks, before a database is blamed, that the workload's own SQL does what its micro-operations say.

Run by a single client, one transaction after another, correct SQL shows no anomalies on any database. If it
does show some, the finding says nothing about isolation: a statement, a trigger or a function does
something other than what `elle` declares.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path

from txfuzz.analysis.analyze import analyze_history
from txfuzz.analysis.elle import ElleAnalyzer
from txfuzz.analysis.result import AnalysisResult, Verdict
from txfuzz.campaign.events import Subscriber, Warned
from txfuzz.campaign.setup.resolve import Assembled
from txfuzz.common.sentences import listed
from txfuzz.database.api import Database
from txfuzz.errors import TxfuzzError
from txfuzz.execution.run import execute
from txfuzz.history.reader import read_history
from txfuzz.report.verdict import against
from txfuzz.workload.model import Scheduling, Workload

_TRANSACTIONS = 300
_SECONDS = 5.0


def check_in_series(
    assembled: Assembled,
    result: AnalysisResult,
    workload: Workload,
    database: Database | None,
    publish: Subscriber,
) -> Assembled:
    """`assembled`, marked as wrong in series if `result` would blame the database for the workload's own SQL.

    workload: that of the iteration. database: the one it ran on; None if our own clients did not run it.
    """
    raw = any(step.sql is not None for each in workload.transactions for step in each.steps)
    if database is None or not raw or not against(result, assembled.answers_for):
        return assembled
    types = anomalies_in_series(workload, database, assembled.isolation)
    if not types:
        return assembled
    shown = f"even one after another, its transactions show {listed(types)}"
    doubtful = replace(assembled, wrong_in_series=f"{shown}: its SQL does not do what `elle` declares")
    for sentence in doubtful.disclaimers:
        publish(Warned(sentence))
    return doubtful


def anomalies_in_series(workload: Workload, database: Database, isolation: str) -> tuple[str, ...]:
    """The types of anomalies that a single client shows on unused keys; none if the run fails."""
    alone = replace(workload, scheduling=Scheduling(1, _TRANSACTIONS), faults=(), init_schema=False)
    with tempfile.TemporaryDirectory(prefix="txfuzz-series-") as directory:
        path = Path(directory) / "history.edn"
        try:
            execute(
                alone, database, path, isolation=isolation, fresh=False, until=time.monotonic() + _SECONDS
            )
        except TxfuzzError:
            return ()
        history = read_history(path)
        analyzers = [ElleAnalyzer(max_near_cycles=0)]
        result = analyze_history(history, "strict-serializable", analyzers=analyzers)
    return result.anomaly_types if result.verdict is Verdict.INVALID else ()
