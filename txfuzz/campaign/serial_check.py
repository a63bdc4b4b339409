"""Before a database is blamed: does the workload's own SQL do what its micro-operations say?

Run by one client, one transaction after the other, it makes a history without anomalies on any database.
Where it does not, what was found says nothing about isolation: a statement does something else than `elle`
says, or a trigger or a function does it.
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
    """The same; with the reason why nobody is blamed, where `result` would blame the database wrongly.

    workload: that of the iteration. database: on which it ran; None where it was not ours.
    """
    raw = any(step.sql is not None for each in workload.transactions for step in each.steps)
    if database is None or not raw or not against(result, assembled.answers_for):
        return assembled
    types = anomalies_in_series(workload, database, assembled.isolation)
    if not types:
        return assembled
    shown = f"one after the other, its transactions show {listed(types)}"
    doubtful = replace(assembled, wrong_in_series=f"{shown}: its SQL does other things than `elle` says")
    for sentence in doubtful.disclaimers:
        publish(Warned(sentence))
    return doubtful


def anomalies_in_series(workload: Workload, database: Database, isolation: str) -> tuple[str, ...]:
    """The types of anomalies that one client meets on keys of its own; none where the run fails."""
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
        judges = [ElleAnalyzer(max_near_cycles=0)]
        result = analyze_history(history, "strict-serializable", analyzers=judges)
    return result.anomaly_types if result.verdict is Verdict.INVALID else ()
