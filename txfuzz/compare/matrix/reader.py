"""Reads a matrix from its YAML file. Errors say where: file, line and column."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from txfuzz.analysis.checker.consistency import prohibited
from txfuzz.campaign.setup.resolve import InstalledVocabulary
from txfuzz.common.options import build
from txfuzz.compare.matrix.plan import (
    SCHEDULES,
    SECONDS,
    TRANSACTIONS,
    Asks,
    MatrixDatabase,
    MatrixPlan,
    Question,
)
from txfuzz.compare.matrix.rows import default_databases
from txfuzz.errors import PluginError, UsageError, did_you_mean
from txfuzz.plugin.registry import Registry
from txfuzz.workload.shipped import SUFFIXES, scenario_path, shipped_matrix, workload_path
from txfuzz.workload.yaml.nodes import Node
from txfuzz.workload.yaml.reader import (
    check_version,
    read_about,
    read_name,
    read_text,
    read_workload,
    root_of,
)
from txfuzz.workload.yaml.scenario.reader import read_scenario

FIELDS = ("version", "name", "about", "seed", "levels", "databases", "ask")
DATABASE_FIELDS = ("adapter", "name", "options", "url", "versions", "levels")
_LIMITS = {Asks.SCENARIO: "schedules", Asks.WORKLOAD: "transactions", Asks.HUNT: "schedules"}
_MOST: Mapping[Asks, int | None] = {Asks.SCENARIO: None, Asks.WORKLOAD: TRANSACTIONS, Asks.HUNT: SCHEDULES}


def default_matrix() -> Path:
    """The one that is asked where no file is given."""
    return shipped_matrix("hermitage")


def read_matrix(path: Path, registry: Registry) -> MatrixPlan:
    """The plan in this file, with every scenario and workload that it names read once, so that mistakes show
    before anything runs. Raises WorkloadError."""
    source = str(path)
    root = root_of(read_text(path), source, "matrix")
    check_version(root, "matrix")
    fields = root.fields("a matrix", FIELDS)
    levels = _words(fields["levels"], "levels") if "levels" in fields else ()
    if "databases" in fields:
        databases = _databases(fields["databases"], registry, levels)
    else:
        databases = default_databases(registry, levels)
    return MatrixPlan(
        read_name(fields.get("name"), source, "matrix"),
        databases,
        _questions(fields["ask"], path, registry) if "ask" in fields else _default_questions(registry),
        fields["seed"].whole("the seed") if "seed" in fields else 0,
        read_about(fields.get("about"), "matrix"),
    )


def _databases(node: Node, registry: Registry, levels: tuple[str, ...]) -> tuple[MatrixDatabase, ...]:
    found: dict[str, MatrixDatabase] = {}
    for each in _some(node, "databases"):
        one = _database(each, registry, levels)
        if one.name in found:
            raise each.place.error(
                f"found two databases called {one.name!r}", "", "give each a `name` of its own"
            )
        found[one.name] = one
    return tuple(found.values())


def _database(node: Node, registry: Registry, levels: tuple[str, ...]) -> MatrixDatabase:
    if isinstance(node.value, str):
        name = _adapter(node, registry)
        return MatrixDatabase(name, name, levels=levels)
    fields = node.fields("a database", DATABASE_FIELDS, ("adapter",))
    adapter = _adapter(fields["adapter"], registry)
    options: dict[str, Any] = {}
    if "options" in fields:
        fields["options"].mapping("options of the adapter as a mapping")
        options = fields["options"].plain()
        with fields["options"].place.added_to_errors():
            build(registry.find("adapter", adapter), options, f"adapter {adapter!r}")
    return MatrixDatabase(
        adapter,
        fields["name"].text("the name of the database") if "name" in fields else adapter,
        options,
        fields["url"].text("a database URL") if "url" in fields else None,
        _words(fields["versions"], "versions") if "versions" in fields else (),
        _words(fields["levels"], "levels") if "levels" in fields else levels,
    )


def _adapter(node: Node, registry: Registry) -> str:
    name = node.text("the name of an adapter")
    try:
        registry.find("adapter", name)
    except PluginError as error:
        raise node.place.error(str(error)) from None
    return name


def _questions(node: Node, path: Path, registry: Registry) -> tuple[Question, ...]:
    found: dict[str, Question] = {}
    for each in _some(node, "questions"):
        one = _question(each, path, registry)
        if one.name in found:
            raise each.place.error(f"found two questions called {one.name!r}", "", "give each a `name`")
        found[one.name] = one
    return tuple(found.values())


def _default_questions(registry: Registry) -> tuple[Question, ...]:
    path = default_matrix()
    return _questions(
        root_of(read_text(path), str(path), "matrix").mapping("a matrix")["ask"], path, registry
    )


def _question(node: Node, path: Path, registry: Registry) -> Question:
    kinds = [each.value for each in Asks]
    known = (*kinds, "name", "column", "anomaly", "transactions", "schedules", "seconds")
    fields = node.fields("a question", known)
    named = [each for each in Asks if each.value in fields]
    if len(named) != 1:
        raise node.place.error("found a question", f"one of the fields {', '.join(kinds)}")
    (asks,) = named
    for name in {"transactions", "schedules"} - {_LIMITS[asks]}:
        if name in fields:
            raise fields[name].name_place.error(f"found {name!r} of a {asks.value}", repr(_LIMITS[asks]))
    if "anomaly" in fields and asks is not Asks.SCENARIO:
        raise fields["anomaly"].name_place.error(f"found an anomaly of a {asks.value}", "it with a scenario")
    limit = fields.get(_LIMITS[asks])
    most = _MOST[asks] if limit is None else limit.whole(_LIMITS[asks], 1)
    where, own = _target(fields[asks.value], asks, path, registry)
    anomaly = (
        fields["anomaly"].text("the name of an anomaly", _check_anomaly)
        if "anomaly" in fields
        else _shipped_anomalies().get(where, "")
        if asks is Asks.SCENARIO
        else ""
    )
    return Question(
        fields["name"].text("the name of the question") if "name" in fields else own,
        asks,
        fields["column"].text("the heading of the column") if "column" in fields else "",
        where,
        anomaly,
        most,
        float(fields["seconds"].number("seconds of a cell")) if "seconds" in fields else SECONDS,
        digest_of(where),
    )


@cache
def _shipped_anomalies() -> Mapping[str, str]:
    """The path of each scenario that comes with txfuzz → the anomaly that it is made for."""
    path = default_matrix()
    asked = root_of(read_text(path), str(path), "matrix").mapping("a matrix")["ask"].plain()
    return {str(scenario_path(each["scenario"]).resolve()): each["anomaly"] for each in asked}


def digest_of(path: str) -> str:
    """Of a scenario or workload, so that a matrix does not go on with another one; empty for none."""
    return hashlib.sha256(read_text(Path(path)).encode()).hexdigest() if path else ""


def _check_anomaly(name: str) -> None:
    """One that some level can forbid."""
    known = prohibited("strict-serializable")
    if name not in known:
        raise UsageError(f"no level forbids an anomaly {name!r}: {did_you_mean(name, known)}")


def _target(node: Node, asks: Asks, path: Path, registry: Registry) -> tuple[str, str]:
    """The file, and the name of the question if it has none of its own."""
    if asks is Asks.HUNT:
        if node.value is not True:
            raise node.unexpected("`hunt: true`")
        return "", "hunt"
    name = node.text(f"the name or the file of a {asks.value}")
    is_path = Path(name).suffix in SUFFIXES or "/" in name
    with node.place.added_to_errors():
        if is_path:
            found = Path(path.parent, name).resolve()
        else:
            found = scenario_path(name).resolve() if asks is Asks.SCENARIO else workload_path(name)
    vocabulary = InstalledVocabulary(registry, found)
    if asks is Asks.SCENARIO:
        return str(found), read_scenario(found, vocabulary).name
    return str(found), read_workload(found, vocabulary).name


def _some(node: Node, what: str) -> tuple[Node, ...]:
    items = node.items(f"a list of {what}")
    if not items:
        raise node.unexpected(f"at least one of the {what}")
    return items


def _words(node: Node, what: str) -> tuple[str, ...]:
    found = []
    for each in _some(node, what):
        if isinstance(each.value, float):
            raise each.unexpected('a version in quotes, such as "16.2", since 16.10 would be 16.1')
        whole = type(each.value) is int
        found.append(str(each.value) if whole else each.text(f"one of the {what}"))
    return tuple(found)
