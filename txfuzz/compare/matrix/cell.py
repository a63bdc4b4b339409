"""A cell of a matrix: what one question came to at one level of one version of a database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

Key = tuple[str, str, str, str]


class Outcome(StrEnum):
    """none: nothing was found in what was run. allowed: something was, and the level does not promise that it
    cannot happen. broken: it does. unknown: it could not be judged. not offered: the database has no such
    level, or the adapter cannot ask that."""

    NONE = "none"
    ALLOWED = "allowed"
    BROKEN = "broken"
    UNKNOWN = "unknown"
    NOT_OFFERED = "not offered"


# The worst of several comes last
_RANK = (Outcome.NOT_OFFERED, Outcome.NONE, Outcome.UNKNOWN, Outcome.ALLOWED, Outcome.BROKEN)


@dataclass(frozen=True)
class MatrixCell:
    """database, version, level, question: where it is; version is empty where the adapter starts just one.

    server: product and version as the server says. promised: the model that the level promises. found: names
    of anomalies, or of what fails. broken: those of them that the level promises not to show. transactions,
    schedules: that were run. whole: whether everything was run that there was to run. why: of what is unknown
    or not offered, else a remark; a clause. unsaid: whether the level promises that what was found cannot
    happen, is not known; the outcome is ALLOWED then, since nobody can be blamed.
    """

    database: str
    version: str
    level: str
    question: str
    outcome: Outcome
    server: str = ""
    promised: str = ""
    found: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    transactions: int = 0
    schedules: int = 0
    whole: bool = True
    why: str = ""
    seconds: float = 0.0
    unsaid: bool = False

    @property
    def key(self) -> Key:
        return (self.database, self.version, self.level, self.question)

    @property
    def judged(self) -> bool:
        return self.outcome in (Outcome.NONE, Outcome.ALLOWED, Outcome.BROKEN)

    @property
    def shows(self) -> bool | None:
        """Whether something was found; None where that is not known."""
        return self.outcome is not Outcome.NONE if self.judged else None


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """Of the questions of one column; what is not offered does not count beside what is."""
    return max(outcomes, key=_RANK.index)
