"""The signature of an anomaly, by which equal findings are recognised."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from txfuzz.analysis.result import Anomaly

_LONGEST = 80  # characters of a directory's name


@dataclass(frozen=True, slots=True)
class Signature:
    """Type, kinds of edges around the cycle, templates in the same order, isolation level.

    Cycles are rotated to the alphabetically first form. Anomalies without a cycle have no kinds, and their
    templates are sorted.
    """

    anomaly: str
    kinds: tuple[str, ...]
    templates: tuple[str, ...]
    isolation: str

    @property
    def name(self) -> str:
        """A directory name, unique to the signature."""
        words = [self.anomaly, "-".join(self.kinds), "+".join(dict.fromkeys(self.templates)), self.isolation]
        plain = "_".join(re.sub(r"[^A-Za-z0-9+-]+", "-", word) for word in words if word)
        mark = hashlib.sha256(repr(self).encode()).hexdigest()[:6]
        return f"{plain[:_LONGEST]}_{mark}"


def signature_of(anomaly: Anomaly, isolation: str, origins: Mapping[str, str] | None = None) -> Signature:
    """origins: transaction → the template that it was narrowed from."""
    names = {view.row: _origin(view.template, origins or {}) for view in anomaly.transactions}
    if not anomaly.edges:
        return Signature(anomaly.type, (), tuple(sorted(names.values())), isolation)
    around = [(edge.kind, names.get(edge.source, "")) for edge in anomaly.edges]
    rotations = [around[at:] + around[:at] for at in range(len(around))]
    kinds, templates = zip(*min(rotations), strict=True)
    return Signature(anomaly.type, kinds, templates, isolation)


def _origin(template: str | None, origins: Mapping[str, str]) -> str:
    return "" if template is None else origins.get(template, template)
