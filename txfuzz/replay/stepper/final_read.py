"""Reads every key after an attempt, so that the order of all writes is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from txfuzz.database.api import BoundStep, Session, SessionError
from txfuzz.execution.raw_transaction import RecordedMop
from txfuzz.history.model import FINAL_READ
from txfuzz.history.writer import Mop
from txfuzz.replay.stepper.recorder import AttemptRecorder
from txfuzz.replay.stepper.session_threads import AttemptContext, SessionThread
from txfuzz.replay.stepper.statements import Statements
from txfuzz.transactions.model import Mode, Step
from txfuzz.workload.generator import BoundTransaction

_READ = Step("r")


def final_read(
    context: AttemptContext,
    threads: Mapping[str, SessionThread],
    recorder: AttemptRecorder,
    statements: Mapping[str, Statements],
    mode: Mode,
) -> tuple[Mop, ...]:
    """The values read; empty if that failed. Called when all transactions have ended. mode: how and where it
    begins: on the session of a transaction that went there, too."""
    there = (thread for thread in threads.values() if thread.endpoint == mode.endpoint)
    thread = next((thread for thread in there if not thread.lost), None)
    keys = {key: name for each in statements.values() for key, name in each.logical_keys().items()}
    if any(step.step.own_table for each in statements.values() for step in each.transaction.steps):
        return ()  # only the workload knows how to read its own tables
    if thread is None or not keys:
        return ()
    steps = tuple(BoundStep(_READ, "r", key) for key in keys)
    transaction = BoundTransaction(FINAL_READ, steps, tuple(range(len(keys))), tuple(keys.values()), mode)
    process = 1 + max(each.process for each in threads.values())
    unread = [RecordedMop(at, name, ("r", key, None)) for at, (key, name) in enumerate(keys.items())]
    recorder.invoke(process, transaction, [each.mop for each in unread])
    thread.start(_read_all(steps, mode.isolation or context.isolation))
    result = context.done.get(timeout=context.limits.attempt_seconds)
    if result is None:
        thread.lost = True  # its session is cancelled before the thread is used again
        recorder.complete("info", process, unread, ("TIMEOUT", "final read"))
        return ()
    thread.busy = False
    if result.crash is not None:
        raise result.crash
    if result.error is not None:
        thread.lost = thread.lost or result.error.lost
        recorder.complete("fail", process, unread, (result.error.code, "final read"))
        return ()
    read: list[Mop] = result.value
    recorder.complete("ok", process, [each._replace(mop=mop) for each, mop in zip(unread, read, strict=True)])
    return tuple(read)


def _read_all(steps: tuple[BoundStep, ...], isolation: str) -> Callable[[Session], list[Mop]]:
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
