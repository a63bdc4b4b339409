"""Resolves a workload: settles what it leaves open, and builds the plugin objects that it names."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

from txfuzz.analysis.checker.anomaly_types import check_anomaly
from txfuzz.analysis.checker.consistency import answerable, canonical, prohibited
from txfuzz.analysis.checker.preconditions import check_options
from txfuzz.analysis.contract import Analyzer, is_checker
from txfuzz.campaign.setup.adapter_choice import adapter_of_scheme
from txfuzz.campaign.setup.plugin_sandbox import guarded
from txfuzz.common.options import build
from txfuzz.common.sentences import listed
from txfuzz.database.api import Adapter
from txfuzz.database.endpoints import HasEndpoints, Promise
from txfuzz.database.faults import Fault
from txfuzz.database.isolation_levels import capabilities_of, level_named
from txfuzz.database.schemes import ANY_SCHEME, options_of_url, schemes_of
from txfuzz.errors import PluginError, UsageError
from txfuzz.execution.fault_injector import PlannedFault
from txfuzz.feedback.contract import Heuristic, Mutator, Strategy
from txfuzz.feedback.strategy_names import DEFAULT_STRATEGY
from txfuzz.plugin.bounded_call import PLUGIN_SECONDS
from txfuzz.plugin.loader import load_plugins
from txfuzz.plugin.registry import Registry
from txfuzz.report.iteration import PLUGINS
from txfuzz.workload.database.endpoints import check_roles, promise_of, url_in_environment
from txfuzz.workload.database.levels import weakest_level, with_allowed_words, with_levels
from txfuzz.workload.database.variations import with_variations
from txfuzz.workload.model import DatabaseSpec, FaultSpec, PluginSpec, Workload
from txfuzz.workload.scenario import Scenario
from txfuzz.workload.sql.blame import doubts, overwrites


@dataclass(frozen=True)
class InstalledVocabulary:
    """The names that a workload may use: those of the installed plugins, and the models.

    path: where the workload is. A workload in a run directory may need the plugin files kept there. They
    are only ever loaded with --plugin-file, since a directory may come from anybody.
    """

    registry: Registry
    path: Path | None = None

    def find(self, kind: str, name: str) -> Any:
        try:
            return self.registry.find(kind, name)
        except PluginError as error:
            kept = [] if self.path is None else sorted((self.path.parent.parent / PLUGINS).glob("*.py"))
            missing = [path for path in kept if path.name not in self.registry.files]
            if not missing:
                raise
            flags = " ".join(f"--plugin-file {shlex.quote(str(path))}" for path in missing)
            raise PluginError(f"{error}; that campaign was run with {flags}") from None

    def check_model(self, name: str) -> None:
        check_model(name)

    def check_anomaly(self, name: str) -> None:
        check_anomaly(name)


@dataclass(frozen=True)
class Assembled:
    """A workload whose adapter, isolation and expectation are settled, with its plugin objects.

    promised: the model that the database promises at this isolation level. because: sentences about why it
    is no more, for a workload with endpoints. wrong_in_series: why the workload's own SQL is known to be
    wrong (txfuzz.campaign.serial_check), else empty. excuses: settings of the server under which the faults
    that were injected may break that promise.
    """

    workload: Workload
    adapter: Adapter
    analyzers: tuple[Analyzer, ...]
    heuristics: tuple[Heuristic, ...]
    strategy: Strategy
    mutators: tuple[Mutator, ...]
    faults: tuple[PlannedFault, ...]
    isolation: str
    expect: str
    promised: str
    because: tuple[str, ...] = ()
    wrong_in_series: str = ""
    excuses: tuple[str, ...] = ()

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why the workload's own SQL may be the cause of what is found."""
        return (*doubts(self.workload), *filter(None, [self.wrong_in_series]))

    @property
    def disclaimers(self) -> tuple[str, ...]:
        """Why the database is not blamed for what is found, as sentences."""
        doubts, own_lists = self.doubts, self.workload.own_lists
        if not doubts and answerable(self.promised, own_lists=own_lists) is None:
            doubts = overwrites(self.workload, self.isolation)
        return tuple(f"the database is not blamed for what is found here: {doubt}" for doubt in doubts)

    @property
    def answers_for(self) -> str | None:
        """`promised`, if the database is to blame for what contradicts it; see `answerable`."""
        doubtful = bool(self.doubts or self.excuses)
        return answerable(self.promised, own_lists=self.workload.own_lists, doubtful=doubtful)


