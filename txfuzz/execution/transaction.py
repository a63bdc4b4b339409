"""One transaction on one session, recorded from its invocation to its outcome."""

from __future__ import annotations

from dataclasses import dataclass

from txfuzz.database.api import Outcome, Session, SessionError
from txfuzz.execution.raw_transaction import Progress
from txfuzz.execution.recorder import Recorder
from txfuzz.history.writer import Mop
from txfuzz.transactions.model import Mode
from txfuzz.workload.generator import Asked
from txfuzz.workload.yaml.source_places import RefusedStep


@dataclass(frozen=True, slots=True)
class Ended:
    """How a transaction ended. lost: the session is of no more use."""

    type: str
    code: str = ""
    lost: bool = False


_OK = Ended("ok")


def run_transaction(
    session: Session, isolation: str, asked: Asked, process: int, recorder: Recorder
) -> Ended:
    """Ask this transaction of the database and record what it said.

    What an unfinished transaction read is recorded as unknown. Raises RefusedStep where the
    database refuses it for good, since it always would; the operation is recorded as failed
    before.
    """
    if not asked.plain:
        return _run_sql(session, isolation, asked, process, recorder)
    mops: list[Mop] = [(step.f, step.key, step.value) for step in asked.steps if step.f is not None]
    recorder.invoke(process, asked, mops)
    seen: list[Mop] = []
    isolation = asked.mode.isolation or isolation
    # A session that is Batching sends BEGIN with the first step and COMMIT with the last one.
    together = getattr(session, "execute_with", None) if asked.steps and not _has_mode(asked) else None
    at, last = -1, len(asked.steps) - 1
    try:
        if together is None:
            begin(session, isolation, asked.mode)
        for at, step in enumerate(asked.steps):
            if together is None:
                value = session.execute(step)
            else:
                value = together(step, begin=None if at else isolation, commit=at == last)
            if step.f is not None:
                seen.append((step.f, step.key, value if step.value is None else step.value))
        if together is None:
            at = last + 1
            session.commit()
    except SessionError as error:
        unknown = error.outcome is Outcome.INFO
        phase = _phase(at, last, together is not None)
        recorder.complete("info" if unknown else "fail", process, mops, (error.code, phase))
        if not (error.lost or unknown):
            session.rollback()
        if error.outcome is Outcome.BUG:
            number = at if 0 <= at < len(asked.steps) else None
            raise RefusedStep(_refused(asked, at, phase, error), asked.name, number) from None
        return Ended("info" if unknown else "fail", error.code, error.lost or unknown)
    recorder.complete("ok", process, seen)
    return _OK


def _run_sql(session: Session, isolation: str, asked: Asked, process: int, recorder: Recorder) -> Ended:
    """The same where statements decide what happens to which key."""
    recorder.invoke(process, asked, [mop for step in asked.steps for mop in step.micro_operations])
    progress = Progress(asked)
    at, last = -1, len(asked.steps) - 1
    try:
        begin(session, isolation, asked.mode)
        for at in range(len(asked.steps)):
            progress.run(session, at)
        at = last + 1
        session.commit()
    except SessionError as error:
        unknown = error.outcome is Outcome.INFO
        phase = _phase(at, last, together=False)
        recorder.complete_seen(
            "info" if unknown else "fail", process, progress.undone(max(at, 0)), (error.code, phase)
        )
        if not (error.lost or unknown):
            session.rollback()
        if error.outcome is Outcome.BUG:
            number = at if 0 <= at < len(asked.steps) else None
            raise RefusedStep(_refused(asked, at, phase, error), asked.name, number) from None
        return Ended("info" if unknown else "fail", error.code, error.lost or unknown)
    recorder.complete_seen("ok", process, progress.seen)
    return _OK


def begin(session: Session, isolation: str, mode: Mode) -> None:
    """Begin a transaction: at its own level, if it has one, and as it says."""
    modes: dict[str, bool] = {}
    if mode.read_only:
        modes["read_only"] = True
    if mode.deferrable:
        modes["deferrable"] = True
    session.begin(mode.isolation or isolation, **modes)


def _has_mode(asked: Asked) -> bool:
    return asked.mode.read_only or asked.mode.deferrable


def _phase(at: int, last: int, together: bool) -> str:
    """Where an error came: "begin", "step 0", …, "commit", or what travelled together."""
    if not together:
        return "begin" if at < 0 else "commit" if at > last else f"step {at}"
    return f"{'begin or ' if at == 0 else ''}step {at}{' or commit' if at == last else ''}"


def _refused(asked: Asked, at: int, phase: str, error: SessionError) -> str:
    where = phase
    if 0 <= at < len(asked.steps):
        step = asked.steps[at].step
        where = f"{phase} ({step.sql or step.f})"
    message = " ".join(error.message.split())
    return f"the database refuses transaction {asked.name!r} at {where}: {error.code} {message}"
