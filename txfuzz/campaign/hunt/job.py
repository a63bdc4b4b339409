"""What each worker of a hunt does: opens a database of its own, and runs slices of programs there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from txfuzz.campaign.hunt.artefacts import hole_files
from txfuzz.campaign.hunt.opening import OpenedHunt, opened_hunt
from txfuzz.campaign.hunt.settings import HuntSettings
from txfuzz.campaign.hunt.slices import Files, HuntNews, HuntSlice
from txfuzz.campaign.workers.carried import CarriedFile, placed
from txfuzz.database.api import SessionError
from txfuzz.errors import DatabaseUnavailable
from txfuzz.hunt.generate import LearningSource
from txfuzz.hunt.guidance.strategies import source_named
from txfuzz.hunt.hunt import Hunt
from txfuzz.hunt.result import FoundHole, HuntResult, ShrunkHole
from txfuzz.report.hunt.story import told

_LEARNT_EVERY = 5.0  # seconds, and at the end of a slice


@dataclass(frozen=True)
class HuntJob:
    """A Job of HuntSlice → HuntNews (see workers.contract). url: of a server; None: an embedded one."""

    settings: HuntSettings
    url: str | None = field(default=None, repr=False)
    plugin_files: tuple[CarriedFile, ...] = ()

    @contextmanager
    def opened(self) -> Iterator[HuntWorker]:
        with (
            placed(self.plugin_files) as files,
            opened_hunt(self.settings, self.url, files) as opened,
        ):
            yield HuntWorker(opened)


class HuntWorker:
    """A Worker, with its own tables; what it has tried and learnt holds for its next slices, too."""

    def __init__(self, opened: OpenedHunt) -> None:
        settings = opened.settings
        self._adapter, self._server, self._begin = settings.adapter, opened.server, opened.begin
        self._held = opened.held
        self._source = source_named(
            settings.strategy, opened.scope, settings.seed, serial=opened.quarry.serial
        )
        self._learns = self._source if isinstance(self._source, LearningSource) else None
        self._hunt = Hunt(
            opened.tables,
            opened.quarry,
            opened.scope,
            self._source,
            settings.seed,
            each=settings.interleavings,
            on_hole=self._found,
            log=opened.held.log,
        )
        self._files: dict[FoundHole, Files] = {}
        self._learnt = time.monotonic()

    def run(self, asked: HuntSlice, tell: Callable[[HuntNews], bool]) -> None:
        if self._learns is not None and asked.learnt:
            self._learns.merge(asked.learnt)
        self._files = {}
        try:
            last = self._hunt.run(
                asked.numbers,
                holes=asked.holes,
                schedules=asked.schedules,
                tell=lambda result: tell(self._news(result, often=True)),
            )
        except SessionError as error:
            raise DatabaseUnavailable(f"the database stopped answering: {error.message}") from None
        tell(self._news(last))

    def _found(self, found: ShrunkHole) -> FoundHole:
        hole = told(found)
        files = hole_files(
            replace(found, hole=hole), self._adapter, self._server, self._begin, self._held.database
        )
        self._files[replace(hole, hits=0)] = files
        return hole

    def _news(self, result: HuntResult, *, often: bool = False) -> HuntNews:
        now = time.monotonic()
        if self._learns is not None and not (often and now - self._learnt < _LEARNT_EVERY):
            self._learnt = now
            result = replace(result, learnt=self._learns.state())
        files = {
            at: self._files[plain]
            for at, hole in enumerate(result.holes)
            if (plain := replace(hole, hits=0)) in self._files
        }
        return HuntNews(self._server, result, files)
