"""`txfuzz shrink`: from an iteration, a campaign or a replay to minimal reproducers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from txfuzz.analysis.analyze import analyze_history
from txfuzz.analysis.attribution.attribute import attribute
from txfuzz.analysis.elle import ElleAnalyzer
from txfuzz.analysis.result import Anomaly
from txfuzz.campaign.directory.finding_folder import FindingFolders, ShrunkFinding
from txfuzz.campaign.setup.resolve import Assembled, InstalledVocabulary, assemble, database_url
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
from txfuzz.report.text.lines import counted
from txfuzz.workload.model import Workload
from txfuzz.workload.yaml.reader import read_workload

_COUNTED = 1000  # anomalies of each type that are counted

Progress = Callable[[str], None]


@dataclass(frozen=True)
class ShrinkSettings:
    """attempts: the anomaly must recur in every one. seconds: time limit per finding. most: limit of
    findings, the shortest cycles first. out: the folder of findings, None for `findings/` next to the
    iterations. isolation, expect: override those of the workload. plugin_files: Python files to load as
    plugins."""

    source: Path
    out: Path | None = None
    attempts: int = 5
    seconds: float = 60.0
    most: int = 4
    url: str | None = field(default=None, repr=False)
    isolation: str | None = None
    expect: str | None = None
    plugin_files: tuple[Path, ...] = ()


@dataclass
class _Bucket:
    """Anomalies with the same signature. anomaly, history: None for those seen only in replays. seen:
    source → how many."""

    anomaly: Anomaly | None
    history: History | None
    workload: Workload
    seen: dict[str, int] = field(default_factory=dict)


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
    workloads = [read_workload(place, InstalledVocabulary(registry, place)) for place, _ in places]
    first = _assembled(workloads[0], registry, settings)
    stop = interrupted or threading.Event()
    out = settings.out or _findings_beside(settings.source)
    with open_database(first.adapter, database_url(settings.url, workloads[0])) as database:
        buckets: dict[Signature, _Bucket] = {}
        for (place, history), workload in zip(places, workloads, strict=True):
            assembled = _assembled(workload, registry, settings)
            if history is None:
                _from_replay(buckets, database, assembled, place, settings, stop)
            elif not _from_history(buckets, assembled, history):
                _from_replays(buckets, place.parent, registry, settings)
        ranked = sorted(buckets, key=_rank)[: settings.most]
        folders = FindingFolders(out, database)
        found: list[ShrunkFinding] = []
        for signature in ranked:
            if stop.is_set():
                break
            one = _shrunk(
                signature, buckets[signature], database, registry, settings, folders, stop, progress
            )
            same = [at for at, each in enumerate(found) if one.directory and each.directory == one.directory]
            if same:
                progress(f"  the same reproducer as in {one.directory}")
                found[same[0]] = one
            else:
                found.append(one)
    return found


def _rank(signature: Signature) -> tuple[int, bool, str]:
    """Short ones first. Of those that may shrink to the same reproducer, the most specific type: a lost
    update is also a cycle."""
    return len(signature.templates), bool(signature.kinds), signature.anomaly


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
            f"{source}: is neither a replay file nor a directory with workload.yaml and history.edn"
        )
    yield from there


def _findings_beside(source: Path) -> Path:
    place = source.resolve().parent if source.is_file() else source.resolve()
    found = (place.parent if place.name.startswith("iter_") else place) / "findings"
    here = Path.cwd()
    return found.relative_to(here) if found.is_relative_to(here) else found


def _assembled(workload: Workload, registry: Registry, settings: ShrinkSettings) -> Assembled:
    return assemble(workload, registry, isolation=settings.isolation, expect=settings.expect)


def _from_history(buckets: dict[Signature, _Bucket], assembled: Assembled, path: Path) -> bool:
    """Add the anomalies of a run; False if there are none."""
    history = attribute(read_history(path), assembled.workload).history
    analyzer = ElleAnalyzer(shown=_COUNTED, max_near_cycles=0)
    result = analyze_history(history, assembled.expect, analyzers=[analyzer])
    source = path.parent.name
    for anomaly in result.anomalies:
        signature = signature_of(anomaly, assembled.isolation)
        bucket = buckets.setdefault(signature, _Bucket(anomaly, history, assembled.workload))
        bucket.seen[source] = bucket.seen.get(source, 0) + 1
    return bool(result.anomalies)


def _from_replays(
    buckets: dict[Signature, _Bucket], place: Path, registry: Registry, settings: ShrinkSettings
) -> None:
    """Add the anomalies of an iteration's replays."""
    file, history = place / "replay.yaml", place / "replay_history.edn"
    if not (file.exists() and history.exists()):
        return
    workload = read_workload(file, InstalledVocabulary(registry, file))
    assembled = _assembled(workload, registry, settings)
    origins = origins_of(workload.replay) if workload.replay else {}
    analyzer = ElleAnalyzer(shown=_COUNTED, max_near_cycles=0)
    told = attribute(read_history(history), workload).history
    result = analyze_history(told, assembled.expect, analyzers=[analyzer])
    for anomaly in result.anomalies:
        signature = signature_of(anomaly, assembled.isolation, origins)
        bucket = buckets.setdefault(signature, _Bucket(None, None, workload))
        source = f"{place.name}/replay.yaml"
        bucket.seen[source] = bucket.seen.get(source, 0) + 1


