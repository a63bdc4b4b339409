"""The story of a hole, in its own words: what happened, why it is wrong, how sure that is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from txfuzz.check.finding.result import Finding
from txfuzz.check.story import explanation, story
from txfuzz.hunt.judging.wrong import Wrong
from txfuzz.hunt.race.result import RacedHole
from txfuzz.hunt.result import FoundHole, ShrunkHole
from txfuzz.report.check.story import remarks, schedule_lines
from txfuzz.report.text.lines import paragraph

_LOG_LINES = 6  # of the server's log, in the story
_FAILED = {
    Wrong.INTERNAL: "The code of the error is one that the database keeps for faults of its own.",
    Wrong.LOST: "The database ended the connection, which no statement here asks for.",
    Wrong.CRASH: "The server itself was gone: no other session could reach it, and it had to recover.",
    Wrong.STUCK: "It did not come back, although no transaction that could still end was in its way.",
}


def told(found: ShrunkHole) -> FoundHole:
    """The hole with its story, as lines and as values."""
    why = tuple(_why(found))
    lines = (*schedule_lines(found.finding), *(line for each in why for line in ("", *paragraph(each))))
    return replace(found.hole, story=lines, steps=story(found.finding.attempt), why=why)


def told_race(found: RacedHole, finding: Finding) -> RacedHole:
    """The same of a hole that takes a race, whose schedule is the order in which it was let go."""
    hole = found.hole
    why = tuple(_of_failure(hole) if hole.failure else explanation(finding.attempt))
    lines = (*schedule_lines(finding), *(line for each in why for line in ("", *paragraph(each))))
    return replace(found, hole=replace(hole, story=lines, steps=story(finding.attempt), why=why))


def _why(found: ShrunkHole) -> Iterator[str]:
    hole = found.hole
    if found.why:
        yield found.why
    if not hole.failure:
        yield from (*explanation(found.finding.attempt), *remarks(found.finding))
        return
    yield f"The same schedule showed it again {hole.shown} of {hole.tries} times."
    yield from _of_failure(hole)


def _of_failure(hole: FoundHole) -> Iterator[str]:
    yield _FAILED[hole.wrong]
    if hole.log is None:
        yield "There is no log to look into: txfuzz did not start this server."
    elif hole.log:
        yield "The server's log ends so:"
        yield from _last(hole.log)


def _last(log: tuple[str, ...]) -> Iterator[str]:
    """Its most telling lines: what it says of a process that ended, else its end."""
    at = next((at for at in range(len(log) - 1, -1, -1) if "terminated by signal" in log[at]), None)
    yield from log[at : at + _LOG_LINES] if at is not None else log[-_LOG_LINES:]
