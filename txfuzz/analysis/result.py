"""The result of an analysis as one value, and as one JSON object.

JSON has the field names of the classes here; `AnalysisResult.to_json` is the content of
analysis.json and of `txfuzz analyze --json`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from txfuzz.analysis.checker.consistency import model_text
from txfuzz.analysis.views.cycle_graph import cycle_graph
from txfuzz.analysis.views.cycle_parts import Edge, MissingEdge, TransactionView
from txfuzz.analysis.views.mop_view import MopView
from txfuzz.analysis.views.result_html import cycle_html, result_html
from txfuzz.common.json_text import number

if TYPE_CHECKING:
    import networkx

__all__ = [
    "AnalysisResult", "Anomaly", "Component", "Edge", "KeyPressure", "MissingEdge", "NearCycle",
    "TransactionView", "Verdict", "as_data",
]  # fmt: skip

_SHOWN = 3  # anomalies or near-cycles in a notebook


class Verdict(Enum):
    """Three-valued. Over several histories: invalid before unknown before valid."""

    VALID = "valid"
    INVALID = "invalid"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One anomaly under Elle's name.

    transactions: those that take part; in the order of the cycle if it is one.
    edges: the cycle's edges in order (empty for anomalies that are not cycles).
    explanation: what happened, in sentences. record: further data by type (as in Elle's records).
    definition: where the anomaly is defined. headline: its plain name, its type and what happened, in one
    sentence; filled in by the analysis if empty.
    """

    type: str
    transactions: tuple[TransactionView, ...]
    explanation: str
    definition: str
    edges: tuple[Edge, ...] = ()
    record: Mapping[str, Any] = field(default_factory=dict)
    headline: str = ""

    def __repr__(self) -> str:
        names = " → ".join(str(view.index) for view in self.transactions[:8])
        kinds = f" by {' '.join(edge.kind for edge in self.edges[:8])}" if self.edges else ""
        more = " …" if len(self.transactions) > 8 else ""
        return f"<Anomaly {self.type}: transactions {names}{more}{kinds}>"

    def _repr_html_(self) -> str:
        lines = self.explanation.splitlines() or [edge.why for edge in self.edges]
        return cycle_html(self.headline or self.type, self.transactions, lines)

    def to_networkx(self) -> networkx.MultiDiGraph[int]:
        """Its transactions and edges, as `txfuzz.dependency_graph` has them."""
        return cycle_graph([(self.transactions, self.edges, None)])


@dataclass(frozen=True, slots=True)
class NearCycle:
    """A path of dependencies that one more edge would close into a forbidden cycle.

    path: the existing edges. missing: the one that does not exist; its key is a logical key.
    anomaly: what the closed cycle would be; breaks: the weakest model that it would rule out.
    score: higher is nearer; score_parts: its summands.
    """

    score: float
    path: tuple[Edge, ...]
    missing: MissingEdge
    anomaly: str
    breaks: str
    transactions: tuple[TransactionView, ...]
    score_parts: Mapping[str, float] = field(default_factory=dict)

    @property
    def keys(self) -> tuple[int, ...]:
        """The logical keys on the path and of the missing edge, each once."""
        on_path = [edge.logical_key for edge in self.path if edge.logical_key is not None]
        return tuple(dict.fromkeys([self.missing.key, *on_path]))

    def __repr__(self) -> str:
        path = " ".join(edge.kind for edge in self.path)
        return (
            f"<NearCycle {self.score:.3g}: {path}, missing {self.missing.kind} on key {self.missing.key}; "
            f"would be {self.anomaly}>"
        )

    def _repr_html_(self) -> str:
        head = f"would be {self.anomaly} and break {model_text(self.breaks)}; score {self.score:.3g}"
        missing = f"missing: {self.missing.kind} on key {self.missing.key}"
        return cycle_html(head, self.transactions, [edge.why for edge in self.path], missing)

    def to_networkx(self) -> networkx.MultiDiGraph[int]:
        """The path and the missing edge, which has `missing=True`."""
        return cycle_graph([(self.transactions, self.path, self.missing)])


@dataclass(frozen=True, slots=True)
class KeyPressure:
    """The pressure on one logical key, by committed transactions only.

    concurrent_edges: dependencies on it between transactions that overlapped in time.
    """

    key: Any
    reads: int
    writes: int
    edges: int
    concurrent_edges: int


@dataclass(frozen=True, slots=True)
class Component:
    """A strongly connected component of more than one transaction."""

    size: int
    transactions: tuple[int, ...]  # Elle's indices, the first few


