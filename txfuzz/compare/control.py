"""`txfuzz run --control`: how soon an open loop from the same seed finds something."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from txfuzz.analysis.contract import Analyzer
from txfuzz.campaign.directory.run_directory import write_json
from txfuzz.campaign.loop import run_campaign
from txfuzz.campaign.setup.resolve import build_all
from txfuzz.campaign.setup.settings import CampaignSettings
from txfuzz.common.sentences import counted
from txfuzz.compare.campaign_effort import ENDLESS, FindingWatch, without_near_cycles
from txfuzz.compare.first_finding import first_finding
from txfuzz.errors import UsageError
from txfuzz.feedback.strategy_names import OPEN_LOOP
from txfuzz.plugin.loader import load_plugins
from txfuzz.report.campaign_result import CampaignResult
from txfuzz.report.iteration import Iteration

CONTROL = "control.json"
_TIMES = 10  # as many transactions as the campaign needed; then the control is given up
_LEAST = 2_000  # but at least these


@dataclass(frozen=True)
class Control:
    """campaign, control: attempted transactions until the first finding; the control's is None if there was
    none in `most`. strategy: of the campaign."""

    strategy: str
    seed: int
    campaign: int
    control: int | None
    most: int

    @property
    def sentence(self) -> str:
        found = f"found after {counted(self.campaign, 'attempted transaction')}"
        if self.control is None:
            return f"{found}; its control, open loop from the same seed, finds nothing in {self.most:,}"
        return f"{found}; its control, open loop from the same seed, finds something after {self.control:,}"


def check_controllable(settings: CampaignSettings) -> None:
    """UsageError for a campaign that has no control. settings: with the workload's defaults."""
    if settings.runner_cmd is not None or settings.skip_run:
        raise UsageError("--control runs clients of its own: leave it out with --runner-cmd and --skip-run")
    if settings.strategy_name == OPEN_LOOP:
        raise UsageError("--control runs an open loop, which this campaign is itself: leave it out")


def control_of(
    result: CampaignResult, settings: CampaignSettings, interrupted: threading.Event
) -> Control | None:
    """Run the control of a campaign that found something, and write control.json beside its artefacts.

    None if the campaign found nothing, or the control was interrupted. Raises TxfuzzError as a campaign does.
    """
    first = result.first_finding
    if first is None or first.asked is None:
        return None
    registry = load_plugins(files=settings.plugin_files, seconds=settings.plugin_seconds)
    analyzers = build_all(registry, "analyzer", first.asked.analyzers or (), settings.plugin_seconds)
    found = _found_after(result, first, without_near_cycles(analyzers))
    most = max(_TIMES * found, _LEAST)
    stop = threading.Event()
    with tempfile.TemporaryDirectory(prefix="txfuzz-control-") as temporary:
        directory = Path(temporary) / "run"
        watch = FindingWatch(directory, analyzers, stop, most=most, interrupted=interrupted, keeps_all=False)
        run_campaign(_open_loop(settings, result, directory), interrupted=stop, subscriber=watch)
    if watch.found is None and interrupted.is_set():
        return None
    strategy, seed = result.facts.strategy or "", result.facts.seed or 0
    control = Control(strategy, seed, found, watch.effort().transactions, most)
    write_json(result.directory / CONTROL, asdict(control))
    return control


def _found_after(result: CampaignResult, first: Iteration, analyzers: Sequence[Analyzer]) -> int:
    """Attempted transactions; to the end of the iteration if only its replay shows it."""
    asked = {
        each.number: each.execution.asked if each.execution else each.result.transactions
        for each in result.iterations
    }
    earlier = sum(count for number, count in asked.items() if number < first.number)
    history = (first.path / "history.edn").read_bytes()
    shown = None if first.by_replay else first_finding(history, result.expect, analyzers)
    return earlier + (asked[first.number] if shown is None else shown.attempted)


def _open_loop(settings: CampaignSettings, result: CampaignResult, directory: Path) -> CampaignSettings:
    """The same campaign without feedback, for as long as it takes."""
    kept = result.directory / "iter_00" / "workload.yaml"
    return replace(
        settings,
        workload=kept if settings.resume else settings.workload,
        output=directory,
        resume=False,
        open_loop=True,
        strategy=None,
        iterations=ENDLESS,
        stop_on_finding=True,
        run_replay=False,
        lean=True,
        max_seconds=None,
        max_transactions=None,
        plateau=None,
    )
