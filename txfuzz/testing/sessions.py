"""Driving sessions from tests: steps, whole transactions, and calls that may block."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Generic, TypeVar

from txfuzz.common.kind import Kind
from txfuzz.database.api import BoundStep, Database, ReadValue, Session, SessionError
from txfuzz.transactions.model import Step

SOON = 0.3  # seconds after which a call that has not come back is taken to be blocked
PATIENCE = 20.0  # seconds after which nothing more is expected of a call
WRITE = {Kind.LIST_APPEND: "append", Kind.RW_REGISTER: "w"}

T = TypeVar("T")


def read(key: int, lock: str | None = None) -> BoundStep:
    return BoundStep(Step("r", lock=lock), "r", key)


def write(kind: Kind, key: int, value: int) -> BoundStep:
    return BoundStep(Step(WRITE[kind]), WRITE[kind], key, value)


def holding(kind: Kind, *values: int) -> ReadValue:
    """What a key holds after these values were written to it."""
    if kind is Kind.LIST_APPEND:
        return values
    return values[-1] if values else None


def plain(seen: ReadValue) -> ReadValue:
    """Lists that a session gives as another sequence are told from tuples only by their type."""
    return tuple(seen) if isinstance(seen, list) else seen


def transact(session: Session, isolation: str, *steps: BoundStep) -> list[ReadValue]:
    """One transaction, a message for each statement; what its reads saw."""
    session.begin(isolation)
    seen = [(step, session.execute(step)) for step in steps]
    session.commit()
    return [value for step, value in seen if step.f == "r"]


@contextmanager
def sessions(database: Database, kind: Kind, count: int) -> Iterator[list[Session]]:
    """So many sessions, which are closed in the end, whatever they are at."""
    with ExitStack() as stack:
        opened = []
        for _ in range(count):
            session = database.session(kind)
            stack.callback(session.close)
            stack.callback(session.cancel)
            opened.append(session)
        yield opened


class Later(Generic[T]):
    """A call in a thread of its own, which may block. patience: seconds that it gets at most."""

    def __init__(self, call: Callable[[], T], patience: float = PATIENCE) -> None:
        self._call = call
        self.patience = patience
        self._value: list[T] = []
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            self._value.append(self._call())
        except BaseException as error:
            self.error = error

    def done(self, seconds: float) -> bool:
        """Has it come back, after so long at most?"""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def result(self, what: str) -> T:
        """Its value, or its error raised; AssertionError where it does not come back at all."""
        assert self.done(self.patience), f"{what} did not come back within {self.patience:g} s"
        if self.error is not None:
            raise self.error
        return self._value[0]


def refusal(call: Callable[[], object]) -> SessionError | None:
    """The SessionError that the call ends with, None where it succeeds. Any other error goes on."""
    try:
        call()
    except SessionError as error:
        return error
    return None
