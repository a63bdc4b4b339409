"""The hooks by which plugins register things. Hooks discover, objects behave, config chooses.

Every hook is called once, when a command that needs plugins starts, and collects the results
of all plugins. The classes are frozen dataclasses whose fields are their options
(txfuzz.common.options); `name` and `about` are class attributes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pluggy

from txfuzz.errors import PluginError

if TYPE_CHECKING:
    from txfuzz.hunt.form import Form
    from txfuzz.hunt.judging.known import KnownHole
    from txfuzz.hunt.layout import Layout
    from txfuzz.workload.template import Template

GROUP = "txfuzz"  # the entry-point group and pluggy's project name
# Of txfuzz.plugin_api and txfuzz.testing: major, minor; see docs/plugins/writing-a-plugin.md.
API_VERSION = (1, 0)
VERSION_ATTRIBUTE = "txfuzz_api_version"  # in a plugin's module: the version it was written for

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@hookspec
def txfuzz_register_adapters() -> Iterable[type]:  # type: ignore[empty-body]
    """Database adapters: classes that satisfy txfuzz.Adapter."""


@hookspec
def txfuzz_register_templates() -> Iterable[Template]:  # type: ignore[empty-body]
    """Transaction templates: Template values."""


@hookspec
def txfuzz_register_analyzers() -> Iterable[type]:  # type: ignore[empty-body]
    """Analyzers, which judge histories: classes that satisfy txfuzz.Analyzer."""


@hookspec
def txfuzz_register_heuristics() -> Iterable[type]:  # type: ignore[empty-body]
    """Heuristics, which turn feedback into the next workload: classes that satisfy txfuzz.Heuristic."""


@hookspec
def txfuzz_register_mutators() -> Iterable[type]:  # type: ignore[empty-body]
    """Mutators, which propose one change to a workload at a time: classes that satisfy txfuzz.Mutator."""


@hookspec
def txfuzz_register_strategies() -> Iterable[type]:  # type: ignore[empty-body]
    """Strategies, which decide how a campaign searches: classes that satisfy txfuzz.Strategy."""


@hookspec
def txfuzz_register_faults() -> Iterable[type]:  # type: ignore[empty-body]
    """Faults in a server or its connections: classes that satisfy txfuzz.Fault."""


@hookspec
def txfuzz_register_forms() -> Iterable[Form]:  # type: ignore[empty-body]
    """Forms, the ways to write a statement that `txfuzz hunt` combines: Form values."""


@hookspec
def txfuzz_register_layouts() -> Iterable[Layout]:  # type: ignore[empty-body]
    """Layouts, the ways to make the tables of `txfuzz hunt`: Layout values."""


@hookspec
def txfuzz_register_known_holes() -> Iterable[KnownHole]:  # type: ignore[empty-body]
    """Holes of a database that are known, so that finding them is no news: KnownHole values."""


@hookspec
def txfuzz_register_commands(cli: Any) -> None:
    """Add commands to the command line. cli: the click group of `txfuzz`."""


def check_api_version(asked: object) -> None:
    """PluginError if a plugin was written for an incompatible version of the API.

    asked: as declared by its module: a major version, a pair of major and minor version, or None, which
    is always accepted.
    """
    if asked is None:
        return
    pair = asked if isinstance(asked, tuple) else (asked, 0)
    if len(pair) != 2 or not all(type(number) is int for number in pair):
        raise PluginError(
            f"{VERSION_ATTRIBUTE} is {asked!r}, expected a number or a pair of numbers, such as {API_VERSION}"
        )
    if pair[0] != API_VERSION[0] or pair[1] > API_VERSION[1]:
        here = ".".join(map(str, API_VERSION))
        raise PluginError(
            f"it was written for version {pair[0]}.{pair[1]} of the plugin API, but this txfuzz has {here}"
        )
