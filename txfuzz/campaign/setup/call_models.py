"""Who judges a history of calls: the installed analyzer that knows its model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from txfuzz.analysis.calls import analyze_calls
from txfuzz.analysis.contract import CallAnalyzer
from txfuzz.analysis.result import AnalysisResult, Verdict
from txfuzz.campaign.plugin_sandbox import guarded
from txfuzz.common.kind import Kind
from txfuzz.common.options import build
from txfuzz.common.sentences import listed
from txfuzz.errors import UsageError, did_you_mean
from txfuzz.history.calls import Calls
from txfuzz.history.model import History
from txfuzz.plugin.bounded_call import PLUGIN_SECONDS
from txfuzz.plugin.loader import load_plugins

KINDS = {kind.value: kind for kind in Kind}


@dataclass(frozen=True)
class CallModels:
    """The models of calls that installed analyzers, and those of plugin files, judge.

    seconds: that an analyzer of a plugin gets for one answer.
    """

    analyzers: Mapping[str, type]  # by model
    seconds: float = PLUGIN_SECONDS

    def judge(self, model: str, options: Mapping[str, Any] | None = None) -> CallAnalyzer:
        """The analyzer for a model, with these options. UsageError for a model that nobody judges."""
        if model not in self.analyzers:
            known = [*KINDS, *self.analyzers]
            missing = "" if self.analyzers else " (txfuzz-templates brings bank, set, set-full and counter)"
            raise UsageError(f"no installed analyzer judges the model {model!r}{missing}; "
                             f"{did_you_mean(model, known)}")  # fmt: skip
        thing = build(self.analyzers[model], options or {}, f"the model {model!r}")
        return cast(CallAnalyzer, guarded("analyzer", thing, self.seconds))

    def likely(self, calls: Calls) -> tuple[str, ...]:
        """The models that a history can be of."""
        found = {
            model
            for cls in dict.fromkeys(self.analyzers.values())
            for model in cast(CallAnalyzer, guarded("analyzer", cls(), self.seconds)).likely(calls)
        }
        return tuple(sorted(found))

    def analyze(self, calls: Calls, model: str, options: Mapping[str, Any] | None = None) -> AnalysisResult:
        """What a history means by the rules of a model."""
        return analyze_calls(calls, model, self.judge(model, options))

    @staticmethod
    def ambiguous(calls: Calls, likely: Sequence[str]) -> AnalysisResult:
        """The answer where a history can be of several models."""
        reason = f"the operations can be of the models {listed(likely)}: say by --model which it is"
        return AnalysisResult(
            calls.source, Verdict.UNKNOWN, "", reason,
            operations=calls.operations, passed_over=calls.passed_over, warnings=tuple(calls.warnings),
        )  # fmt: skip


def installed_models(files: Sequence[Path] = (), seconds: float = PLUGIN_SECONDS) -> CallModels:
    """The models that installed analyzers judge, and those of plugin files."""
    entries = load_plugins(files=files).all("analyzer")
    return CallModels(
        {model: entry.value for entry in entries for model in getattr(entry.value, "models", ())}, seconds
    )


def check_kind(history: History, kind: str) -> None:
    """UsageError where a history is said to be of one kind, and is of the other one."""
    if history.kind is not None and history.kind is not KINDS[kind]:
        raise UsageError(f"{history.source}: a history of the kind {history.kind.value}, and not {kind}")
