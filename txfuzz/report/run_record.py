"""A campaign as its run directory tells it: what every form of the report reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from txfuzz.analysis.analyze import worst
from txfuzz.analysis.checker.consistency import model_text
from txfuzz.analysis.result import AnalysisResult, TransactionView, Verdict
from txfuzz.errors import UsageError
from txfuzz.feedback.contract import Adjustment
from txfuzz.report.finding import Finding, findings_in, merged
from txfuzz.report.iteration_history import place, replays_alone_found, telling
from txfuzz.report.text.replay_note import ReplayNote
from txfuzz.report.text.replay_subject import ReplayAim


@dataclass(frozen=True)
class CampaignFacts:
    """campaign.json as far as the report tells it; its fields are described in docs/artefacts.md."""

    state: str = ""
    workload: str = ""
    isolation: str | None = None
    expect: str | None = None
    promised: str | None = None
    answers_for: str | None = None
    seed: int | None = None
    adapter: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    analyzers: tuple[str, ...] = ()
    heuristics: tuple[str, ...] = ()
    database: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, Any] = field(default_factory=dict)
    plugins: tuple[Mapping[str, Any], ...] = ()
    cautions: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def server(self) -> str:
        """Product and version, where the campaign noted them."""
        return " ".join(str(self.database[name]) for name in ("product", "version") if name in self.database)


@dataclass(frozen=True)
class Numbers:
    """One iteration in numbers, as in progress.csv and stats.json; None where nobody knows."""

    transactions: int = 0
    ok: int = 0
    fail: int = 0
    info: int = 0
    seconds: float | None = None
    per_second: float | None = None
    clients: int | None = None
    keys: int | None = None
    edges_per_txn: float | None = None
    concurrent_edges_per_txn: float | None = None
    near_cycles: int | None = None
    mix: Mapping[str, float] = field(default_factory=dict)
    aborts: Mapping[str, int] = field(default_factory=dict)
    faults: Mapping[str, int] = field(default_factory=dict)

    @property
    def aborted(self) -> float | None:
        """Share of the transactions that failed or are unknown."""
        return (self.fail + self.info) / self.transactions if self.transactions else None


@dataclass(frozen=True)
class Iteration:
    """One `iter_XX/`. result: None where there is no analysis. decisions: for the next iteration.

    replayed: what the history of its replays means, where there were any. aim: what replay_file is
    about, of iterations that were the first to show something.
    """

    number: int
    path: Path
    numbers: Numbers
    result: AnalysisResult | None = None
    decisions: tuple[Adjustment, ...] = ()
    replay: ReplayNote | None = None
    replay_file: Path | None = None
    replayed: AnalysisResult | None = None
    aim: ReplayAim | None = None

    @property
    def telling(self) -> AnalysisResult | None:
        """The analysis of the run, or of its replays where those alone contradict the expected model."""
        return telling(self.result, self.replayed)

    @property
    def by_replay(self) -> bool:
        """Is it only its replays that contradict the expected model?"""
        return replays_alone_found(self.result, self.replayed)

    @property
    def place(self) -> str:
        """What `telling` is about, in words."""
        return place(self.number, self.by_replay)

    @property
    def history(self) -> Path:
        """The history that `telling` is about."""
        return self.path / ("replay_history.edn" if self.by_replay else "history.edn")

    @property
    def verdict(self) -> Verdict:
        return Verdict.UNKNOWN if self.telling is None else self.telling.verdict

    @property
    def reason(self) -> str:
        return "it was not analysed" if self.telling is None else self.telling.reason


@dataclass(frozen=True)
class Reproducer:
    """`findings/NAME/`. files: its contents by name, as far as they are short texts. signatures: the
    names of those that shrank to it, its own first."""

    name: str
    path: Path
    files: Mapping[str, str]
    signatures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Neighbours:
    """Transactions that ran beside those of a finding. left_out: how many more there were."""

    views: tuple[TransactionView, ...]
    left_out: int = 0


@dataclass(frozen=True)
class RunRecord:
    """A run directory. remarks: sentences about what is missing there or cannot be read.

    whole: whether the campaign came to an orderly end, so that no verdict of its is missing.
    neighbours: by the place of a finding in `findings`.
    """

    path: Path
    facts: CampaignFacts
    iterations: tuple[Iteration, ...]
    reproducers: tuple[Reproducer, ...] = ()
    remarks: tuple[str, ...] = ()
    whole: bool = True
    neighbours: Mapping[int, Neighbours] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.facts.workload or self.path.resolve().name

    @property
    def expect(self) -> str | None:
        known = [each.result.expect for each in self.iterations if each.result is not None]
        return self.facts.expect or (known[0] if known else None)

    @property
    def model(self) -> str | None:
        """`expect` as sentences name it; as it stands where it is the name of no model."""
        try:
            return self.expect and model_text(self.expect)
        except UsageError:
            return self.expect

    @property
    def verdict(self) -> Verdict:
        """Invalid before unknown before valid; a campaign that was cut short is not valid."""
        verdicts = [each.verdict for each in self.iterations] or [Verdict.UNKNOWN]
        return worst([*verdicts, *([] if self.whole else [Verdict.UNKNOWN])])

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """The anomalies that contradict the expected model, one of each signature, or of all that
        shrank to the same reproducer."""
        analysed = [(each.number, told) for each in self.iterations if (told := each.telling) is not None]
        same = [(each.name, *each.signatures) for each in self.reproducers]
        return merged(findings_in(analysed, self.facts.isolation or ""), same)

    @property
    def types(self) -> dict[str, list[int]]:
        """The types of anomalies found, and the iterations that showed them."""
        found: dict[str, list[int]] = {}
        for each in self.iterations:
            for name in each.telling.anomaly_types if each.telling else ():
                found.setdefault(name, []).append(each.number)
        return found

    @property
    def first_invalid(self) -> Iteration | None:
        return next((each for each in self.iterations if each.verdict is Verdict.INVALID), None)

    def iteration(self, number: int) -> Iteration:
        return next(each for each in self.iterations if each.number == number)

    def reproducer_of(self, finding: Finding) -> Reproducer | None:
        names = {each.signature.name for each in finding.parts}
        return next((each for each in self.reproducers if names & {each.name, *each.signatures}), None)
