"""txfuzz asks a database whether it really gives the isolation level that it promises.

The public API on one screen; each name is imported when it is first used, so that
`import txfuzz` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from txfuzz.common.version import __version__ as __version__

if TYPE_CHECKING:
    from txfuzz.analysis.analyze import analyze_history
    from txfuzz.analysis.contract import Analyzer, Part
    from txfuzz.analysis.describe import transaction_view
    from txfuzz.analysis.networkx_graph import dependency_graph
    from txfuzz.analysis.result import AnalysisResult, Anomaly, Edge, NearCycle, Verdict
    from txfuzz.campaign.loop import run_campaign
    from txfuzz.campaign.setup.settings import CampaignSettings
    from txfuzz.campaign.setup.workload_files import read_workload, write_workload
    from txfuzz.common.kind import Kind
    from txfuzz.common.options import option
    from txfuzz.database.api import (
        Adapter,
        BoundStep,
        Capabilities,
        Database,
        Outcome,
        Session,
        SessionError,
    )
    from txfuzz.database.faults import Fault, Injectable
    from txfuzz.errors import (
        DatabaseUnavailable,
        HistoryError,
        OutputError,
        TxfuzzError,
        UsageError,
        WorkloadError,
    )
    from txfuzz.feedback.adjustments import apply
    from txfuzz.feedback.contract import Adjustment, FeedbackResult, Heuristic
    from txfuzz.history.in_memory import as_history
    from txfuzz.history.model import History
    from txfuzz.history.reader import read_history
    from txfuzz.history.writer import write_history
    from txfuzz.plugin.hookspecs import hookimpl
    from txfuzz.report.campaign_result import CampaignResult
    from txfuzz.workload.model import Workload
    from txfuzz.workload.template import Template

_HOME = {
    "Adapter": "txfuzz.database.api",
    "Adjustment": "txfuzz.feedback.contract",
    "AnalysisResult": "txfuzz.analysis.result",
    "Analyzer": "txfuzz.analysis.contract",
    "Anomaly": "txfuzz.analysis.result",
    "BoundStep": "txfuzz.database.api",
    "CampaignResult": "txfuzz.report.campaign_result",
    "CampaignSettings": "txfuzz.campaign.setup.settings",
    "Capabilities": "txfuzz.database.api",
    "Database": "txfuzz.database.api",
    "DatabaseUnavailable": "txfuzz.errors",
    "Edge": "txfuzz.analysis.result",
    "Fault": "txfuzz.database.faults",
    "FeedbackResult": "txfuzz.feedback.contract",
    "Heuristic": "txfuzz.feedback.contract",
    "History": "txfuzz.history.model",
    "HistoryError": "txfuzz.errors",
    "Injectable": "txfuzz.database.faults",
    "Kind": "txfuzz.common.kind",
    "NearCycle": "txfuzz.analysis.result",
    "Outcome": "txfuzz.database.api",
    "OutputError": "txfuzz.errors",
    "Part": "txfuzz.analysis.contract",
    "Session": "txfuzz.database.api",
    "SessionError": "txfuzz.database.api",
    "Template": "txfuzz.workload.template",
    "TxfuzzError": "txfuzz.errors",
    "UsageError": "txfuzz.errors",
    "Verdict": "txfuzz.analysis.result",
    "Workload": "txfuzz.workload.model",
    "WorkloadError": "txfuzz.errors",
    "analyze_history": "txfuzz.analysis.analyze",
    "as_history": "txfuzz.history.in_memory",
    "apply": "txfuzz.feedback.adjustments",
    "dependency_graph": "txfuzz.analysis.networkx_graph",
    "hookimpl": "txfuzz.plugin.hookspecs",
    "option": "txfuzz.common.options",
    "read_history": "txfuzz.history.reader",
    "read_workload": "txfuzz.campaign.setup.workload_files",
    "run_campaign": "txfuzz.campaign.loop",
    "transaction_view": "txfuzz.analysis.describe",
    "write_history": "txfuzz.history.writer",
    "write_workload": "txfuzz.campaign.setup.workload_files",
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


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'txfuzz' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
