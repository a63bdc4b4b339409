"""`findings/<signature>/`: the folder of a shrunk finding, for people and for tools."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from txfuzz.analysis.explain.headlines import headline
from txfuzz.analysis.result import AnalysisResult, Anomaly
from txfuzz.campaign.directory.run_directory import write_bytes, write_json, write_text, writing
from txfuzz.campaign.directory.values import ArtefactError, read_back
from txfuzz.campaign.replays import without_plugins
from txfuzz.campaign.setup.resolve import Assembled
from txfuzz.common.sanitize import printable
from txfuzz.database.api import Database, ScriptFile, WritesScripts
from txfuzz.replay.judge import Judge
from txfuzz.replay.reproducer import reproducer_mark
from txfuzz.replay.shrink import Shrunk
from txfuzz.replay.signature import Signature
from txfuzz.replay.stepper.logical_keys import script_of, with_logical_keys
from txfuzz.replay.stepper.recorder import recorded_edn
from txfuzz.workload.yaml.writer import workload_text

_FILES = {
    "replay.yaml": "the schedule; `txfuzz execute replay.yaml --out history.edn` follows it",
    "history.edn": "what the sessions saw, as an Elle history",
    "cycle.png": "the dependencies between the transactions",
}


@dataclass(frozen=True)
class ShrunkFinding:
    """shrunk: None if the anomaly did not recur, with the `reason`. also: signatures of other anomalies that
    shrank to the same reproducer. count: how often all of them were seen."""

    signature: Signature
    count: int
    shrunk: Shrunk | None = None
    directory: Path | None = None
    reason: str = ""
    remark: str = ""
    also: tuple[Signature, ...] = ()


@dataclass(frozen=True)
class _Folder:
    """A folder written in this run, and what its README is made from."""

    directory: Path
    shrunk: Shrunk
    assembled: Assembled
    result: AnalysisResult
    anomaly: Anomaly
    files: Mapping[str, str]
    remark: str


class FindingFolders:
    """Writes the folders of findings in `out`, one for all anomalies that shrank to the same reproducer."""

    def __init__(self, out: Path, database: Database) -> None:
        self._out, self._database = out, database
        self._written: dict[str, _Folder] = {}

    def add(self, shrunk: Shrunk, assembled: Assembled, seen: Mapping[str, int]) -> ShrunkFinding:
        """Write the folder of a finding. If one has the same reproducer already, the anomaly is added to it,
        and the finding of that folder is returned.

        seen: source → how often. Sources counted earlier are kept.
        """
        mark = reproducer_mark(shrunk.after, shrunk.workload, shrunk.signature)
        written = self._written.get(mark)
        if written is None:
            directory = _folder_of(self._out, mark) or self._out / shrunk.signature.name
            written = self._written[mark] = self._write(directory, shrunk, assembled)
        first, *others = anomalies = _count_anomaly(written, mark, shrunk.signature, seen)
        _write_readme(written, self._database, anomalies)
        return ShrunkFinding(
            first.signature,
            sum(each.count for each in anomalies),
            written.shrunk,
            written.directory,
            remark=written.remark,
            also=tuple(each.signature for each in others),
        )

    def _write(self, directory: Path, shrunk: Shrunk, assembled: Assembled) -> _Folder:
        from txfuzz.report.pictures.png import draw_minimal_graph

        signature, database = shrunk.signature, self._database
        with writing(directory):
            directory.mkdir(parents=True, exist_ok=True)
        shown = with_logical_keys(shrunk.attempt)
        judge = Judge(assembled.expect, signature.isolation)
        history, result = judge.analyze(shown)
        anomaly = next(each for each in result.anomalies if each.type == signature.anomaly)
        title = f"{signature.anomaly} at {signature.isolation}"
        rows = shrunk.workload.keys.rows
        why = (headline(anomaly), *anomaly.explanation.splitlines())
        script = script_of(shown, title, shrunk.workload.kind, signature.isolation, rows, why)
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
        shrunk = replace(shrunk, attempt=shown)
        return _Folder(directory, shrunk, assembled, result, anomaly, files, remark)


@dataclass(frozen=True)
class _SeenAnomaly:
    """One anomaly in finding.json: its signature, and source → how often it was seen there."""

    anomaly: str
    kinds: tuple[str, ...]
    templates: tuple[str, ...]
    isolation: str
    seen: Mapping[str, int]

    @property
    def signature(self) -> Signature:
        return Signature(self.anomaly, self.kinds, self.templates, self.isolation)

    @property
    def count(self) -> int:
        return sum(self.seen.values())

    @property
    def sentence(self) -> str:
        around = f" ({' '.join(self.kinds)})" if self.kinds else ""
        return f"{self.anomaly}{around} between {', '.join(self.templates)}, seen {self.count:,}×"

    def to_json(self) -> dict[str, Any]:
        return {
            "signature": self.signature.name,
            "anomaly": self.anomaly,
            "kinds": list(self.kinds),
            "templates": list(self.templates),
            "isolation": self.isolation,
            "count": self.count,
            "seen": dict(self.seen),
        }


@dataclass(frozen=True)
class _StoredFinding:
    """The part of finding.json that is read back."""

    reproducer: str
    anomalies: tuple[_SeenAnomaly, ...]


def _write_readme(written: _Folder, database: Database, anomalies: tuple[_SeenAnomaly, ...]) -> None:
    from txfuzz.report.text.finding_readme import finding_readme

    count = sum(each.count for each in anomalies)
    remarks = [f"Seen {count} times in what was analysed." if count > 1 else "Seen once."]
    if len(anomalies) > 1:
        listed = "\n".join(f"- {each.sentence}" for each in anomalies)
        remarks.append(f"It represents {len(anomalies)} anomalies, all of which shrank to it:\n\n{listed}")
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
    """Without bidirectional control characters, which would show other SQL than what is run."""
    for name, script in scripts.items():
        write_text(directory / name, printable(script.text))


def _count_anomaly(
    written: _Folder, mark: str, signature: Signature, seen: Mapping[str, int]
) -> tuple[_SeenAnomaly, ...]:
    """Update finding.json, keeping anomalies and sources counted earlier. Returns its anomalies; the one that
    the folder is named after comes first."""
    path = written.directory / "finding.json"
    known = {each.signature: each for each in _anomalies_in(path)}
    before = known[signature].seen if signature in known else {}
    known[signature] = _SeenAnomaly(**asdict(signature), seen={**before, **seen})
    anomalies = sorted(known.values(), key=lambda each: each.signature.name != written.directory.name)
    together: Counter[str] = Counter()
    for each in anomalies:
        together.update(each.seen)
    shrunk = written.shrunk
    data = {
        **anomalies[0].to_json(),
        "count": together.total(),
        "seen": together,
        "anomalies": [each.to_json() for each in anomalies],
        "reproducer": mark,
        "transactions": len(shrunk.after.roles),
        "steps": [len(role.transaction.steps) for role in shrunk.after.roles],
        "attempts": shrunk.attempts,
    }
    write_json(path, data)
    return tuple(anomalies)


def _folder_of(out: Path, mark: str) -> Path | None:
    """The folder with this reproducer."""
    for path in sorted(out.glob("*/finding.json")):
        with suppress(ArtefactError):  # not written by txfuzz
            if read_back(path, _StoredFinding).reproducer == mark:
                return path.parent
    return None


def _anomalies_in(path: Path) -> tuple[_SeenAnomaly, ...]:
    return read_back(path, _StoredFinding).anomalies if path.exists() else ()


def signatures_in(path: Path) -> tuple[Signature, ...]:
    """The anomalies in finding.json; none if it is missing or damaged."""
    try:
        return tuple(each.signature for each in _anomalies_in(path))
    except ArtefactError:
        return ()
