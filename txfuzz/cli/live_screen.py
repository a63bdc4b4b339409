"""The status screen of a campaign in a terminal; everything else as the plain screen says it."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from txfuzz.campaign.results import CampaignResult, IterationOutcome
from txfuzz.cli.plain_screen import Screen
from txfuzz.common.sanitize import printable
from txfuzz.execution.summary import Tally
from txfuzz.report.text.status import Status, status_panel
from txfuzz.workload.model import Workload

if TYPE_CHECKING:
    from rich.console import RenderableType

_A_SECOND = 4  # redraws


class LiveScreen(Screen):
    """A watcher that keeps one panel up to date on stderr."""

    def __init__(self, iterations: int, *, verbose: bool = False) -> None:
        from rich.console import Console
        from rich.live import Live

        super().__init__(verbose=verbose)
        # What is shown there is scrubbed piece by piece: the panel itself moves the cursor
        self._console = Console(file=getattr(sys.stderr, "stream", sys.stderr))
        self._status = Status("", iterations=iterations)
        self._start = time.monotonic()
        self._before: Counter[str] = Counter()  # outcomes of the iterations that have ended
        self._aborts: Counter[str] = Counter()
        self._asked = 0
        self._running_since = 0.0
        self._run_seconds = 0.0
        self._turns: list[float] = []
        self._turn_start = self._start
        self._panel = Live(
            console=self._console, refresh_per_second=_A_SECOND, transient=True, get_renderable=self._render
        )

    def started(
        self, directory: Path, workload: Workload, promised: str, database: Mapping[str, str]
    ) -> None:
        product = " ".join(filter(None, (database.get("product"), database.get("version"))))
        from txfuzz.analysis.checker.consistency import model_text

        model = model_text(workload.expect or promised)
        title = f"{workload.name} · {product} · {workload.database.isolation} against {model}"
        self._status = replace(self._status, title=title)
        super().started(directory, workload, promised, database)
        self._panel.start()

    def iteration_started(self, number: int, workload: Workload) -> None:
        super().iteration_started(number, workload)
        self._turn_start = time.monotonic()
        self._status = replace(
            self._status,
            iteration=number,
            clients=workload.scheduling.clients,
            keys=workload.logical_keys(),
            mix={weight.txn: weight.weight for weight in workload.mix},
        )

    def stage(self, name: str) -> None:
        if name == "run":
            self._running_since = time.monotonic()
        self._status = replace(self._status, stage=name)

    def running(self, asked: int, tally: Tally) -> None:
        seconds = max(time.monotonic() - self._running_since, 1e-9)
        done = self._before + tally.outcomes
        self._status = replace(
            self._status,
            asked=self._asked + asked,
            committed=done["ok"],
            unknown=done["info"],
            aborts=dict((self._aborts + tally.aborts).most_common()),
            rate=tally.outcomes["ok"] / seconds,
        )

    def iteration_ended(self, outcome: IterationOutcome) -> None:
        super().iteration_ended(outcome)
        result, execution = outcome.result, outcome.execution
        if execution is not None:
            self._before.update(ok=execution.ok, fail=execution.fail, info=execution.info)
            self._aborts.update(execution.aborts)
            self._asked += execution.asked
        now = time.monotonic()
        self._turns.append(now - self._turn_start)
        self._turn_start = now
        found = dict.fromkeys(outcome.telling.anomaly_types, outcome.number)
        last = self._status.last
        for each in outcome.decisions[:1]:
            last = f"{each.heuristic}: {each.target}, because {each.reason}"
        self._status = replace(
            self._status,
            edges=result.edges_per_txn,
            concurrent=result.concurrent_edges_per_txn,
            near=(*self._status.near, result.near_cycles_counted),
            found={**found, **self._status.found},
            last=last,
        )

    def ended(self, result: CampaignResult) -> None:
        self.close()
        super().ended(result)

    def close(self) -> None:
        """Give the terminal back; also when the campaign fails."""
        self._panel.stop()

    def _say(self, line: str) -> None:
        if not self._quiet:
            self._console.print(printable(line), markup=False, highlight=False)

    def _render(self) -> RenderableType:
        elapsed = time.monotonic() - self._start
        left = None
        if self._turns:
            turns = self._status.iterations - len(self._turns)
            since = time.monotonic() - self._turn_start
            left = max(0.0, turns * sum(self._turns) / len(self._turns) - since)
        return status_panel(replace(self._status, elapsed=elapsed, left=left))
