"""Finding and loading plugins, one by one, so that a broken one does not affect the others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, requires
from pathlib import Path
from typing import Any

import pluggy

from txfuzz.common.sanitize import one_line
from txfuzz.errors import PluginError, did_you_mean
from txfuzz.plugin import hookspecs
from txfuzz.plugin.bounded_call import PLUGIN_SECONDS, Failed, Late, call_within
from txfuzz.plugin.file_plugin import PluginFile, read_plugin_files
from txfuzz.plugin.hookspecs import GROUP, VERSION_ATTRIBUTE, check_api_version
from txfuzz.plugin.places import place_in, show_traceback
from txfuzz.plugin.registry import KINDS, Plugin, Problem, Registry, RegistryEntry, entry_of, listed_by

_UNKNOWN_HOOK = re.compile(r"unknown hook '(\w+)'")  # in what pluggy says
_NAME = re.compile(r"[\w.-]+")  # at the beginning of a requirement


def load_plugins(
    *, strict: bool = False, files: Sequence[Path] = (), seconds: float = PLUGIN_SECONDS
) -> Registry:
    """Everything registered by installed plugins, then by the files.

    Raises PluginError for a file that cannot be used, since it was asked for by name.
    strict: also for the first installed plugin that is broken or clashes. seconds: time limit of
    importing a plugin and of each hook; they run in a separate thread.
    """
    named = read_plugin_files(files)
    loading = _Loading([*installed(), *((each.plugin, each) for each in named)], seconds)
    registry = loading.registry({each.path.name: each.source for each in named})
    problems = [str(each) for each in registry.problems if strict or each.plugin.is_file]
    problems += registry.clashes(of_files=not strict)
    for each in named:
        if not any(entry.plugin == each.plugin for found in registry.entries.values() for entry in found):
            problems.append(
                f"plugin {each.plugin}: registers nothing; a hook is a function txfuzz_register_… "
                "that is marked with @hookimpl and returns a list"
            )
    if problems:
        raise PluginError(problems[0])
    return registry


def installed() -> list[tuple[Plugin, EntryPoint]]:
    """All installed plugins in loading order: by distribution, then by name."""
    found = {}
    for point in entry_points(group=GROUP):
        distribution = point.dist.name if point.dist else "an unknown distribution"
        version = point.dist.version if point.dist else "?"
        found[Plugin(distribution, point.name, version, point.value)] = point
    return sorted(found.items(), key=lambda item: item[0])


def own_distributions() -> frozenset[str]:
    """txfuzz, and those that it names as its extras; empty where it is not installed, as in a bare clone."""
    try:
        required = requires("txfuzz") or []
    except PackageNotFoundError:
        return frozenset()
    return frozenset({"txfuzz", *(found[0] for each in required if (found := _NAME.match(each)))})


def add_commands(cli: Any) -> tuple[Problem, ...]:
    """Let every plugin add its commands to a click group; the problems of those that failed.

    Plugins that cannot be imported are reported by load_plugins() instead."""
    problems = []
    manager = _manager()
    for plugin, point in installed():
        try:
            module = _imported(plugin, point, PLUGIN_SECONDS)
            manager.register(module, str(plugin))
        except (Late, Failed, PluginError, ValueError):
            continue
        hook = "txfuzz_register_commands"
        add = partial(_alone(manager, hook, str(plugin)), cli=cli)
        try:
            call_within(PLUGIN_SECONDS, f"{hook} of {plugin}", add)
        except (Late, Failed) as error:
            problems.append(Problem(plugin, _reason(hook, error, plugin)))
    return tuple(problems)


class _Loading:
    """seconds: time limit of importing a plugin and of each hook."""

    def __init__(self, points: Iterable[tuple[Plugin, EntryPoint | PluginFile]], seconds: float) -> None:
        self.seconds = seconds
        self.manager = _manager()
        self.problems: list[Problem] = []
        self.entries: dict[tuple[str, str], list[RegistryEntry]] = {}
        self.plugins = [plugin for plugin, point in points if self.load(plugin, point)]

    def load(self, plugin: Plugin, point: EntryPoint | PluginFile) -> bool:
        """Import one plugin and collect what it registers; False if it could not be imported."""
        try:
            module = _imported(plugin, point, self.seconds)
        except (Late, Failed) as error:
            what = "it" if plugin.is_file else point.value
            self.problems.append(Problem(plugin, _reason(f"importing {what}", error, plugin)))
            return False
        except PluginError as error:
            self.problems.append(Problem(plugin, str(error)))
            return False
        try:
            self.manager.register(module, str(plugin))
            self.manager.check_pending()
        except (pluggy.PluginValidationError, ValueError) as error:
            if self.manager.has_plugin(str(plugin)):
                self.manager.unregister(name=str(plugin))
            self.problems.append(Problem(plugin, _hook_problem(error)))
            return False
        for kind in KINDS.values():
            self.take(kind.name, plugin)
        return True

    def take(self, kind_name: str, plugin: Plugin) -> None:
        kind = KINDS[kind_name]
        hook = _alone(self.manager, kind.hook, str(plugin))
        try:
            values = call_within(
                self.seconds,
                f"{kind.hook} of {plugin}",
                lambda: [value for returned in hook() for value in listed_by(kind, returned)],
            )
        except (Late, Failed) as error:
            self.problems.append(Problem(plugin, _reason(kind.hook, error, plugin)))
            return
        for value in values:
            try:
                entry = entry_of(kind, value, plugin)
                self.entries.setdefault((kind_name, entry.name), []).append(entry)
            except PluginError as error:
                self.problems.append(Problem(plugin, str(error)))

    def registry(self, files: Mapping[str, bytes]) -> Registry:
        return Registry(
            tuple(self.plugins),
            tuple(self.problems),
            {key: tuple(entries) for key, entries in self.entries.items()},
            files,
        )


def _imported(plugin: Plugin, point: EntryPoint | PluginFile, seconds: float) -> object:
    """The plugin's module. Raises Late, Failed, or PluginError for an incompatible API version."""

    def load() -> tuple[object, object]:
        module = point.load()
        return module, getattr(module, VERSION_ATTRIBUTE, None)

    module, asked = call_within(seconds, f"importing {plugin}", load)
    check_api_version(asked)
    return module


def _manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    return manager


def _alone(manager: pluggy.PluginManager, hook: str, plugin: str) -> pluggy.HookCaller:
    """The hook as implemented by this plugin only."""
    others = [other for name, other in manager.list_name_plugin() if name != plugin and other is not None]
    return manager.subset_hook_caller(hook, others)


def _reason(doing: str, ended: Late | Failed, plugin: Plugin) -> str:
    if isinstance(ended, Late):
        return f"{doing} did not finish within {ended.seconds:g} s"
    error = ended.error
    if isinstance(error, PluginError):
        return str(error)
    show_traceback(error)
    where = place_in(plugin, error)
    return f"{doing} failed: {type(error).__name__}: {_sentence(error)}{where and f' ({where})'}"


def _hook_problem(error: Exception) -> str:
    """What is wrong with the hooks of a plugin, without the name of its module, which is told before."""
    found = _UNKNOWN_HOOK.search(str(error))
    if found is None:
        return _sentence(error)
    known = [*(kind.hook for kind in KINDS.values()), "txfuzz_register_commands"]
    return f"unknown hook {found[1]!r}: {did_you_mean(found[1], known)}"


def _sentence(error: BaseException) -> str:
    return one_line(str(error))[:400]
