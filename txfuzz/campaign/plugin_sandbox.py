"""Between the campaign and objects of plugins: they change nothing that is not theirs, and answer in time.

Whoever has not answered once is not asked again.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

from txfuzz.analysis.contract import Analyzer, Part, is_checker
from txfuzz.analysis.result import Verdict
from txfuzz.common.sanitize import one_line
from txfuzz.errors import DatabaseUnavailable, HistoryError, PluginError, UsageError
from txfuzz.feedback.adjustments import apply, checked
from txfuzz.feedback.contract import Adjustment, FeedbackResult, Heuristic
from txfuzz.plugin.bounded_call import PLUGIN_SECONDS, Failed, Late, call_within
from txfuzz.plugin.errors import named
from txfuzz.workload.model import Workload

if TYPE_CHECKING:
    from txfuzz.database.api import Database
    from txfuzz.database.faults import Fault, Injectable
    from txfuzz.history.calls import Calls
    from txfuzz.history.model import History

T = TypeVar("T")


def guarded(kind: str, thing: Any, seconds: float = PLUGIN_SECONDS) -> Any:
    """The thing, so that nothing that it does harms anybody else; a checker, which keeps to a budget of
    its own, as it is.

    kind: "heuristic", "analyzer" or "fault".
    """
    if is_checker(thing):
        return thing
    return _GUARDS[kind](thing, seconds)


class _Guard:
    """guarded: the plugin's object. seconds: that it gets for one answer."""

    def __init__(self, kind: str, guarded: Any, seconds: float) -> None:
        self.guarded = guarded
        self.name: str = guarded.name
        self.about: str = getattr(guarded, "about", "")
        self._called = f"{kind} {self.name!r}"
        self._seconds = seconds
        self._late = False

    def _asked(self, call: Callable[[], T]) -> T:
        """What it answers. PluginError where it fails, or does not answer in time."""
        if self._late:
            raise self._error("has not answered before and is not asked again")
        try:
            return call_within(self._seconds, self._called, call)
        except Late as late:
            self._late = True
            raise self._error(
                f"has not answered within {late.seconds:g} s; --plugin-seconds gives it more"
            ) from None
        except Failed as failed:
            error = failed.error
        if isinstance(error, DatabaseUnavailable | HistoryError):
            raise error  # what is wrong is the server, or the file
        if isinstance(error, UsageError):
            raise self._blame(f"{self._called}: {error}") from error
        raise self._error(f"failed: {type(error).__name__}: {one_line(str(error))}") from error

    def _error(self, what: str) -> PluginError:
        return self._blame(f"{self._called} {what}")

    def _blame(self, sentence: str) -> PluginError:
        error = PluginError(sentence, culprit=self)
        return named(error) or error


class GuardedHeuristic(_Guard):
    """Gets copies of what it is told, and its adjustments are tried before anybody relies on them."""

    def __init__(self, guarded: Heuristic, seconds: float) -> None:
        super().__init__("heuristic", guarded, seconds)

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> tuple[Adjustment, ...]:
        mine = copy.deepcopy((feedback, workload))
        proposed = self._asked(lambda: self.guarded.propose(*mine, random))
        try:
            adjustments = checked(self.guarded, proposed)
            apply(workload, adjustments, feedback.original)
        except UsageError as error:
            raise self._blame(str(error)) from None
        return adjustments


class GuardedAnalyzer(_Guard):
    """Gets a history whose columns cannot be written."""

    guarded: Any

    def __init__(self, guarded: Analyzer, seconds: float) -> None:
        super().__init__("analyzer", guarded, seconds)

    def analyze(self, history: History, expect: str) -> Part:
        mine = read_only(history)
        part = self._asked(lambda: self.guarded.analyze(mine, expect))
        return self._checked(part)

    @property
    def models(self) -> tuple[str, ...]:
        """Of an analyzer that judges calls, too; () of others."""
        return tuple(getattr(self.guarded, "models", ()))

    def judge(self, calls: Calls, model: str) -> Part:
        return self._checked(self._asked(lambda: self.guarded.judge(calls, model)))

    def likely(self, calls: Calls) -> tuple[str, ...]:
        return tuple(self._asked(lambda: self.guarded.likely(calls)))

    def _checked(self, part: Any) -> Part:
        if not isinstance(part, Part) or not isinstance(part.verdict, Verdict):
            raise self._error(f"gave {part!r}, expected a txfuzz.Part")
        return part


class GuardedFault(_Guard):
    """What it says that it did is fit for the history and for execution.json."""

    def __init__(self, guarded: Fault, seconds: float) -> None:
        super().__init__("fault", guarded, seconds)
        self.needs = guarded.needs
        self.lasts = guarded.lasts
        if isinstance(self.lasts, bool) or not isinstance(self.lasts, int | float) or not self.lasts >= 0:
            raise self._error(f"has {self.lasts!r} as `lasts`, expected a number of seconds")

    def cautions(self, database: Database) -> tuple[str, ...]:
        said = self._asked(lambda: tuple(self.guarded.cautions(database)))
        if not all(isinstance(each, str) for each in said):
            raise self._error(f"gave {said!r} as its cautions, expected sentences")
        return said

    def inject(self, injector: Injectable, chance: Random) -> Mapping[str, Any]:
        return self._done("inject", lambda: self.guarded.inject(injector, chance))

    def heal(self, injector: Injectable) -> Mapping[str, Any]:
        # Also of one whose injection has not come back: what it did to the server is to be undone
        self._late = False
        return self._done("heal", lambda: self.guarded.heal(injector))

    def _done(self, method: str, call: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
        done = self._asked(call)
        if not isinstance(done, Mapping) or not _is_data(done):
            raise self._error(
                f"gave {done!r} from {method}(), expected a mapping of names to text, numbers, true, false, "
                "None, or lists and mappings of them"
            )
        return done


def _is_data(value: Any) -> bool:
    """Has JSON a form for it?"""
    if isinstance(value, Mapping):
        return all(isinstance(name, str) and _is_data(each) for name, each in value.items())
    if isinstance(value, list | tuple):
        return all(map(_is_data, value))
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, str | int)


_GUARDS: Mapping[str, type[GuardedHeuristic | GuardedAnalyzer | GuardedFault]] = {
    "heuristic": GuardedHeuristic,
    "analyzer": GuardedAnalyzer,
    "fault": GuardedFault,
}


def read_only(history: History) -> History:
    """The same columns, and an error for whoever writes into one."""
    columns = {each.name: getattr(history, each.name) for each in fields(history)}
    frozen = {name: _frozen(value) for name, value in columns.items() if hasattr(value, "flags")}
    odd = {row: _frozen(elements) for row, elements in history.odd_reads.items()}
    return replace(history, **frozen, odd_reads=odd)


def _frozen(column: Any) -> Any:
    view = column.view()
    view.flags.writeable = False
    return view
