"""A campaign's parts: the workload with everything settled, and the plugin objects that it names."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from txfuzz.analysis.checker.anomaly_types import check_anomaly
from txfuzz.analysis.checker.consistency import answerable, canonical, prohibited
from txfuzz.analysis.checker.preconditions import check_options
from txfuzz.analysis.contract import Analyzer, is_checker
from txfuzz.campaign.directory.run_directory import PLUGINS
from txfuzz.campaign.plugin_sandbox import guarded
from txfuzz.common.options import build
from txfuzz.common.sentences import listed
from txfuzz.database.api import Adapter
from txfuzz.database.faults import Fault
from txfuzz.database.isolation_levels import capabilities_of, level_named
from txfuzz.errors import PluginError, UsageError
from txfuzz.execution.fault_injector import PlannedFault
from txfuzz.feedback.contract import Heuristic
from txfuzz.plugin.bounded_call import PLUGIN_SECONDS
from txfuzz.plugin.loader import load_plugins
from txfuzz.plugin.registry import Registry
from txfuzz.workload.levels import weakest_level, with_levels
from txfuzz.workload.model import FaultSpec, PluginSpec, Workload
from txfuzz.workload.sql.soundness import doubts

_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")


@dataclass(frozen=True)
class InstalledVocabulary:
    """The names that a workload may use: those of the installed plugins, and the models.

    path: where the workload is. In the directory of a campaign it may need the plugin files of that
    campaign, which are never run unless they are asked for: a directory may come from anybody.
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
            raise PluginError(f"{error}; the campaign there was run with {flags}") from None

    def check_model(self, name: str) -> None:
        check_model(name)

    def check_anomaly(self, name: str) -> None:
        check_anomaly(name)


@dataclass(frozen=True)
class Assembled:
    """A workload whose adapter, isolation and expectation are settled, and its objects.

    promised: the model that the database promises at this isolation level. wrong_in_series: why the
    workload's own SQL is known to be wrong (txfuzz.campaign.serial_check), empty where it is not.
    """

    workload: Workload
    adapter: Adapter
    analyzers: tuple[Analyzer, ...]
    heuristics: tuple[Heuristic, ...]
    faults: tuple[PlannedFault, ...]
    isolation: str
    expect: str
    promised: str
    wrong_in_series: str = ""

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why SQL of the workload's own may be the cause of what is found."""
        return (*doubts(self.workload), *filter(None, [self.wrong_in_series]))

    @property
    def disclaimers(self) -> tuple[str, ...]:
        """Why the database is not blamed for what is found, as sentences."""
        return tuple(f"nobody is blamed for what is found here: {doubt}" for doubt in self.doubts)

    @property
    def answers_for(self) -> str | None:
        """`promised`, where the database is to blame for what contradicts it; see `answerable`."""
        return answerable(self.promised, own_lists=self.workload.own_lists, doubtful=bool(self.doubts))


def assemble(
    workload: Workload,
    registry: Registry,
    *,
    isolation: str | None = None,
    expect: str | None = None,
    seed: int | None = None,
    checker_options: Mapping[str, Any] | None = None,
    plugin_seconds: float = PLUGIN_SECONDS,
) -> Assembled:
    """Settle what the workload leaves open; the arguments go before what it says.

    checker_options: for the checker among the analyzers. plugin_seconds: that an object of a plugin gets
    for one answer. Raises UsageError (PluginError) for what is not installed or does not fit.
    """
    spec = workload.database
    name = spec.adapter or _only_adapter(registry, workload.name)
    adapter: Adapter = build(registry.find("adapter", name), spec.options, f"adapter {name!r}")
    capabilities = capabilities_of(adapter)
    level = level_named(capabilities, _first(isolation, spec.isolation, capabilities.default_isolation))
    workload = with_levels(workload, capabilities, own=isolation is None)
    promised = capabilities.isolation[weakest_level(workload, capabilities, level)]
    model = _first(expect, workload.expect, promised)
    check_model(model)
    if workload.kind not in capabilities.kinds:
        raise UsageError(f"adapter {name!r} cannot make {workload.kind.value} histories")
    analyzers = workload.analyzers
    if analyzers is None:
        analyzers = _all_analyzers(registry)
    if not analyzers:
        raise UsageError("the workload names no analyzer, and without one there is no verdict")
    analyzers = tuple(
        PluginSpec(each.name, {**each.options, **(checker_options or {})})
        if is_checker(registry.find("analyzer", each.name))
        else each
        for each in analyzers
    )
    heuristics = workload.heuristics
    if heuristics is None:
        heuristics = tuple(PluginSpec(entry.name) for entry in registry.all("heuristic"))
    settled = replace(
        workload,
        database=replace(spec, adapter=name, isolation=level),
        expect=model,
        seed=workload.seed if seed is None else seed,
        analyzers=analyzers,
        heuristics=heuristics,
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
        planned(registry, workload.faults, adapter, plugin_seconds),
        level,
        model,
        promised,
    )


