"""Words and steps that mutators share."""

from __future__ import annotations

from typing import Any

from txfuzz.plugin_api import Adjustment, Workload, target_value


def change(workload: Workload, target: str, after: Any, reason: str, name: str) -> Adjustment | None:
    """The adjustment; None if it would change nothing."""
    before = target_value(workload, target)
    return None if before == after else Adjustment(target, before, after, reason, name)


def counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"
