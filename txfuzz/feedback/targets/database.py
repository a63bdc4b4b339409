"""`plans` and `layout`: options of the adapter that the workload's owner lets vary, by name.

Which ones, and to which values, the adapter declares (txfuzz.database.variations). None changes what a
level promises. Another layout makes new tables.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from txfuzz.errors import UsageError, did_you_mean
from txfuzz.feedback.targets.target import Target, Written, short, told
from txfuzz.workload.model import Workload

_TOLD = 4


def _target(kind: str, noun: str) -> Target:
    def read(workload: Workload) -> dict[str, Any]:
        options = workload.database.options
        return {name: options[name] for name in getattr(workload.mutate, kind) if name in options}

    def write(workload: Workload, value: Any, original: Workload) -> Written:
        if not isinstance(value, dict):
            raise UsageError(f"{kind} must be a mapping of option to value, found {short(value)}")
        known = getattr(original.mutate, kind)
        for option, wanted in value.items():
            if option not in known:
                raise UsageError(
                    f"{kind} cannot change the option {option!r}: {did_you_mean(str(option), known)}"
                )
            if not any(type(each) is type(wanted) and each == wanted for each in known[option]):
                words = told(map(repr, known[option]), 8)
                raise UsageError(f"{option} cannot become {wanted!r}; it may be {words}")
        options = {**workload.database.options, **value}
        return replace(workload, database=replace(workload.database, options=options)), ()

    return Target(kind, noun, read, write, _words, _difference)


def _words(value: Any) -> str:
    return told((f"{option} {each}" for option, each in value.items()), _TOLD)


def _difference(before: Any, after: Any) -> str:
    moved = (
        f"{option} from {before.get(option)} to {value}"
        for option, value in after.items()
        if value != before.get(option)
    )
    return told(moved, _TOLD)


PLANS = _target("plans", "how the database gets at rows")
LAYOUT = _target("layout", "the tables and their indexes")