def assemble(
    workload: Workload,
    registry: Registry,
    *,
    isolation: str | None = None,
    expect: str | None = None,
    seed: int | None = None,
    strategy: str | None = None,
    checker_options: Mapping[str, Any] | None = None,
    plugin_seconds: float = PLUGIN_SECONDS,
) -> Assembled:
    """Settle what the workload leaves open; the arguments override the workload.

    checker_options: for the checker among the analyzers. plugin_seconds: time limit for a call of a plugin's
    object. Raises UsageError (PluginError) for what is not installed or does not fit.
    """
    spec = workload.database
    adapter = adapter_of(spec, registry, f"the workload {workload.name!r}")
    name = adapter.name
    capabilities = capabilities_of(adapter)
    level = level_named(capabilities, _first(isolation, spec.isolation, capabilities.default_isolation))
    workload = with_levels(workload, capabilities, own=isolation is None)
    workload = with_variations(with_allowed_words(workload, capabilities, level), adapter)
    faults = planned(registry, workload.faults, adapter, plugin_seconds)
    promise = _promise(workload, adapter, level, faults)
    promised = promise.model
    model = _first(expect, workload.expect, promised)
    check_model(model)
    if workload.kind not in capabilities.kinds:
        raise UsageError(f"adapter {name!r} cannot make {workload.kind.value} histories")
    if not capabilities.deleted_rows and "deleted" in (workload.keys.rows, *workload.mutate.rows):
        raise UsageError(f"adapter {name!r} cannot delete rows before they are used (`rows: deleted`)")
    analyzers = workload.analyzers
    if analyzers is None:
        analyzers = _all_analyzers(registry)
    if not analyzers:
        raise UsageError("the workload names no analyzer; without one there is no verdict")
    analyzers = tuple(
        PluginSpec(each.name, {**each.options, **(checker_options or {})})
        if is_checker(registry.find("analyzer", each.name))
        else each
        for each in analyzers
    )
    heuristics = workload.heuristics
    if heuristics is None:
        heuristics = tuple(PluginSpec(entry.name) for entry in registry.all("heuristic"))
    searching = _strategy_spec(workload, strategy)
    settled = replace(
        workload,
        database=replace(workload.database, adapter=name, isolation=level),
        expect=model,
        seed=workload.seed if seed is None else seed,
        analyzers=analyzers,
        heuristics=heuristics,
        strategy=searching if strategy is not None else workload.strategy,
    )
    judges = build_all(registry, "analyzer", analyzers, plugin_seconds)
    for judge in judges:
        if is_checker(judge):
            check_options(judge.version_options, workload.kind, f"workload {workload.name!r}")
    return Assembled(
        settled,
        adapter,
        judges,
        build_all(registry, "heuristic", heuristics, plugin_seconds),
        build_all(registry, "strategy", (searching,), plugin_seconds)[0],
        build_all(
            registry,
            "mutator",
            [PluginSpec(entry.name) for entry in registry.all("mutator")],
            plugin_seconds,
        ),
        faults,
        level,
        model,
        promised,
        promise.because,
    )


def _promise(workload: Workload, adapter: Adapter, level: str, faults: Sequence[PlannedFault]) -> Promise:
    """What the database promises of this workload."""
    capabilities = capabilities_of(adapter)
    endpoints = workload.database.endpoints
    if endpoints:
        check_roles(endpoints, adapter.name, capabilities)
    if not capabilities.endpoints:
        return Promise(capabilities.isolation[weakest_level(workload, capabilities, level)])
    if not isinstance(adapter, HasEndpoints):
        raise PluginError(f"adapter {adapter.name!r} has endpoints and no promise_across()", adapter)
    return promise_of(workload, adapter, capabilities, level, [each.fault.needs for each in faults])


def _strategy_spec(workload: Workload, name: str | None) -> PluginSpec:
    """The workload's own strategy has the workload's options, even if it is named again."""
    own = workload.strategy or PluginSpec(DEFAULT_STRATEGY)
    return own if name in (None, own.name) else PluginSpec(str(name))


IN_FILE = "`database: {adapter: NAME}`"


def adapter_of(spec: DatabaseSpec, registry: Registry, what: str, choose: str = IN_FILE) -> Adapter:
    """The adapter that it names, the one whose URL is used, or the only one that is installed. For messages:
    what names none, "the workload 'register'", and how to choose one."""
    name = spec.adapter
    if name is None and (url := resolved_url(spec.url)) is not None:
        name = adapter_of_scheme(registry, url)
        if name is not None:
            decided = options_of_url(registry.find("adapter", name), url)
            spec = replace(spec, options={**decided, **spec.options})
    name = name or _only_adapter(registry, what, choose)
    try:
        entry = registry.find("adapter", name)
    except PluginError as error:
        raise PluginError(f"{error}{_how_to_install(registry, name)}", error.culprit) from None
    adapter: Adapter = build(entry, spec.options, f"adapter {name!r}")
    return adapter


