"""A workload's default campaign settings: `campaign:` in YAML."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

MOST_SCHEDULES = 10_000


@dataclass(frozen=True, slots=True)
class SmallScope:
    """Bounds of the search through schedules of a few transactions before the first iteration.

    schedules: at most so many; 0 for no search. seconds: time limit. transactions: at most so many in one
    schedule, 2 or 3.
    """

    schedules: int = 40
    seconds: float = 3.0
    transactions: int = 3


@dataclass(frozen=True, slots=True)
class Campaign:
    """Defaults for the flags of `txfuzz run` with the same names; None where there is no default.

    output_dir: relative to the working directory, like the flag. seed, expect: instead of the workload's.
    """

    iterations: int | None = None
    output_dir: Path | None = None
    seed: int | None = None
    expect: str | None = None
    runner_cmd: str | None = None
    run_replay: bool | None = None
    stop_on_finding: bool | None = None
    max_seconds: float | None = None
    max_transactions: int | None = None
    plateau: int | None = None
    small_scope: SmallScope | None = None

    def given(self) -> dict[str, Any]:
        """The settings that have a value."""
        each = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in each.items() if value is not None}
