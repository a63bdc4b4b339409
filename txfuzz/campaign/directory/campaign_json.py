"""campaign.json: everything that is needed to understand a campaign, and to run it again."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any

from txfuzz.campaign.results import CampaignResult, IterationOutcome
from txfuzz.campaign.setup.resolve import Assembled
from txfuzz.campaign.setup.settings import CampaignSettings
from txfuzz.common.version import __version__
from txfuzz.execution.summary import counted
from txfuzz.plugin.registry import Registry


def campaign_data(
    state: str,
    result: CampaignResult,
    settings: CampaignSettings,
    assembled: Assembled,
    registry: Registry,
    database: Mapping[str, str],
) -> dict[str, Any]:
    """state: "running", "ended", "interrupted" or "failed: why"."""
    return {
        "state": state,
        "verdict": result.verdict.value,
        "found": result.found,
        "workload": assembled.workload.name,
        "isolation": result.isolation,
        "expect": assembled.expect,
        "promised": assembled.promised,
        "answers_for": result.answers_for,
        "seed": assembled.workload.seed,
        "arguments": settings.as_data(),
        "adapter": assembled.workload.database.adapter,
        "analyzers": [analyzer.name for analyzer in assembled.analyzers],
        "heuristics": [] if settings.open_loop else [each.name for each in assembled.heuristics],
        "database": dict(database),
        "cautions": list(result.cautions),
        "versions": {"txfuzz": __version__, "python": platform.python_version()},
        "plugins": [
            {"name": plugin.name, "distribution": plugin.distribution, "version": plugin.version}
            for plugin in registry.plugins
        ],
        "problems": [str(problem) for problem in registry.problems],
        "iterations": [_iteration(each) for each in result.iterations],
    }


def _iteration(outcome: IterationOutcome) -> dict[str, Any]:
    result, telling = outcome.result, outcome.telling
    return {
        "iteration": outcome.number,
        "verdict": telling.verdict.value,
        "reason": telling.reason,
        "anomaly_types": list(telling.anomaly_types),
        "by_replay": outcome.by_replay,
        "transactions": result.transactions,
        "committed": result.committed,
        "near_cycles": result.near_cycles_counted,
        "faults": counted(outcome.execution.faults) if outcome.execution else {},
        "decisions": [{"heuristic": each.heuristic, "target": each.target} for each in outcome.decisions],
    }
