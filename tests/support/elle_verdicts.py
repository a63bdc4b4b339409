"""The real Elle's recorded verdicts, compared with ours.

tests/histories/agreement/README.md describes their origin and the lines of a verdict file.
"""

from __future__ import annotations

import json
import lzma
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from txfuzz.analysis.checker.check import CheckResult, check
from txfuzz.analysis.checker.consistency import generalisations, prohibited
from txfuzz.analysis.checker.cycle_types import CYCLE_EXISTS, CYCLE_TYPES
from txfuzz.analysis.dependencies.columns import Columns
from txfuzz.analysis.dependencies.register_versions import VersionOptions
from txfuzz.common.kind import Kind
from txfuzz.history.model import INFO, OK, READ, History
from txfuzz.history.reader import read_history, read_history_bytes

ROOT = Path(__file__).parents[2]
AGREEMENT = ROOT / "tests" / "histories" / "agreement"
COLLECTIONS = ("handmade", "random")

_CYCLES = {cycle_type.name for cycle_type in CYCLE_TYPES}

# The classes of differences from Elle; docs/explanation/differences-from-elle.md describes each.
UNWRITTEN_READ = "unwritten-read"
DUPLICATE_WRITES = "duplicate-writes"
INFO_WRITES = "info-writes"
UNFINISHED_WRITER = "unfinished-writer"
FIRST_CANDIDATE = "first-candidate"
REJECTED_FACTS = "rejected-facts"
UNEXPLAINED = "unexplained"

# What Elle lists among the anomalies although it says nothing about the history.
NO_ANOMALIES = {"empty-transaction-graph", "cycle-search-timeout"}


@dataclass(frozen=True)
class Said:
    """A checker's answer for a history and a model."""

    verdict: str
    anomaly_types: tuple[str, ...]
    not_models: tuple[str, ...]
    also_not: tuple[str, ...]


@dataclass(frozen=True)
class Recorded:
    """Elle's answer. threw: the exception that it threw, or empty."""

    file: str
    kind: str
    model: str
    options: tuple[str, ...]
    said: Said
    threw: str = ""

    @property
    def version_options(self) -> VersionOptions:
        return VersionOptions(**{name.replace("-", "_"): True for name in self.options})


def recorded(collection: str) -> list[Recorded]:
    """All verdicts on a collection: "handmade" or "random"."""
    plain = AGREEMENT / f"{collection}.verdicts.jsonl"
    packed = AGREEMENT / f"{collection}.verdicts.jsonl.xz"
    with plain.open() if plain.exists() else lzma.open(packed, "rt") as lines:
        return [_recorded(json.loads(line)) for line in lines]


def _recorded(line: dict[str, Any]) -> Recorded:
    types = {*line["anomaly_types"]} - NO_ANOMALIES
    said = Said(line["verdict"], *(tuple(sorted(names)) for names in (types, line["not"], line["also_not"])))
    options = tuple(line.get("options") or ())
    return Recorded(line["file"], line["kind"], line["model"], options, said, line.get("elle_threw", ""))


def ours(result: CheckResult) -> Said:
    """Our answer in Elle's form: without anything reportable, Elle's map has no further keys."""
    return Said(
        result.verdict.value,
        tuple(sorted(result.anomaly_types)),
        tuple(sorted(result.not_models)),
        tuple(sorted(result.also_not)),
    )


def difference(history: History, elle: Recorded) -> str | None:
    """The class of the difference between our answer and Elle's; None if they agree."""
    result = check(history, elle.model, options=elle.version_options)
    said = ours(result)
    if said == elle.said and not elle.threw:
        return None
    if UNWRITTEN_READ in result.all_types and (not elle.threw or "No transaction wrote" in elle.threw):
        return UNWRITTEN_READ
    if result.reason.startswith("duplicate writes") and (elle.threw or elle.kind == Kind.RW_REGISTER.value):
        return DUPLICATE_WRITES
    if elle.threw:
        unfinished = bool(((history.type == INFO) & (history.complete_at < 0)).any())
        return UNFINISHED_WRITER if unfinished and "No transaction wrote" in elle.threw else UNEXPLAINED
    if more_telling(said, elle.said):
        return FIRST_CANDIDATE
    if _takes_info_writes(history):
        without = said_without_info(history, elle)
        if without == elle.said or more_telling(without, elle.said):
            return INFO_WRITES
    return REJECTED_FACTS if _uses_rejected_facts(history, elle, said) else UNEXPLAINED


def more_telling(said: Said, elle: Said) -> bool:
    """Do the two differ only in types of cycles, and do ours entail all of Elle's?

    Elle searches a component for each type once and drops the type when the first candidate, once
    explained edge by edge, turns out to be of another one. Where we find a cycle of that type, Elle goes
    on to report the types that it is an instance of, or only that some cycle exists.
    """
    if (said.verdict, said.not_models, said.also_not) != (elle.verdict, elle.not_models, elle.also_not):
        return False
    if any(
        "-cycle-exists" not in name and name not in _CYCLES
        for name in {*said.anomaly_types} ^ {*elle.anomaly_types}
    ):
        return False
    entailed = {other for name in said.anomaly_types for other in generalisations(name)}
    models = {spec.name: spec.model for spec in CYCLE_EXISTS}
    return all(
        entailed & prohibited(models[name]) if name in models else name in entailed
        for name in elle.anomaly_types
    )


def _takes_info_writes(history: History) -> bool:
    """Does a register history contain a write of unknown outcome?"""
    wrote = Columns(history).type[history.mop_f != READ]
    return history.kind is Kind.RW_REGISTER and bool((wrote == INFO).any())


def said_without_info(history: History, elle: Recorded) -> Said:
    """Our answer if, as in Elle, only committed transactions had dependencies."""
    with patch.object(Columns, "takes_part", property(lambda columns: columns.history.type == OK)):
        return ours(check(history, elle.model, options=elle.version_options))


def _uses_rejected_facts(history: History, elle: Recorded, said: Said) -> bool:
    """Does Elle report additional types of cycles that rest only on facts that it reports as cyclic?"""
    if (
        replace(elle.said, anomaly_types=said.anomaly_types) != said
        or "cyclic-versions" not in said.anomaly_types
    ):
        return False
    kept: set[str] = set()
    for upto in range(1, len(elle.options) + 1):
        options = replace(elle, options=elle.options[:upto]).version_options
        with patch("txfuzz.analysis.dependencies.register_versions._circles", lambda *_: []):
            kept |= {*check(history, elle.model, options=options).all_types}
    return {*elle.said.anomaly_types} - {*said.anomaly_types} <= kept & _CYCLES


@cache
def random_histories() -> dict[str, bytes]:
    """The contents of the 1,200 random histories by file name."""
    found = {}
    with tarfile.open(AGREEMENT / "random.tar.xz") as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is not None:
                found[Path(member.name).name] = content.read()
    return found


def handmade_histories() -> list[Path]:
    """The files of the 69 edge cases."""
    return sorted((AGREEMENT / "handmade").glob("*.edn"))


@cache
def history(collection: str, file: str) -> History:
    if collection == "random":
        return read_history_bytes(random_histories()[file], file)
    return read_history(AGREEMENT / collection / file)


def all_runs() -> Iterator[tuple[str, Recorded, History]]:
    """Every recorded run of Elle: the collection, Elle's answer, the history."""
    for collection in COLLECTIONS:
        for elle in recorded(collection):
            yield collection, elle, history(collection, elle.file)
