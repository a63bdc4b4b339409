"""What all iterations of a campaign have covered, and what of it is rare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from txfuzz.analysis.dependencies.coverage import DangerousStructure, Feature, Refusal, StepDependency

# What showing a feature once is worth. A cycle that snapshot isolation forbids contains a dangerous
# structure, one whose last transaction commits first is nearest to it, and other dependencies are what these
# are made of.
_STRUCTURE, _LAST_FIRST = 4.0, 8.0
_ANTI_DEPENDENCY, _DEPENDENCY, _REFUSAL = 2.0, 1.0, 1.0


class CoverageMap:
    """hits: feature → in how many iterations it was seen."""

    def __init__(self, hits: Mapping[Feature, int] | None = None) -> None:
        self._hits: Counter[Feature] = Counter(hits or {})

    @property
    def hits(self) -> Mapping[Feature, int]:
        return self._hits

    def __len__(self) -> int:
        return len(self._hits)

    def note(self, seen: Iterable[Feature]) -> tuple[Feature, ...]:
        """Add an iteration; returns the features that no earlier one had."""
        new = []
        for feature in seen:
            if feature not in self._hits:
                new.append(feature)
            self._hits[feature] += 1
        return tuple(new)

    def rarity(self, feature: Feature) -> float:
        """worth(feature), divided by the number of iterations that showed it."""
        return worth(feature) / max(self._hits[feature], 1)


def worth(feature: Feature) -> float:
    if isinstance(feature, DangerousStructure):
        return _LAST_FIRST if feature.last_first else _STRUCTURE
    if isinstance(feature, StepDependency):
        return _ANTI_DEPENDENCY if feature.kind == "rw" else _DEPENDENCY
    assert isinstance(feature, Refusal)
    return _REFUSAL
