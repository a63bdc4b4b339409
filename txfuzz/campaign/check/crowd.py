"""A crowd of clients after the schedules of a check, at each level that counts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from txfuzz.campaign.check.subject import Subject
from txfuzz.check.crowd import CrowdResult, run_crowd
from txfuzz.errors import UsageError


@dataclass(frozen=True)
class CrowdSize:
    """seconds: at each level; 0 for no crowd."""

    clients: int = 8
    seconds: float = 0.0


NO_CROWD = CrowdSize()


def check_crowd(size: CrowdSize, subject: Subject) -> None:
    if size.seconds and not subject.invariants:
        raise UsageError(
            f"{subject.path} has no invariants, by which alone a crowd is judged: add one, or omit --crowd"
        )


def crowds(
    subject: Subject,
    named: Sequence[str],
    levels: Sequence[str],
    size: CrowdSize,
    seed: int,
    interrupted: threading.Event,
    on_progress: Callable[[str], None],
) -> tuple[CrowdResult, ...]:
    """named: the transactions that take part; by default all. on_progress: is told the level."""
    if not size.seconds:
        return ()
    chosen = [each for each in subject.transactions if not named or each.name in named]
    found = []
    for level in levels:
        if not interrupted.is_set():
            on_progress(level)
            found.append(
                run_crowd(
                    subject.tables,
                    chosen,
                    subject.invariants,
                    level,
                    clients=size.clients,
                    seconds=size.seconds,
                    random=Random(f"{seed} {level}"),
                    stop=interrupted,
                )
            )
    return tuple(found)