def build_all(
    registry: Registry, kind: str, names: Sequence[PluginSpec], seconds: float = PLUGIN_SECONDS
) -> tuple[Any, ...]:
    """The named heuristics or analyzers, with their options; those of plugins with a guard around."""
    return tuple(
        guarded(kind, build(registry.find(kind, each.name), each.options, f"{kind} {each.name!r}"), seconds)
        for each in names
    )


def further_analyzers(
    names: Sequence[str], files: Sequence[Path], seconds: float = PLUGIN_SECONDS
) -> tuple[Analyzer, ...]:
    """What judges beside the checker, with its defaults: what is named, and what plugin files bring."""
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
    """The faults as objects. UsageError for one that no database of this adapter can suffer."""
    able = adapter.capabilities().faults
    found = []
    for spec in faults:
        fault: Fault = build(registry.find("fault", spec.name), spec.options, f"fault {spec.name!r}")
        if fault.needs not in able:
            raise UsageError(f"the adapter {adapter.name!r} cannot inject the fault {spec.name!r}")
        found.append(PlannedFault(guarded("fault", fault, seconds), spec))
    return tuple(found)


def database_url(given: str | None, workload: Workload | None) -> str | None:
    """Where the database is: the argument, else the workload's, else $DATABASE_URL, else embedded (None).

    Only where nobody named a place it is embedded: UsageError for one that is empty, or in an
    environment variable that is not set.
    """
    url = given if given is not None or workload is None else workload.database.url
    if url is None:
        return os.environ.get("DATABASE_URL") or None
    variable = _VARIABLE.fullmatch(url)
    if variable is not None:
        name = variable[1] or variable[2]
        url = os.environ.get(name, "")
        if not url.strip():
            how = "is empty" if name in os.environ else "is not set"
            raise UsageError(f"the database URL is to come from the environment variable {name}, which {how}")
    if not url.strip():
        raise UsageError("the database URL is empty; leave it out for $DATABASE_URL or an embedded server")
    return url


def check_model(name: str) -> None:
    """UsageError for a model that no history can be held against."""
    if not prohibited(canonical(name)):
        raise UsageError(f"no history can be held against {name!r}: no anomaly contradicts it")


def _first(*names: str | None) -> str:
    """The first that somebody gave; one that is empty is no less given."""
    return next(name for name in names if name is not None)


def _all_analyzers(registry: Registry) -> tuple[PluginSpec, ...]:
    """The checker goes first, so that what it finds is told first."""
    entries = sorted(registry.all("analyzer"), key=lambda entry: not is_checker(entry.value))
    return tuple(PluginSpec(entry.name) for entry in entries)


def _only_adapter(registry: Registry, workload: str) -> str:
    """The one that a workload without `adapter` means: those for tests must be named."""
    names = [
        entry.name for entry in registry.all("adapter") if not getattr(entry.value, "only_by_name", False)
    ]
    if len(names) == 1:
        return names[0]
    if names:
        raise UsageError(
            f"the workload {workload!r} names no adapter, and several are installed: choose one by "
            f"`database: {{adapter: NAME}}`, where NAME is {listed(names, 'or')}"
        )
    problems = "".join(f"; {problem}" for problem in registry.problems)
    raise PluginError(f"no database adapter is installed{problems}")
