"""`txfuzz shrink`: from an iteration, a campaign or a replay to minimal reproducers."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from txfuzz.analysis.analyze import analyze_history
from txfuzz.analysis.attribution.attribute import attribute
from txfuzz.analysis.elle import ElleAnalyzer
from txfuzz.analysis.result import Anomaly
from txfuzz.campaign.directory.finding_folder import FindingFolders, ShrunkFinding
from txfuzz.campaign.directory.runs import no_campaign_but
from txfuzz.campaign.setup.adapter_choice import chosen_database
from txfuzz.campaign.setup.resolve import Assembled, InstalledVocabulary, assemble, database_url
from txfuzz.common.sentences import counted
from txfuzz.database.api import Database
from txfuzz.database.isolation_levels import open_database
from txfuzz.errors import UsageError
from txfuzz.history.model import History
from txfuzz.history.reader import read_history
from txfuzz.plugin.loader import load_plugins
from txfuzz.plugin.registry import Registry
from txfuzz.replay.judge import Judge
from txfuzz.replay.replayer import Replayer, origins_of
from txfuzz.replay.schedule.derive import derive_anomaly
from txfuzz.replay.shrink import OutOfTime, Shrunk, shrink
from txfuzz.replay.signature import Signature, signature_of
from txfuzz.workload.model import Workload
from txfuzz.workload.yaml.reader import read_workload

_COUNTED = 1000  # anomalies of each type that are counted

Progress = Callable[[str], None]


@dataclass(frozen=True)
class ShrinkSettings:
    """attempts: the anomaly must recur in every one. seconds: time limit per finding. most: limit of
    findings, the shortest cycles first. out: the folder of findings, None for `findings/` next to the
    iterations. adapter, isolation, expect: override those of the workload. plugin_files: Python files to
    load as plugins."""

    source: Path
    out: Path | None = None
    attempts: int = 5
    seconds: float = 60.0
    most: int = 4
    url: str | None = field(default=None, repr=False)
    adapter: str | None = None
    isolation: str | None = None
    expect: str | None = None
    plugin_files: tuple[Path, ...] = ()


@dataclass
class _Bucket:
    """Anomalies with the same signature. anomaly, history: None for those seen only in replays. seen:
    source → how many."""

    workload: Workload
    anomaly: Anomaly | None = None
    history: History | None = None
    seen: Counter[str] = field(default_factory=Counter)


def shrink_findings(
    settings: ShrinkSettings,
    *,
    interrupted: threading.Event | None = None,
    progress: Progress = lambda line: None,
) -> list[ShrunkFinding]:
    """Shrink what the source shows and write a folder for each finding; empty if there is no anomaly that
    the expected model forbids. Raises TxfuzzError."""
    registry = load_plugins(files=settings.plugin_files)
    places = list(_places(settings.source))
    choice = chosen_database(registry, settings.adapter, settings.url)
    workloads = [read_workload(place, InstalledVocabulary(registry, place), choice) for place, _ in places]
    adapter = _assembled(workloads[0], registry, settings).adapter
    with open_database(adapter, database_url(settings.url, workloads[0])) as database:
        work = _Shrinker(settings, registry, database, interrupted or threading.Event(), progress)
        for (place, history), workload in zip(places, workloads, strict=True):
            if history is None:
                work.run_replay(workload, place)
            elif not work.read_run(workload, history):
                work.read_replays(place.parent)
        return work.findings()


def _places(source: Path) -> Iterator[tuple[Path, Path | None]]:
    """Workload files with their histories, None for a replay."""
    if source.is_file():
        yield source, None
        return
    inside = [source, *sorted(source.glob("iter_*"))]
    pairs = [(each / "workload.yaml", each / "history.edn") for each in inside]
    there = [(workload, history) for workload, history in pairs if workload.exists() and history.exists()]
    if not there:
        raise UsageError(
            no_campaign_but(source)
            or f"{source}: is neither a replay file nor a directory with workload.yaml and history.edn"
        )
    yield from there


def _findings_beside(source: Path) -> Path:
    place = source.resolve().parent if source.is_file() else source.resolve()
    found = (place.parent if place.name.startswith("iter_") else place) / "findings"
    here = Path.cwd()
    return found.relative_to(here) if found.is_relative_to(here) else found


def _assembled(workload: Workload, registry: Registry, settings: ShrinkSettings) -> Assembled:
    return assemble(workload, registry, isolation=settings.isolation, expect=settings.expect)


class _Shrinker:
    """Collects anomalies by signature, then shrinks one of each."""

    def __init__(
        self,
        settings: ShrinkSettings,
        registry: Registry,
        database: Database,
        stop: threading.Event,
        progress: Progress,
    ) -> None:
        self._settings, self._registry, self._database = settings, registry, database
        self._stop, self._progress = stop, progress
        self._folders = FindingFolders(settings.out or _findings_beside(settings.source), database)
        self._buckets: dict[Signature, _Bucket] = {}

    def read_run(self, workload: Workload, history: Path) -> bool:
        """Collect the anomalies of a run; False if there are none."""
        assembled = self._assembled(workload)
        attributed = attribute(read_history(history), assembled.workload).history
        return self._collect(attributed, assembled, history.parent.name, None)

    def read_replays(self, place: Path) -> None:
        """Collect the anomalies of an iteration's replays."""
        file, history = place / "replay.yaml", place / "replay_history.edn"
        if file.exists() and history.exists():
            workload = read_workload(file, InstalledVocabulary(self._registry, file))
            origins = origins_of(workload.replay) if workload.replay else {}
            attributed = attribute(read_history(history), workload).history
            self._collect(attributed, self._assembled(workload), f"{place.name}/replay.yaml", origins)

    def run_replay(self, workload: Workload, path: Path) -> None:
        """Run a replay, and collect its anomalies."""
        assembled = self._assembled(workload)
        if workload.replay is None:
            raise UsageError(f"{path}: this workload has no `replay` stanza; give a replay or a directory")
        judge = Judge(assembled.expect, assembled.isolation, origins_of(workload.replay))
        options = assembled.workload.varied
        with Replayer(
            self._database, workload.kind, assembled.isolation, options=options, stop=self._stop
        ) as player:
            prepared = player.prepare(assembled.workload)
            for _ in range(self._settings.attempts):
                attempt = prepared.run()
                if attempt.refused:
                    raise UsageError(attempt.refused)
                for signature in judge.judge(attempt).signatures:
                    bucket = self._buckets.setdefault(signature, _Bucket(assembled.workload))
                    bucket.seen[path.name] += 1

    def findings(self) -> list[ShrunkFinding]:
        """Shrink the first of the buckets; those with the same reproducer are one finding."""
        found: list[ShrunkFinding] = []
        for signature in sorted(self._buckets, key=_rank)[: self._settings.most]:
            if self._stop.is_set():
                break
            one = self._shrunk(signature, self._buckets[signature])
            same = [at for at, each in enumerate(found) if one.directory and each.directory == one.directory]
            if same:
                self._progress(f"  the same reproducer as in {one.directory}")
                found[same[0]] = one
            else:
                found.append(one)
        return found

    def _assembled(self, workload: Workload) -> Assembled:
        return _assembled(workload, self._registry, self._settings)

    def _collect(
        self, history: History, assembled: Assembled, source: str, origins: Mapping[str, str] | None
    ) -> bool:
        """origins: those of a replay; None for a run."""
        analyzer = ElleAnalyzer(shown=_COUNTED, max_near_cycles=0)
        result = analyze_history(history, assembled.expect, analyzers=[analyzer])
        for anomaly in result.anomalies:
            signature = signature_of(anomaly, assembled.isolation, origins)
            evidence = (anomaly, history) if origins is None else ()
            bucket = self._buckets.setdefault(signature, _Bucket(assembled.workload, *evidence))
            bucket.seen[source] += 1
        return bool(result.anomalies)

    def _shrunk(self, signature: Signature, bucket: _Bucket) -> ShrunkFinding:
        settings, assembled = self._settings, self._assembled(bucket.workload)
        around = f" ({' '.join(signature.kinds)})" if signature.kinds else ""
        names = ", ".join(signature.templates)
        self._progress(f"{signature.anomaly}{around} between {names}: {bucket.seen.total()}×")
        starts: tuple[Workload, ...] = (bucket.workload,)
        reason = ""
        if bucket.anomaly is not None and bucket.history is not None:
            derived = derive_anomaly(bucket.anomaly, bucket.history, assembled.workload, assembled.promised)
            starts, reason = derived.candidates, derived.reason
        shrunk: Shrunk | None = None
        until = time.monotonic() + settings.seconds
        options = assembled.workload.varied
        with Replayer(
            self._database, bucket.workload.kind, assembled.isolation, options=options, stop=self._stop
        ) as player:
            for number, start in enumerate(starts):
                try:
                    shrunk = shrink(
                        player, start, signature, assembled.expect, attempts=settings.attempts,
                        seconds=until - time.monotonic(), progress=lambda line: self._progress(f"  {line}"),
                    )  # fmt: skip
                except OutOfTime:
                    reason = self._cut_short(number, len(starts))
                    break
                if shrunk is not None:
                    break
        if shrunk is None:
            attempts, schedules = counted(settings.attempts, "attempt"), counted(len(starts), "schedule")
            why = reason or f"it did not recur in every one of {attempts} ({schedules} tried)"
            return ShrunkFinding(signature, bucket.seen.total(), reason=why)
        return self._folders.add(shrunk, assembled, bucket.seen)

    def _cut_short(self, tried: int, schedules: int) -> str:
        limit = f"the time limit of {self._settings.seconds:g} s (--budget) was reached"
        which = f" at schedule {tried + 1} of {schedules}" if schedules > 1 else ""
        attempts = counted(self._settings.attempts, "attempt")
        return f"{'interrupted' if self._stop.is_set() else limit} before {attempts} had been made{which}"


def _rank(signature: Signature) -> tuple[int, bool, str]:
    """Short ones first. Of those that may shrink to the same reproducer, the most specific type: a lost
    update is also a cycle."""
    return len(signature.templates), bool(signature.kinds), signature.anomaly
