"""The place in a workload file of something that turned out to be wrong when it was used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from txfuzz.errors import UsageError, WorkloadError
from txfuzz.workload.model import Workload
from txfuzz.workload.scenario import Scenario
from txfuzz.workload.yaml.nodes import Node, Place
from txfuzz.workload.yaml.parser import parse_yaml


class RefusedStep(UsageError):
    """The database rejects a statement for good. step: its number in the transaction, from 0; None for BEGIN
    or COMMIT."""

    def __init__(self, message: str, transaction: str, step: int | None) -> None:
        super().__init__(message)
        self.transaction = transaction
        self.step = step


def with_place(error: RefusedStep, path: Path) -> UsageError:
    """The same error with its place in the file, if the transaction is there."""
    place = step_place(path, error.transaction, error.step)
    return error if place is None else place.error(str(error))


@contextmanager
def naming_url(path: Path, workload: Workload | Scenario, given: str | None) -> Iterator[None]:
    """Add the place of the workload's URL to errors about it. given: a URL that overrides it."""
    try:
        yield
    except WorkloadError:
        raise
    except UsageError as error:
        named = given is None and workload.database.url is not None
        place = _place_of(_root(path), "database", "url") if named else None
        if place is None:
            raise
        raise place.error(str(error)) from None


def step_place(path: Path, transaction: str, step: int | None) -> Place | None:
    """The place of a step, or of its transaction if a template makes the steps; None if neither is there."""
    root = _root(path)
    asked = _field(_field(root, "workload"), "transactions")
    if asked is None or not isinstance(asked.value, tuple):
        return None
    for each in asked.value:
        name = _field(each, "name") or _field(each, "template")
        if name is None or name.value != transaction:
            continue
        steps = _field(each, "steps")
        if steps is None or step is None or not isinstance(steps.value, tuple) or step >= len(steps.value):
            return name.place
        found = steps.value[step]
        return (_field(found, "sql") or found).place
    return None


def _root(path: Path) -> Node | None:
    try:
        return parse_yaml(path.read_bytes().decode("utf-8-sig"), str(path))
    except (OSError, ValueError, WorkloadError):
        return None  # it has changed since it was read


def _place_of(node: Node | None, *names: str) -> Place | None:
    for name in names:
        node = _field(node, name)
    return None if node is None else node.place


def _field(node: Node | None, name: str) -> Node | None:
    if node is None or not isinstance(node.value, Mapping):
        return None
    return node.value.get(name)
