"""The loop: workload → execution → history → analysis → feedback → next workload."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from txfuzz.campaign.events import (
    CampaignStarted,
    HistoryAnalysed,
    IterationStarted,
    Subscriber,
    Warned,
    ignore,
)
from txfuzz.campaign.explore.small_scope import search_small_scope
from txfuzz.campaign.iterations.by_workers import check_workers, run_by_workers
from txfuzz.campaign.iterations.record import kept_iteration
from txfuzz.campaign.iterations.run import run_iteration
from txfuzz.campaign.iterations.running import RunningCampaign
from txfuzz.campaign.iterations.steps import keep_workload, propose_first
from txfuzz.campaign.setup.campaign_setup import CampaignSetup, set_up, with_workload_defaults
from txfuzz.campaign.setup.settings import CampaignSettings
from txfuzz.campaign.sources.resumed import earlier_workers
from txfuzz.campaign.workers.contract import Engine
from txfuzz.campaign.workers.engines import Workers
from txfuzz.plugin.errors import naming_plugins
from txfuzz.report.campaign_result import CampaignResult


@naming_plugins()
def run_campaign(
    settings: CampaignSettings | None = None,
    *,
    interrupted: threading.Event | None = None,
    subscriber: Subscriber = ignore,
    workers: int | None = None,
    dask: str | None = None,
    **fields: Any,
) -> CampaignResult:
    """Run a campaign and leave its artefacts in the run directory.

    settings, or its fields as keywords: run_campaign(workload="write_skew", iterations=2).
    interrupted: set it to stop early; what was recorded is analysed. subscriber: called with each event of
    txfuzz.campaign.events, in the thread of the caller. workers: so many processes run iterations side by
    side, each on a database of its own; dask: or workers of this Dask scheduler, at most `workers`.
    Raises a TxfuzzError if the campaign cannot be run or continued; what was recorded by then is kept.
    """
    settings = replace(settings or CampaignSettings(), **fields)
    crew = Workers(workers, dask)
    engine = None
    if crew.several:
        settings = with_workload_defaults(settings)
        check_workers(settings)
        engine = crew.engine(lambda sentence: subscriber(Warned(sentence)))
        _ = engine.size  # raises if there is nobody, before there is a directory
    earlier = earlier_workers(settings)
    with ExitStack() as resources:
        setup = set_up(settings, interrupted or threading.Event(), subscriber, resources)
        return run_prepared(setup, subscriber, engine, earlier=earlier, keeps_all=dask is None)


def run_prepared(
    setup: CampaignSetup,
    subscriber: Subscriber = ignore,
    engine: Engine | None = None,
    *,
    earlier: int = 1,
    keeps_all: bool = True,
) -> CampaignResult:
    """Run a campaign of which everything is there. Raises as `run_campaign` does.

    engine: of several workers. earlier: how many there were, if the campaign is continued. keeps_all: whether
    these workers hand in all histories, and not only those that show something.
    """
    workers = 1 if engine is None else engine.size
    campaign = RunningCampaign(setup, subscriber, workers)
    campaign.publish(CampaignStarted(campaign.result("running"), setup.assembled.workload))
    try:
        _loop(campaign, engine, earlier, keeps_all)
    except BaseException as error:
        return campaign.failed(error)
    return campaign.ended()


def _loop(campaign: RunningCampaign, engine: Engine | None, earlier: int, keeps_all: bool) -> None:
    """workload → execution → history → analysis → feedback → next workload."""
    setup = campaign.setup
    first = setup.assembled.workload
    small_scope = search_small_scope(setup, campaign.publish)
    if small_scope is not None:
        first = small_scope.next_workload
        campaign.add_small_scope(small_scope)
    campaign.begin(propose_first(setup, first), earlier)
    for number in range(setup.settings.most_iterations):
        if campaign.is_over(number):
            return
        if engine is not None and not campaign.was_run(number):
            run_by_workers(campaign, number, engine, keeps_all=keeps_all)
            return
        files = setup.directory.iteration(number)
        workload = keep_workload(setup, files, campaign.succession.workload(number))
        campaign.publish(IterationStarted(number, workload))
        ran = kept_iteration(files) if setup.settings.resume else None
        if ran is None:
            ran = run_iteration(setup, campaign, number, workload, files, campaign.aim(number))
        else:
            campaign.publish(HistoryAnalysed(number, ran.result, ran.execution))
        campaign.complete(number, files, workload, ran)
