"""The strategies that can be compared, as data.

A strategy has one setting or several; of several, a comparison shows the one that did best.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from txfuzz.compare.campaign_effort import alone_effort, campaign_effort, small_scope_effort
from txfuzz.compare.effort import Task
from txfuzz.errors import UsageError, did_you_mean
from txfuzz.feedback.strategy_names import CLASSIC, LEARNING, OPEN_LOOP
from txfuzz.workload.model import PluginSpec

if TYPE_CHECKING:
    from txfuzz.compare.bench import Bench
    from txfuzz.compare.effort import Effort

CONTROL = "open"
GRID = {"keys": (2, 4, 8), "writes": (8, 32), "clients": (0, 16)}  # 0: those of the workload


@dataclass(frozen=True)
class Setting:
    """One way to search. name: of the setting among those of its strategy, empty if it is the only one.

    plugin: what campaigns use, None for the target's own. run: measures one run of it.
    """

    name: str = ""
    plugin: PluginSpec | None = None
    run: Callable[[Task, Bench], Effort | None] = campaign_effort


def _grid() -> tuple[Setting, ...]:
    settings = []
    for values in product(*GRID.values()):
        options = dict(zip(GRID, values, strict=True))
        name = ", ".join(f"{option} {value}" for option, value in options.items() if value)
        settings.append(Setting(name, PluginSpec("static", options)))
    return tuple(settings)


COMPARED: dict[str, tuple[Setting, ...]] = {
    "guided": (Setting(plugin=PluginSpec(LEARNING)),),
    "undirected": (Setting(plugin=PluginSpec(LEARNING, {"directed": False})),),
    "learning-undirected": (Setting(plugin=PluginSpec(LEARNING, {"directed": False}), run=alone_effort),),
    "classic": (Setting(plugin=PluginSpec(CLASSIC)),),
    CONTROL: (Setting(plugin=PluginSpec(OPEN_LOOP)),),
    "static-4": (Setting(plugin=PluginSpec("static", {"keys": 4})),),
    "static-grid": _grid(),
    "small-scope": (Setting(plugin=PluginSpec(CLASSIC), run=small_scope_effort),),
}


def compared_name(strategy: str) -> str:
    """The control has two names: its own, and that of the strategy that it is."""
    return CONTROL if strategy == OPEN_LOOP else strategy


def settings_of(strategy: str, installed: Collection[str]) -> tuple[Setting, ...]:
    """The settings of a strategy. installed: the names of those of plugins, which can be compared as well, on
    their own.

    Raises UsageError for an unknown one.
    """
    strategy = compared_name(strategy)
    if strategy in COMPARED:
        return COMPARED[strategy]
    if strategy in installed:
        return (Setting(plugin=PluginSpec(strategy), run=alone_effort),)
    raise UsageError(f"no strategy {strategy!r}: {did_you_mean(strategy, (*COMPARED, *installed))}")
