"""How `txfuzz analyze` checks a history: as transactions, or as calls of a model that an analyzer knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from txfuzz.analysis.analyze import analyze_history
from txfuzz.analysis.calls import analyze_calls
from txfuzz.analysis.contract import Analyzer, CallAnalyzer
from txfuzz.analysis.result import AnalysisResult, Verdict
from txfuzz.campaign.setup.plugin_sandbox import guarded
from txfuzz.common.kind import Kind
from txfuzz.common.options import build
from txfuzz.common.sentences import listed
from txfuzz.errors import UsageError, did_you_mean
from txfuzz.history.calls import Calls, read_calls
from txfuzz.history.model import History
from txfuzz.history.reader import read_history
from txfuzz.plugin.loader import load_plugins

_KINDS = {kind.value: kind for kind in Kind}


@dataclass(frozen=True)
class HistoryJudge:
    """expect: the consistency model. model: what the histories record; None to detect it.

    options: the given options of the model. transaction_options: the names of given options that apply
    only to transactions. files, seconds: plugin files, and the time limit for a call of a plugin's
    analyzer. UsageError for options that would have no effect.
    """

    expect: str
    model: str | None
    options: Mapping[str, Any]
    transaction_options: Sequence[str]
    files: Sequence[Path]
    seconds: float

    def __post_init__(self) -> None:
        if self._call_model is not None:  # refuses before any file is read
            self._analyzer(self._call_model)
            self._refuse_transaction_options(self._call_model)

    @property
    def expected(self) -> str:
        return self._call_model or self.expect

    def judge(self, path: Path, analyzers: Sequence[Analyzer]) -> tuple[History | None, AnalysisResult]:
        """The history and its analysis; None for a history of calls."""
        if self._call_model is not None:
            return None, self._analyze(read_calls(path), self._call_model)
        history = read_history(path)
        kind = history.kind
        if self.model is not None and kind is not None and kind is not _KINDS[self.model]:
            raise UsageError(f"{history.source}: is a history of {kind.value}, not of {self.model}")
        if self.model is None and kind is None and history.unknown_mops:
            result = self._analyze_detected(read_calls(path))
            if result is not None:
                return None, result
        for name in self.options:
            raise UsageError(f"{path}: {_flag(name)} does not apply to a history of transactions")
        return history, analyze_history(history, self.expect, analyzers=analyzers)

    @property
    def _call_model(self) -> str | None:
        """The model, if it is one of calls."""
        return None if self.model in _KINDS else self.model

    @cached_property
    def _models(self) -> Mapping[str, type]:
        """The analyzers of calls, by the models that they know."""
        entries = load_plugins(files=self.files).all("analyzer")
        return {model: entry.value for entry in entries for model in getattr(entry.value, "models", ())}

    def _analyzer(self, model: str) -> CallAnalyzer:
        if model not in self._models:
            missing = "" if self._models else " (txfuzz-templates provides bank, set, set-full and counter)"
            known = did_you_mean(model, [*_KINDS, *self._models])
            raise UsageError(f"no installed analyzer knows the model {model!r}{missing}; {known}")
        thing = build(self._models[model], self.options, f"the model {model!r}")
        return cast(CallAnalyzer, guarded("analyzer", thing, self.seconds))

    def _analyze(self, calls: Calls, model: str) -> AnalysisResult:
        return analyze_calls(calls, model, self._analyzer(model))

    def _analyze_detected(self, calls: Calls) -> AnalysisResult | None:
        """The analysis by the model that the calls fit, "unknown" if they fit several, None if none."""
        analyzers = [guarded("analyzer", cls(), self.seconds) for cls in dict.fromkeys(self._models.values())]
        likely = sorted({model for each in analyzers for model in each.likely(calls)})
        if not likely:
            return None
        if len(likely) > 1:
            return AnalysisResult(
                calls.source, Verdict.UNKNOWN, self.expect,
                f"the operations fit the models {listed(likely)}: choose one with --model",
                operations=calls.operations, passed_over=calls.passed_over, warnings=tuple(calls.warnings),
            )  # fmt: skip
        self._refuse_transaction_options(likely[0], f"{calls.source}: ")
        return self._analyze(calls, likely[0])

    def _refuse_transaction_options(self, model: str, where: str = "") -> None:
        for name in self.transaction_options:
            raise UsageError(f"{where}{_flag(name)} does not apply to the model {model}")


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
