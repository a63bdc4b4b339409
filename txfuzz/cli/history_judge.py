"""How `txfuzz analyze` checks a history: as transactions, or as calls of a model that an analyzer knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from txfuzz.errors import UsageError

if TYPE_CHECKING:
    from txfuzz.analysis.contract import Analyzer
    from txfuzz.analysis.result import AnalysisResult
    from txfuzz.campaign.setup.call_models import CallModels
    from txfuzz.history.calls import Calls
    from txfuzz.history.model import History

DEFAULT_EXPECT = "serializable"


@dataclass(frozen=True)
class HistoryJudge:
    """expect, model: from the command line, None if not given.

    options: the given options of the model. transactional: the names of given options that apply only to
    transactions. files, seconds: plugin files, and the time limit for a call of a plugin's analyzer.
    UsageError for options that would have no effect.
    """

    expect: str | None
    model: str | None
    options: Mapping[str, Any]
    transactional: Sequence[str]
    files: Sequence[Path]
    seconds: float

    def __post_init__(self) -> None:
        if self._of_calls:
            self._models.judge(str(self.model), self.options)  # refuses before any file is read
            self._only_calls(str(self.model))

    @property
    def expected(self) -> str:
        return str(self.model) if self._of_calls else self.expect or DEFAULT_EXPECT

    def judge(self, path: Path, judges: Sequence[Analyzer]) -> tuple[History | None, AnalysisResult]:
        """The history and its analysis; None for a history of calls."""
        from txfuzz.analysis.analyze import analyze_history
        from txfuzz.campaign.setup.call_models import check_kind
        from txfuzz.history.calls import read_calls
        from txfuzz.history.reader import read_history

        if self._of_calls:
            return None, self._models.analyze(read_calls(path), str(self.model), self.options)
        history = read_history(path)
        if self.model is not None:
            check_kind(history, self.model)
        elif history.kind is None and history.unknown_mops:
            result = self._by_form(read_calls(path))
            if result is not None:
                return None, result
        for name in self.options:
            raise UsageError(f"{path}: {_flag(name)} does not apply to a history of transactions")
        return history, analyze_history(history, self.expected, analyzers=judges)

    def _by_form(self, calls: Calls) -> AnalysisResult | None:
        """The analysis by the model that the calls fit, "unknown" if they fit several, None if none."""
        likely = self._models.likely(calls)
        if not likely:
            return None
        if len(likely) > 1:
            return replace(self._models.ambiguous(calls, likely), expect=self.expected)
        self._only_calls(likely[0], f"{calls.source}: ")
        return self._models.analyze(calls, likely[0], self.options)

    def _only_calls(self, model: str, where: str = "") -> None:
        for name in self.transactional:
            raise UsageError(f"{where}{_flag(name)} does not apply to the model {model}")

    @property
    def _of_calls(self) -> bool:
        from txfuzz.campaign.setup.call_models import KINDS

        return self.model is not None and self.model not in KINDS

    @cached_property
    def _models(self) -> CallModels:
        from txfuzz.campaign.setup.call_models import installed_models

        return installed_models(self.files, self.seconds)


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
