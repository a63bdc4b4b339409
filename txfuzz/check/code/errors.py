"""Exceptions of somebody's own code: which are the database's, which are mistakes, and how they are told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from txfuzz.check.code.place import raised_at
from txfuzz.common.secrets import without_password
from txfuzz.errors import TxfuzzError, UsageError

_CODE = "_txfuzz_code"
# Code that raises one of these when it runs alone does not do what it was written for
_MISTAKES = (NameError, TypeError, AttributeError, ImportError, SyntaxError)
_SHARED_SESSION = frozenset({"sqlalchemy.exc.InvalidRequestError", "sqlalchemy.exc.IllegalStateChangeError"})
_DRIVERS_MISTAKES = frozenset({"ProgrammingError", "InterfaceError", "NotSupportedError"})


def note_code(error: BaseException, code: str) -> None:
    """That the database gave this error, by way of a driver."""
    with suppress(AttributeError):
        setattr(error, _CODE, code)


def database_error(error: BaseException) -> str:
    """The database's code of this error, or of one that it wraps; empty if none of them is a driver's."""
    return next((code for each in wrapped(error) if (code := getattr(each, _CODE, ""))), "")


def is_mistake(error: BaseException) -> bool:
    if isinstance(error, (*_MISTAKES, TxfuzzError, SystemExit)):
        return True
    of_driver = [each for each in wrapped(error) if hasattr(each, _CODE)]
    names = {kind.__name__ for each in of_driver for kind in type(each).__mro__}
    return bool(names & _DRIVERS_MISTAKES)


def is_shared_session(error: BaseException) -> bool:
    """Does SQLAlchemy complain that a session does something else already? Its errors that say that a row
    was not found are of classes below this one."""
    names = {f"{type(each).__module__}.{type(each).__name__}" for each in wrapped(error)}
    return bool(names & _SHARED_SESSION)


def is_operational(error: BaseException) -> bool:
    """Did a driver say that something went wrong that is not the code's fault: a lost connection, …?"""
    names = {kind.__name__ for each in wrapped(error) for kind in type(each).__mro__}
    return bool(names & {"OperationalError", "InterfaceError"})


def wrapped(error: BaseException) -> Iterator[BaseException]:
    """An error and what it wraps: by its cause, or by `orig`, as SQLAlchemy does."""
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        each = left.pop()
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            left += [each.__context__, each.__cause__, getattr(each, "orig", None)]


def refused(error: BaseException, otherwise: str) -> TxfuzzError:
    """As one sentence with the user's line. otherwise: the place of an error that came through none."""
    if isinstance(error, TxfuzzError):
        return error
    place = raised_at(error) or otherwise
    message = error.msg if isinstance(error, SyntaxError) else " ".join(str(error).split())
    name = type(error).__name__
    return UsageError(without_password(f"{place}: {name}: {message}" if message else f"{place}: {name}"))
