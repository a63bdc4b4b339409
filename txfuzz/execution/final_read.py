"""Reads every key after the clients have ended, which shows which writes took effect."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from txfuzz.database.api import BoundStep, Session
from txfuzz.errors import DatabaseUnavailable
from txfuzz.execution.recorder import Recorder
from txfuzz.execution.run_limits import FINAL_READ_SECONDS, NoAnswer, cancelled_after
from txfuzz.execution.transaction import run_transaction
from txfuzz.history.model import FINAL_READ
from txfuzz.transactions.model import Mode, Step
from txfuzz.workload.generator import BoundTransaction

_AT_ONCE = 32  # keys in one transaction
_ATTEMPTS = 3  # per transaction: a fault that was just healed may linger
_READ = Step("r")


def final_read(
    connect: Callable[[], Session],
    isolation: str,
    generations: Iterable[tuple[int, int]],
    process: int,
    recorder: Recorder,
    stopped: Callable[[], bool],
    mode: Mode = Mode(),  # noqa: B008
) -> int:
    """Read all generations in a few transactions; how many committed.

    generations: (physical key, logical key). mode: how and where they begin. process: number of its process;
    higher ones must be unused. Ends quietly if the database is gone or a transaction takes longer than
    FINAL_READ_SECONDS: the history is complete without it.
    """
    read = 0
    session: Session | None = None
    try:
        for transaction in _reads(generations, mode):
            for _ in range(_ATTEMPTS):
                if stopped():
                    return read
                session = session or connect()
                with cancelled_after(FINAL_READ_SECONDS, session.cancel) as late:
                    ended = run_transaction(session, isolation, transaction, process, recorder)
                if ended.type == "ok":
                    read += 1
                    break
                if late.is_set():  # a lock is held, or the database does not respond
                    return read
                if ended.lost:
                    session.close()
                    session, process = None, process + 1
            if session is None:
                return read
    except NoAnswer:
        raise
    except DatabaseUnavailable:
        pass
    finally:
        if session is not None:
            session.close()
    return read


def _reads(generations: Iterable[tuple[int, int]], mode: Mode) -> Iterator[BoundTransaction]:
    left = iter(generations)
    while some := list(islice(left, _AT_ONCE)):
        yield BoundTransaction(
            FINAL_READ,
            tuple(BoundStep(_READ, "r", key) for key, _ in some),
            tuple(range(len(some))),
            tuple(logical for _, logical in some),
            mode,
        )
