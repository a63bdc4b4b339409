"""The near-cycle that a strategy pursues, how it can be directed, and what came of it."""

from __future__ import annotations

from dataclasses import replace

from txfuzz.analysis.contract import is_checker
from txfuzz.analysis.result import AnalysisResult
from txfuzz.campaign.setup.campaign_setup import CampaignSetup
from txfuzz.execution.summary import ExecutionSummary
from txfuzz.feedback.contract import Pursuing
from txfuzz.feedback.directed.direction import DirectedOutcome, Direction
from txfuzz.history.model import History
from txfuzz.replay.directed.direct import direct
from txfuzz.replay.directed.outcomes import outcomes
from txfuzz.workload.model import Workload


def pursued_first(setup: CampaignSetup, result: AnalysisResult) -> AnalysisResult:
    """The result with the near-cycle that the strategy pursues at the head of its near-cycles, where pictures
    and notes look for it."""
    strategy, near = setup.assembled.strategy, result.near_cycles
    if not isinstance(strategy, Pursuing) or not near:
        return result
    place = strategy.pursued(near)
    if place is None or not 0 < place < len(near):
        return result
    return replace(result, near_cycles=(near[place], *near[:place], *near[place + 1 :]))


def direction_of(
    setup: CampaignSetup, result: AnalysisResult, history: History, workload: Workload
) -> Direction | None:
    """How the first near-cycle can be directed; None if the strategy pursues none, or none of our sessions
    could play it."""
    strategy = setup.assembled.strategy
    if setup.maker.database is None or not isinstance(strategy, Pursuing) or not result.near_cycles:
        return None
    if strategy.pursued(result.near_cycles[:1]) is None:
        return None
    return direct(result.near_cycles[0], history, workload, setup.assembled.promised)


def directed_outcomes(
    setup: CampaignSetup, history: History, workload: Workload, execution: ExecutionSummary | None
) -> tuple[DirectedOutcome, ...]:
    """What came of the workload's directed schedules."""
    options = next((each.version_options for each in setup.assembled.analyzers if is_checker(each)), None)
    return outcomes(history, workload, execution, options)
