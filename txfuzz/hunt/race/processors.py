"""On which processors the sessions of a race run: wherever the system puts them, or all on one.

Where they share a processor, a session that is woken up can put off another one in the middle of what it
does, at a moment that the offset chooses.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import Enum

from txfuzz.database.scenario import HasProcess, ScenarioSession


class Placement(Enum):
    FREE = "on any processor"
    TOGETHER = "on one processor"


def processors() -> tuple[int, ...]:
    """Those that this process may use; none where the system does not say."""
    return tuple(sorted(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else ()


def placements(sessions: Sequence[ScenarioSession]) -> tuple[Placement, ...]:
    """Those that there can be for these sessions."""
    if len(processors()) > 1 and len(_processes(sessions)) == len(sessions):
        return tuple(Placement)
    return (Placement.FREE,)


@contextmanager
def placed(sessions: Sequence[ScenarioSession], placement: Placement) -> Iterator[None]:
    """TOGETHER: the sessions on the last of our processors, and this process on the others."""
    if placement is Placement.FREE:
        yield
        return
    before = processors()
    ours, theirs = set(before[:-1]), {before[-1]}
    try:
        for process in _processes(sessions):
            _move(process, theirs)
        _move(0, ours)
        yield
    finally:
        _move(0, set(before))
        for process in _processes(sessions):
            _move(process, set(before))


def _processes(sessions: Sequence[ScenarioSession]) -> list[int]:
    found = (each.process() for each in sessions if isinstance(each, HasProcess))
    return [process for process in found if process is not None]


def _move(process: int, where: set[int]) -> None:
    with suppress(OSError):  # it has ended, or belongs to somebody else: then it stays where it is
        os.sched_setaffinity(process, where)
