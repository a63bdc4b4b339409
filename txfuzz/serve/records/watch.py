"""What a campaign that is running has written by now."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from txfuzz.campaign.directory.corpus import CORPUS
from txfuzz.campaign.directory.run_directory import iteration_path
from txfuzz.campaign.directory.runs import is_running
from txfuzz.campaign.directory.values import ArtefactError, json_in
from txfuzz.report.iteration import SMALL_SCOPE, iteration_name
from txfuzz.serve.records.campaign_record import CampaignRecord, CampaignState
from txfuzz.serve.records.running_iteration import RunningIteration


@dataclass(frozen=True)
class LiveView:
    """What there is to see. now: the iteration under way, by its name. tail: of its history. corpus: as in
    corpus.json; empty for a strategy without one."""

    state: CampaignState
    running: bool
    now: str = ""
    tail: RunningIteration | None = None
    corpus: Mapping[str, Any] = field(default_factory=dict)


class CampaignWatch:
    """Of one campaign, for one reader."""

    def __init__(self, record: CampaignRecord) -> None:
        self._record = record
        self._tail: RunningIteration | None = None
        self._corpus: tuple[int, Mapping[str, Any]] = (0, {})

    def look(self) -> tuple[str, LiveView]:
        """What there is to see, and a mark that changes whenever that does. UsageError if there is no
        campaign any more."""
        directory = self._record.directory
        running = is_running(directory)
        state = self._record.state()
        number = self._under_way(state.record.iterations[-1].number + 1 if state.record.iterations else 0)
        tail = self._tail_of(number) if running and number is not None else None
        view = LiveView(
            state,
            running,
            "" if number is None else str(iteration_name(number)),
            tail,
            self._read_corpus(directory / CORPUS / "corpus.json"),
        )
        known = len(state.record.analysed)
        read = 0 if tail is None else tail.offset
        return f"{known}-{number}-{read}-{self._corpus[0]}-{state.record.facts.state}-{running:d}", view

    def _under_way(self, after: int) -> int | None:
        """The number of the iteration that has begun and is not analysed."""
        for number in (after, SMALL_SCOPE):
            path = iteration_path(self._record.directory, number)
            if path.is_dir() and not (path / "decisions.json").exists():
                return number
        return None

    def _tail_of(self, number: int) -> RunningIteration:
        path = iteration_path(self._record.directory, number) / "history.edn"
        if self._tail is None or self._tail.path != path:
            self._tail = RunningIteration(path)
        self._tail.read_on()
        return self._tail

    def _read_corpus(self, path: Path) -> Mapping[str, Any]:
        try:
            changed = os.stat(path).st_mtime_ns
            if changed != self._corpus[0]:
                data = json_in(path)
                self._corpus = (changed, data if isinstance(data, Mapping) else {})
        except (OSError, ArtefactError):
            return {}
        return self._corpus[1]
