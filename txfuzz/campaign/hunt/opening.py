"""Opens the database of a hunt, with what is hunted for there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from txfuzz.campaign.hunt.settings import HuntSettings, holes_of, hunting_adapters, levels_of, scope_of
from txfuzz.campaign.setup.adapter_choice import chosen_database
from txfuzz.campaign.setup.resolve import InstalledVocabulary, adapter_of, database_url
from txfuzz.campaign.setup.settings import DEFAULT_WORKLOAD
from txfuzz.check.finding.script import Begin
from txfuzz.common.sentences import listed
from txfuzz.database.api import Adapter, Database
from txfuzz.database.isolation_levels import capabilities_of, open_database
from txfuzz.database.scenario import WritesBegin
from txfuzz.errors import PluginError, UsageError
from txfuzz.hunt.finding.server import HuntedServer
from txfuzz.hunt.judging.quarry import Quarry
from txfuzz.hunt.judging.wrong import Promise
from txfuzz.hunt.scope import Scope
from txfuzz.hunt.tables import MOST_OPEN, HuntTables
from txfuzz.plugin.loader import load_plugins
from txfuzz.plugin.registry import Registry
from txfuzz.transactions.model import Mode
from txfuzz.workload.model import DatabaseSpec
from txfuzz.workload.shipped import workload_path
from txfuzz.workload.yaml.reader import read_workload


@dataclass(frozen=True)
class Ground:
    """Where a hunt is, without a database. settings: with the adapter that was chosen. excepted: forms that
    are left out because the database's documentation excepts them. levels: see Quarry."""

    settings: HuntSettings
    registry: Registry
    adapter: Adapter
    scope: Scope
    excepted: tuple[str, ...]
    levels: Mapping[str, Promise]


@dataclass(frozen=True)
class OpenedHunt:
    """As Ground. server: product and version. begin: what begins a transaction, to be typed.
    held: the server."""

    settings: HuntSettings
    scope: Scope
    excepted: tuple[str, ...]
    server: str
    quarry: Quarry
    tables: HuntTables
    begin: Begin
    held: HuntedServer


def hunting_ground(settings: HuntSettings, plugin_files: Sequence[Path], url: str | None = None) -> Ground:
    """url: `--database-url`. UsageError where there is nothing to hunt with."""
    registry = load_plugins(files=plugin_files)
    chosen = chosen_database(registry, settings.adapter or None, url).adapter
    settings = replace(settings, adapter=chosen or _default_adapter(registry))
    scope, excepted = scope_of(settings, registry)
    adapter = adapter_of(DatabaseSpec(settings.adapter, options=settings.options), registry, "hunt")
    levels = levels_of(settings, capabilities_of(adapter))
    return Ground(settings, registry, adapter, scope, excepted, levels)


@contextmanager
def opened_hunt(
    settings: HuntSettings, url: str | None, plugin_files: Sequence[Path]
) -> Iterator[OpenedHunt]:
    ground = hunting_ground(settings, plugin_files, url)
    adapter, settings = ground.adapter, ground.settings
    capabilities = capabilities_of(adapter)
    where = database_url(url, None)
    most = MOST_OPEN * (settings.sessions + 1)
    with HuntedServer(lambda: open_database(adapter, where, most), adapter.name) as held:
        database, scenarios = held.database, held.scenarios
        facts = database.describe()
        quarry = Quarry(
            ground.levels,
            capabilities.internal_errors,
            holes_of(ground.registry, settings.adapter),
            _version(facts.get("version", "")),
        )
        with HuntTables(scenarios, list(capabilities.isolation)[-1], held.revive) as tables:
            server = " ".join(facts[name] for name in ("product", "version") if name in facts)
            begin = _begin_of(database)
            scope, excepted = ground.scope, ground.excepted
            yield OpenedHunt(settings, scope, excepted, server, quarry, tables, begin, held)


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
