"""What each worker of a campaign does: opens a database of its own, and runs iterations there.

It has nothing of the run directory. Each iteration is made in a directory of its own, whose files come back
with what the iteration came to, the history only where the job says so.
"""

from __future__ import annotations

import shutil
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from txfuzz.analysis.result import AnalysisResult, Verdict
from txfuzz.campaign.events import Event
from txfuzz.campaign.iterations.run import RanIteration, run_iteration
from txfuzz.campaign.iterations.running import placed_failure
from txfuzz.campaign.iterations.steps import Aim
from txfuzz.campaign.setup.campaign_setup import CampaignSetup, set_up_worker
from txfuzz.campaign.setup.settings import CampaignSettings
from txfuzz.campaign.sources.contract import ProvidedHistory
from txfuzz.campaign.stop_conditions import Deadline
from txfuzz.campaign.workers.carried import CarriedFile, placed
from txfuzz.campaign.workers.independent import Part
from txfuzz.common.scratch import scratch_directory
from txfuzz.errors import TxfuzzError
from txfuzz.execution.summary import Tally
from txfuzz.workload.model import Workload

_BEATS = 1.0  # seconds between two signs of life
_AT_LAST = 300.0  # seconds after the clients were last heard of, in which there are signs of life
_REWRITTEN = ("analysis.json", "replay_analysis.json")  # by the coordinator, which knows where they are to be
_HISTORIES = ("history.edn", "replay_history.edn")


@dataclass(frozen=True)
class AskedIteration:
    """workload: with its seed. aim: see run_iteration. place: its directory in the campaign's. seconds: that
    the campaign has left; None without a limit."""

    workload: Workload
    aim: Aim | None
    place: Path
    seconds: float | None = None


@dataclass(frozen=True)
class IterationNews:
    """What an iteration has come to so far.

    asked: transactions; outcomes, aborts: of these. ran: once it is done. files: of its directory by name,
    compressed.
    """

    asked: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    aborts: Mapping[str, int] = field(default_factory=dict)
    ran: RanIteration | None = None
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    @property
    def shows_something(self) -> bool:
        return self.ran is not None and _shows(self.ran)


@dataclass(frozen=True)
class RunJob:
    """A Job of AskedIteration → IterationNews (see workers.contract).

    settings: of the campaign, with all defaults. workload: its file. url: of a server; None: what the
    environment there says, or an embedded one. keeps_all: whether histories without a finding come back, too.
    """

    settings: CampaignSettings
    workload: CarriedFile
    url: str | None = field(default=None, repr=False)
    plugin_files: tuple[CarriedFile, ...] = ()
    keeps_all: bool = True

    @contextmanager
    def opened(self) -> Iterator[RunWorker]:
        with (
            placed(self.plugin_files) as plugins,
            placed([self.workload]) as [path],
            ExitStack() as resources,
        ):
            own = resources.enter_context(scratch_directory("iterations"))
            settings = replace(self.settings, plugin_files=plugins)
            yield RunWorker(set_up_worker(settings, path, self.url, own, resources), self.keeps_all)


@dataclass(frozen=True)
class RunWorker:
    """A Worker. setup: with a directory of its own."""

    setup: CampaignSetup
    keeps_all: bool

    def run(self, asked: Part[AskedIteration], tell: Callable[[IterationNews], bool]) -> None:
        """Raises the error that ended the run, so that another worker does it again."""
        what, stop = asked.what, threading.Event()
        reason = self.setup.deadline.reason
        setup = replace(self.setup, deadline=Deadline(stop, what.seconds, reason))
        files = setup.directory.iteration(asked.number)
        try:
            with _Watching(setup, stop, tell, self.keeps_all) as watch:
                ran = run_iteration(setup, watch, asked.number, what.workload, files, what.aim)
                kept = _files(files.path, histories=self.keeps_all or _shows(ran))
        finally:
            shutil.rmtree(files.path, ignore_errors=True)
        tell(replace(watch.last, ran=_as_there(ran, files.path, what.place), files=kept))


class _Watching:
    """A Watch that tells what clients do, and gives signs of life at other times; not of clients that nothing
    has been heard of for long. A context manager."""

    settles = False

    def __init__(
        self,
        setup: CampaignSetup,
        stop: threading.Event,
        tell: Callable[[IterationNews], bool],
        keeps_all: bool,
    ) -> None:
        self._setup, self._stop, self._tell, self._keeps_all = setup, stop, tell, keeps_all
        self.last = IterationNews()
        self._heard: float | None = time.monotonic()  # of the clients; None once they are done
        self._telling = threading.Lock()
        self._over = threading.Event()
        self._beating = threading.Thread(target=self._beat, name="signs of life", daemon=True)

    def __enter__(self) -> _Watching:
        self._beating.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._beating.join()

    def publish(self, event: Event) -> None:
        """Nobody listens: the coordinator says what there is to say."""

    def progress(self, asked: int, tally: Tally) -> None:
        self._heard = time.monotonic()
        self.last = IterationNews(asked, Counter(tally.outcomes), Counter(tally.aborts))
        self._say()

    def ran(self, provided: ProvidedHistory) -> None:
        failure = None if provided.execution is None else provided.execution.failure
        if failure is not None:
            raise _told(self._setup, failure)
        self._heard = None

    def doubted(self, sentence: str) -> None:
        """The coordinator says it."""

    def judged(self, result: AnalysisResult, workload: Workload) -> None:
        """The coordinator has a database to look closer."""

    def draws(self, result: AnalysisResult) -> bool:
        return self._keeps_all or result.verdict is Verdict.INVALID

    def _beat(self) -> None:
        while not self._over.wait(_BEATS):
            heard = self._heard
            if heard is None or time.monotonic() - heard < _AT_LAST:
                self._say()

    def _say(self) -> None:
        with self._telling:
            if not self._tell(self.last):
                self._stop.set()


def _told(setup: CampaignSetup, failure: TxfuzzError) -> TxfuzzError:
    found = placed_failure(setup, failure)
    assert found is not None
    return found


def _shows(ran: RanIteration) -> bool:
    found = (ran.result, ran.replayed)
    return any(each is not None and each.verdict is Verdict.INVALID for each in found)


def _files(directory: Path, *, histories: bool) -> dict[str, bytes]:
    """By name, as far as they are to be kept."""
    left_out = (*_REWRITTEN, *(() if histories else _HISTORIES))
    paths = [each for each in sorted(directory.iterdir()) if each.is_file() and each.name not in left_out]
    return {each.name: zlib.compress(each.read_bytes(), 1) for each in paths}


def _as_there(ran: RanIteration, scratch: Path, place: Path) -> RanIteration:
    """With the paths that its files are to have."""

    def at(text: str) -> str:
        return text.replace(str(scratch), str(place))

    def moved(result: AnalysisResult) -> AnalysisResult:
        return replace(result, file=at(result.file))

    replayed = None if ran.replayed is None else moved(ran.replayed)
    return replace(ran, result=moved(ran.result), replayed=replayed, notes=tuple(map(at, ran.notes)))
