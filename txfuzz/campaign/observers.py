"""Who looks on while a campaign runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from txfuzz.campaign.results import CampaignResult, IterationOutcome
from txfuzz.execution.summary import Tally
from txfuzz.workload.model import Workload


class Watcher(Protocol):
    """Told what happens, in this order; an iteration is told as often as there are iterations."""

    def started(
        self, directory: Path, workload: Workload, promised: str, database: Mapping[str, str]
    ) -> None:
        """The campaign is about to run. database: what was found there; empty without one."""

    def warned(self, sentence: str) -> None:
        """Something that the user should know; at any time."""

    def iteration_started(self, number: int, workload: Workload) -> None: ...

    def stage(self, name: str) -> None:
        """What an iteration does now: run, read, analysis, pictures, replay or feedback."""

    def running(self, asked: int, tally: Tally) -> None:
        """Now and then while clients run."""

    def iteration_ended(self, outcome: IterationOutcome) -> None: ...

    def ended(self, result: CampaignResult) -> None: ...


class Nobody:
    """Looks on in silence."""

    def started(
        self, directory: Path, workload: Workload, promised: str, database: Mapping[str, str]
    ) -> None:
        pass

    def warned(self, sentence: str) -> None:
        pass

    def iteration_started(self, number: int, workload: Workload) -> None:
        pass

    def stage(self, name: str) -> None:
        pass

    def running(self, asked: int, tally: Tally) -> None:
        pass

    def iteration_ended(self, outcome: IterationOutcome) -> None:
        pass

    def ended(self, result: CampaignResult) -> None:
        pass
