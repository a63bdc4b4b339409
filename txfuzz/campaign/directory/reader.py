"""Reads a run directory back, even if the campaign was cut short or files are damaged."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from txfuzz.analysis.result import AnalysisResult, Verdict
from txfuzz.analysis.result_data import restored, restored_result
from txfuzz.campaign.directory.finding_folder import signatures_in
from txfuzz.campaign.directory.run_directory import iteration_path
from txfuzz.campaign.directory.runs import is_running, no_campaign_but
from txfuzz.campaign.directory.values import ArtefactError, json_in
from txfuzz.errors import UsageError
from txfuzz.feedback.contract import Adjustment
from txfuzz.feedback.directed.direction import DirectedOutcome
from txfuzz.replay.small_scope.result import SmallScopeResult
from txfuzz.report.campaign_result import CampaignFacts, CampaignResult, Reproducer
from txfuzz.report.iteration import (
    SMALL_SCOPE,
    Iteration,
    Numbers,
    ReplayNote,
    iteration_name,
    replay_aim,
)

T = TypeVar("T")

_ITERATION = re.compile(r"iter_(\d+)")
_LONGEST = 64_000  # characters of a reproducer's text
_REPRODUCERS = 64
_NEAR_KEPT = 4  # near-cycles of an iteration
# The result of an iteration without a readable analysis.json
_NOT_ANALYSED = AnalysisResult("", Verdict.UNKNOWN, "", "it was not analysed")
_SOUND_ENDS = ("ended", "interrupted")


def read_run(directory: Path) -> CampaignResult:
    """The campaign in a run directory. UsageError if there is none."""
    if not directory.is_dir():
        raise UsageError(f"{directory}: no such directory; give the run directory of a campaign")
    places = _iterations(directory)
    if not places and not (directory / "campaign.json").exists():
        raise UsageError(
            no_campaign_but(directory)
            or f"{directory}: no campaign here (neither campaign.json nor iter_00){_below(directory)}"
        )
    reader = _DirectoryReader(directory)
    facts = reader.facts()
    rows = reader.rows()
    small_scope = reader.small_scope()
    iterations = tuple(reader.iteration(number, place, rows.get(number)) for number, place in places)
    whole = reader.ended_in_order(facts.state, iterations or small_scope) and not reader.verdict_missing
    return _with_aims(
        CampaignResult(
            directory,
            facts,
            iterations,
            interrupted=facts.state == "interrupted",
            reproducers=_reproducers(directory / "findings"),
            remarks=tuple(reader.remarks),
            whole=whole,
            small_scope=small_scope[0] if small_scope else None,
            failures=reader.failures,
        )
    )


def read_outline(directory: Path) -> CampaignResult:
    """What is known of a campaign beside its iterations, which are not read: many of them take long."""
    reader = _DirectoryReader(directory)
    facts = reader.facts()
    whole = reader.ended_in_order(facts.state, True)
    return CampaignResult(
        directory,
        facts,
        interrupted=facts.state == "interrupted",
        reproducers=_reproducers(directory / "findings"),
        remarks=tuple(reader.remarks),
        whole=whole,
        failures=reader.failures,
    )


def read_iteration(directory: Path, number: int) -> Iteration:
    """One iteration of a campaign, with its analysis and, if it has one, what its replay is about."""
    reader = _DirectoryReader(directory)
    if number == SMALL_SCOPE:
        found = reader.small_scope()
        iteration = found[0] if found else reader.iteration(number, iteration_path(directory, number), None)
    else:
        iteration = reader.iteration(number, iteration_path(directory, number), None)
    aim = None if iteration.replay_file is None else replay_aim(iteration.replay_file)
    return replace(iteration, aim=aim)


def _with_aims(record: CampaignResult) -> CampaignResult:
    """With what the replays are about, only for iterations where a report shows it: YAML is slow to read."""
    firsts = {each.first for each in record.findings}

    def aimed(each: Iteration) -> Iteration:
        if each.number not in firsts or each.replay_file is None:
            return each
        return replace(each, aim=replay_aim(each.replay_file))

    return replace(
        record,
        iterations=tuple(map(aimed, record.iterations)),
        small_scope=None if record.small_scope is None else aimed(record.small_scope),
    )


class _DirectoryReader:
    """Reads file by file. remarks: sentences about what is missing or damaged. verdict_missing: is anything
    missing that might hold a finding?"""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.remarks: list[str] = []
        self.failures: tuple[str, ...] = ()
        self.verdict_missing = False

    def facts(self) -> CampaignFacts:
        data = self.json("campaign.json")
        if not isinstance(data, Mapping):
            self.remarks.append(
                "campaign.json is missing or damaged: isolation level, expectation and versions are unknown"
            )
            return CampaignFacts()
        failures = data.get("failures")  # absent before there were any
        self.failures = (
            tuple(each for each in failures if isinstance(each, str)) if isinstance(failures, list) else ()
        )
        data = {"answers_for": data.get("promised"), **data}
        return self.value(CampaignFacts, data, "campaign.json") or self.what_fits(CampaignFacts, data)

    def rows(self) -> dict[int, Mapping[str, Any]]:
        """The entries of stats.json by iteration."""
        data = self.json("stats.json")
        if not isinstance(data, Mapping):
            return {}
        entries = data.get("by_iteration")
        rows = [each for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []
        found: dict[int, Mapping[str, Any]] = {
            each["iteration"]: each for each in rows if type(each.get("iteration")) is int
        }
        first = data.get("small_scope")
        return {**found, SMALL_SCOPE: first} if isinstance(first, dict) else found

    def small_scope(self) -> tuple[Iteration, ...]:
        """The search before the first iteration, if there was one."""
        path = iteration_path(self.directory, SMALL_SCOPE)
        if not path.is_dir():
            return ()
        found = self.iteration(SMALL_SCOPE, path, self.rows().get(SMALL_SCOPE))
        searched = self.read(f"{path.name}/small_scope.json", partial(restored, SmallScopeResult))
        return (replace(found, searched=searched),)

    def iteration(self, number: int, path: Path, row: Mapping[str, Any] | None) -> Iteration:
        where, name = path.name, iteration_name(number)
        result = self.read(f"{where}/analysis.json", restored_result)
        if not (path / "analysis.json").exists():
            history = "its history is there" if (path / "history.edn").exists() else "there is no history"
            self.remarks.append(
                f"iteration {name} was not analysed ({where}/analysis.json is missing; {history})"
            )
        numbers = None if row is None else self.value(Numbers, _plain(row), "stats.json")
        note = self.read(f"{where}/replay_result.json", partial(restored, ReplayNote))
        replayed = self.read(f"{where}/replay_analysis.json", restored_result)
        if note is not None and note.closed and replayed is None and not _invalid(result):
            self.verdict_missing = True
            self.remarks.append(
                f"the replays of iteration {name} showed something, but {where}/replay_analysis.json, "
                "which says what, is missing or damaged"
            )
        return Iteration(
            number,
            path,
            _NOT_ANALYSED if result is None else _trimmed(result),
            numbers or self.numbers(where, result),
            tuple(self.adjustments(f"{where}/decisions.json")),
            None if replayed is None else _trimmed(replayed),
            note,
            replay_file if (replay_file := path / "replay.yaml").exists() else None,
            directed=self.directed(row),
        )

    def directed(self, row: Mapping[str, Any] | None) -> tuple[DirectedOutcome, ...]:
        """What came of the directed schedules, as far as stats.json says."""
        entries = None if row is None else row.get("directed")
        found = (
            self.value(DirectedOutcome, each, "stats.json")
            for each in (entries if isinstance(entries, list) else ())
        )
        return tuple(each for each in found if each is not None)

    def numbers(self, where: str, result: AnalysisResult | None) -> Numbers:
        """From analysis.json and execution.json, for iterations missing in stats.json."""
        execution = self.json(f"{where}/execution.json")
        ran = execution if isinstance(execution, Mapping) else {}
        rate = _rate(ran.get("ok"), ran.get("seconds"))
        if result is None:
            return Numbers(per_second=rate)
        return Numbers.of(result, per_second=rate, aborts=_counts(ran.get("aborts")))

    def adjustments(self, name: str) -> Iterator[Adjustment]:
        data = self.json(name)
        for each in data if isinstance(data, list) else ():
            if (found := self.value(Adjustment, each, name)) is not None:
                yield found

    def ended_in_order(self, state: str, iterations: tuple[Iteration, ...] | bool) -> bool:
        """Did the campaign end in an orderly way? If not, adds a remark."""
        if state == "running":
            remark = "the campaign is still running" if is_running(self.directory) else (
                f"the campaign was killed: `txfuzz run --resume {self.directory}` resumes it"
            )  # fmt: skip
            self.remarks.insert(0, remark)
        elif state.startswith("failed"):
            self.remarks.insert(0, f"the campaign failed: {state.removeprefix('failed').lstrip(': ')}")
        elif state == "interrupted":
            self.remarks.insert(0, "the campaign was interrupted; what had been recorded was analysed")
        if not iterations:
            self.remarks.append("no iteration was completed")
        return state in _SOUND_ENDS

    # -- files ------------------------------------------------------------------------------

    def json(self, name: str) -> Any:
        """The data of a file; None if it is missing or, with a remark, unreadable."""
        try:
            return json_in(self.directory / name)
        except FileNotFoundError:
            return None
        except ArtefactError as error:
            self.remarks.append(str(error).removeprefix(f"{self.directory}/").replace(": ", " ", 1))
            return None

    def read(self, name: str, restore: Callable[[Any], T]) -> T | None:
        """The value in a file; None if it is missing or, with a remark, unusable."""
        data = self.json(name)
        return None if data is None else self.restore(name, restore, data)

    def value(self, wanted: type[T], data: Any, name: str) -> T | None:
        return self.restore(name, partial(restored, wanted), data)

    def restore(self, name: str, restore: Callable[[Any], T], data: Any) -> T | None:
        try:
            return restore(data)
        except (ValueError, RecursionError) as error:
            self.remarks.append(f"{name} was not written by this version of txfuzz: {error}")
            return None

    def what_fits(self, wanted: type[CampaignFacts], data: Mapping[str, Any]) -> CampaignFacts:
        """The fields that are valid; defaults for the others."""
        kept: dict[str, Any] = {}
        for each in fields(wanted):
            try:
                kept[each.name] = getattr(restored(wanted, {each.name: data[each.name]}), each.name)
            except (KeyError, ValueError):
                continue
        return wanted(**kept)


def _iterations(directory: Path) -> list[tuple[int, Path]]:
    found = []
    for path in directory.iterdir():
        named = _ITERATION.fullmatch(path.name)
        if named and path.is_dir():
            found.append((int(named[1]), path))
    return sorted(found)


def _below(directory: Path) -> str:
    """A hint at the newest campaign in a directory that holds several."""
    found = [path for path in directory.glob("*/campaign.json") if path.is_file()]
    if not found:
        return ""
    return f"; the newest one below it is {max(found, key=lambda path: path.stat().st_mtime).parent}"


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of stats.json without unknown values, which are empty strings there."""
    return {name: value for name, value in row.items() if value != ""}


