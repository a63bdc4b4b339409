"""After an attempt: read every key once more, so that the order of all writes is known."""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from txfuzz.database.api import BoundStep, Session, SessionError
from txfuzz.execution.raw_transaction import Seen
from txfuzz.history.model import FINAL_READ
from txfuzz.history.writer import Mop
from txfuzz.replay.stepper.recorder import Tape
from txfuzz.replay.stepper.session_threads import Lane
from txfuzz.replay.stepper.statements import Statements
from txfuzz.transactions.model import Step
from txfuzz.workload.generator import Asked

if TYPE_CHECKING:
    from txfuzz.replay.stepper.stepper import Ground

_READ = Step("r")


def final_read(
    ground: Ground, lanes: Mapping[str, Lane], tape: Tape, statements: Mapping[str, Statements]
) -> tuple[Mop, ...]:
    """What was read, nothing where that failed. All transactions have ended."""
    lane = next((lane for lane in lanes.values() if not lane.lost), None)
    keys = {key: name for each in statements.values() for key, name in each.logical_keys().items()}
    if any(step.step.own_table for each in statements.values() for step in each.asked.steps):
        return ()  # only the workload knows how its own tables are read
    if lane is None or not keys:
        return ()
    steps = tuple(BoundStep(_READ, "r", key) for key in keys)
    asked = Asked(FINAL_READ, steps, tuple(range(len(keys))), tuple(keys.values()))
    process = 1 + max(each.process for each in lanes.values())
    unread = [Seen(at, name, ("r", key, None)) for at, (key, name) in enumerate(keys.items())]
    tape.invoke(process, asked, [each.mop for each in unread])
    lane.start(_reading(steps, ground.isolation))
    try:
        result = ground.done.get(timeout=ground.limits.seconds)
    except queue.Empty:
        lane.lost = True  # its session is cancelled before the lane is used again
        tape.complete("info", process, unread, ("TIMEOUT", "final read"))
        return ()
    lane.busy = False
    if result.crash is not None:
        raise result.crash
    if result.error is not None:
        lane.lost = lane.lost or result.error.lost
        tape.complete("fail", process, unread, (result.error.code, "final read"))
        return ()
    read: list[Mop] = result.value
    tape.complete("ok", process, [each._replace(mop=mop) for each, mop in zip(unread, read, strict=True)])
    return tuple(read)


def _reading(steps: tuple[BoundStep, ...], isolation: str) -> Callable[[Session], list[Mop]]:
    def job(session: Session) -> list[Mop]:
        try:
            session.begin(isolation)
            seen: list[Mop] = [("r", step.key, session.execute(step)) for step in steps]
            session.commit()
        except SessionError as error:
            if not error.lost:
                session.rollback()
            raise
        return seen

    return job
