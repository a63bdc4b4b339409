"""What the replay.yaml of an iteration is about: the finding that its schedule shows again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from txfuzz.analysis.result import Anomaly
from txfuzz.errors import WorkloadError
from txfuzz.workload.yaml.reader import read_workload


@dataclass(frozen=True, slots=True)
class ReplayAim:
    """anomaly: its type. templates: of its transactions. focus_key: the logical key on which they are
    to meet."""

    anomaly: str | None
    templates: tuple[str, ...]
    focus_key: int | None = None

    def shows(self, anomaly: Anomaly, *, by_itself: bool = False) -> bool:
        """Is the schedule that of this anomaly? It is when type, templates and key agree.

        by_itself: the anomaly was found by the replay, which may show another type than it was to
        show. An anomaly that is no cycle may name more transactions than its replay needs.
        """
        if not by_itself and self.anomaly not in (None, anomaly.type):
            return False
        keys = {edge.logical_key for edge in anomaly.edges} - {None}
        if keys and self.focus_key is not None and self.focus_key not in keys:
            return False
        there = Counter(view.template or "" for view in anomaly.transactions)
        needed = Counter(self.templates)
        return needed == there if anomaly.edges else needed <= there


def replay_aim(path: Path) -> ReplayAim | None:
    """Of this replay.yaml; None where it says nothing of the kind."""
    try:
        replay = read_workload(path, None).replay
    except WorkloadError:
        return None
    if replay is None:
        return None
    return ReplayAim(replay.anomaly, tuple(each.origin for each in replay.transactions), replay.focus_key)
