"""What the names in a workload file may refer to."""

from __future__ import annotations

from typing import Any, Protocol


class Vocabulary(Protocol):
    """Its methods raise UsageError, whose message is the reason without a place."""

    def find(self, kind: str, name: str) -> Any:
        """The named thing of this kind: "adapter", "template", "analyzer", "heuristic" or "fault"."""

    def check_model(self, name: str) -> None:
        """Is this a consistency model that a history can be held against?"""

    def check_anomaly(self, name: str) -> None:
        """Is this a type of anomaly, or at least none that is misspelt?"""
