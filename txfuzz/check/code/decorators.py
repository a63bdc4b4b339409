"""How functions say what they are to `txfuzz check`. They stay what they were, for whoever calls them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import wraps
from typing import Any, TypeVar, cast, overload

Function = TypeVar("Function", bound=Callable[..., Any])
_ATTRIBUTE = "__txfuzz__"


class Role(Enum):
    SETUP = "setup"
    TRANSACTION = "transaction"
    INVARIANT = "invariant"


@dataclass(frozen=True)
class Marked:
    """What a decorator was given. choices: of parameters. writes: see transaction()."""

    role: Role
    isolation: str | None = None
    retries: int = 0
    writes: bool = True
    choices: Mapping[str, Any] = field(default_factory=dict)


@overload
def transaction(function: Function, /) -> Function: ...
@overload
def transaction(
    *, isolation: str | None = None, retries: int = 0, writes: bool = True, **choices: Any
) -> Callable[[Function], Function]: ...
def transaction(
    function: Any = None,
    /,
    *,
    isolation: str | None = None,
    retries: int = 0,
    writes: bool = True,
    **choices: Any,
) -> Any:
    """This function is a transaction: whatever it does is held against the serial orders as one unit.

    Parameters named connection, session, engine or url, or annotated with such a type, are opened for it;
    what it leaves open is committed when it returns. The others are given their default, or one of the
    values in `choices`: @txfuzz.transaction(seat=[1, 2], who=["ann", "bob"]).

    isolation: always at this level. retries: how often it is called again when the database asks for that
    (serialization failures, deadlocks); a loop of its own needs none. writes: how many rows of which table
    it has changed is part of the outcome, beside what it returns and the rows in the end.
    """
    mark = Marked(Role.TRANSACTION, isolation, retries, writes, choices)
    return _marked(function, mark) if function is not None else lambda each: _marked(each, mark)


def setup(function: Function, /) -> Function:
    """This function makes the tables and their first rows. Several run in the order in which they stand."""
    return _marked(function, Marked(Role.SETUP))


def invariant(function: Function, /) -> Function:
    """This function returns the rows that break an invariant, or asserts it. It is called while no
    transaction is open."""
    return _marked(function, Marked(Role.INVARIANT))


def _marked(function: Function, mark: Marked) -> Function:
    if not callable(function):
        raise TypeError(f"@txfuzz.{mark.role.value} decorates a function, not {function!r}")
    try:
        setattr(function, _ATTRIBUTE, mark)
    except AttributeError:  # a method of an object, a built-in function, …
        return _marked(_wrapped(function), mark)
    return function


def _wrapped(function: Function) -> Function:
    @wraps(function)
    def call(*args: Any, **more: Any) -> Any:
        return function(*args, **more)

    return cast("Function", call)


def marked_in(values: Iterable[Any]) -> list[tuple[Any, Marked]]:
    """The functions among these that are marked, each once."""
    found: dict[int, tuple[Any, Marked]] = {}
    for each in values:
        mark = getattr(each, _ATTRIBUTE, None) if callable(each) else None
        if isinstance(mark, Marked):
            found.setdefault(id(each), (each, mark))
    return list(found.values())
