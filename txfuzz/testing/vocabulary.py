"""The names that a workload in a check may use: none but those that it is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from txfuzz.analysis.checker.anomaly_types import check_anomaly
from txfuzz.analysis.checker.consistency import canonical
from txfuzz.errors import UsageError, did_you_mean


@dataclass(frozen=True)
class Names:
    """See txfuzz.workload.vocabulary.Vocabulary. known: (kind, name) → the thing."""

    known: Mapping[tuple[str, str], Any] = field(default_factory=dict)

    def find(self, kind: str, name: str) -> Any:
        if (kind, name) not in self.known:
            names = [name for of_kind, name in self.known if of_kind == kind]
            raise UsageError(f"no {kind} {name!r} is installed: {did_you_mean(name, names)}")
        return self.known[kind, name]

    def check_model(self, name: str) -> None:
        canonical(name)

    def check_anomaly(self, name: str) -> None:
        check_anomaly(name)
