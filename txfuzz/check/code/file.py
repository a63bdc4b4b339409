"""A Python file with functions that are marked as setup, transactions and invariants."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from txfuzz.check.code.arguments import function_name, parameters_of, place_of
from txfuzz.check.code.call import CodeInvariant, CodeTransaction
from txfuzz.check.code.decorators import Marked, Role, marked_in
from txfuzz.check.code.errors import refused
from txfuzz.check.code.place import shown
from txfuzz.check.code.resources import Resources
from txfuzz.check.code.session import around
from txfuzz.check.code.tables import CodeTables
from txfuzz.check.contract import CheckSubject
from txfuzz.database.api import Database
from txfuzz.database.drivers import KnowsDrivers
from txfuzz.database.scenario import HoldsScenarios, ScenarioTables
from txfuzz.errors import TxfuzzError, UsageError

VARIABLE = "DATABASE_URL"


def open_code(path: Path, database: Database) -> tuple[CheckSubject, ScenarioTables]:
    """What the file wants to be checked, and its tables in a schema of ours, with what its setup has made.

    While the tables are open, DATABASE_URL leads to them, for code that looks there. UsageError with file
    and line for what is wrong with the file, or goes wrong in it.
    """
    if not isinstance(database, HoldsScenarios) or not isinstance(database, KnowsDrivers):
        raise UsageError("this adapter cannot check Python code")
    with ExitStack() as opened:
        strangers = threading.enumerate()
        tables = opened.enter_context(database.scenario(()))
        drivers = database.drivers()
        resources = Resources(tables.url(), drivers)
        opened.callback(resources.close)
        opened.enter_context(_in_environment(tables.url()))
        opened.enter_context(redirect_stdout(sys.stderr))  # what the code prints is no result of ours
        opened.enter_context(drivers.intercept(around))  # before the file opens connections that it keeps
        functions = marked_in(vars(opened.enter_context(_imported(path))).values())
        transactions = tuple(
            _transaction(each, mark, resources) for each, mark in functions if mark.role is Role.TRANSACTION
        )
        if not transactions:
            raise UsageError(f"{shown(str(path))} has no function with @txfuzz.transaction")
        _refuse_namesakes(transactions)
        invariants = tuple(
            CodeInvariant(_in_words(each), each, parameters_of(each, {}, "invariant"), resources)
            for each, mark in functions
            if mark.role is Role.INVARIANT
        )
        for each, mark in functions:
            if mark.role is Role.SETUP:
                run_setup(each, resources)
        tables.keep()
        made = CodeTables(tables, drivers, resources, strangers=strangers, opened=opened.pop_all())
    subject = CheckSubject(path.stem, transactions, invariants, lambda _: made, source=str(path))
    return subject, made


def run_setup(function: Callable[..., Any], resources: Resources) -> None:
    parameters = parameters_of(function, {}, "setup")
    values = {name: values[0] for name, values in parameters.chosen}
    try:
        with resources.of(parameters.opened) as given:
            function(**given, **values)
    except (Exception, SystemExit) as error:
        raise refused(error, place_of(function)) from None


def _transaction(function: Callable[..., Any], mark: Marked, resources: Resources) -> CodeTransaction:
    return CodeTransaction(
        function_name(function),
        function,
        parameters_of(function, mark.choices, "transaction"),
        resources,
        mark.isolation,
        mark.retries,
        mark.writes,
    )


def _refuse_namesakes(transactions: tuple[CodeTransaction, ...]) -> None:
    seen: dict[str, CodeTransaction] = {}
    for each in transactions:
        if each.name in seen:
            places = f"{place_of(seen[each.name].function)} and {place_of(each.function)}"
            raise UsageError(f"two transactions are called {each.name!r}: {places}")
        seen[each.name] = each


def _in_words(function: Callable[..., Any]) -> str:
    return function_name(function).replace("_", " ")


@contextmanager
def _imported(path: Path) -> Iterator[ModuleType]:
    """The file as a module, with its folder first in the path, as when Python runs it."""
    spec = spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise UsageError(f"{shown(str(path))} is not a Python file that can be read")
    module = module_from_spec(spec)
    before = sys.modules.get(path.stem)
    sys.modules[path.stem] = module
    sys.path.insert(0, str(path.parent.resolve()))
    arguments, sys.argv = sys.argv, [str(path)]
    try:
        try:
            spec.loader.exec_module(module)
        except TxfuzzError:
            raise
        except (Exception, SystemExit) as error:
            raise refused(error, shown(str(path))) from None
        yield module
    finally:
        sys.argv = arguments
        sys.path.remove(str(path.parent.resolve()))
        if before is None:
            sys.modules.pop(path.stem, None)
        else:
            sys.modules[path.stem] = before


@contextmanager
def _in_environment(url: str) -> Iterator[None]:
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = url
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(VARIABLE, None)
        else:
            os.environ[VARIABLE] = before