def _from_replay(
    buckets: dict[Signature, _Bucket],
    database: Database,
    assembled: Assembled,
    path: Path,
    settings: ShrinkSettings,
    stop: threading.Event,
) -> None:
    workload = assembled.workload
    if workload.replay is None:
        raise UsageError(f"{path}: this workload has no `replay` stanza; give a replay or a directory")
    judge = Judge(assembled.expect, assembled.isolation, origins_of(workload.replay))
    with Replayer(database, workload.kind, assembled.isolation, stop=stop) as player:
        prepared = player.prepare(workload)
        for _ in range(settings.attempts):
            attempt = prepared.run()
            if attempt.refused:
                raise UsageError(attempt.refused)
            for signature in judge.judge(attempt).signatures:
                bucket = buckets.setdefault(signature, _Bucket(None, None, workload))
                bucket.seen[path.name] = bucket.seen.get(path.name, 0) + 1


def _shrunk(
    signature: Signature,
    bucket: _Bucket,
    database: Database,
    registry: Registry,
    settings: ShrinkSettings,
    folders: FindingFolders,
    stop: threading.Event,
    progress: Progress,
) -> ShrunkFinding:
    assembled = _assembled(bucket.workload, registry, settings)
    around = f" ({' '.join(signature.kinds)})" if signature.kinds else ""
    progress(
        f"{signature.anomaly}{around} between {', '.join(signature.templates)}: {sum(bucket.seen.values())}×"
    )
    starts: tuple[Workload, ...] = (bucket.workload,)
    reason = ""
    if bucket.anomaly is not None and bucket.history is not None:
        derived = derive_anomaly(bucket.anomaly, bucket.history, assembled.workload, assembled.promised)
        starts, reason = derived.candidates, derived.reason
    shrunk: Shrunk | None = None
    until = time.monotonic() + settings.seconds
    with Replayer(database, bucket.workload.kind, assembled.isolation, stop=stop) as player:
        for number, start in enumerate(starts):
            try:
                shrunk = shrink(
                    player, start, signature, assembled.expect, attempts=settings.attempts,
                    seconds=until - time.monotonic(), progress=lambda line: progress(f"  {line}"),
                )  # fmt: skip
            except OutOfTime:
                reason = _cut_short(settings, number, len(starts), stop)
                break
            if shrunk is not None:
                break
    if shrunk is None:
        why = (
            reason
            or f"it did not recur in every one of {counted(settings.attempts, 'attempt')} "
            f"({counted(len(starts), 'schedule')} tried)"
        )
        return ShrunkFinding(signature, sum(bucket.seen.values()), reason=why)
    return folders.add(shrunk, assembled, bucket.seen)


def _cut_short(settings: ShrinkSettings, tried: int, schedules: int, stop: threading.Event) -> str:
    ended = (
        "interrupted" if stop.is_set() else f"the time limit of {settings.seconds:g} s (--budget) was reached"
    )
    which = f" at schedule {tried + 1} of {schedules}" if schedules > 1 else ""
    return f"{ended} before {counted(settings.attempts, 'attempt')} had been made{which}"
