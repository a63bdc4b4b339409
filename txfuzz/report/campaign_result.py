"""A campaign: produced by the loop, kept in the run directory, shown by every form of the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from txfuzz.analysis.analyze import worst
from txfuzz.analysis.checker.consistency import model_text
from txfuzz.analysis.explain.headlines import telling
from txfuzz.analysis.result import Anomaly, TransactionView, Verdict
from txfuzz.analysis.views.result_html import table, text
from txfuzz.common.sentences import counted
from txfuzz.errors import ExitCode, UsageError
from txfuzz.feedback.contract import Adjustment
from txfuzz.report.finding import Finding, findings_in, merge_by_reproducer, most_telling
from txfuzz.report.iteration import PLUGINS, Iteration
from txfuzz.report.verdict import against, no_verdict, verdict_sentence

_NOTEBOOK_ROWS = 50
EXIT_CODES = {
    Verdict.VALID: ExitCode.NOTHING_FOUND,
    Verdict.INVALID: ExitCode.VIOLATED,
    Verdict.UNKNOWN: ExitCode.UNKNOWN,
}


@dataclass(frozen=True)
class CampaignFacts:
    """campaign.json without its iterations; the fields are described in docs/reference/artefacts.md.

    state: "running", "ended", "interrupted" or "failed: why". workers: how many iterations ran at a time.
    locks: the words of `lock` that the adapter has for reads. own_sql: the transactions that the workload
    writes in SQL of its own. locked: those of which every read is one for update.
    """

    state: str = ""
    workload: str = ""
    isolation: str | None = None
    levels: str | None = None
    expect: str | None = None
    promised: str | None = None
    answers_for: str | None = None
    seed: int | None = None
    workers: int = 1
    arguments: Mapping[str, Any] = field(default_factory=dict)
    adapter: str | None = None
    locks: tuple[str, ...] = ()
    own_sql: tuple[str, ...] = ()
    locked: tuple[str, ...] = ()
    analyzers: tuple[str, ...] = ()
    strategy: str | None = None
    opening: tuple[Adjustment, ...] = ()
    heuristics: tuple[str, ...] = ()
    database: Mapping[str, Any] = field(default_factory=dict)
    cautions: tuple[str, ...] = ()
    excuses: tuple[str, ...] = ()
    versions: Mapping[str, Any] = field(default_factory=dict)
    plugins: tuple[Mapping[str, Any], ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def server(self) -> str:
        """Product and version, if recorded."""
        return " ".join(str(self.database[name]) for name in ("product", "version") if name in self.database)


@dataclass(frozen=True)
class Reproducer:
    """`findings/NAME/`. files: its short text files by name. signatures: the names of those that shrank
    to it, its own first."""

    name: str
    path: Path
    files: Mapping[str, str]
    signatures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Neighbours:
    """Transactions that ran alongside those of a finding. left_out: how many more there were."""

    views: tuple[TransactionView, ...]
    left_out: int = 0


@dataclass(frozen=True)
class CampaignResult:
    """A campaign, either just run or read back from its run directory.

    small_scope: the search before the first iteration, if there was one.
    interrupted: by the user. stopped: why it ended before all its iterations, as a phrase. reproducers,
    remarks: only when read back; remarks are sentences about what is missing or unreadable in the
    directory. whole: whether the campaign finished, so that no verdict is missing. neighbours: by the
    index of a finding in `findings`. failures: sentences without a full stop about plugins that failed while
    the campaign went on.
    """

    directory: Path
    facts: CampaignFacts
    iterations: tuple[Iteration, ...] = ()
    interrupted: bool = False
    stopped: str | None = None
    reproducers: tuple[Reproducer, ...] = ()
    remarks: tuple[str, ...] = ()
    whole: bool = True
    neighbours: Mapping[int, Neighbours] = field(default_factory=dict)
    small_scope: Iteration | None = None
    failures: tuple[str, ...] = ()

    @property
    def plugin_files(self) -> tuple[Path, ...]:
        """The campaign's copies of its plugin files, without which its artefacts may not be understood."""
        return tuple(sorted((self.directory / PLUGINS).glob("*.py")))

    @property
    def analysed(self) -> tuple[Iteration, ...]:
        """The small-scope search, if there was one, and the iterations."""
        return (*filter(None, [self.small_scope]), *self.iterations)

    @property
    def name(self) -> str:
        return self.facts.workload or self.directory.resolve().name

    @property
    def expect(self) -> str:
        """The model that histories are checked against; empty if unknown."""
        known = (each.result.expect for each in self.analysed)
        return self.facts.expect or next(filter(None, known), "")

    @property
    def model(self) -> str:
        """`expect` as it appears in sentences; unchanged if it names no model."""
        try:
            return self.expect and model_text(self.expect)
        except UsageError:
            return self.expect

    @property
    def isolation(self) -> str | None:
        """None if unknown, because the workload cannot have made the history."""
        return self.facts.isolation

    @property
    def levels(self) -> str | None:
        """The isolation level in sentences: with endpoints, that of each."""
        return self.facts.levels or self.facts.isolation

    @property
    def promised(self) -> str:
        """What the database promises at this isolation level."""
        return self.facts.promised or ""

    @property
    def answers_for(self) -> str | None:
        """That model, or None if the workload's own SQL may be to blame for what contradicts it, or the
        isolation level is unknown."""
        return self.facts.answers_for

    @property
    def cautions(self) -> tuple[str, ...]:
        """Settings under which the injected faults may legitimately break that promise."""
        return self.facts.cautions

    @property
    def verdict(self) -> Verdict:
        """Invalid before unknown before valid; unknown if nothing ran. A campaign that was cut short is
        not valid. Only `telling` iterations count, and the small-scope search if it found something or
        nothing else ran."""
        first = None if self.small_scope is None else self.small_scope.verdict
        verdicts = [each.verdict for each in self.telling] or [first or Verdict.UNKNOWN]
        verdicts += [first] if first is Verdict.INVALID else []
        return worst([*verdicts, *([] if self.whole else [Verdict.UNKNOWN])])

    @property
    def telling(self) -> tuple[Iteration, ...]:
        """The iterations that the verdict is about: those in which something could go wrong, or all if that
        was so in none of them."""
        return tuple(each for each in self.iterations if not each.vacuous) or self.iterations

    @property
    def undecided(self) -> tuple[Iteration, ...]:
        """Those of them that have no verdict, because of which the campaign has none unless it is invalid."""
        return tuple(each for each in self.telling if each.verdict is Verdict.UNKNOWN)

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.INTERRUPTED if self.interrupted else EXIT_CODES[self.verdict]

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """The anomalies that contradict the expected model, one per signature, or per reproducer if
        several shrank to the same; the most telling first."""
        analysed = [(each.number, each.deciding_result) for each in self.analysed]
        same = [(each.name, *each.signatures) for each in self.reproducers]
        found = merge_by_reproducer(findings_in(analysed, self.facts.isolation or ""), same)
        broken = {name for each in self.analysed for name in against(each.deciding_result, self.answers_for)}
        return tuple(sorted(found, key=lambda each: telling(each.anomaly, broken)))

    @property
    def found(self) -> dict[str, list[int | str]]:
        """The types of anomalies that contradict `expect`, and the iterations that showed them: numbers, or
        "small-scope"."""
        found: dict[str, list[int | str]] = {}
        for each in self.analysed:
            for name in each.deciding_result.anomaly_types:
                found.setdefault(name, []).append(each.name)
        return found

    @cached_property
    def told_first(self) -> Iteration | None:
        """The iteration with the most telling anomaly, the first of several; if no anomaly is kept, the first
        that contradicts the expected model."""
        ranked = [
            (telling(anomaly, against(each.deciding_result, self.answers_for))[:2], at)
            for at, each in enumerate(self.analysed)
            if each.verdict is Verdict.INVALID
            for anomaly in filter(None, [most_telling(each.deciding_result, self.answers_for)])
        ]
        return self.analysed[min(ranked)[1]] if ranked else self.first_finding

    @property
    def leading(self) -> Anomaly | None:
        """The most telling anomaly of the campaign."""
        told = self.told_first
        return None if told is None else most_telling(told.deciding_result, self.answers_for)

    @property
    def first_finding(self) -> Iteration | None:
        return next((each for each in self.analysed if each.verdict is Verdict.INVALID), None)

    def iteration(self, number: int) -> Iteration:
        return next(each for each in self.analysed if each.number == number)

    def reproducer_of(self, finding: Finding) -> Reproducer | None:
        names = {each.signature.name for each in finding.parts}
        return next((each for each in self.reproducers if names & {each.name, *each.signatures}), None)

    def __repr__(self) -> str:
        found = f": {', '.join(self.found)}" if self.found else ""
        return f"<CampaignResult {self.verdict.value} against {self.expect}{found}; {self.directory}>"

    def _repr_html_(self) -> str:
        head = ("iteration", "verdict", "transactions", "committed", "edges per txn", "near-cycles", "found")
        rows = [
            (
                each.name, each.verdict.value,
                f"{each.result.transactions:,}", f"{each.result.committed:,}",
                f"{each.result.edges_per_txn:.2f}", f"{each.result.near_cycles_counted:,}", each.found,
            )
            for each in self.analysed[:_NOTEBOOK_ROWS]
        ]  # fmt: skip
        shown = self.leading
        return (
            f"<div><p><b>{text(run_sentence(self))}</b></p>{table(rows, head)}"
            f"{shown._repr_html_() if shown else ''}<p>{text(str(self.directory))}</p></div>"
        )


