"""Wraps the objects of plugins, so that they cannot change what is not theirs and have a time limit.

An object that has once exceeded the limit is not called again.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from txfuzz.analysis.contract import Part, is_checker
from txfuzz.analysis.result import NearCycle, Verdict
from txfuzz.common.sanitize import one_line
from txfuzz.database.faults import MayExcuse
from txfuzz.errors import DatabaseUnavailable, HistoryError, PluginError, UsageError
from txfuzz.feedback.adjustments import allowed, apply, checked
from txfuzz.feedback.contract import Adjustment, FeedbackResult, Mutator, Proposal, Pursuing, Situation
from txfuzz.feedback.mutators import checked_proposal
from txfuzz.feedback.strategies import BUILT_IN
from txfuzz.plugin.bounded_call import PLUGIN_SECONDS, Failed, Late, call_within
from txfuzz.plugin.errors import named
from txfuzz.plugin.places import show_traceback
from txfuzz.workload.model import Workload

if TYPE_CHECKING:
    from txfuzz.database.api import Database
    from txfuzz.database.faults import Fault, Injectable
    from txfuzz.history.calls import Calls
    from txfuzz.history.model import History

T = TypeVar("T")

RAISES_THE_LIMIT = "; --plugin-seconds raises the limit"


def guarded(kind: str, thing: Any, seconds: float = PLUGIN_SECONDS) -> Any:
    """The object of a plugin in a guard. A checker is returned as it is: it has its own time limit. So is a
    built-in strategy, whose heuristics have theirs.

    kind: "heuristic", "mutator", "strategy", "analyzer" or "fault".
    """
    if is_checker(thing) or (kind == "strategy" and type(thing) in BUILT_IN):
        return thing
    return _GUARDS[kind](thing, seconds)


class _Guard:
    """guarded: the plugin's object. seconds: time limit of a call."""

    thing: ClassVar[str]  # kind of plugin object

    def __init__(self, guarded: Any, seconds: float) -> None:
        self.guarded = guarded
        self.name: str = guarded.name
        self.about: str = getattr(guarded, "about", "")
        self._called = f"{self.thing} {self.name!r}"
        self._seconds = seconds
        self._late = False

    def _call(self, call: Callable[[], T]) -> T:
        """The result of the call. PluginError if it fails or exceeds the time limit."""
        if self._late:
            raise self._error("timed out earlier and is not called again")
        try:
            return call_within(self._seconds, self._called, call)
        except Late as late:
            self._late = True
            raise self._error(f"did not answer within {late.seconds:g} s{RAISES_THE_LIMIT}") from None
        except Failed as failed:
            error = failed.error
        if isinstance(error, DatabaseUnavailable | HistoryError):
            raise error  # the server or the file is to blame, not the plugin
        show_traceback(error)
        if isinstance(error, UsageError):
            raise self._blame(f"{self._called}: {error}", error) from error
        what = f"{self._called} failed: {type(error).__name__}: {one_line(str(error))}"
        raise self._blame(what, error) from error

    def _error(self, what: str) -> PluginError:
        return self._blame(f"{self._called} {what}")

    def _blame(self, sentence: str, cause: BaseException | None = None) -> PluginError:
        """cause: what the plugin raised, which says where in it."""
        error = PluginError(sentence, culprit=self)
        error.__cause__ = cause
        return named(error) or error


class _Proposing(_Guard):
    """A guard of what may fail while the campaign goes on, and so counts its failures.

    asked: how often it was to propose something. failures: sentence → how often it failed so.
    """

    def __init__(self, guarded: Any, seconds: float) -> None:
        super().__init__(guarded, seconds)
        self.asked = 0
        self.failures: dict[str, int] = {}

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self.asked += 1
        try:
            yield
        except PluginError as error:
            self.failures[str(error)] = self.failures.get(str(error), 0) + 1
            raise


def failures_in(thing: Any) -> list[tuple[str, str, str, int, int]]:
    """Kind and name of this object in its guard, a sentence, how often it failed so, and how often it was
    asked, for each sentence; none of what is in no guard."""
    if not isinstance(thing, _Proposing):
        return []
    return [(thing.thing, thing.name, said, many, thing.asked) for said, many in thing.failures.items()]


class GuardedHeuristic(_Proposing):
    """The heuristic gets copies of its arguments, and its adjustments are tried before they are used."""

    thing = "heuristic"

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> tuple[Adjustment, ...]:
        with self._counted():
            copies = copy.deepcopy((feedback, workload))
            proposed = self._call(lambda: self.guarded.propose(*copies, random))
            try:
                adjustments = checked(self.guarded, proposed)
                apply(workload, allowed(adjustments, feedback.original or workload), feedback.original)
            except UsageError as error:
                raise self._blame(str(error)) from None
            return adjustments


class GuardedMutator(_Proposing):
    """The mutator gets copies of its arguments."""

    thing = "mutator"

    def __init__(self, guarded: Mutator, seconds: float) -> None:
        super().__init__(guarded, seconds)
        self.kind = guarded.kind

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> Adjustment | None:
        with self._counted():
            copies = copy.deepcopy((feedback, workload))
            proposed = self._call(lambda: self.guarded.propose(*copies, random))
            try:
                return checked_proposal(self.guarded, proposed)
            except UsageError as error:
                raise self._blame(str(error)) from None


