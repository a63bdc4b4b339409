"""Between the campaign and objects of plugins: they change nothing that is not theirs, and answer in time.

A call that does not come back cannot be ended, only left behind: it goes on in a thread of its own
until the process ends. So whoever has not answered once is not asked again.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

from txfuzz.analysis.contract import Analyzer, Part
from txfuzz.analysis.result import Verdict
from txfuzz.campaign.settings import PLUGIN_SECONDS
from txfuzz.errors import HistoryError, PluginError, UsageError
from txfuzz.feedback.adjusting import apply, checked
from txfuzz.feedback.contract import Adjustment, FeedbackResult, Heuristic
from txfuzz.plugin.blaming import CORE, named
from txfuzz.workload.model import Workload

if TYPE_CHECKING:
    from txfuzz.history.calls import Calls
    from txfuzz.history.model import History

T = TypeVar("T")


def guarded(kind: str, thing: Any, seconds: float = PLUGIN_SECONDS) -> Any:
    """The thing, so that nothing that it does harms anybody else; the core's own as it is.

    kind: "heuristic" or "analyzer".
    """
    if type(thing).__module__.partition(".")[0] == CORE:
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
            return _within(self._seconds, call)
        except _Late:
            self._late = True
            raise self._error(
                f"has not answered within {self._seconds:g} s; --plugin-seconds gives it more"
            ) from None
        except HistoryError:
            raise  # what is wrong is the file
        except UsageError as error:
            raise self._blame(f"{self._called}: {error}") from error
        except (Exception, SystemExit) as error:
            raise self._error(f"failed: {type(error).__name__}: {' '.join(str(error).split())}") from error

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


_GUARDS: Mapping[str, type[GuardedHeuristic | GuardedAnalyzer]] = {
    "heuristic": GuardedHeuristic,
    "analyzer": GuardedAnalyzer,
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


class _Late(Exception):
    pass


def _within(seconds: float, call: Callable[[], T]) -> T:
    """Its value, or its error; _Late where neither comes in time."""
    values: list[T] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            values.append(call())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work, name="plugin", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise _Late
    if errors:
        raise errors[0]
    return values[0]