def run_sentence(record: CampaignResult) -> str:
    """One true sentence about a campaign."""
    invalid = record.told_first
    if invalid is not None:
        sentence = verdict_sentence(invalid.deciding_result, record.levels, record.answers_for)
        return f"{sentence} This was {by_whom(invalid)}." if invalid.by_replay else sentence
    if record.verdict is Verdict.UNKNOWN:
        return f"No verdict: {unknown_reason(record)}."
    return f"{nothing_found_text(record)}."


def nothing_found_text(record: CampaignResult) -> str:
    """For a valid campaign: in how many transactions nothing was found, without a full stop."""
    committed = sum(each.result.committed for each in record.analysed)
    iterations = counted(len(record.iterations), "iteration")
    searched = None if record.small_scope is None else record.small_scope.searched
    if searched is not None:
        schedules = searched.schedules + searched.varied_schedules
        iterations += f" and {counted(schedules, 'small-scope schedule')}"
    level = f" at {record.levels}" if record.levels else ""
    return (
        f"nothing found: {committed:,} committed transactions in {iterations}{level} are consistent with "
        f"{model_text(record.expect)}{_limits(record)}"
    )


def _limits(record: CampaignResult) -> str:
    """In how many iterations less, or nothing, could go wrong."""
    alone = sum(each.alone for each in record.iterations)
    idle = sum(each.vacuous for each in record.iterations) - alone
    said = [f"in {idle:,} of the iterations nothing could go wrong"] if idle else []
    if alone:
        said.append(
            f"in {alone:,} of the iterations one client ran alone, which shows only what can go wrong "
            "without others"
        )
    return "".join(f"; {each}" for each in said)


def unknown_reason(record: CampaignResult) -> str:
    """Why there is no verdict."""
    reasons = [each.reason or "" if each.verdict is Verdict.UNKNOWN else None for each in record.iterations]
    if any(reason is not None for reason in reasons):
        return no_verdict(reasons)
    if not record.analysed:
        return "nothing was analysed"
    return "the campaign did not finish"


def broken_promise(record: CampaignResult) -> bool:
    """Did the database do something that its isolation level rules out?"""
    results = (result for each in record.analysed for result in (each.result, each.replayed))
    return any(result is not None and against(result, record.answers_for) for result in results)


def by_whom(iteration: Iteration) -> str:
    """For an iteration whose replays alone found something."""
    return f"found by {iteration.label}; its run did not show it"
