"""Errors that name the plugin at fault, with its distribution and version.

A plugin's error, or a defect in what it returns, may surface far from where it was loaded; the module
identifies the plugin.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from txfuzz.common.sanitize import one_line
from txfuzz.errors import PluginError, TxfuzzError
from txfuzz.plugin.file_plugin import MODULE_PREFIX
from txfuzz.plugin.loader import installed
from txfuzz.plugin.places import CORE, frames, place_in
from txfuzz.plugin.registry import FILE, Plugin


def origin_of(thing: object) -> Plugin | None:
    """The plugin that defines this class or object; None for the core's own and for anything else."""
    thing = getattr(thing, "guarded", thing)
    return _plugin_of_module((thing if isinstance(thing, type) else type(thing)).__module__)


def named(error: BaseException) -> PluginError | None:
    """The error as one that names the plugin; None if no plugin is to blame or it is already named."""
    if isinstance(error, PluginError):
        plugin = None if error.culprit is None else origin_of(error.culprit)
        if plugin is None:
            return None
        where = "" if error.__cause__ is None else place_in(plugin, error.__cause__)
        return _caused(f"{error} (plugin {plugin}{where and f', {where}'})", error)
    if isinstance(error, TxfuzzError | KeyboardInterrupt):
        return None
    for frame, line in frames(error):
        plugin = _plugin_of_module(str(frame.f_globals.get("__name__", "")))
        if plugin is not None:
            told = one_line(str(error))
            where = f"{Path(frame.f_code.co_filename).name} line {line}"
            return _caused(f"plugin {plugin} failed: {type(error).__name__}: {told} ({where})", error)
    return None


@contextmanager
def naming_plugins() -> Iterator[None]:
    """Turn errors caused by a plugin into a PluginError that names it."""
    try:
        yield
    except BaseException as error:  # native extensions, pytest and asyncio raise some
        told = named(error)
        if told is None:
            raise
        raise told from error


def _caused(message: str, error: BaseException) -> PluginError:
    told = PluginError(message)
    told.__cause__ = error
    return told


def _plugin_of_module(name: str) -> Plugin | None:
    if name.startswith(MODULE_PREFIX):
        path = Path(str(getattr(sys.modules.get(name), "__file__", name)))
        return Plugin(str(path), path.stem, FILE, str(path))
    package = name.partition(".")[0]
    if package == CORE:
        return None
    for plugin, _ in installed():
        if plugin.module.partition(":")[0].partition(".")[0] == package:
            return plugin
    return None
