"""`txfuzz hunt`: opens the database, hunts, and keeps what was found."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from txfuzz.campaign.hunt.artefacts import read_hunt, write_hole, write_hunt
from txfuzz.campaign.hunt.settings import HuntSettings, holes_of, hunting_adapters, levels_of, scope_of
from txfuzz.campaign.setup.resolve import InstalledVocabulary, adapter_of, database_url
from txfuzz.campaign.setup.settings import DEFAULT_WORKLOAD
from txfuzz.common.sentences import listed
from txfuzz.database.api import Database
from txfuzz.database.isolation_levels import capabilities_of, open_database
from txfuzz.database.scenario import HoldsScenarios, WritesBegin
from txfuzz.errors import PluginError, UsageError
from txfuzz.hunt.guidance.strategies import source_named
from txfuzz.hunt.hunt import Budget, Hunt, Quarry
from txfuzz.hunt.result import FoundHole, HuntCounts, HuntResult, ShrunkHole
from txfuzz.hunt.tables import HuntTables
from txfuzz.plugin.loader import load_plugins
from txfuzz.plugin.registry import Registry
from txfuzz.report.check.story import story_lines
from txfuzz.report.text.lines import paragraph
from txfuzz.transactions.model import Mode
from txfuzz.workload.model import DatabaseSpec
from txfuzz.workload.shipped import workload_path
from txfuzz.workload.yaml.reader import read_workload

_SAVED_EVERY = 5.0  # seconds
Progress = Callable[[HuntCounts, Sequence[FoundHole]], None]


@dataclass(frozen=True)
class HuntReport:
    """excepted: forms that were left out because the database's documentation excepts them."""

    settings: HuntSettings
    server: str
    levels: tuple[str, ...]
    result: HuntResult
    excepted: tuple[str, ...] = ()


def hunt(
    settings: HuntSettings,
    budget: Budget,
    *,
    url: str | None = None,
    output: Path | None = None,
    resume: Path | None = None,
    plugin_files: Sequence[Path] = (),
    interrupted: threading.Event | None = None,
    on_progress: Progress = lambda counts, holes: None,
) -> HuntReport:
    """resume: the directory of an earlier hunt, whose settings hold instead of these, but for the budget."""
    earlier = None
    if resume is not None:
        settings, earlier = read_hunt(resume)
        output = resume
    registry = load_plugins(files=plugin_files)
    settings = replace(settings, adapter=settings.adapter or _default_adapter(registry))
    scope, excepted = scope_of(settings, registry)
    adapter = adapter_of(DatabaseSpec(settings.adapter), registry, "hunt")
    capabilities = capabilities_of(adapter)
    levels = levels_of(settings, capabilities)
    with open_database(adapter, database_url(url, None), settings.sessions) as database:
        if not isinstance(database, HoldsScenarios):
            raise UsageError(f"the adapter {adapter.name!r} cannot run scenarios")
        facts = database.describe()
        server = " ".join(facts[name] for name in ("product", "version") if name in facts)
        saved = time.monotonic()

        def on_hole(found: ShrunkHole) -> FoundHole:
            hole = replace(found.hole, story=_story(found))
            if output is not None:
                write_hole(output, replace(found, hole=hole), adapter.name, server, _begin_of(database))
            return hole

        def progress(counts: HuntCounts, holes: Sequence[FoundHole]) -> bool:
            nonlocal saved
            on_progress(counts, holes)
            if output is not None and time.monotonic() - saved > _SAVED_EVERY:
                saved = time.monotonic()
                write_hunt(output, settings, server, hunting.result())
            return interrupted is None or not interrupted.is_set()

        quarry = Quarry(
            levels,
            capabilities.internal_errors,
            holes_of(registry, settings.adapter),
            _version(facts.get("version", "")),
        )
        serial = all(promise.serial for promise in levels.values())
        with HuntTables(database, list(capabilities.isolation)[-1]) as tables:
            hunting = Hunt(
                tables,
                quarry,
                scope,
                source_named(settings.strategy, scope, settings.seed, serial=serial),
                settings.seed,
                each=settings.interleavings,
                on_hole=on_hole,
                on_progress=progress,
                earlier=earlier,
            )
            result = hunting.run(budget)
    if output is not None:
        write_hunt(output, settings, server, result)
    return HuntReport(settings, server, tuple(levels), result, excepted)


def _story(found: ShrunkHole) -> tuple[str, ...]:
    told = (*paragraph(found.why), "") if found.why else ()
    return (*told, *story_lines(found.finding))


def _default_adapter(registry: Registry) -> str:
    """The only one that has forms, or among several the one that the default campaign runs on."""
    names = hunting_adapters(registry)
    if not names:
        raise PluginError("no forms to hunt with are installed; they come with the plugins of databases")
    if len(names) == 1:
        return names[0]
    path = workload_path(DEFAULT_WORKLOAD, None)
    name = read_workload(path, InstalledVocabulary(registry, path)).database.adapter
    if name in names:
        return str(name)
    raise UsageError(
        f"several adapters have forms to hunt with: choose one by --adapter ({listed(names, 'or')})"
    )


def _begin_of(database: Database) -> Callable[[str, Mode], tuple[str, ...]]:
    def begin(isolation: str, mode: Mode) -> tuple[str, ...]:
        if isinstance(database, WritesBegin):
            return database.begin_statements(isolation, read_only=mode.read_only, deferrable=mode.deferrable)
        return ("BEGIN",)

    return begin


def _version(text: str) -> tuple[int, ...]:
    """ "18.6 (Debian …)" → (18, 6); empty where it does not begin with numbers."""
    numbers = []
    for part in text.split(" ")[0].split("-")[0].split("."):
        if not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)
