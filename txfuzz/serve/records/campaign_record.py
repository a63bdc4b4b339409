"""A campaign as its pages need it: the numbers of all iterations from its timeline, the analyses only of
those that are shown. So ten thousand iterations are a matter of a second once, and of what is new later."""

from __future__ import annotations

import gc
import json
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from txfuzz.analysis.explain.headlines import telling
from txfuzz.analysis.result import AnalysisResult, Anomaly, KeyPressure, Verdict
from txfuzz.campaign.directory.reader import read_iteration, read_outline, read_run
from txfuzz.campaign.directory.run_directory import iteration_path
from txfuzz.campaign.directory.timeline import TIMELINE
from txfuzz.feedback.contract import Adjustment
from txfuzz.replay.signature import Signature
from txfuzz.report.campaign_result import CampaignResult
from txfuzz.report.finding import Finding, findings_in, merge_by_reproducer
from txfuzz.report.html.time_chart import TimeBand, TimePoint
from txfuzz.report.iteration import SMALL_SCOPE, Iteration, Numbers
from txfuzz.report.verdict import against
from txfuzz.serve.records.times import Clock

_VERDICTS = {each.value: each for each in Verdict}
_KEPT = 64  # iterations with their analyses
_PAGES = 16  # that are not made again while nothing changes


@dataclass(frozen=True)
class RankedCampaign(CampaignResult):
    """ranked: its findings in order; the anomalies of those that are not shown are empty but for their
    headline."""

    ranked: tuple[Finding, ...] = ()

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        return self.ranked


@dataclass(frozen=True)
class CampaignState:
    """record: without anomalies, but those of the finding that leads. points, bands: by the clock of the
    runs. entries: lines of the timeline; None for a campaign without one, which is read as a whole."""

    record: CampaignResult
    points: tuple[TimePoint, ...]
    bands: tuple[TimeBand, ...]
    entries: int | None


