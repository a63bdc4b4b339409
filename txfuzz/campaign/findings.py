"""`findings/<signature>/`: what a finding is, for people and for their tools."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from txfuzz.campaign.assembling import Assembled
from txfuzz.campaign.directory import write_bytes, write_json, write_text
from txfuzz.campaign.reading_back import read_back
from txfuzz.campaign.replaying import without_plugins
from txfuzz.database.port import Database, WritesScripts
from txfuzz.errors import OutputError
from txfuzz.replay.judging import Judge
from txfuzz.replay.portrait import portrait, script_of
from txfuzz.replay.shrinking import Shrunk
from txfuzz.replay.signature import Signature
from txfuzz.scrubbing import printable
from txfuzz.workload.writing import workload_text

_FILES = {
    "replay.yaml": "the schedule; `txfuzz execute --config replay.yaml --out history.edn` follows it",
    "repro.sql": "the same as SQL, to be typed by hand into one window a session",
    "repro.spec": "the same for isolationtester",
    "repro.out": "what isolationtester printed",
    "history.edn": "what the sessions saw, as an Elle history",
    "cycle.png": "the dependencies between the transactions",
}


@dataclass(frozen=True)
class Finding:
    """One bucket. shrunk: None where it did not recur, for the `reason`. count: how often it was seen,
    by source."""

    signature: Signature
    count: int
    shrunk: Shrunk | None = None
    directory: Path | None = None
    reason: str = ""
    remark: str = ""


@dataclass(frozen=True)
class Counted:
    """What is read back of finding.json. seen: source → how often."""

    seen: Mapping[str, int] = field(default_factory=dict)


def write_finding(
    out: Path,
    shrunk: Shrunk,
    assembled: Assembled,
    database: Database,
    seen: Mapping[str, int],
) -> Finding:
    """Write the folder of a finding. seen: source → how often; those of earlier times are kept."""
    from txfuzz.report.finding_text import finding_text
    from txfuzz.report.graphs import draw_minimal_graph

    signature = shrunk.signature
    directory = out / signature.name
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{directory}: cannot be written: {error.strerror}") from None
    shown = portrait(shrunk.attempt)
    judge = Judge(assembled.expect, signature.isolation)
    history, result = judge.analysed(shown)
    anomaly = next(each for each in result.anomalies if each.type == signature.anomaly)
    title = f"{signature.anomaly} at {signature.isolation}"
    rows = shrunk.workload.keys.rows
    script = script_of(shown, title, shrunk.workload.kind, signature.isolation, rows)
    scripts: dict[str, str] = {}
    remark = ""
    if isinstance(database, WritesScripts):
        scripts |= database.scripts(script)
        more, remark = database.try_scripts(script, scripts)
        scripts |= more
    written_scripts(directory, scripts)
    write_text(directory / "replay.yaml", workload_text(without_plugins(shrunk.workload), title))
    write_bytes(directory / "history.edn", b"".join(shown.lines))
    draw_minimal_graph(history, result, directory / "cycle.png", names=shown.begun)
    files = {name: what for name, what in _FILES.items() if name in scripts or not name.startswith("repro.")}
    count = _count(directory, signature, {**seen}, shrunk)
    remarks = [
        f"Seen {count} times in what was analysed." if count > 1 else "Seen once.",
        *filter(None, [remark]),
    ]
    text = finding_text(
        shrunk, result, anomaly, promised=assembled.answers_for, database=database.describe(), files=files,
        remarks=remarks,
    )  # fmt: skip
    write_text(directory / "README.md", text)
    return Finding(signature, count, shrunk, directory, remark=remark)


def written_scripts(directory: Path, scripts: Mapping[str, str]) -> None:
    """Marks of direction would show people other SQL than they run."""
    for name, text in scripts.items():
        write_text(directory / name, printable(text))


def _count(directory: Path, signature: Signature, seen: dict[str, int], shrunk: Shrunk) -> int:
    """finding.json, where sources that were counted before are kept."""
    path = directory / "finding.json"
    with suppress(FileNotFoundError):
        seen = {**read_back(path, Counted).seen, **seen}
    count = sum(seen.values())
    data = {
        "anomaly": signature.anomaly,
        "kinds": list(signature.kinds),
        "templates": list(signature.templates),
        "isolation": signature.isolation,
        "count": count,
        "seen": seen,
        "transactions": len(shrunk.after.roles),
        "steps": [len(role.transaction.steps) for role in shrunk.after.roles],
        "attempts": shrunk.attempts,
    }
    write_json(path, data)
    return count
