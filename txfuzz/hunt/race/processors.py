"""On which processors the sessions of a race run: wherever the system puts them, or all on one; and how one
of them is stopped.

Where they share a processor, a session that is woken up can put off another one in the middle of what it
does, at a moment that the offset chooses. One that is stopped stays so while the others go on, as where the
system gives its processor to somebody else: a database has to be right then, too.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import Enum

from txfuzz.database.scenario import HasProcess, ScenarioSession


class Placement(Enum):
    FREE = "on any processor"
    TOGETHER = "on one processor"


def processors() -> tuple[int, ...]:
    """Those that this process may use; none where the system does not say."""
    if sys.platform == "linux":
        return tuple(sorted(os.sched_getaffinity(0)))
    return ()


def placements(sessions: Sequence[ScenarioSession]) -> tuple[Placement, ...]:
    """Those that there can be for these sessions."""
    if len(processors()) > 1 and len(_processes(sessions)) == len(sessions):
        return tuple(Placement)
    return (Placement.FREE,)


def stoppable(sessions: Sequence[ScenarioSession]) -> bool:
    """Whether we may stop each of these sessions for a moment."""
    if sys.platform == "win32":
        return False
    found = _processes(sessions)
    return len(found) == len(sessions) and all(map(_is_ours, found))


def stop(process: int) -> None:
    if sys.platform != "win32":  # where no session is stoppable()
        _send(process, signal.SIGSTOP)


def resume(process: int) -> None:
    """Harmless where it is not stopped."""
    if sys.platform != "win32":
        _send(process, signal.SIGCONT)


def _send(process: int, what: signal.Signals) -> None:
    with suppress(OSError):  # the server has gone down
        os.kill(process, what)


def _is_ours(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True


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
    if sys.platform == "linux":  # elsewhere FREE is the only placement
        with suppress(OSError):  # it has ended, or belongs to somebody else: then it stays where it is
            os.sched_setaffinity(process, where)
