"""The near-cycle that a strategy pursues, how it can be directed, and what came of it."""

from __future__ import annotations

from dataclasses import replace

from txfuzz.analysis.contract import is_checker
from txfuzz.analysis.result import AnalysisResult, NearCycle
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
    near = result.near_cycles
    place = _pursued(setup, result)
    if place is None or not 0 < place < len(near):
        return result
    return replace(result, near_cycles=_first(near, place))


def directions_of(
    setup: CampaignSetup, result: AnalysisResult, history: History, workload: Workload, *, only_first: bool
) -> tuple[Direction | None, ...]:
    """How each near-cycle, or only the first, can be directed; none if the strategy pursues none, or none of
    our sessions could play them.

    only_first: nothing either if the strategy leaves the first one alone.
    """
    strategy = setup.assembled.strategy
    if setup.maker.database is None or not isinstance(strategy, Pursuing) or not result.near_cycles:
        return ()
    if only_first and strategy.pursued(result.near_cycles[:1]) is None:
        return ()
    near = result.near_cycles[:1] if only_first else result.near_cycles
    return tuple(direct(each, history, workload, setup.assembled.promised) for each in near)


def settled(
    setup: CampaignSetup, result: AnalysisResult, directions: tuple[Direction | None, ...]
) -> tuple[AnalysisResult, tuple[Direction | None, ...]]:
    """`pursued_first`, with the direction of that near-cycle alone, by those of all."""
    place = _pursued(setup, result)
    if place is None or not 0 <= place < len(directions):
        return result, ()
    near = _first(result.near_cycles, place) if place else result.near_cycles
    return replace(result, near_cycles=near), (directions[place],)


def _pursued(setup: CampaignSetup, result: AnalysisResult) -> int | None:
    strategy = setup.assembled.strategy
    if not isinstance(strategy, Pursuing) or not result.near_cycles:
        return None
    return strategy.pursued(result.near_cycles)


def _first(near: tuple[NearCycle, ...], place: int) -> tuple[NearCycle, ...]:
    return (near[place], *near[:place], *near[place + 1 :])


def directed_outcomes(
    setup: CampaignSetup, history: History, workload: Workload, execution: ExecutionSummary | None
) -> tuple[DirectedOutcome, ...]:
    """What came of the workload's directed schedules."""
    options = next((each.version_options for each in setup.assembled.analyzers if is_checker(each)), None)
    return outcomes(history, workload, execution, options)
