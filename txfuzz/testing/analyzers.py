"""Conformance tests for analyzers: subclass AnalyzerConformance and run pytest."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from txfuzz.analysis.analyze import analyze_history
from txfuzz.analysis.contract import Part, is_checker
from txfuzz.analysis.elle import ElleAnalyzer
from txfuzz.analysis.result import Anomaly, Verdict
from txfuzz.errors import PluginError, UsageError
from txfuzz.history.model import History
from txfuzz.history.reader import read_history
from txfuzz.testing.history_samples import ANOMALOUS, CLEAN, MALFORMED, history_of, renamed
from txfuzz.testing.sessions import PATIENCE, Later
from txfuzz.testing.subjects import check_identity, given

EXPECT = "serializable"


class AnalyzerConformance:
    """An analyzer judges what it can, says so where it cannot, and changes nothing.

        class TestMine(AnalyzerConformance):
            analyzer = MyAnalyzer()
            golden = {"two that withdraw": (EDN_TEXT, "invalid", "overdraft"),
                      "one that pays in": (Path("paid.edn"), "valid")}

    analyzer: class attribute or fixture. golden: histories, as EDN or the path of a file, with
    the right verdict and the types of anomalies that must be reported.
    measures_only: it measures and does not judge, so its "valid" means nothing.
    patience: seconds after which a call counts as hung.
    """

    analyzer: Any = None
    golden: ClassVar[Mapping[str, Sequence[str | Path]]] = {}
    measures_only: ClassVar[bool] = False
    patience: ClassVar[float] = PATIENCE

    @pytest.fixture
    def subject(self, request: pytest.FixtureRequest) -> Any:
        return given(request, "analyzer", "analyze")

    def histories(self) -> Iterator[tuple[str, History]]:
        """All histories that it is tried on, each with a description."""
        for about, text in {**CLEAN, **ANOMALOUS, **MALFORMED}.items():
            yield f"a history {about}", history_of(text, about)
        for about, (golden, *_) in self.golden.items():
            yield f"the golden history {about!r}", _read(golden)

    def judged(self, analyzer: Any, history: History, words: str) -> Part:
        """Its result, checked for type and time. A UsageError counts as "unknown"."""
        try:
            part = Later(lambda: analyzer.analyze(history, EXPECT), self.patience).result("analyze()")
        except UsageError as error:
            return Part(Verdict.UNKNOWN, str(error))
        assert isinstance(part, Part), f"{words}: analyze() returned {part!r}, expected a txfuzz.Part"
        assert isinstance(part.verdict, Verdict), f"{words}: {part.verdict!r} is not a verdict"
        return part

    def test_it_says_what_it_is(self, subject: Any) -> None:
        check_identity(subject, "analyzer")

    def test_it_judges_any_history(self, subject: Any) -> None:
        for words, history in self.histories():
            part = self.judged(subject, history, words)
            assert isinstance(part.reason, str), f"{words}: the reason {part.reason!r} is not text"
            if part.verdict is not Verdict.VALID:
                assert part.reason or part.anomalies, f"{words}: {part.verdict.value} without a reason"
            for anomaly in part.anomalies:
                assert isinstance(anomaly, Anomaly), f"{words}: {anomaly!r} is not a txfuzz.Anomaly"
                assert anomaly.explanation, f"{words}: {anomaly.type} is not explained"
                assert part.verdict is Verdict.INVALID, (
                    f"{words}: {anomaly.type} was found, but the verdict is {part.verdict.value}"
                )
            json.dumps(dict(part.data), allow_nan=False)  # it goes to analysis.json

    def test_golden_histories(self, subject: Any) -> None:
        if not self.golden:
            pytest.skip(
                "no golden histories: set `golden`, such as {'about': (EDN, 'invalid', 'my-anomaly')}"
            )
        for about, (golden, verdict, *types) in self.golden.items():
            part = self.judged(subject, _read(golden), about)
            assert part.verdict is Verdict(verdict), (
                f"{about}: {part.verdict.value} ({part.reason}), expected {verdict}"
            )
            found: set[str | Path] = {each.type for each in part.anomalies}
            missing = set(types) - found
            assert not missing, f"{about}: {', '.join(map(str, missing))} is not among {found or 'nothing'}"

    def test_a_clean_history_is_not_invalid(self, subject: Any) -> None:
        for about, text in CLEAN.items():
            part = self.judged(subject, history_of(text, about), about)
            assert part.verdict is not Verdict.INVALID, (
                f"a history {about}, which any model allows, was judged invalid: {part.reason}"
            )

    def test_what_cannot_be_judged_is_never_valid(self, subject: Any) -> None:
        if self.measures_only:
            pytest.skip("it measures and does not judge (measures_only)")
        for about, text in MALFORMED.items():
            part = self.judged(subject, history_of(text, about), about)
            assert part.verdict is not Verdict.VALID, (
                f"a history {about} cannot be judged, but was called valid"
            )

    def test_names_of_processes_and_keys_do_not_matter(self, subject: Any) -> None:
        for words, history in self.histories():
            one, other = (self.judged(subject, each, words) for each in (history, renamed(history)))
            assert other.verdict is one.verdict, (
                f"{words}: {one.verdict.value}, but {other.verdict.value} with processes and keys renamed"
            )
            types = [sorted(anomaly.type for anomaly in part.anomalies) for part in (one, other)]
            assert types[0] == types[1], f"{words}: it finds {types[0]}, but with other names {types[1]}"

    def test_the_same_history_gives_the_same_answer(self, subject: Any) -> None:
        for words, history in self.histories():
            one, other = (self.judged(subject, history, words) for _ in range(2))
            assert (one.verdict, one.reason) == (other.verdict, other.reason), (
                f"{words}: judged differently the second time"
            )

    def test_it_changes_no_history(self, subject: Any) -> None:
        for words, history in self.histories():
            before = copy.deepcopy(vars(history))
            self.judged(subject, history, words)
            changed = [name for name, value in before.items() if not _same(value, vars(history)[name])]
            assert not changed, f"{words}: it changed the columns {', '.join(changed)}"

    def test_it_fits_beside_the_checker(self, subject: Any) -> None:
        if is_checker(subject):
            pytest.skip("it is the checker")
        for words, history in self.histories():
            try:
                result = analyze_history(history, EXPECT, analyzers=(ElleAnalyzer(), subject))
            except PluginError as error:
                pytest.fail(f"{words}: {error}")
            except UsageError:
                continue
            assert subject.name in result.parts, f"the analysis has no part {subject.name!r}"
            json.dumps(result.to_json())


def _read(golden: str | Path) -> History:
    return read_history(golden) if isinstance(golden, Path) else history_of(golden, "golden")


def _same(one: Any, other: Any) -> bool:
    if hasattr(one, "dtype"):
        return bool((one == other).all()) if one.shape == other.shape else False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, Sequence):
        return list(one) == list(other)
    return bool(one == other)
