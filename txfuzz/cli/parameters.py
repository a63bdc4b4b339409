"""Types of arguments and options: paths, times, budgets, and names that the shell completes."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from txfuzz.common.durations import seconds_in
from txfuzz.common.sanitize import printable

FILE_OR_NAME = "FILE|NAME"
_A_TIME = "a time such as 30s, 10m or 2h"


class _File(click.Path):
    """A path in UTF-8. Empty is an error: `--output-dir "$OUT"` must not fall back when OUT is unset."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("the path is empty", param, ctx)
        try:
            os.fspath(value).encode("utf-8")
        except UnicodeEncodeError:
            self.fail(f"the path {printable(value)!r} is not valid UTF-8", param, ctx)
        return super().convert(value, param, ctx)


FILE = _File(path_type=Path)


class Seconds(click.FloatRange):
    """A finite number of seconds: nan would pass any check of bounds."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        seconds = float(super().convert(value, param, ctx))
        if not math.isfinite(seconds):
            self.fail(f"{value} is not a number of seconds.", param, ctx)
        return seconds


class Time(Seconds):
    """Seconds, with a unit or as a number alone."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, str):
            seconds = seconds_in(value)
            if seconds is None and not _is_number(value):
                self.fail(f"{value!r} is not {_A_TIME}, or a number of seconds.", param, ctx)
            value = value if seconds is None else seconds
        return super().convert(value, param, ctx)


@dataclass(frozen=True)
class TimeOrCount:
    """A budget: one of the two is set."""

    seconds: float | None = None
    count: int | None = None


class Budget(click.ParamType):  # type: ignore[type-arg] # takes none before click 8.4
    """A time with its unit, or a number of what: "transactions"."""

    name = "budget"

    def __init__(self, what: str) -> None:
        self._what = what

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> TimeOrCount:
        if isinstance(value, TimeOrCount):
            return value
        text = str(value).strip()
        if text.isascii() and text.isdigit() and int(text) > 0:
            return TimeOrCount(count=int(text))
        if seconds := seconds_in(text):
            return TimeOrCount(seconds=seconds)
        return self.fail(f"{value!r} is not {_A_TIME}, or a number of {self._what}.", param, ctx)


class WorkloadName(_File):
    """A workload's file or name. The shell completes the names of those that ship with txfuzz, and files."""

    name = "workload"

    def __init__(self) -> None:
        super().__init__(path_type=str)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from txfuzz.workload.shipped import shipped_workloads

        names = (name for name, _ in shipped_workloads())
        # Files first: bash forgets what stands before them
        return [*super().shell_complete(ctx, param, incomplete), *_beginning(names, incomplete)]


class Named(click.ParamType):  # type: ignore[type-arg] # as above
    """A word, of which the shell completes those that are known. words: finds them; whatever is wrong then is
    said when the command runs."""

    name = "text"

    def __init__(self, words: Callable[[click.Context], Iterable[str]]) -> None:
        self._words = words

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return str(value)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return _beginning(self._words(ctx), incomplete)


def _adapters(ctx: click.Context) -> Iterable[str]:
    from txfuzz.cli.completion import adapters

    return adapters(ctx)


def _levels(ctx: click.Context) -> Iterable[str]:
    from txfuzz.cli.completion import levels

    return levels(ctx)


ADAPTER, LEVEL = Named(_adapters), Named(_levels)


def _beginning(words: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(word) for word in words if word.startswith(incomplete)]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
