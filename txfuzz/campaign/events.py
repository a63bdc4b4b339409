"""The events that a campaign publishes while it runs.

Screens, the files of the run directory and programs that use the library all subscribe to them. The order
is CampaignStarted, then, unless there is none, SmallScopeStarted, the stages of the small-scope search and
SmallScopeEnded, then for each iteration IterationStarted, its stages and IterationEnded, and finally
CampaignEnded or CampaignFailed. HistoryAnalysed comes in the middle of an iteration or of the search, as soon
as its history is judged. Warned and Preparing may come at any time, even before the start.

With several workers, IterationStarted, HistoryAnalysed and IterationEnded of an iteration come one after the
other once it is complete, in the order of their numbers, and none of its stages; until then WorkersProgress
says what is under way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from txfuzz.analysis.result import AnalysisResult
from txfuzz.execution.summary import ExecutionSummary, Tally
from txfuzz.replay.small_scope.result import SmallScopeResult
from txfuzz.report.campaign_result import CampaignResult
from txfuzz.report.iteration import Iteration
from txfuzz.workload.model import Workload

Stage = Literal["run", "read", "analysis", "pictures", "replay", "feedback"]


@dataclass(frozen=True)
class Warned:
    """Something that the user should know, as a sentence."""

    sentence: str


@dataclass(frozen=True)
class Preparing:
    """Something that may take a while begins. doing: what, as in "creating the tables"."""

    doing: str


@dataclass(frozen=True)
class CampaignStarted:
    """The database answers and the run directory exists. workload: that of the first iteration."""

    campaign: CampaignResult
    workload: Workload


@dataclass(frozen=True)
class SmallScopeStarted:
    """planned: schedules to run, each of two or three transactions of the workload. If the campaign's time is
    up before the first, a warning follows instead of SmallScopeEnded."""

    workload: Workload
    planned: int


@dataclass(frozen=True)
class SmallScopeEnded:
    """The search and its artefacts are complete. campaign: includes it, as `small_scope`."""

    iteration: Iteration
    campaign: CampaignResult


@dataclass(frozen=True)
class IterationStarted:
    number: int
    workload: Workload


@dataclass(frozen=True)
class StageStarted:
    """The iteration begins another stage."""

    stage: Stage


@dataclass(frozen=True)
class RunProgress:
    """Published every now and then while clients run. asked: transactions started in this iteration."""

    asked: int
    tally: Tally


@dataclass(frozen=True)
class HistoryAnalysed:
    """The history is judged; pictures and replays follow.

    number: of the iteration, or SMALL_SCOPE. execution: None if txfuzz did not make the history. searched: by
    the search, None for an iteration.
    """

    number: int
    result: AnalysisResult
    execution: ExecutionSummary | None = None
    searched: SmallScopeResult | None = None


@dataclass(frozen=True)
class WorkersProgress:
    """Published every now and then while several workers run iterations side by side.

    workers: how many there are. iterations: that are under way, by number, or wait for one before them.
    asked: transactions started in these; outcomes, aborts: as in Tally.
    """

    workers: int
    iterations: tuple[int, ...]
    asked: int
    outcomes: Mapping[str, int]
    aborts: Mapping[str, int]


@dataclass(frozen=True)
class IterationEnded:
    """The iteration and all its artefacts are complete. campaign: includes this iteration."""

    iteration: Iteration
    campaign: CampaignResult


@dataclass(frozen=True)
class CampaignEnded:
    """All iterations are done, or the campaign was stopped early."""

    campaign: CampaignResult


@dataclass(frozen=True)
class CampaignFailed:
    """An error ended the campaign. campaign: the iterations up to then."""

    error: BaseException
    campaign: CampaignResult


Event = (
    Warned
    | Preparing
    | CampaignStarted
    | SmallScopeStarted
    | SmallScopeEnded
    | IterationStarted
    | StageStarted
    | RunProgress
    | HistoryAnalysed
    | WorkersProgress
    | IterationEnded
    | CampaignEnded
    | CampaignFailed
)
Subscriber = Callable[[Event], None]


def ignore(event: Event) -> None:
    """A subscriber that does nothing."""
