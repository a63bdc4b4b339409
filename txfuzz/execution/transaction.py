"""Runs and records one transaction on one session."""

from __future__ import annotations

from dataclasses import dataclass

from txfuzz.database.api import Outcome, Session, SessionError
from txfuzz.execution.pace import AT_ONCE, Pace
from txfuzz.execution.raw_transaction import TransactionRun
from txfuzz.execution.recorder import Recorder
from txfuzz.history.writer import Mop
from txfuzz.transactions.model import Mode
from txfuzz.workload.generator import BoundTransaction
from txfuzz.workload.yaml.runtime_errors import RefusedStep


@dataclass(frozen=True, slots=True)
class TransactionEnd:
    """How a transaction ended. lost: the session is unusable."""

    type: str
    code: str = ""
    lost: bool = False


_OK = TransactionEnd("ok")


def run_transaction(
    session: Session,
    isolation: str,
    transaction: BoundTransaction,
    process: int,
    recorder: Recorder,
    pace: Pace = AT_ONCE,
) -> TransactionEnd:
    """Run this transaction and record its outcome.

    Reads of unfinished transactions are recorded without values. Raises RefusedStep, after recording the
    failure, if the database rejects a statement for good.
    """
    if not transaction.plain:
        return _run_sql(session, isolation, transaction, process, recorder, pace)
    mops: list[Mop] = [(step.f, step.key, step.value) for step in transaction.steps if step.f is not None]
    recorder.invoke(process, transaction, mops)
    seen: list[Mop] = []
    isolation = transaction.mode.isolation or isolation
    # A session that is Batching sends BEGIN with the first step and COMMIT with the last one.
    may_join = pace.batched and transaction.steps and not _has_mode(transaction)
    together = getattr(session, "execute_with", None) if may_join else None
    at, last = -1, len(transaction.steps) - 1
    try:
        if together is None:
            begin(session, isolation, transaction.mode)
        for at, step in enumerate(transaction.steps):
            if at and pace.thinks:
                pace.before_step(writes=step.value is not None)
            if together is None:
                value = session.execute(step)
            else:
                value = together(step, begin=None if at else isolation, commit=at == last)
            if step.f is not None:
                seen.append((step.f, step.key, value if step.value is None else step.value))
        if together is None:
            pace.before_commit()
            at = last + 1
            session.commit()
    except SessionError as error:
        ended = _end_by(error)
        phase = _phase(at, last, together is not None)
        recorder.complete(ended.type, process, mops, (error.code, phase))
        _clean_up(session, transaction, at, phase, error)
        return ended
    recorder.complete("ok", process, seen)
    return _OK


def _run_sql(
    session: Session,
    isolation: str,
    transaction: BoundTransaction,
    process: int,
    recorder: Recorder,
    pace: Pace,
) -> TransactionEnd:
    """Like run_transaction, for raw SQL."""
    recorder.invoke(
        process, transaction, [mop for step in transaction.steps for mop in step.micro_operations]
    )
    run = TransactionRun(transaction)
    at, last = -1, len(transaction.steps) - 1
    try:
        begin(session, isolation, transaction.mode)
        for at, step in enumerate(transaction.steps):
            if at and pace.thinks:
                pace.before_step(writes=step.step.writes)
            run.execute_step(session, at)
        pace.before_commit()
        at = last + 1
        session.commit()
    except SessionError as error:
        ended = _end_by(error)
        phase = _phase(at, last, together=False)
        recorder.complete_seen(ended.type, process, run.undone(max(at, 0)), (error.code, phase))
        _clean_up(session, transaction, at, phase, error)
        return ended
    recorder.complete_seen("ok", process, run.seen)
    return _OK


def begin(session: Session, isolation: str, mode: Mode) -> None:
    """Begin a transaction with its mode. isolation: the level unless the mode has its own."""
    modes: dict[str, bool] = {}
    if mode.read_only:
        modes["read_only"] = True
    if mode.deferrable:
        modes["deferrable"] = True
    session.begin(mode.isolation or isolation, **modes)


def _has_mode(transaction: BoundTransaction) -> bool:
    return transaction.mode.read_only or transaction.mode.deferrable


def _phase(at: int, last: int, together: bool) -> str:
    """The phase of an error: "begin", "step 0", …, "commit", or several that were sent together."""
    if not together:
        return "begin" if at < 0 else "commit" if at > last else f"step {at}"
    return f"{'begin or ' if at == 0 else ''}step {at}{' or commit' if at == last else ''}"


def _end_by(error: SessionError) -> TransactionEnd:
    unknown = error.outcome is Outcome.INFO
    return TransactionEnd("info" if unknown else "fail", error.code, error.lost or unknown)


def _clean_up(
    session: Session, transaction: BoundTransaction, at: int, phase: str, error: SessionError
) -> None:
    """Roll back if necessary. Raises RefusedStep for statements that are rejected for good."""
    if not (error.lost or error.outcome is Outcome.INFO):
        session.rollback()
    if error.outcome is not Outcome.BUG:
        return
    number, where = None, phase
    if 0 <= at < len(transaction.steps):
        number, step = at, transaction.steps[at].step
        where = f"{phase} ({step.sql or step.f})"
    message = " ".join(error.message.split())
    said = f"the database rejects transaction {transaction.name!r} at {where}: {error.code} {message}"
    raise RefusedStep(said, transaction.name, number) from None
