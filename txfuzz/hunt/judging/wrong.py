"""What can be wrong with a schedule of a hunt, and what a level promises about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Wrong(Enum):
    """Those before DIRTY_WRITE at any level; of the others, those that it forbids (see anomalies.py)."""

    NO_ORDER = "no serial order explains it"
    INTERNAL = "an internal error"
    LOST = "the connection was lost"
    CRASH = "the server went down"
    STUCK = "a statement does not return"
    SINGLE = "wrong rows of a single session"
    DIRTY_WRITE = "dirty write"
    DIRTY_READ = "dirty read"
    INTERMEDIATE_READ = "intermediate read"
    CIRCULAR_INFORMATION = "circular information flow"
    HALF_SEEN = "a statement sees half of a transaction"
    LOST_UPDATE = "lost update"
    READ_SKEW = "read skew"
    PHANTOM_SKEW = "read skew by a row that was not there"
    WRITE_SKEW = "write skew"


# No level and no promise is needed to call these wrong
FAILURES = frozenset({Wrong.INTERNAL, Wrong.LOST, Wrong.CRASH, Wrong.STUCK})


@dataclass(frozen=True, slots=True)
class Promise:
    """Of a level. serial: a serial order explains each outcome. forbids: anomalies, where it is weaker.
    model: as the adapter names it."""

    serial: bool
    forbids: frozenset[Wrong] = frozenset()
    model: str = ""


SERIAL = Promise(True)
NO_PROMISE = Promise(False)
