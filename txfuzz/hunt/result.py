"""What a hunt came to, as values that are kept and read again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from txfuzz.check.finding.result import Finding
from txfuzz.check.story import StoryLine
from txfuzz.hunt.judging.wrong import FAILURES, Wrong
from txfuzz.hunt.program import SmallProgram


@dataclass(frozen=True)
class FoundHole:
    """Schedules that go wrong alike: one of them as it was shrunk, and how many there were.

    name: see signs. forms: of the shrunk program, by name. known: the name of the known hole that it is,
    empty for news; reference: where that is written about. first: the number of the schedule, from 1, that
    showed it first. hits: how many did. shown, tries: how often the shrunk schedule did when it was
    followed again. story: in lines. steps: the same as values. why: in sentences. log: what the server last
    logged, where the database has failed; None where its log cannot be read.
    """

    name: str
    wrong: Wrong
    isolation: str
    forms: tuple[str, ...]
    layout: str
    known: str
    about: str
    reference: str
    first: int
    hits: int
    shown: int
    tries: int
    story: tuple[str, ...] = ()
    steps: tuple[StoryLine, ...] = ()
    why: tuple[str, ...] = ()
    log: tuple[str, ...] | None = ()

    @property
    def signs(self) -> tuple[str, ...]:
        """The same for no other hole of a hunt: name, level, and how it goes wrong unless that is that no
        serial order explains it, since one hole can show in several ways."""
        how = () if self.wrong is Wrong.NO_ORDER else (self.wrong.name.lower().replace("_", "-"),)
        return (self.name, self.isolation, *how)

    @property
    def sign(self) -> str:
        return " ".join(self.signs)

    @property
    def failure(self) -> bool:
        """Has the database failed, whatever it promises?"""
        return self.wrong in FAILURES

    def again(self) -> FoundHole:
        return replace(self, hits=self.hits + 1)


@dataclass(frozen=True)
class ShrunkHole:
    """With the program itself, for whoever writes it down. why: of an anomaly, in a sentence."""

    hole: FoundHole
    program: SmallProgram
    finding: Finding
    why: str = ""


@dataclass(frozen=True)
class HuntCounts:
    """number: of the program that comes next. committed: schedules all of whose transactions committed.
    unexplained: by no serial order, at levels that do not promise one, and proving no anomaly. unconfirmed:
    that went wrong once, but not each time when they were followed again. covered: ways in which
    forms met."""

    number: int = 0
    programs: int = 0
    schedules: int = 0
    committed: int = 0
    waited: int = 0
    aborted: int = 0
    unknown: int = 0
    unexplained: int = 0
    unconfirmed: int = 0
    covered: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class HuntResult:
    """left_out: why a form was not used on a layout, in sentences. reasons: why a schedule could not be
    judged → how often. allowed: anomalies that were proven where the level allows them → how often.
    learnt: by a strategy that learns, as JSON has it. exhausted: the scope holds no further program.
    covered: what was covered, each as a number. left: programs before the next one that were not run yet, as
    numbers from … up to. lost: what became of workers that did not end well, in sentences."""

    counts: HuntCounts
    holes: tuple[FoundHole, ...] = ()
    left_out: tuple[str, ...] = ()
    reasons: Mapping[str, int] = field(default_factory=dict)
    allowed: Mapping[str, int] = field(default_factory=dict)
    learnt: Mapping[str, Any] = field(default_factory=dict)
    exhausted: bool = False
    interrupted: bool = False
    covered: frozenset[int] = frozenset()
    left: tuple[tuple[int, int], ...] = ()
    lost: tuple[str, ...] = ()

    @property
    def news(self) -> tuple[FoundHole, ...]:
        return tuple(each for each in self.holes if not each.known)
