"""The port for Python drivers: what code of the user's own sends to a database, seen without changing it.

An application reaches its database by a driver, whichever framework lies between. So statements are met
there: once each, whatever sends them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from txfuzz.database.scenario import StatementAnswer

COMMIT = "COMMIT"
ROLLBACK = "ROLLBACK"
_MOST_SETS = 3  # of values of one statement, that are shown


@dataclass(frozen=True)
class DriverCall:
    """What a thread is about to send.

    connection: the driver's. sql: the statement; COMMIT or ROLLBACK where the driver has a method for it.
    send: sends it, or another statement in its place, and returns what the driver's method returns.
    answer: what came of it, as far as the driver can tell without taking it from the code. Called after
    send(), and once more at the end of the code for what it has fetched meanwhile. in_full: the statement
    with its values written out, to be shown. unordered: why nobody can choose when it is run, so that a call
    that is checked ends here; empty where one can.
    """

    connection: Any
    sql: str
    send: Callable[[str], Any]
    answer: Callable[[], StatementAnswer] = StatementAnswer
    in_full: Callable[[], str] | None = None
    unordered: str = ""

    def __str__(self) -> str:
        return self.sql if self.in_full is None else self.in_full()


Around = Callable[[DriverCall], Any]


class Drivers(Protocol):
    """The Python drivers of a database.

    needs: which they are, and when they are seen, in words: "it has to use psycopg". schemes: what URLs of
    its databases begin with, in lower case, without "+driver".
    """

    @property
    def needs(self) -> str: ...

    @property
    def schemes(self) -> frozenset[str]: ...

    def intercept(self, around: Around) -> AbstractContextManager[None]:
        """While it is entered, every call that sends something goes through `around`, in the thread that
        makes it. Calls that a driver makes of itself may go through it, too, within the first one."""

    def connect(self, url: str) -> Any:
        """A plain connection, opened as an application would."""

    def url_of(self, connection: Any) -> str | None:
        """Where a connection of one of these drivers leads; None for any other object. It may hold a
        password."""

    def in_transaction(self, connection: Any) -> bool:
        """Is a transaction open, or one that has failed? False for a closed connection."""

    def break_off(self, connection: Any) -> None:
        """Whatever is open in it comes to nothing, and the thread that uses it gets an error. Called by
        another thread; never raises."""


@runtime_checkable
class KnowsDrivers(Protocol):
    """What an Adapter and a Database can do beside."""

    def drivers(self) -> Drivers: ...


def each_in_full(sql: str, sets: Any, in_full: Callable[[Any], str]) -> str:
    """A statement that is sent with several sets of values: once with each of the first, by `in_full`. sets:
    as somebody's code gives them; if they can be taken only once, the statement stays as it is."""
    if not isinstance(sets, Sequence) or isinstance(sets, str | bytes) or not sets:
        return sql
    shown = "; ".join(in_full(each).strip().rstrip(";") for each in sets[:_MOST_SETS])
    left = len(sets) - _MOST_SETS
    return f"{shown} /* and {left:,} more */" if left > 0 else shown


@contextmanager
def replaced(owner: Any, **attributes: Any) -> Iterator[None]:
    """These attributes of a module or a class, until it is left. What the owner only inherits is removed
    again."""
    before = {name: vars(owner)[name] for name in attributes if name in vars(owner)}
    for name, value in attributes.items():
        setattr(owner, name, value)
    try:
        yield
    finally:
        for name in attributes:
            if name in before:
                setattr(owner, name, before[name])
            else:
                delattr(owner, name)
