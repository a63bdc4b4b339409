"""The parameters of a function: which are opened for it, and between which values the others choose."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from txfuzz.check.code.place import shown
from txfuzz.check.code.resources import Resource, asked_for
from txfuzz.database.scenario import Cell
from txfuzz.errors import UsageError, did_you_mean


@dataclass(frozen=True)
class Parameters:
    """opened: parameters that get something of Resource. chosen: the others, each with its values."""

    opened: Mapping[str, Resource]
    chosen: tuple[tuple[str, tuple[Cell, ...]], ...] = ()


def parameters_of(function: Callable[..., Any], choices: Mapping[str, Any], decorator: str) -> Parameters:
    """UsageError, which says where the function is, for what cannot be given a value."""
    _check_bound(function)
    where = f"{place_of(function)}: {function_name(function)}()"
    if inspect.iscoroutinefunction(function):
        raise UsageError(
            f"{where} is asynchronous, and only functions that run in a thread of their own can be checked: "
            f"wrap it in one that calls asyncio.run({function_name(function)}(…))"
        )
    signature = inspect.signature(function)
    left = dict(choices)
    opened, chosen = {}, []
    for name, parameter in signature.parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        resource = asked_for(parameter)
        if name in left:
            chosen.append((name, _values(left.pop(name), f"{where}: {name}")))
        elif parameter.kind is parameter.POSITIONAL_ONLY:
            raise UsageError(f"{where}: the parameter {name!r} is positional only; arguments go by name")
        elif resource is not None:
            opened[name] = resource
        elif parameter.default is not parameter.empty:
            chosen.append((name, (parameter.default,)))
        else:
            how = (
                f"give it a default, or choices as in @txfuzz.{decorator}({name}=[…])"
                if decorator == "transaction"
                else "it is none of connection, session, engine and url, and has no default"
            )
            raise UsageError(f"{where}: the parameter {name!r} has no value: {how}")
    if left:
        name = next(iter(left))
        raise UsageError(f"{where} has no parameter {name!r}: {did_you_mean(name, signature.parameters)}")
    return Parameters(opened, tuple(chosen))


def _check_bound(function: Callable[..., Any]) -> None:
    """What functools.partial gives a function must be what it takes."""
    while isinstance(function, partial):
        plain = function.func
        try:
            inspect.signature(plain).bind_partial(*function.args, **function.keywords)
        except TypeError as error:
            where = f"{place_of(plain)}: {function_name(plain)}()"
            known = inspect.signature(plain).parameters
            strange = next((name for name in function.keywords if name not in known), None)
            hint = f": {did_you_mean(strange, known)}" if strange is not None else ""
            raise UsageError(f"{where} cannot be called as functools.partial says: {error}{hint}") from None
        function = plain


def _values(given: Any, where: str) -> tuple[Cell, ...]:
    if isinstance(given, str | bytes) or not isinstance(given, Sequence | set | frozenset | range):
        return (given,)
    if not given:
        raise UsageError(f"{where} has an empty list of choices")
    return tuple(given)


def function_name(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", type(function).__name__)


def place_of(function: Callable[..., Any]) -> str:
    """ "app.py:12", where a function is defined."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f"{shown(code.co_filename)}:{code.co_firstlineno}" if code is not None else function_name(function)
