"""What each type of anomaly is, in one sentence, and where it is defined."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from txfuzz.errors import UsageError

ADYA_1999 = "Adya, Weak Consistency, PhD thesis, MIT 1999"
ADYA_2000 = "Adya, Liskov, O'Neil, Generalized Isolation Level Definitions, ICDE 2000"
KINGSBURY_2020 = "Kingsbury, Alvaro, Elle: Inferring Isolation Anomalies, VLDB 2020"
BAILIS_2014 = "Bailis and others, Scalable Atomic Visibility with RAMP Transactions, SIGMOD 2014, section 3.2"
CERONE_2015 = (
    "Cerone, Bernardi, Gotsman, Transactional Consistency Models with Atomic Visibility, CONCUR 2015"
)
CERONE_2016 = "Cerone, Gotsman, Analysing Snapshot Isolation, PODC 2016"
DAUDJEE_2004 = "Daudjee, Salem, Lazy Database Replication with Ordering Guarantees, ICDE 2004"
HERLIHY_1990 = "Herlihy, Wing, Linearizability, TOPLAS 1990"
TXFUZZ = "txfuzz, docs/explanation/differences-from-elle.md"


@dataclass(frozen=True)
class AnomalyType:
    """meaning: one sentence. source: where it is defined. name: what people call it."""

    meaning: str
    source: str
    name: str = ""


_PLAIN: Mapping[str, AnomalyType] = {
    "G0": AnomalyType(
        "Write cycle: transactions overwrote each other's versions in different orders.",
        f"{ADYA_2000}, section 4.2",
        "Write cycle",
    ),
    "G1a": AnomalyType(
        "Aborted read: a committed transaction read what a failed one wrote.",
        f"{ADYA_2000}, section 4.2",
        "Aborted read",
    ),
    "G1b": AnomalyType(
        "Intermediate read: a transaction read a version that its writer later replaced.",
        f"{ADYA_2000}, section 4.2",
        "Intermediate read",
    ),
    "G1c": AnomalyType(
        "Circular information flow: transactions depend on each other through reads and overwrites.",
        f"{ADYA_2000}, section 4.2",
        "Circular information flow",
    ),
    "G-single-item": AnomalyType(
        "A cycle of dependencies with exactly one anti-dependency (such as read skew, or a lost update).",
        f"{ADYA_1999}, section 4.2; on items: {KINGSBURY_2020}",
        "Read skew",
    ),
    "G-nonadjacent-item": AnomalyType(
        "A cycle with several anti-dependencies, no two of them in a row (such as a long fork).",
        f"{CERONE_2016}, theorem 4.1; the name is Elle's",
        "Long fork",
    ),
    "G2-item": AnomalyType(
        "Anti-dependency cycle on items: a cycle with two anti-dependencies in a row (such as write skew).",
        f"{ADYA_2000}, section 5.1",
        "Write skew",
    ),
    "internal": AnomalyType(
        "A transaction read something other than what it had last read or written itself.",
        f"{CERONE_2015}, axiom INT",
        "Non-repeatable read",
    ),
    "future-read": AnomalyType(
        "A transaction read what it wrote only later.",
        f"{KINGSBURY_2020}; a case of G1c within itself",
        "Read of the future",
    ),
    "dirty-update": AnomalyType(
        "A committed transaction built on a version that a failed transaction wrote.",
        f"{KINGSBURY_2020}, section 4.2",
        "Dirty update",
    ),
    "lost-update": AnomalyType(
        "Several transactions read the same version of a key and then wrote it.",
        f"{KINGSBURY_2020}; {ADYA_1999}, section 4.3 (P4 of Berenson et al., SIGMOD 1995)",
        "Lost update",
    ),
    "duplicate-elements": AnomalyType(
        "A list contains an element twice that was appended once.",
        f"{KINGSBURY_2020}, section 4.2",
        "Write applied twice",
    ),
    "incompatible-order": AnomalyType(
        "Two reads of a key disagree about the order of its versions.",
        f"{KINGSBURY_2020}, section 4.2",
        "Writes in two orders",
    ),
    "cyclic-versions": AnomalyType(
        "The order of the versions of a register contains a cycle.",
        f"{KINGSBURY_2020}, section 5",
        "Writes without an order",
    ),
    "fractured-read": AnomalyType(
        "A transaction saw some of another's writes, and elsewhere the state before them.",
        BAILIS_2014,
        "Fractured read",
    ),
    "unwritten-read": AnomalyType(
        "A transaction read a value that no transaction wrote.", TXFUZZ, "Value out of nowhere"
    ),
}

_ORDERS = (
    ("-process", "the order of each process", DAUDJEE_2004, "in one client's order"),
    ("-realtime", "real-time order", HERLIHY_1990, "in real time"),
)
_EXISTS = "-cycle-exists"
_CYCLES = ("G0", "G1c", "G-single-item", "G-nonadjacent-item", "G2-item")
_CYCLE_EXISTS = AnomalyType(
    "A cycle of these dependencies exists; none of a more specific type was shown.",
    KINGSBURY_2020,
    "Cycle of another kind",
)


def anomaly_type(name: str) -> AnomalyType:
    """The entry for any type that the checker can report."""
    if name.endswith(_EXISTS):
        return _CYCLE_EXISTS
    for suffix, order, source, where in _ORDERS:
        if name.endswith(suffix):
            plain = _PLAIN[name.removesuffix(suffix)]
            return AnomalyType(
                f"{plain.meaning} Here {order} also counts as a dependency.",
                f"{plain.source}; with the order: {source}",
                f"{plain.name} {where}",
            )
    return _PLAIN[name]


def known_types() -> tuple[str, ...]:
    """All types but those that only say that some cycle exists."""
    orders = [each for each, *_ in _ORDERS]
    return tuple(
        f"{plain}{suffix}" for plain in _PLAIN for suffix in ("", *(orders if plain in _CYCLES else ()))
    )


def is_anomaly_type(name: str) -> bool:
    """Whether the checker can report it."""
    try:
        anomaly_type(name)
    except KeyError:
        return False
    return True


def definition(name: str) -> str:
    """What a type means, and where it is defined."""
    entry = anomaly_type(name)
    return f"{entry.meaning} ({entry.source})"


def check_anomaly(name: str) -> None:
    """UsageError for a type that is misspelt."""
    meant = misspelt(name)
    if meant is not None:
        raise UsageError(f"there is no anomaly type {name!r}: did you mean {meant!r}?")


def misspelt(name: str) -> str | None:
    """The type that a misspelt name probably means; None for a type, and for names that resemble none.

    Analyzers of plugins have their own types, which are not known here.
    """
    known = known_types()
    if name in known or name.endswith(_EXISTS):
        return None
    folded = {each.lower(): each for each in reversed(known)}
    near = difflib.get_close_matches(name.lower().replace("_", "-"), folded, n=1, cutoff=0.75)
    return folded[near[0]] if near else None
