"""Plugins that failed although the campaign went on: how often, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from txfuzz.campaign.setup.plugin_sandbox import failures_in
from txfuzz.campaign.setup.resolve import Assembled
from txfuzz.common.sentences import counted


@dataclass(frozen=True)
class PluginFailure:
    """One plugin object and one of the ways in which it failed.

    kind, name: "strategy" and its name, say. sentence: names the plugin and says what happened. failed,
    asked: how often it failed so, and how often it was asked.
    """

    kind: str
    name: str
    sentence: str
    failed: int
    asked: int

    @property
    def told(self) -> str:
        return f"in {self.failed:,} of {counted(self.asked, 'call')}, {self.sentence}"


def plugin_failures(assembled: Assembled) -> tuple[PluginFailure, ...]:
    """Those of the campaign's strategy, heuristics and mutators up to now."""
    asked = (assembled.strategy, *assembled.heuristics, *assembled.mutators)
    return tuple(
        PluginFailure(thing, name, sentence, failed, of)
        for each in asked
        for thing, name, sentence, failed, of in failures_in(each)
    )


def always_failed(failures: Iterable[PluginFailure], kind: str, name: str) -> bool:
    """Did this object do nothing but fail?"""
    its = [each for each in failures if (each.kind, each.name) == (kind, name)]
    return bool(its) and sum(each.failed for each in its) >= its[0].asked
