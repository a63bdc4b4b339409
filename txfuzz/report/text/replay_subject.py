"""What the replay.yaml of an iteration is about: the finding that its schedule shows again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from txfuzz.analysis.result import Anomaly
from txfuzz.errors import WorkloadError
from txfuzz.workload.yaml.parser import parse_yaml


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
        root = parse_yaml(path.read_text(encoding="utf-8"), str(path))
    except (OSError, ValueError, WorkloadError):
        return None
    data = None if root is None else root.plain()
    stanza = data.get("replay") if isinstance(data, dict) else None
    if not isinstance(stanza, dict) or not isinstance(stanza.get("transactions"), list):
        return None
    each = [one for one in stanza["transactions"] if isinstance(one, dict) and "txn" in one]
    templates = tuple(str(one.get("template", one["txn"])) for one in each)
    return ReplayAim(stanza.get("anomaly"), templates, stanza.get("focus_key"))
