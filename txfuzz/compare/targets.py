"""What strategies are compared on: workloads, those that come with txfuzz or the user's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from txfuzz.common.sentences import listed
from txfuzz.errors import UsageError
from txfuzz.workload.shipped import SUFFIXES, shipped_targets, shipped_workloads, workload_path


@dataclass(frozen=True)
class Target:
    """A workload under the name that tables show."""

    name: str
    path: Path


def targets_named(names: Sequence[str]) -> tuple[Target, ...]:
    """The targets by name or path, each once. UsageError for an unknown one, or two of the same name."""
    targets, workloads = dict(shipped_targets()), dict(shipped_workloads())
    found: dict[str, Target] = {}
    for name in names:
        is_path = Path(name).suffix in SUFFIXES or "/" in name
        if not is_path and name not in targets and name not in workloads:
            raise UsageError(
                f"no target {name!r}: expected a workload file, the name of a workload, or one of "
                f"{listed(targets, 'or', most=len(targets))}"
            )
        target = Target(Path(name).stem, targets.get(name) or workload_path(name))
        if found.setdefault(target.name, target).path != target.path:
            raise UsageError(f"two targets are called {target.name!r}: rename one of the files")
    return tuple(found.values())
