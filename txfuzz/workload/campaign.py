"""How a workload asks to be run where nobody says otherwise: `campaign:` in YAML."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Campaign:
    """What a workload says of its campaigns: the flags of `txfuzz run` of the same names; None for
    nothing. A flag that is given goes before it.

    output_dir: from the working directory, as the flag. max_seconds: seconds. seed, expect: instead of
    those of the workload.
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

    def given(self) -> dict[str, Any]:
        """The settings that are not left open."""
        each = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in each.items() if value is not None}
