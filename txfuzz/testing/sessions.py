"""Helpers for driving sessions: steps, transactions, and calls that may block."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Generic, TypeVar

from txfuzz.common.kind import Kind
from txfuzz.database.api import BoundStep, Database, ReadValue, Session, SessionError
from txfuzz.transactions.model import Step

SOON = 0.3  # seconds after which a call counts as blocked
PATIENCE = 20.0  # seconds after which a call counts as hung
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
    """Sessions may return lists instead of tuples."""
    return tuple(seen) if isinstance(seen, list) else seen


def transact(session: Session, isolation: str, *steps: BoundStep) -> list[ReadValue]:
    """One transaction, step by step; the values of its reads."""
    session.begin(isolation)
    seen = [(step, session.execute(step)) for step in steps]
    session.commit()
    return [value for step, value in seen if step.f == "r"]


@contextmanager
def sessions(database: Database, kind: Kind, count: int) -> Iterator[list[Session]]:
    """Open `count` sessions and always cancel and close them at the end."""
    with ExitStack() as stack:
        opened = []
        for _ in range(count):
            session = database.session(kind)
            stack.callback(session.close)
            stack.callback(session.cancel)
            opened.append(session)
        yield opened


class Later(Generic[T]):
    """A call in its own thread, which may block. patience: seconds that it may take."""

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
        """Whether it returns within this time."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def result(self, what: str) -> T:
        """Its value, or raises its error; AssertionError if it does not return."""
        assert self.done(self.patience), f"{what} did not come back within {self.patience:g} s"
        if self.error is not None:
            raise self.error
        return self._value[0]


def refusal(call: Callable[[], object]) -> SessionError | None:
    """The SessionError that the call raises, None if it succeeds. Other errors propagate."""
    try:
        call()
    except SessionError as error:
        return error
    return None
