"""The names that a workload file may use."""

from __future__ import annotations

from typing import Any, Protocol


class Vocabulary(Protocol):
    """All methods raise UsageError for unknown names; the message names no place."""

    def find(self, kind: str, name: str) -> Any:
        """The named thing of this kind: "adapter", "template", "analyzer", "heuristic", "strategy" or
        "fault"."""

    def check_model(self, name: str) -> None:
        """Is this a consistency model that histories can be checked against?"""

    def check_anomaly(self, name: str) -> None:
        """Is this a type of anomaly, or at least not a misspelled one?"""
