"""One run of one strategy on one target: what is asked for, and what it took."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from txfuzz.campaign.setup.plugin_failures import PluginFailure
from txfuzz.compare.targets import Target
from txfuzz.workload.model import PluginSpec


@dataclass(frozen=True)
class Task:
    """One run: plain data, so that any process can do it.

    strategy, setting: their names. plugin: the strategy of the campaign, None for the target's own.
    most: attempted transactions after which the run is given up. keep: where its campaign is kept; None
    for nowhere.
    """

    target: Target
    strategy: str
    setting: str
    plugin: PluginSpec | None
    seed: int
    most: int
    keep: Path | None = None

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What tells the runs of a comparison apart."""
        return (self.target.name, self.strategy, self.setting, self.seed)


@dataclass(frozen=True)
class Effort:
    """What a run took.

    transactions: attempted until the first finding; None if there was none among the first `most`.
    attempted: by the whole run. anomalies: the types that the first finding showed. iterations, seconds: of
    the run. failures: of its plugins.
    """

    transactions: int | None
    attempted: int
    anomalies: tuple[str, ...] = ()
    iterations: int = 0
    seconds: float = 0.0
    failures: tuple[PluginFailure, ...] = ()
