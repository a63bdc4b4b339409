"""txfuzz asks a database whether it really gives the isolation level that it promises.

The public API on one screen; each name is imported when it is first used, so that
`import txfuzz` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from txfuzz.analysis.analyze import analyze_history
    from txfuzz.analysis.contract import Analyzer, Part
    from txfuzz.analysis.graphs import dependency_graph
    from txfuzz.analysis.result import AnalysisResult, Anomaly, Edge, NearCycle, Verdict
    from txfuzz.analysis.wording import transaction_view
    from txfuzz.campaign.loop import run_campaign
    from txfuzz.campaign.outcome import CampaignResult
    from txfuzz.campaign.settings import CampaignSettings
    from txfuzz.campaign.workload_files import read_workload, write_workload
    from txfuzz.database.faults import Fault, Injectable
    from txfuzz.database.port import (
        Adapter,
        BoundStep,
        Capabilities,
        Database,
        Outcome,
        Session,
        SessionError,
    )
    from txfuzz.errors import (
        DatabaseUnavailable,
        HistoryError,
        OutputError,
        TxfuzzError,
        UsageError,
        WorkloadError,
    )
    from txfuzz.feedback.adjusting import apply
    from txfuzz.feedback.contract import Adjustment, FeedbackResult, Heuristic
    from txfuzz.history.inmemory import as_history
    from txfuzz.history.model import History
    from txfuzz.history.reading import read_history
    from txfuzz.history.writing import write_history
    from txfuzz.kind import Kind
    from txfuzz.options import option
    from txfuzz.plugin.markers import hookimpl
    from txfuzz.workload.model import Workload
    from txfuzz.workload.template import Template

_HOME = {
    "Adapter": "txfuzz.database.port",
    "Adjustment": "txfuzz.feedback.contract",
    "AnalysisResult": "txfuzz.analysis.result",
    "Analyzer": "txfuzz.analysis.contract",
    "Anomaly": "txfuzz.analysis.result",
    "BoundStep": "txfuzz.database.port",
    "CampaignResult": "txfuzz.campaign.outcome",
    "CampaignSettings": "txfuzz.campaign.settings",
    "Capabilities": "txfuzz.database.port",
    "Database": "txfuzz.database.port",
    "DatabaseUnavailable": "txfuzz.errors",
    "Edge": "txfuzz.analysis.result",
    "Fault": "txfuzz.database.faults",
    "FeedbackResult": "txfuzz.feedback.contract",
    "Heuristic": "txfuzz.feedback.contract",
    "History": "txfuzz.history.model",
    "HistoryError": "txfuzz.errors",
    "Injectable": "txfuzz.database.faults",
    "Kind": "txfuzz.kind",
    "NearCycle": "txfuzz.analysis.result",
    "Outcome": "txfuzz.database.port",
    "OutputError": "txfuzz.errors",
    "Part": "txfuzz.analysis.contract",
    "Session": "txfuzz.database.port",
    "SessionError": "txfuzz.database.port",
    "Template": "txfuzz.workload.template",
    "TxfuzzError": "txfuzz.errors",
    "UsageError": "txfuzz.errors",
    "Verdict": "txfuzz.analysis.result",
    "Workload": "txfuzz.workload.model",
    "WorkloadError": "txfuzz.errors",
    "analyze_history": "txfuzz.analysis.analyze",
    "as_history": "txfuzz.history.inmemory",
    "apply": "txfuzz.feedback.adjusting",
    "dependency_graph": "txfuzz.analysis.graphs",
    "hookimpl": "txfuzz.plugin.markers",
    "option": "txfuzz.options",
    "read_history": "txfuzz.history.reading",
    "read_workload": "txfuzz.campaign.workload_files",
    "run_campaign": "txfuzz.campaign.loop",
    "transaction_view": "txfuzz.analysis.wording",
    "write_history": "txfuzz.history.writing",
    "write_workload": "txfuzz.campaign.workload_files",
}

__all__ = [
    "Adapter",
    "Adjustment",
    "AnalysisResult",
    "Analyzer",
    "Anomaly",
    "BoundStep",
    "CampaignResult",
    "CampaignSettings",
    "Capabilities",
    "Database",
    "DatabaseUnavailable",
    "Edge",
    "Fault",
    "FeedbackResult",
    "Heuristic",
    "History",
    "HistoryError",
    "Injectable",
    "Kind",
    "NearCycle",
    "Outcome",
    "OutputError",
    "Part",
    "Session",
    "SessionError",
    "Template",
    "TxfuzzError",
    "UsageError",
    "Verdict",
    "Workload",
    "WorkloadError",
    "analyze_history",
    "apply",
    "as_history",
    "dependency_graph",
    "hookimpl",
    "option",
    "read_history",
    "read_workload",
    "run_campaign",
    "transaction_view",
    "write_history",
    "write_workload",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'txfuzz' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
