"""txfuzz tests whether a database really provides the isolation level it promises.

The public API. Each name is imported when it is first used, so that `import txfuzz` is quick.
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
    from txfuzz.campaign.check.concurrently import ConcurrencyFailure, ConcurrencyResult, concurrently
    from txfuzz.campaign.loop import run_campaign
    from txfuzz.campaign.setup.settings import CampaignSettings
    from txfuzz.campaign.setup.workload_files import read_workload, write_workload
    from txfuzz.check.code.decorators import invariant, setup, transaction
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
    from txfuzz.feedback.contract import Adjustment, FeedbackResult, Heuristic, Proposal, Situation, Strategy
    from txfuzz.history.in_memory import as_history
    from txfuzz.history.model import History
    from txfuzz.history.reader import read_history
    from txfuzz.history.writer import write_history
    from txfuzz.plugin.hookspecs import hookimpl
    from txfuzz.report.campaign_result import CampaignResult
    from txfuzz.workload.model import Workload
    from txfuzz.workload.template import Template

_NAMES = {
    "txfuzz.analysis.analyze": ("analyze_history",),
    "txfuzz.analysis.contract": ("Analyzer", "Part"),
    "txfuzz.analysis.describe": ("transaction_view",),
    "txfuzz.analysis.networkx_graph": ("dependency_graph",),
    "txfuzz.analysis.result": ("AnalysisResult", "Anomaly", "Edge", "NearCycle", "Verdict"),
    "txfuzz.campaign.check.concurrently": ("ConcurrencyFailure", "ConcurrencyResult", "concurrently"),
    "txfuzz.campaign.loop": ("run_campaign",),
    "txfuzz.campaign.setup.settings": ("CampaignSettings",),
    "txfuzz.campaign.setup.workload_files": ("read_workload", "write_workload"),
    "txfuzz.check.code.decorators": ("invariant", "setup", "transaction"),
    "txfuzz.common.kind": ("Kind",),
    "txfuzz.common.options": ("option",),
    "txfuzz.database.api": (
        "Adapter",
        "BoundStep",
        "Capabilities",
        "Database",
        "Outcome",
        "Session",
        "SessionError",
    ),
    "txfuzz.database.faults": ("Fault", "Injectable"),
    "txfuzz.errors": (
        "DatabaseUnavailable",
        "HistoryError",
        "OutputError",
        "TxfuzzError",
        "UsageError",
        "WorkloadError",
    ),
    "txfuzz.feedback.adjustments": ("apply",),
    "txfuzz.feedback.contract": (
        "Adjustment",
        "FeedbackResult",
        "Heuristic",
        "Proposal",
        "Situation",
        "Strategy",
    ),
    "txfuzz.history.in_memory": ("as_history",),
    "txfuzz.history.model": ("History",),
    "txfuzz.history.reader": ("read_history",),
    "txfuzz.history.writer": ("write_history",),
    "txfuzz.plugin.hookspecs": ("hookimpl",),
    "txfuzz.report.campaign_result": ("CampaignResult",),
    "txfuzz.workload.model": ("Workload",),
    "txfuzz.workload.template": ("Template",),
}
_HOME = {name: module for module, names in _NAMES.items() for name in names}

__all__ = [
    "Adapter", "Adjustment", "AnalysisResult", "Analyzer", "Anomaly", "BoundStep", "CampaignResult",
    "CampaignSettings", "Capabilities", "ConcurrencyFailure", "ConcurrencyResult", "Database",
    "DatabaseUnavailable", "Edge", "Fault", "FeedbackResult", "Heuristic", "History", "HistoryError",
    "Injectable", "Kind", "NearCycle", "Outcome", "OutputError", "Part", "Proposal", "Session",
    "SessionError", "Situation", "Strategy", "Template", "TxfuzzError", "UsageError", "Verdict", "Workload",
    "WorkloadError", "analyze_history", "apply", "as_history", "concurrently", "dependency_graph", "hookimpl",
    "invariant", "option", "read_history", "read_workload", "run_campaign", "setup", "transaction",
    "transaction_view", "write_history", "write_workload",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'txfuzz' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