@dataclass(frozen=True)
class AnalysisResult:
    """The analysis of a history, checked against `expect`.

    anomaly_types: the types that contradict `expect`, sorted. anomalies: a few of each type,
    shortest cycle first (`left_out` counts the rest by type). `not_models` and `also_not` are based
    on all anomalies found (`all_types`), including those that `expect` allows.
    not_models: the weakest models that the history rules out; also_not: all stronger ones.
    vacuous: nothing could go wrong in a run of our own, which is why the verdict is unknown.
    judged: how many transactions the verdict is about: all, or none if the history is refused.
    operations: in the file; two for each transaction that starts and ends in it.
    passed_over: those that belong to no client and carry no micro-operations, counted by process.
    edges_per_txn: distinct dependent pairs per committed transaction.
    concurrent_edges_per_txn: those whose two transactions overlapped in time.
    dependency_density: share of the pairs of transactions that touched a common key (one of
    them writing) and overlapped in time that have a dependency. graph_density: distinct
    dependent pairs over all ordered pairs of transactions.
    cycles: elementary cycles shown, as Elle's indices, shortest first.
    truncated: what was cut short, as sentences; empty when nothing was.
    parts: what analyzers other than the built-in one reported, by name.
    """

    file: str
    verdict: Verdict
    expect: str
    reason: str = ""
    vacuous: bool = False
    kind: str | None = None
    anomaly_types: tuple[str, ...] = ()
    all_types: tuple[str, ...] = ()
    anomalies: tuple[Anomaly, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    not_models: tuple[str, ...] = ()
    also_not: tuple[str, ...] = ()
    transactions: int = 0
    committed: int = 0
    failed: int = 0
    unknown: int = 0
    judged: int = 0
    operations: int = 0
    passed_over: Mapping[str, int] = field(default_factory=dict)
    edge_counts: Mapping[str, int] = field(default_factory=lambda: {"wr": 0, "ww": 0, "rw": 0})
    edges_per_txn: float = 0.0
    concurrent_edges_per_txn: float = 0.0
    dependency_density: float = 0.0
    graph_density: float = 0.0
    sccs: tuple[Component, ...] = ()
    cycles: tuple[tuple[int, ...], ...] = ()
    near_cycles: tuple[NearCycle, ...] = ()
    near_cycles_counted: int = 0  # all, including those out of reach or beyond the limit
    key_pressure: tuple[KeyPressure, ...] = ()
    suggestions: tuple[str, ...] = ()
    truncated: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    parts: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        found = f": {', '.join(self.anomaly_types)}" if self.anomaly_types else ""
        return (
            f"<AnalysisResult {self.verdict.value} against {self.expect}{found}; "
            f"{self.transactions} transactions, {len(self.near_cycles)} near-cycles>"
        )

    def _repr_html_(self) -> str:
        rows = {
            "transactions": f"{self.transactions:,}, {self.committed:,} of them committed",
            "dependencies": ", ".join(f"{count:,} {kind}" for kind, count in self.edge_counts.items()),
            "per transaction": f"{self.edges_per_txn:.2f} ({self.concurrent_edges_per_txn:.2f} concurrent)",
            "near-cycles": f"{self.near_cycles_counted:,}",
            "ruled out": ", ".join(self.not_models),
            "reason": self.reason,
        }
        found = f": {', '.join(self.anomaly_types)}" if self.anomaly_types else ""
        first: Sequence[Anomaly | NearCycle] = self.anomalies or self.near_cycles
        inner = [each._repr_html_() for each in first[:_SHOWN]]
        return result_html(f"{self.verdict.value} against {self.expect}{found}", rows, inner)

    def to_networkx(self) -> networkx.MultiDiGraph[int]:
        """The anomalies and near-cycles shown; `txfuzz.dependency_graph` has the whole history."""
        anomalies = [(each.transactions, each.edges, None) for each in self.anomalies]
        return cycle_graph(
            [*anomalies, *((each.transactions, each.path, each.missing) for each in self.near_cycles)]
        )

    def to_json(self) -> dict[str, Any]:
        """The whole result as JSON data; `not_models` is called `not` there, as Elle does."""
        data = {name: as_data(getattr(self, name)) for name in self.__dataclass_fields__}
        data["not"] = data.pop("not_models")
        return data


def as_data(value: Any) -> Any:
    """Dataclasses, enums and tuples as plain JSON data; anything JSON lacks as its text ("Infinity")."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, MopView):
        return value.to_json()
    if hasattr(value, "__dataclass_fields__"):
        return {name: as_data(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        return {str(key): as_data(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [as_data(item) for item in value]
    if isinstance(value, float):
        return number(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    return str(value)