def _how_to_install(registry: Registry, name: str) -> str:
    """The end of a message about an adapter that is missing; empty if it may be misspelt."""
    if ("adapter", name) in registry.entries:  # claimed by several
        return ""
    try:
        extras = metadata("txfuzz-core").get_all("Provides-Extra") or []
    except PackageNotFoundError:
        extras = []
    if name in extras:
        return f"; pip install 'txfuzz[{name}]' (in a clone: pip install ./plugins/{name})"
    if _usable_adapters(registry):
        return ""
    return "; the core alone brings none: pip install txfuzz (in a clone: pip install ./plugins/NAME)"


def build_all(
    registry: Registry, kind: str, names: Sequence[PluginSpec], seconds: float = PLUGIN_SECONDS
) -> tuple[Any, ...]:
    """The named heuristics, analyzers or strategies, with their options, guarded unless built in."""
    return tuple(
        guarded(kind, build(registry.find(kind, each.name), each.options, f"{kind} {each.name!r}"), seconds)
        for each in names
    )


def further_analyzers(
    names: Sequence[str], files: Sequence[Path], seconds: float = PLUGIN_SECONDS
) -> tuple[Analyzer, ...]:
    """Analyzers to run besides the checker, with default options: those named, and all in plugin files."""
    if not names and not files:
        return ()
    registry = load_plugins(files=files, seconds=seconds)
    of_files = [entry.name for entry in registry.all("analyzer") if entry.plugin.is_file]
    wanted = [
        PluginSpec(name)
        for name in dict.fromkeys((*names, *of_files))
        if not is_checker(registry.find("analyzer", name))
    ]
    return build_all(registry, "analyzer", wanted, seconds)


def planned(
    registry: Registry, faults: Sequence[FaultSpec], adapter: Adapter, seconds: float = PLUGIN_SECONDS
) -> tuple[PlannedFault, ...]:
    """The faults as objects. UsageError for one that this adapter cannot inject."""
    able = adapter.capabilities().faults
    found = []
    for spec in faults:
        fault: Fault = build(registry.find("fault", spec.name), spec.options, f"fault {spec.name!r}")
        if fault.needs not in able:
            raise UsageError(f"the adapter {adapter.name!r} cannot inject the fault {spec.name!r}")
        found.append(PlannedFault(guarded("fault", fault, seconds), spec))
    return tuple(found)


def database_url(given: str | None, workload: Workload | Scenario | None) -> str | None:
    """The URL of the database: the argument, else the workload's, else $DATABASE_URL, else None (embedded).

    UsageError for a URL that is empty or in an unset environment variable: it must not mean "embedded".
    """
    return resolved_url(given if given is not None or workload is None else workload.database.url)


def resolved_url(url: str | None) -> str | None:
    """The same, of a URL that was given."""
    if url is None:
        return os.environ.get("DATABASE_URL") or None
    url = url_in_environment(url)
    if not url.strip():
        raise UsageError("the database URL is empty; omit it to use $DATABASE_URL or an embedded server")
    return url


def check_model(name: str) -> None:
    """UsageError for a model that no anomaly contradicts."""
    if not prohibited(canonical(name)):
        raise UsageError(f"histories cannot be checked against {name!r}: no anomaly contradicts it")


def _first(*names: str | None) -> str:
    """The first that was given; an empty one counts as given."""
    return next(name for name in names if name is not None)


def _all_analyzers(registry: Registry) -> tuple[PluginSpec, ...]:
    """The checker first, so that its findings are reported first; none of those that only run by name."""
    entries = sorted(registry.all("analyzer"), key=lambda entry: not is_checker(entry.value))
    return tuple(PluginSpec(each.name) for each in entries if not getattr(each.value, "only_by_name", False))


def _starts_by_itself(registry: Registry, name: str) -> bool:
    """Or is it for any URL, and of no use without one?"""
    return ANY_SCHEME not in schemes_of(registry.find("adapter", name))


def _only_adapter(registry: Registry, what: str, choose: str) -> str:
    """Those for tests do not count."""
    names = _usable_adapters(registry)
    alone = [name for name in names if _starts_by_itself(registry, name)] if len(names) > 1 else names
    if len(alone) == 1:
        return alone[0]
    if names:
        raise UsageError(
            f"{what} names no adapter, and several are installed: choose one with {choose}, "
            f"where NAME is {listed(names, 'or')}"
        )
    problems = "".join(f"; {problem}" for problem in registry.problems)
    raise PluginError(f"no database adapter is installed{problems}{_how_to_install(registry, '')}")


def _usable_adapters(registry: Registry) -> list[str]:
    return [
        entry.name for entry in registry.all("adapter") if not getattr(entry.value, "only_by_name", False)
    ]
