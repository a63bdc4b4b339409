"""Running workloads on a database of choice, for the tests of adapters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from txfuzz.analysis.analyze import analyze_history, vacuous_reason
from txfuzz.analysis.result import AnalysisResult
from txfuzz.campaign.setup.resolve import InstalledVocabulary, assemble
from txfuzz.errors import WorkloadError
from txfuzz.execution.run import execute
from txfuzz.execution.summary import ExecutionSummary
from txfuzz.history.reader import read_history
from txfuzz.plugin.loader import load_plugins
from txfuzz.workload.model import DatabaseSpec, Workload
from txfuzz.workload.shipped import workload_path
from txfuzz.workload.yaml.reader import parse_workload, read_workload

REGISTRY = load_plugins(strict=True)
WORDS = InstalledVocabulary(REGISTRY)


def own(path: Path) -> Workload:
    """A workload file as it stands; it has the header that all of them have."""
    header = [line for line in path.read_text().splitlines() if line.startswith("#")]
    for word in ("Hunts:", "At:", "Expect:", "How:"):
        assert any(line.startswith(f"# {word}") for line in header), f"{path}: {word}"
    return read_workload(path, WORDS)


def shipped_on(name: str, adapter: str, isolation: str, options: Mapping[str, Any]) -> Workload:
    """A workload that ships with txfuzz, on another database. Refused if that does not support it."""
    text = workload_path(name).read_text()
    [written] = re.findall(r"^database:.*\n(?:  .*\n)*", text, re.MULTILINE)
    fields = {"adapter": adapter, "isolation": isolation, **options}
    spec = "".join(
        f"  {key}: {str(value).lower() if isinstance(value, bool) else value}\n"
        for key, value in fields.items()
    )
    endpoints = "".join(re.findall(r"^  endpoints: .*\n", written, re.MULTILINE))
    return parse_workload(text.replace(written, f"database:\n{spec}{endpoints}"), f"{name}.yaml", WORDS)


def refusal(name: str, adapter: str, isolation: str, options: Mapping[str, Any]) -> str:
    """Why the database cannot run this workload; empty if it can."""
    try:
        shipped_on(name, adapter, isolation, options)
    except WorkloadError as error:
        return str(error)
    return ""


def run(
    workload: Workload,
    path: Path,
    *,
    expect: str | None = None,
    transactions: int | None = None,
    url: str | None = None,
    **database: Any,
) -> tuple[AnalysisResult, ExecutionSummary]:
    """Run it and check the history. database: fields of DatabaseSpec that replace the workload's."""
    spec: DatabaseSpec = replace(workload.database, **database)
    scheduling = workload.scheduling
    if transactions:
        scheduling = replace(scheduling, transactions=transactions)
    assembled = assemble(replace(workload, database=spec, scheduling=scheduling), REGISTRY, expect=expect)
    with assembled.adapter.open(url) as opened:
        summary = execute(
            assembled.workload, opened, path, isolation=assembled.isolation, faults=assembled.faults
        )
    assert summary.failure is None, summary.failure
    history = read_history(path)
    result = analyze_history(history, assembled.expect)
    assert vacuous_reason(history, result) is None
    return result, summary


# How a workload is refused: by the capability that the adapter lacks
LACKS = (
    r"no lock: adapter '{adapter}' has no locking reads",
    r"a lock that adapter '{adapter}' supports",
    r"one that adapter '{adapter}' can inject",
    r"which is written for \w+, expected .*'{adapter}'",
    r"adapter '{adapter}' has one place only, and no endpoints",
)


def is_lack(said: str, adapter: str) -> bool:
    return any(re.search(pattern.format(adapter=adapter), said) for pattern in LACKS)