class CampaignRecord:
    """Of one directory. Usable from several threads."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._lock = threading.Lock()
        self._offset, self._inode = 0, -1
        self._iterations: list[Iteration] = []
        self._clock = Clock()
        self._found: dict[str, Finding] = {}  # by the name of the signature
        self._types: set[str] = set()
        self._marks: object = None
        self._state: CampaignState | None = None
        self._whole: OrderedDict[int, Iteration] = OrderedDict()
        self._pages: dict[Hashable, str] = {}

    def state(self) -> CampaignState:
        """As it is now. UsageError if there is no campaign to be read."""
        with self._lock:
            marks = self._current_marks()
            if self._state is None or marks != self._marks:
                self._state = self._read()
                self._marks = marks
                self._pages = {}
            return self._state

    def page(self, key: Hashable, made: Callable[[CampaignState], str]) -> str:
        """A page as it was made before, unless something has changed since."""
        state, pages = self.state(), self._pages
        page = pages.get(key)
        if page is None:
            page = made(state)
            if len(pages) < _PAGES:
                pages[key] = page
        return page

    def with_whole(self, record: CampaignResult, findings: Iterable[int], rows: range) -> CampaignResult:
        """The record with the anomalies of these findings, and the decisions of these iterations."""
        if not isinstance(record, RankedCampaign):
            return record
        with self._lock:
            ranked = list(record.ranked)
            whole: dict[int, Iteration] = {}
            for at in findings:
                if at >= len(ranked):
                    continue
                number = ranked[at].first
                whole[number] = self._whole_iteration(record, number)
                ranked[at] = _with_anomaly(ranked[at], whole[number], record)
            iterations = list(record.iterations)
            for at, each in enumerate(iterations):
                if each.number in whole:
                    iterations[at] = whole[each.number]
            for at in rows:
                if at < len(iterations) and iterations[at].decisions and iterations[at].number not in whole:
                    told = read_iteration(self.directory, iterations[at].number).decisions
                    iterations[at] = replace(iterations[at], decisions=told or iterations[at].decisions)
        small_scope = whole.get(SMALL_SCOPE, record.small_scope)
        return replace(record, ranked=tuple(ranked), iterations=tuple(iterations), small_scope=small_scope)

    # -- reading ----------------------------------------------------------------------------

    def _current_marks(self) -> object:
        marks = []
        for name in ("campaign.json", TIMELINE, "findings", "iter_small_scope"):
            try:
                found = os.stat(self.directory / name)
                marks.append((found.st_mtime_ns, found.st_size, found.st_ino))
            except OSError:
                marks.append((0, 0, 0))
        return tuple(marks)

    def _read(self) -> CampaignState:
        try:
            self._read_timeline()
        except (OSError, ValueError, KeyError, TypeError, AttributeError):  # none, or not of this version
            self._offset, self._inode = 0, -1
            return self._read_whole()
        outline = read_outline(self.directory)
        by_number = {each.number: each for each in self._iterations}
        first = by_number.pop(SMALL_SCOPE, None)
        if first is not None:
            searched = read_iteration(self.directory, SMALL_SCOPE).searched
            first = replace(first, searched=searched)
        ranked = self._ranked(outline)
        record = RankedCampaign(
            **{name: getattr(outline, name) for name in outline.__dataclass_fields__}
            | {"iterations": tuple(by_number[number] for number in sorted(by_number)), "small_scope": first},
            ranked=ranked,
        )
        self._state = None
        if ranked:
            number = ranked[0].first
            leading = self._whole_iteration(record, number)
            record = replace(
                record,
                ranked=(_with_anomaly(ranked[0], leading, record), *ranked[1:]),
                small_scope=leading if number == SMALL_SCOPE else record.small_scope,
                iterations=tuple(leading if each.number == number else each for each in record.iterations),
            )
        return CampaignState(record, self._clock.points(), self._clock.bands(), len(self._iterations))

    def _read_whole(self) -> CampaignState:
        """Of a campaign without a timeline, such as one of an older version."""
        return CampaignState(read_run(self.directory), (), (), None)

    def _read_timeline(self) -> None:
        with open(self.directory / TIMELINE, "rb") as file:
            found = os.fstat(file.fileno())
            if found.st_ino != self._inode or found.st_size < self._offset:
                self._offset, self._inode = 0, found.st_ino
                self._iterations, self._clock, self._found = [], Clock(), {}
                self._types = set()
                self._whole.clear()
            file.seek(self._offset)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        with _uncollected():
            for line in whole.decode("utf-8").splitlines():
                self._add(json.loads(line))
        self._offset += len(whole)
        if not self._iterations:
            raise ValueError("an empty timeline")

    def _add(self, entry: Mapping[str, Any]) -> None:
        iteration = light_iteration(self.directory, entry)
        self._iterations.append(iteration)
        self._clock.add(entry)
        self._types.update(entry["all_types"])
        for each in entry["found"]:
            templates = tuple(each["templates"])
            anomaly = Anomaly(each["type"], (), "", "", headline=each["said"])
            signature = Signature(each["type"], (), templates, "")
            self._found[each["name"]] = _ListedFinding(
                signature, anomaly, (iteration.number,), (), each["name"],
                each["transactions"], bool(each["cycle"]),
            )  # fmt: skip
        for name in entry["again"]:
            known = self._found.get(name)
            if known is not None:
                self._found[name] = replace(known, iterations=(*known.iterations, iteration.number))

    def _ranked(self, outline: CampaignResult) -> tuple[Finding, ...]:
        light = AnalysisResult("", Verdict.UNKNOWN, "", all_types=tuple(self._types))
        broken = set(against(light, outline.answers_for))
        same = [(each.name, *each.signatures) for each in outline.reproducers]
        found = merge_by_reproducer(self._found.values(), same) if same else tuple(self._found.values())

        def order(each: Finding) -> tuple[int, ...]:
            assert isinstance(each, _ListedFinding)
            kind, type_rank, *_ = telling(each.anomaly, broken)
            return kind, type_rank, each.transactions or 99, not each.cycle

        return tuple(sorted(found, key=order))

    def _whole_iteration(self, record: CampaignResult, number: int) -> Iteration:
        if number not in self._whole:
            found = read_iteration(self.directory, number)
            light = next((each for each in record.analysed if each.number == number), None)
            self._whole[number] = found if light is None else replace(found, numbers=light.numbers)
            while len(self._whole) > _KEPT:
                self._whole.popitem(last=False)
        self._whole.move_to_end(number)
        return self._whole[number]


@dataclass(frozen=True)
class _ListedFinding(Finding):
    """named: that of its signature, which the timeline keeps without its parts."""

    named: str = ""
    transactions: int = 0
    cycle: bool = False

    @property
    def name(self) -> str:
        return self.named


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the search for garbage, which takes as long as all the reading and finds none."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def light_iteration(directory: Path, entry: Mapping[str, Any]) -> Iteration:
    """An iteration as the timeline has it: without anomalies and near-cycles. Raises as data of another form
    do: KeyError, TypeError, ValueError."""
    numbers = Numbers(**entry["numbers"])
    number = int(entry["iteration"])
    by_replay = bool(entry["by_replay"])
    result = AnalysisResult(
        "",
        _VERDICTS[entry["verdict"]],
        entry["expect"],
        entry["reason"],
        bool(entry["vacuous"]),
        anomaly_types=tuple(entry["anomaly_types"]),
        all_types=tuple(entry["all_types"]),
        transactions=numbers.transactions,
        committed=numbers.ok,
        failed=numbers.fail,
        unknown=numbers.info,
        near_cycles_counted=numbers.near_cycles or 0,
        key_pressure=tuple(KeyPressure(key, 0, 0, 0, count) for key, count in entry["pressure"]),
    )
    decisions = tuple(
        Adjustment(each["target"], None, None, each["reason"], each["heuristic"])
        for each in entry["decisions"]
    )
    run = replace(result, verdict=Verdict.VALID, anomaly_types=()) if by_replay else result
    return Iteration(
        number, iteration_path(directory, number), run, numbers, decisions, result if by_replay else None
    )


def _with_anomaly(finding: Finding, iteration: Iteration, record: CampaignResult) -> Finding:
    """The finding with its anomaly, as the analysis of its first iteration has it."""
    found = findings_in([(iteration.number, iteration.deciding_result)], record.facts.isolation or "")
    there = next((each for each in found if each.name == finding.name), None)
    if there is None:
        return finding
    return replace(finding, signature=there.signature, anomaly=there.anomaly)
