"""What a small-scope search has shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from txfuzz.feedback.contract import Adjustment


@dataclass(frozen=True)
class CombinationResult:
    """What the schedules of two or three transactions showed; all numbers count schedules.

    transactions: their names. dangerous: in which a weaker database would show a cycle. refused: of these,
    in which the database aborted a transaction. found: in which there were anomalies that contradict the
    expected model; anomalies: by type. keys: the logical keys of schedules that were refused or found
    something.
    """

    transactions: tuple[str, ...]
    schedules: int = 0
    dangerous: int = 0
    refused: int = 0
    found: int = 0
    anomalies: Mapping[str, int] = field(default_factory=dict)
    keys: tuple[int, ...] = ()


@dataclass(frozen=True)
class VariationResult:
    """What the workload showed with one change; schedules, found and anomalies as in CombinationResult.

    refused: why the database did not run it, empty if it did.
    """

    change: Adjustment
    schedules: int = 0
    found: int = 0
    anomalies: Mapping[str, int] = field(default_factory=dict)
    refused: str = ""


@dataclass(frozen=True)
class SmallScopeResult:
    """A small-scope search.

    planned: schedules of the workload as it is that would have been run in unlimited time; schedules: those
    that were. first_found: the number of the first that found something, from 1. stuck: that could not
    continue. stopped: why the search ended early, as a phrase, or empty. seconds: planning included.
    variations: that were tried, none if the workload showed something as it is. Their schedules count on from
    the last of the workload's own.
    """

    planned: int = 0
    schedules: int = 0
    first_found: int | None = None
    stuck: int = 0
    stopped: str = ""
    seconds: float = 0.0
    combinations: tuple[CombinationResult, ...] = ()
    variations: tuple[VariationResult, ...] = ()

    @property
    def found(self) -> int:
        return self.found_as_is + sum(each.found for each in self.variations)

    @property
    def found_as_is(self) -> int:
        return sum(each.found for each in self.combinations)

    @property
    def varied_schedules(self) -> int:
        return sum(each.schedules for each in self.variations)

    @property
    def shown_by(self) -> VariationResult | None:
        """The variation that showed what the workload did not show as it is."""
        return next((each for each in self.variations if each.found), None)

    @property
    def refused(self) -> int:
        return sum(each.refused for each in self.combinations)
