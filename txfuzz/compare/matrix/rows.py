"""The rows of a matrix: each version of each database that it asks, with the levels that are run there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from txfuzz.campaign.setup.resolve import adapter_of
from txfuzz.common.sentences import listed
from txfuzz.compare.matrix.plan import MatrixDatabase, MatrixPlan
from txfuzz.database.api import Adapter
from txfuzz.database.isolation_levels import capabilities_of, level_named
from txfuzz.database.schemes import options_of_url
from txfuzz.database.versions import StartsVersions, is_version, startable_servers
from txfuzz.errors import UsageError, did_you_mean
from txfuzz.plugin.registry import Registry
from txfuzz.workload.model import DatabaseSpec


@dataclass(frozen=True)
class MatrixRow:
    """A database of one version. options: of its adapter, which start this version. levels: those that are
    asked, with the model that each promises; None where the database has no such level."""

    database: str
    adapter: str
    version: str
    options: Mapping[str, Any]
    url: str | None = field(repr=False)
    levels: Mapping[str, str | None]


def default_databases(registry: Registry, levels: tuple[str, ...] = ()) -> tuple[MatrixDatabase, ...]:
    """Every installed adapter that can start a database here; those for tests do not count."""
    found = []
    for entry in registry.all("adapter"):
        if getattr(entry.value, "only_by_name", False):
            continue
        adapter = _built(registry, entry.name, {})
        nothing = isinstance(adapter, StartsVersions) and not startable_servers(adapter)
        if capabilities_of(adapter).embedded and not nothing:
            found.append(MatrixDatabase(entry.name, entry.name, levels=levels))
    if not found:
        raise UsageError("no adapter that is installed can start a database: name one with its URL")
    return tuple(found)


def rows_of(plan: MatrixPlan, registry: Registry) -> tuple[MatrixRow, ...]:
    """In the order of the plan, versions from old to new.

    Raises UsageError for a version that cannot be started, and for a level that none of the databases has.
    """
    rows: list[MatrixRow] = []
    for database in plan.databases:
        for version, options in _versions(database, registry):
            adapter = _built(registry, database.adapter, options)
            rows.append(
                MatrixRow(
                    database.name,
                    database.adapter,
                    version,
                    options,
                    database.url,
                    _levels(database, adapter),
                )
            )
    for database in plan.databases:
        for word in database.levels:
            _check_level(word, [each for each in plan.databases if word in each.levels], registry)
    return tuple(rows)


def _check_level(word: str, asked: Sequence[MatrixDatabase], registry: Registry) -> None:
    """A level that only some databases have is not offered by the others; one that none has is a mistake."""
    known: dict[str, None] = {}
    for each in asked:
        capabilities = capabilities_of(_built(registry, each.adapter, each.options))
        known |= dict.fromkeys(capabilities.isolation)
        try:
            level_named(capabilities, word)
        except UsageError:
            continue
        return
    raise UsageError(
        f"no database of the matrix has the isolation level {word!r}: {did_you_mean(word, known)}"
    )


def _versions(database: MatrixDatabase, registry: Registry) -> list[tuple[str, dict[str, Any]]]:
    """Versions and the options that start them; one without a version where there is nothing to choose."""
    if database.url is not None:
        if database.versions:
            raise UsageError(f"{database.name}: a server with a URL has its own version: leave out versions")
        kind = registry.find("adapter", database.adapter)
        return [("", {**options_of_url(kind, database.url), **database.options})]
    adapter = _built(registry, database.adapter, database.options)
    servers = startable_servers(adapter)
    if not servers:
        if database.versions:
            raise UsageError(f"{database.name}: no version can be chosen: leave out versions")
        return [("", dict(database.options))]
    chosen = servers
    if database.versions:
        for wanted in database.versions:
            if not any(is_version(each.version, wanted) for each in servers):
                there = listed((each.version for each in servers), "or")
                raise UsageError(f"{database.name}: no version {wanted} can be started here, only {there}")
        chosen = tuple(
            each for each in servers if any(is_version(each.version, wanted) for wanted in database.versions)
        )
    return [(each.version, {**database.options, **each.options}) for each in chosen]


def _levels(database: MatrixDatabase, adapter: Adapter) -> dict[str, str | None]:
    capabilities = capabilities_of(adapter)
    if not database.levels:
        return dict(capabilities.isolation)
    found: dict[str, str | None] = {}
    for word in database.levels:
        try:
            level = level_named(capabilities, word)
        except UsageError:
            found[word] = None
        else:
            found[level] = capabilities.isolation[level]
    return found


def _built(registry: Registry, name: str, options: Mapping[str, Any]) -> Adapter:
    return adapter_of(DatabaseSpec(name, options=options), registry, "the matrix")


def narrowed(
    plan: MatrixPlan,
    *,
    adapters: Sequence[str] = (),
    versions: Sequence[str] = (),
    levels: Sequence[str] = (),
    questions: Sequence[str] = (),
) -> MatrixPlan:
    """Only these of its databases, levels and questions; empty for all. versions: of those databases whose
    version can be chosen. UsageError for one that is not in it."""
    databases = plan.databases
    if adapters:
        names = {each.name for each in databases}
        for name in adapters:
            if name not in names:
                raise UsageError(f"the matrix has no database {name!r}: {did_you_mean(name, names)}")
        databases = tuple(each for each in databases if each.name in adapters)
    if versions:
        databases = tuple(replace(each, versions=tuple(versions)) for each in databases)
    if levels:
        databases = tuple(replace(each, levels=tuple(levels)) for each in databases)
    asked = plan.questions
    if questions:
        known = {word for each in asked for word in (each.name, each.heading)}
        for name in questions:
            if name not in known:
                raise UsageError(f"the matrix has no question {name!r}: {did_you_mean(name, known)}")
        asked = tuple(each for each in asked if {each.name, each.heading} & set(questions))
    return replace(plan, databases=databases, questions=asked)