def _rate(count: Any, seconds: Any) -> float | None:
    known = isinstance(count, int) and isinstance(seconds, int | float) and seconds > 0
    return count / seconds if known else None


def _counts(data: Any) -> dict[str, int]:
    if not isinstance(data, Mapping):
        return {}
    return {str(name): count for name, count in data.items() if isinstance(count, int)}


def _invalid(result: AnalysisResult | None) -> bool:
    return result is not None and result.verdict is Verdict.INVALID


def _trimmed(result: AnalysisResult) -> AnalysisResult:
    """Without what no report shows, so that a thousand iterations fit in memory."""
    return replace(result, near_cycles=result.near_cycles[:_NEAR_KEPT], cycles=(), sccs=(), parts={})


def _reproducers(directory: Path) -> tuple[Reproducer, ...]:
    """The texts in `findings/*/`."""
    if not directory.is_dir():
        return ()
    found = []
    for path in sorted(each for each in directory.iterdir() if each.is_dir())[:_REPRODUCERS]:
        files = {each.name: text for each in sorted(path.iterdir()) if (text := _text(each)) is not None}
        names = tuple(each.name for each in signatures_in(path / "finding.json"))
        found.append(Reproducer(path.name, path, files, names))
    return tuple(found)


def _text(path: Path) -> str | None:
    if path.suffix not in (".md", ".yaml") and not path.name.startswith("repro."):
        return None
    try:
        if path.stat().st_size > 4 * _LONGEST:
            return None
        return path.read_text(encoding="utf-8")[:_LONGEST]
    except (OSError, ValueError):
        return None
