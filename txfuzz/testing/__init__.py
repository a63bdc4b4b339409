"""The plugin author's kit: an in-memory database with optional defects, and conformance tests.

Names are imported on first use. The conformance classes need pytest, which txfuzz does not
require; MemoryAdapter does not.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from txfuzz.testing.adapters.conformance import AdapterConformance
    from txfuzz.testing.adapters.endpoints import EndpointConformance
    from txfuzz.testing.adapters.scenarios import ScenarioConformance
    from txfuzz.testing.analyzers import AnalyzerConformance
    from txfuzz.testing.faults import FaultConformance
    from txfuzz.testing.feedback.heuristics import HeuristicConformance
    from txfuzz.testing.feedback.mutators import MutatorConformance
    from txfuzz.testing.feedback.strategies import StrategyConformance
    from txfuzz.testing.forms import FormConformance
    from txfuzz.testing.memory.adapter import MemoryAdapter
    from txfuzz.testing.templates import TemplateConformance

_HOME = {
    "AdapterConformance": "txfuzz.testing.adapters.conformance",
    "AnalyzerConformance": "txfuzz.testing.analyzers",
    "EndpointConformance": "txfuzz.testing.adapters.endpoints",
    "FaultConformance": "txfuzz.testing.faults",
    "FormConformance": "txfuzz.testing.forms",
    "HeuristicConformance": "txfuzz.testing.feedback.heuristics",
    "MemoryAdapter": "txfuzz.testing.memory.adapter",
    "MutatorConformance": "txfuzz.testing.feedback.mutators",
    "ScenarioConformance": "txfuzz.testing.adapters.scenarios",
    "StrategyConformance": "txfuzz.testing.feedback.strategies",
    "TemplateConformance": "txfuzz.testing.templates",
}

__all__ = [
    "AdapterConformance",
    "AnalyzerConformance",
    "EndpointConformance",
    "FaultConformance",
    "FormConformance",
    "HeuristicConformance",
    "MemoryAdapter",
    "MutatorConformance",
    "ScenarioConformance",
    "StrategyConformance",
    "TemplateConformance",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'txfuzz.testing' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
