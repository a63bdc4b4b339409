"""Consistency models: their names, which implies which, and which anomalies each prohibits.

The lattice and the tables are Elle's. Sources: Adya, "Weak Consistency" (1999) for the PL levels;
Adya, Liskov, O'Neil, "Generalized Isolation Level Definitions" (2000); Bailis et al., "Highly
Available Transactions" (2013); Cerone, Bernardi, Gotsman, "A Framework for Transactional
Consistency Models with Atomic Visibility" (2015); Daudjee, Salem, "Lazy Database Replication with
Ordering Guarantees" (2004) for the strong session levels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from txfuzz.errors import UsageError, did_you_mean

# Each model, under its canonical name, and the models that are directly weaker.
WEAKER: Mapping[str, tuple[str, ...]] = {
    "1SR": (),
    "PL-1": (),
    "PL-2": ("PL-1",),
    "PL-2+": ("PL-2L", "PL-CS"),
    "PL-2.99": ("PL-CS", "monotonic-atomic-view"),
    "PL-2L": ("PL-2",),
    "PL-3": ("PL-2.99", "PL-3U", "PL-SI", "view-serializable"),
    "PL-3U": ("PL-FCV",),
    "PL-CS": ("PL-2",),
    "PL-FCV": ("PL-2+",),
    "PL-MSR": ("PL-2",),
    "PL-SI": ("PL-FCV", "PL-MSR", "monotonic-atomic-view", "parallel-snapshot-isolation", "prefix"),
    "PL-SS": (
        "PL-3",
        "PL-SI",
        "linearizable",
        "session-serializable",
        "strong-session-serializable",
        "strong-snapshot-isolation",
    ),
    "PRAM": ("monotonic-reads", "monotonic-writes", "read-your-writes"),
    "causal": ("PRAM", "writes-follow-reads"),
    "causal-cerone": ("read-atomic",),
    "linearizable": ("sequential",),
    "monotonic-atomic-view": ("PL-2",),
    "monotonic-reads": (),
    "monotonic-writes": (),
    "parallel-snapshot-isolation": ("causal-cerone", "update-atomic"),
    "prefix": ("causal-cerone",),
    "read-atomic": ("monotonic-atomic-view",),
    "read-your-writes": (),
    "sequential": ("causal",),
    "session-serializable": ("1SR",),
    "strong-PL-1": ("strong-session-PL-1",),
    "strong-PL-2": ("strong-PL-1", "strong-session-PL-2"),
    "strong-session-PL-1": ("PL-1",),
    "strong-session-PL-2": ("PL-2", "strong-session-PL-1"),
    "strong-session-serializable": ("PL-3", "strong-session-snapshot-isolation"),
    "strong-session-snapshot-isolation": ("PL-SI", "strong-session-PL-2"),
    "strong-snapshot-isolation": ("strong-PL-2", "strong-session-snapshot-isolation"),
    "update-atomic": ("read-atomic",),
    "view-serializable": (),
    "writes-follow-reads": (),
}

# Their names in sentences; the rest have their canonical names.
FRIENDLY: Mapping[str, str] = {
    "PL-1": "read-uncommitted",
    "PL-2": "read-committed",
    "PL-2+": "consistent-view",
    "PL-2.99": "repeatable-read",
    "PL-2L": "monotonic-view",
    "PL-3": "serializable",
    "PL-3U": "update-serializable",
    "PL-CS": "cursor-stability",
    "PL-FCV": "forward-consistent-view",
    "PL-MSR": "monotonic-snapshot-read",
    "PL-SI": "snapshot-isolation",
    "PL-SS": "strict-serializable",
    "strong-PL-1": "strong-read-uncommitted",
    "strong-PL-2": "strong-read-committed",
    "strong-session-PL-1": "strong-session-read-uncommitted",
    "strong-session-PL-2": "strong-session-read-committed",
}

# Where Elle's results have another name than our sentences have.
_IN_ELLE: Mapping[str, str] = {"PL-SS": "strong-serializable"}

# Further names for the same models. `repeatable-read` is always Adya's PL-2.99, whatever a database
# means by its REPEATABLE READ.
ALIASES: Mapping[str, str] = {
    "conflict-serializable": "PL-3",
    "strong-serializable": "PL-SS",
    "serializability": "PL-3",
    "strict-serializability": "PL-SS",
    "strict-1sr": "PL-SS",
    "strong-1sr": "PL-SS",
    "strong-session-1sr": "strong-session-serializable",
    "snapshot": "PL-SI",
    "si": "PL-SI",
}

# Anomalies that each model rules out itself, in addition to those of the models that it implies.
# `unwritten-read` is our own: Elle's list-append checker stops at such a read, its register checker
# ignores it. No history in Adya's sense contains one, so the weakest level prohibits it.
# `fractured-read` is our own, too: it defines read-atomic, and Elle has no anomaly for it.
PROSCRIBED: Mapping[str, tuple[str, ...]] = {
    "PL-1": ("G0", "duplicate-elements", "cyclic-versions", "unwritten-read", "PL-1-cycle-exists"),
    "PL-2": ("G1", "PL-2-cycle-exists"),
    "PL-2+": ("G1", "G-single"),
    "PL-2.99": ("G1", "G2-item", "lost-update", "PL-2.99-cycle-exists"),
    "PL-2L": ("G1", "G-monotonic"),
    "PL-3": ("internal", "G1", "G2", "predicate-read-miss", "PL-3-cycle-exists"),
    "PL-3U": ("G1", "G-update"),
    "PL-CS": ("G1", "G-cursor", "lost-update"),
    "PL-FCV": ("G1", "G-SIb"),
    "PL-MSR": ("G1", "G-MSR"),
    "PL-SI": ("internal", "G1", "G-SI", "G-nonadjacent", "PL-SI-cycle-exists"),
    "PL-SS": ("G1", "G1c-realtime", "G2-realtime", "PL-SS-cycle-exists"),
    "causal-cerone": ("internal", "G1a"),
    "parallel-snapshot-isolation": ("internal", "G1a"),
    "prefix": ("internal", "G1a"),
    "read-atomic": ("internal", "G1a", "future-read", "fractured-read"),
    "strong-PL-1": ("G0-realtime", "strong-PL-1-cycle-exists"),
    "strong-PL-2": ("G1c-realtime", "strong-PL-2-cycle-exists"),
    "strong-session-PL-1": ("G0-process", "strong-session-PL-1-cycle-exists"),
    "strong-session-PL-2": ("G1c-process", "strong-session-PL-2-cycle-exists"),
    "strong-session-serializable": (
        "G1-process",
        "G2-process",
        "strong-session-serializable-cycle-exists",
    ),
    "strong-session-snapshot-isolation": (
        "internal",
        "G1-process",
        "G-nonadjacent-process",
        "strong-session-snapshot-isolation-cycle-exists",
    ),
    "strong-snapshot-isolation": (
        "internal",
        "G1-realtime",
        "G-nonadjacent-realtime",
        "strong-snapshot-isolation-cycle-exists",
    ),
    "update-atomic": ("lost-update",),
}

# What each plain anomaly is an instance of; -process and -realtime are derived below.
_INSTANCE_OF: Mapping[str, tuple[str, ...]] = {
    "G0": ("G1c",),
    "G1": (),
    "G1a": ("G1",),
    "G1b": ("G1",),
    "G1c": ("G1",),
    "G-single-item": ("G-single", "G-nonadjacent-item"),
    "G-single": ("G-nonadjacent", "GSIb"),
    "G-nonadjacent-item": ("G-nonadjacent", "G2-item"),
    "G-nonadjacent": ("G2",),
    "G2-item": ("G2",),
    "G2": (),
    "GSI": (),
    "GSIa": ("GSI",),
    "GSIb": ("GSI",),
    "incompatible-order": ("G1a",),
    "dirty-update": ("G1a",),
    "future-read": ("G1c",),
    "lost-update": ("G2-item", "write-skew"),
    "write-skew": ("G2",),
}
_WITH_ORDERS = ("G0", "G1", "G1c", "G-single-item", "G-single", "G-nonadjacent-item", "G-nonadjacent",
                "G2-item", "G2")  # fmt: skip


def _instances() -> dict[str, tuple[str, ...]]:
    table = dict(_INSTANCE_OF)
    for name in _WITH_ORDERS:
        plain = [other for other in _INSTANCE_OF[name] if other in _WITH_ORDERS]
        table[name] = (*_INSTANCE_OF[name], f"{name}-process")
        table[f"{name}-process"] = (*(f"{other}-process" for other in plain), f"{name}-realtime")
        table[f"{name}-realtime"] = tuple(f"{other}-realtime" for other in plain)
    return table


INSTANCE_OF: Mapping[str, tuple[str, ...]] = _instances()


@cache
def weaker_or_same(model: str) -> frozenset[str]:
    """This model (canonical) and every one that it implies."""
    return frozenset({model}).union(*(weaker_or_same(other) for other in WEAKER[model]))


@cache
def generalisations(anomaly: str) -> frozenset[str]:
    """This anomaly and every one that it is an instance of."""
    return frozenset({anomaly}).union(*(generalisations(other) for other in INSTANCE_OF.get(anomaly, ())))


@cache
def _names() -> Mapping[str, str]:
    """Every accepted spelling, in lower case with hyphens, and its canonical name."""
    names = {model.lower(): model for model in WEAKER}
    names.update({friendly: model for model, friendly in FRIENDLY.items()})
    names.update(ALIASES)
    return names


def is_model(name: str) -> bool:
    """Whether it is the name of a consistency model, in any spelling."""
    try:
        canonical(name)
    except UsageError:
        return False
    return True


@cache
def canonical(name: str) -> str:
    """The canonical name of a model, from any spelling.

    Spaces, underscores, case and a leading colon do not matter: "REPEATABLE READ",
    "repeatable_read" and ":repeatable-read" are all PL-2.99.

    Raises UsageError for an unknown name.
    """
    known = _names()
    spelt = "-".join(name.strip().lstrip(":").lower().replace("_", " ").replace("-", " ").split())
    if spelt not in known:
        raise UsageError(f"unknown consistency model {name!r}; {did_you_mean(spelt, known)}")
    return known[spelt]


def friendly(model: str) -> str:
    """The name in sentences, from any spelling."""
    name = canonical(model)
    return FRIENDLY.get(name, name)


def model_text(model: str) -> str:
    """The name for display. Elle's repeatable-read is marked, because it is not what databases call
    REPEATABLE READ. A name that is not a consistency model is an analyzer's, such as bank."""
    if not is_model(model):
        return f"the model {model}"
    name = friendly(model)
    return f"{name} (Adya's PL-2.99)" if canonical(model) == "PL-2.99" else name