class GuardedStrategy(_Proposing):
    """The strategy gets copies of what it decides from; the heuristics and mutators among it are in guards
    themselves."""

    thing = "strategy"

    @property
    def uses_coverage(self) -> bool:
        return getattr(self.guarded, "uses_coverage", False) is True

    @property
    def corpus(self) -> Any:
        """AttributeError if it keeps none, as for every object without it."""
        return self.guarded.corpus

    @property
    def credit(self) -> Any:
        return self.guarded.credit

    @property
    def blind(self) -> bool:
        return bool(getattr(self.guarded, "blind", False))

    def pursued(self, near_cycles: Sequence[NearCycle]) -> int | None:
        """None as well if it chooses none, or fails: what it is asked next says why."""
        if not isinstance(self.guarded, Pursuing):
            return None
        choose = self.guarded.pursued
        try:
            place = self._call(lambda: choose(copy.deepcopy(near_cycles)))
        except PluginError:
            return None
        return place if isinstance(place, int) and 0 <= place < len(near_cycles) else None

    def propose(self, situation: Situation, random: Random) -> Proposal:
        with self._counted():
            feedback, workload = copy.deepcopy((situation.feedback, situation.workload))
            view = replace(situation, feedback=feedback, workload=workload)
            proposal = self._call(lambda: self.guarded.propose(view, random))
            if not isinstance(proposal, Proposal):
                raise self._error(f"returned {proposal!r}, expected a txfuzz.Proposal")
            if not all(isinstance(each, Adjustment) for each in proposal.adjustments):
                raise self._error(f"returned {proposal.adjustments!r}, expected adjustments")
            self._try(situation, proposal)
            return proposal

    def _try(self, situation: Situation, proposal: Proposal) -> None:
        """PluginError for changes that cannot be made."""
        original = None if situation.feedback is None else situation.feedback.original
        free = (each for each in proposal.adjustments if each.target not in situation.fixed)
        try:
            apply(situation.workload, allowed(free, original or situation.workload), original)
        except UsageError as error:
            raise self._blame(f"{self._called}: {error}") from None


class GuardedAnalyzer(_Guard):
    """The analyzer gets a history whose columns are read-only."""

    thing = "analyzer"

    def analyze(self, history: History, expect: str) -> Part:
        view = read_only(history)
        return self._checked(self._call(lambda: self.guarded.analyze(view, expect)))

    @property
    def models(self) -> tuple[str, ...]:
        """The models of calls that the analyzer knows; () for most analyzers."""
        return tuple(getattr(self.guarded, "models", ()))

    def judge(self, calls: Calls, model: str) -> Part:
        return self._checked(self._call(lambda: self.guarded.judge(calls, model)))

    def likely(self, calls: Calls) -> tuple[str, ...]:
        return tuple(self._call(lambda: self.guarded.likely(calls)))

    def _checked(self, part: Any) -> Part:
        if not isinstance(part, Part) or not isinstance(part.verdict, Verdict):
            raise self._error(f"returned {part!r}, expected a txfuzz.Part")
        return part


class GuardedFault(_Guard):
    """What the fault returns is checked to be plain data, for the history and execution.json."""

    thing = "fault"

    def __init__(self, guarded: Fault, seconds: float) -> None:
        super().__init__(guarded, seconds)
        self.needs = guarded.needs
        self.lasts = guarded.lasts
        if isinstance(self.lasts, bool) or not isinstance(self.lasts, int | float) or not self.lasts >= 0:
            raise self._error(f"has {self.lasts!r} as `lasts`, expected a number of seconds")

    def cautions(self, database: Database) -> tuple[str, ...]:
        cautions = self._call(lambda: tuple(self.guarded.cautions(database)))
        if not all(isinstance(each, str) for each in cautions):
            raise self._error(f"returned {cautions!r} from cautions(), expected sentences")
        return cautions

    def excuses(self, database: Database) -> str:
        fault = self.guarded
        if not isinstance(fault, MayExcuse):
            return ""
        why = self._call(lambda: fault.excuses(database))
        if not isinstance(why, str):
            raise self._error(f"returned {why!r} from excuses(), expected a clause")
        return why

    def inject(self, injector: Injectable, chance: Random) -> Mapping[str, Any]:
        return self._facts("inject", lambda: self.guarded.inject(injector, chance))

    def heal(self, injector: Injectable) -> Mapping[str, Any]:
        self._late = False  # even if inject() did not return: its effect on the server must be undone
        return self._facts("heal", lambda: self.guarded.heal(injector))

    def _facts(self, method: str, call: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
        facts = self._call(call)
        if not isinstance(facts, Mapping) or not _is_data(facts):
            raise self._error(
                f"returned {facts!r} from {method}(), expected a mapping of names to text, numbers, true, "
                "false, None, or lists and mappings of them"
            )
        return facts


def _is_data(value: Any) -> bool:
    """Can it be written as JSON?"""
    if isinstance(value, Mapping):
        return all(isinstance(name, str) and _is_data(each) for name, each in value.items())
    if isinstance(value, list | tuple):
        return all(map(_is_data, value))
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, str | int)


_GUARDS: Mapping[str, type[_Guard]] = {
    each.thing: each
    for each in (GuardedHeuristic, GuardedMutator, GuardedStrategy, GuardedAnalyzer, GuardedFault)
}


def read_only(history: History) -> History:
    """The same history with columns that cannot be written to."""
    columns = {each.name: getattr(history, each.name) for each in fields(history)}
    frozen = {name: _frozen(value) for name, value in columns.items() if hasattr(value, "flags")}
    odd = {row: _frozen(elements) for row, elements in history.odd_reads.items()}
    return replace(history, **frozen, odd_reads=odd)


def _frozen(column: Any) -> Any:
    view = column.view()
    view.flags.writeable = False
    return view
