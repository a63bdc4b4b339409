"""The object under test, from a class attribute or fixture, and checks common to all kinds."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest

from txfuzz.analysis.checker.anomaly_types import check_anomaly
from txfuzz.analysis.checker.consistency import canonical
from txfuzz.database.api import Adapter, Database
from txfuzz.errors import UsageError, did_you_mean

_OPENED = pytest.StashKey[list[tuple[Adapter, Database]]]()


def given(request: pytest.FixtureRequest, name: str, method: str, default: Any = None) -> Any:
    """The object called `name`: an attribute of the test class, else a fixture, else the default.

    method: what the object must have, which tells it from a fixture function. A class is
    instantiated with default options.
    """
    value = getattr(request.instance, name, None)
    if not hasattr(value, method):
        try:
            value = request.getfixturevalue(name)
        except pytest.FixtureLookupError:
            value = default
    if value is None:
        pytest.fail(f"{type(request.instance).__name__} needs `{name}`: a class attribute or a fixture")
    if isinstance(value, type):
        value = value()
    assert hasattr(value, method), f"{name} {value!r} has no {method}()"
    return value


def opened(request: pytest.FixtureRequest, adapter: Adapter, url: str | None) -> Database:
    """The adapter's database, opened on first use and closed after the last test of the class."""
    place = request.node.getparent(pytest.Class)
    known: list[tuple[Adapter, Database]] = place.stash.setdefault(_OPENED, [])
    for its_adapter, database in known:
        if its_adapter == adapter:
            return database
    database = adapter.open(url)
    place.addfinalizer(database.close)
    known.append((adapter, database))
    return database


def check_identity(subject: Any, kind: str, *, frozen: bool = True) -> None:
    """Every plugin object needs a name, a description, and options with help texts.

    frozen: whether it may keep nothing.
    """
    name = getattr(subject, "name", None)
    assert isinstance(name, str), f"the {kind} {subject!r} has no `name`"
    assert name, f"the {kind} {subject!r} has an empty `name`"
    assert name == " ".join(name.split()), f"the name {name!r} is not a plain word"
    about = getattr(subject, "about", None)
    assert isinstance(about, str), f"{kind} {name!r} has no `about`, a phrase that says what it does"
    assert about.strip(), f"{kind} {name!r} has an empty `about`"
    assert dataclasses.is_dataclass(subject), (
        f"{kind} {name!r} is not a dataclass: its fields are its options"
    )
    parameters: Any = getattr(type(subject), "__dataclass_params__", None)
    assert parameters.frozen or not frozen, f"the dataclass of {kind} {name!r} is not frozen"
    for field in dataclasses.fields(subject):
        if field.init and not field.name.startswith("_"):
            assert field.metadata.get("help"), (
                f"the option {field.name!r} of {kind} {name!r} has no help text"
            )


@dataclasses.dataclass(frozen=True)
class KnownNames:
    """A vocabulary (txfuzz.workload.vocabulary.Vocabulary) of only the given names.

    known: (kind, name) → the thing.
    """

    known: Mapping[tuple[str, str], Any] = dataclasses.field(default_factory=dict)

    def find(self, kind: str, name: str) -> Any:
        if (kind, name) not in self.known:
            names = [name for of_kind, name in self.known if of_kind == kind]
            raise UsageError(f"no {kind} {name!r} is installed: {did_you_mean(name, names)}")
        return self.known[kind, name]

    def check_model(self, name: str) -> None:
        canonical(name)

    def check_anomaly(self, name: str) -> None:
        check_anomaly(name)
