"""`findings/<signature>/`: what a finding is, for people and for their tools."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from txfuzz.analysis.result import AnalysisResult, Anomaly
from txfuzz.campaign.directory.run_directory import write_bytes, write_json, write_text
from txfuzz.campaign.directory.values import ArtefactError, read_back
from txfuzz.campaign.replays import without_plugins
from txfuzz.campaign.setup.resolve import Assembled
from txfuzz.common.sanitize import printable
from txfuzz.database.api import Database, ScriptFile, WritesScripts
from txfuzz.errors import OutputError
from txfuzz.replay.judge import Judge
from txfuzz.replay.reproducer import reproducer_mark
from txfuzz.replay.shrink import Shrunk
from txfuzz.replay.signature import Signature
from txfuzz.replay.stepper.logical_keys import script_of, with_logical_keys
from txfuzz.replay.stepper.recorder import recorded_edn
from txfuzz.workload.yaml.writer import workload_text

_FILES = {
    "replay.yaml": "the schedule; `txfuzz execute --config replay.yaml --out history.edn` follows it",
    "history.edn": "what the sessions saw, as an Elle history",
    "cycle.png": "the dependencies between the transactions",
}


@dataclass(frozen=True)
class ShrunkFinding:
    """One bucket. shrunk: None where it did not recur, for the `reason`. count: how often it was seen,
    with what it stands for. also: signatures of the anomalies that shrank to the same reproducer."""

    signature: Signature
    count: int
    shrunk: Shrunk | None = None
    directory: Path | None = None
    reason: str = ""
    remark: str = ""
    also: tuple[Signature, ...] = ()


@dataclass(frozen=True)
class _Folder:
    """A folder of this run, and what its words are made of."""

    directory: Path
    shrunk: Shrunk
    assembled: Assembled
    result: AnalysisResult
    anomaly: Anomaly
    files: Mapping[str, str]
    remark: str


class FindingFolders:
    """Writes the folders of findings below `out`, one for all anomalies that shrank to the same."""

    def __init__(self, out: Path, database: Database) -> None:
        self._out, self._database = out, database
        self._written: dict[str, _Folder] = {}

    def add(self, shrunk: Shrunk, assembled: Assembled, seen: Mapping[str, int]) -> ShrunkFinding:
        """seen: source → how often; those of earlier times are kept.

        Where a folder has the same reproducer, the anomaly is told there, and the finding that comes
        back is that of the folder.
        """
        mark = reproducer_mark(shrunk.after, shrunk.workload, shrunk.signature)
        written = self._written.get(mark)
        if written is None:
            directory = _folder_of(self._out, mark) or self._out / shrunk.signature.name
            written = self._written[mark] = self._write(directory, shrunk, assembled)
        told = _count_anomaly(written, mark, shrunk.signature, seen)
        count = sum(each.count for each in told)
        first, *others = told
        _write_readme(written, self._database, told)
        return ShrunkFinding(
            first.signature,
            count,
            written.shrunk,
            written.directory,
            remark=written.remark,
            also=tuple(each.signature for each in others),
        )

    def _write(self, directory: Path, shrunk: Shrunk, assembled: Assembled) -> _Folder:
        from txfuzz.report.pictures.png import draw_minimal_graph

        signature, database = shrunk.signature, self._database
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{directory}: cannot be written: {error.strerror}") from None
        shown = with_logical_keys(shrunk.attempt)
        judge = Judge(assembled.expect, signature.isolation)
        history, result = judge.analyze(shown)
        anomaly = next(each for each in result.anomalies if each.type == signature.anomaly)
        title = f"{signature.anomaly} at {signature.isolation}"
        rows = shrunk.workload.keys.rows
        script = script_of(shown, title, shrunk.workload.kind, signature.isolation, rows)
        scripts: dict[str, ScriptFile] = {}
        remark = ""
        if isinstance(database, WritesScripts):
            scripts |= database.scripts(script)
            more, remark = database.try_scripts(script, scripts)
            scripts |= more
        written_scripts(directory, scripts)
        write_text(directory / "replay.yaml", workload_text(without_plugins(shrunk.workload), title))
        write_bytes(directory / "history.edn", recorded_edn(shown.operations))
        draw_minimal_graph(history, result, directory / "cycle.png")
        schedule, *others = _FILES.items()
        files = dict([schedule, *((name, each.about) for name, each in scripts.items()), *others])
        told = replace(shrunk, attempt=shown)
        return _Folder(directory, told, assembled, result, anomaly, files, remark)


@dataclass(frozen=True)
class _SeenAnomaly:
    """One anomaly in finding.json. seen: source → how often."""

    signature: Signature
    seen: Mapping[str, int]

    @property
    def count(self) -> int:
        return sum(self.seen.values())

    @property
    def sentence(self) -> str:
        signature = self.signature
        around = f" ({' '.join(signature.kinds)})" if signature.kinds else ""
        names = ", ".join(signature.templates)
        return f"{signature.anomaly}{around} between {names}, seen {self.count:,}×"

    def to_json(self) -> dict[str, Any]:
        return {
            "signature": self.signature.name,
            "anomaly": self.signature.anomaly,
            "kinds": list(self.signature.kinds),
            "templates": list(self.signature.templates),
            "isolation": self.signature.isolation,
            "count": self.count,
            "seen": dict(self.seen),
        }


def _write_readme(written: _Folder, database: Database, told: tuple[_SeenAnomaly, ...]) -> None:
    from txfuzz.report.text.finding_readme import finding_readme

    count = sum(each.count for each in told)
    remarks = [f"Seen {count} times in what was analysed." if count > 1 else "Seen once."]
    if len(told) > 1:
        listed = "\n".join(f"- {each.sentence}" for each in told)
        remarks.append(f"It represents {len(told)} anomalies, all of which shrank to it:\n\n{listed}")
    text = finding_readme(
        written.shrunk,
        written.result,
        written.anomaly,
        promised=written.assembled.answers_for,
        database=database.describe(),
        files=written.files,
        remarks=[*remarks, *filter(None, [written.remark])],
    )
    write_text(written.directory / "README.md", text)


def written_scripts(directory: Path, scripts: Mapping[str, ScriptFile]) -> None:
    """Marks of direction would show people other SQL than they run."""
    for name, script in scripts.items():
        write_text(directory / name, printable(script.text))


def _count_anomaly(
    written: _Folder, mark: str, signature: Signature, seen: Mapping[str, int]
) -> tuple[_SeenAnomaly, ...]:
    """finding.json, where anomalies and sources that were counted before are kept; that of the folder's
    name comes first."""
    path = written.directory / "finding.json"
    known = {each.signature: each for each in _anomalies_in(path)}
    before = known[signature].seen if signature in known else {}
    known[signature] = _SeenAnomaly(signature, {**before, **seen})
    told = sorted(known.values(), key=lambda each: each.signature.name != written.directory.name)
    together: dict[str, int] = {}
    for each in told:
        for source, count in each.seen.items():
            together[source] = together.get(source, 0) + count
    shrunk = written.shrunk
    data = {
        **told[0].to_json(),
        "count": sum(together.values()),
        "seen": together,
        "anomalies": [each.to_json() for each in told],
        "reproducer": mark,
        "transactions": len(shrunk.after.roles),
        "steps": [len(role.transaction.steps) for role in shrunk.after.roles],
        "attempts": shrunk.attempts,
    }
    write_json(path, data)
    return tuple(told)


@dataclass(frozen=True)
class _KeptAnomaly:
    anomaly: str
    kinds: tuple[str, ...]
    templates: tuple[str, ...]
    isolation: str
    seen: Mapping[str, int]

    @property
    def signature(self) -> Signature:
        return Signature(self.anomaly, self.kinds, self.templates, self.isolation)


@dataclass(frozen=True)
class _Kept:
    """What is read back of finding.json."""

    reproducer: str
    anomalies: tuple[_KeptAnomaly, ...]


def _folder_of(out: Path, mark: str) -> Path | None:
    """The folder with this reproducer."""
    for path in sorted(out.glob("*/finding.json")):
        with suppress(ArtefactError):  # a folder of somebody else's
            if read_back(path, _Kept).reproducer == mark:
                return path.parent
    return None


def _anomalies_in(path: Path) -> Iterator[_SeenAnomaly]:
    with suppress(FileNotFoundError):
        for each in read_back(path, _Kept).anomalies:
            yield _SeenAnomaly(each.signature, each.seen)


def signatures_in(path: Path) -> tuple[Signature, ...]:
    """Of which anomalies this finding.json tells; nothing where it is missing or spoilt."""
    try:
        return tuple(each.signature for each in _anomalies_in(path))
    except ArtefactError:
        return ()
