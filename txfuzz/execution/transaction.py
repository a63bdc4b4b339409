"""One transaction on one session, recorded from its invocation to its outcome."""

from __future__ import annotations

from dataclasses import dataclass

from txfuzz.database.port import Outcome, Session, SessionError
from txfuzz.errors import UsageError
from txfuzz.execution.recorder import Recorder
from txfuzz.history.writing import Mop
from txfuzz.workload.asking import Asked


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

    What an unfinished transaction read is recorded as unknown. Raises UsageError where the
    database refuses it for good, since it always would; the operation is recorded as failed
    before.
    """
    mops: list[Mop] = [(step.f, step.key, step.value) for step in asked.steps if step.f is not None]
    recorder.invoke(process, asked, mops)
    seen: list[Mop] = []
    phase = "begin"
    try:
        session.begin(isolation)
        for number, step in enumerate(asked.steps):
            phase = f"step {number}"
            value = session.execute(step)
            if step.f is not None:
                seen.append((step.f, step.key, value if step.value is None else step.value))
        phase = "commit"
        session.commit()
    except SessionError as error:
        unknown = error.outcome is Outcome.INFO
        recorder.complete("info" if unknown else "fail", process, mops, (error.code, phase))
        if not (error.lost or unknown):
            session.rollback()
        if error.outcome is Outcome.BUG:
            raise UsageError(_refused(asked, phase, error)) from None
        return Ended("info" if unknown else "fail", error.code, error.lost or unknown)
    recorder.complete("ok", process, seen)
    return _OK


def _refused(asked: Asked, phase: str, error: SessionError) -> str:
    where = phase
    if phase.startswith("step "):
        step = asked.steps[int(phase.removeprefix("step "))].step
        where = f"{phase} ({step.sql or step.f})"
    message = " ".join(error.message.split())
    return f"the database refuses transaction {asked.name!r} at {where}: {error.code} {message}"