def implies(stronger: str, weaker: str) -> bool:
    """Does every history that satisfies `stronger` satisfy `weaker`? A model implies itself."""
    return canonical(weaker) in weaker_or_same(canonical(stronger))


@cache
def _prohibited(model: str) -> frozenset[str]:
    direct = {anomaly for weaker in weaker_or_same(model) for anomaly in PROSCRIBED.get(weaker, ())}
    every = {*INSTANCE_OF, *(anomaly for anomalies in PROSCRIBED.values() for anomaly in anomalies)}
    return frozenset(anomaly for anomaly in every if generalisations(anomaly) & direct)


def prohibited(model: str) -> frozenset[str]:
    """All anomaly types that contradict the model; empty if no anomaly can.

    Closed: everything that the model and those it implies proscribe, and every instance of that.
    """
    return _prohibited(canonical(model))


def impossible_models(anomaly_types: Iterable[str]) -> frozenset[str]:
    """The canonical names of all models that these anomalies rule out."""
    found = frozenset(anomaly_types)
    return frozenset(model for model in WEAKER if found & _prohibited(model))


def ruled_out(anomaly_types: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Elle's `not` and `also-not`: the weakest models ruled out, and all stronger ones.

    Names as in Elle's results, sorted; `friendly` gives those for sentences.
    """
    impossible = impossible_models(anomaly_types)
    weakest = {model for model in impossible if not (weaker_or_same(model) - {model}) & impossible}
    return _as_elle(weakest), _as_elle(impossible - weakest)


def as_elle_names(model: str) -> str:
    """The name in Elle's results, from any spelling."""
    name = canonical(model)
    return _IN_ELLE.get(name, friendly(name))


def _as_elle(models: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(map(as_elle_names, models)))


def answerable(promised: str, *, own_lists: bool, doubtful: bool = False) -> str | None:
    """The model that a database can be held to, given its promise; None if that is uncertain.

    doubtful: the workload's own SQL may be the cause (txfuzz.workload.sql.blame). own_lists: the
    workload writes lists with its own SQL. A list that is read and written back whole does not behave
    like appends if updates may be lost: contradictory orders then come from overwriting, not from the
    database.
    """
    if doubtful or (own_lists and "lost-update" not in prohibited(canonical(promised))):
        return None
    return promised
