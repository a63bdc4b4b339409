"""What a plugin can hand over. Hooks discover, objects behave, config chooses.

Every hook is called once, when a command that needs plugins starts, and collects the answers
of all plugins. The classes are frozen dataclasses whose fields are their options
(txfuzz.common.options); `name` and `about` are class attributes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from txfuzz.plugin.markers import hookspec

if TYPE_CHECKING:
    from txfuzz.workload.template import Template


@hookspec
def txfuzz_register_adapters() -> Iterable[type]:  # type: ignore[empty-body]
    """Ways to reach a database: classes that satisfy txfuzz.Adapter."""


@hookspec
def txfuzz_register_templates() -> Iterable[Template]:  # type: ignore[empty-body]
    """Transaction templates: txfuzz.Template values. Data, so they can be printed and changed."""


@hookspec
def txfuzz_register_analyzers() -> Iterable[type]:  # type: ignore[empty-body]
    """Judges of a history: classes that satisfy txfuzz.Analyzer."""


@hookspec
def txfuzz_register_heuristics() -> Iterable[type]:  # type: ignore[empty-body]
    """What turns feedback into the next workload: classes that satisfy txfuzz.Heuristic."""


@hookspec
def txfuzz_register_faults() -> Iterable[type]:  # type: ignore[empty-body]
    """What can be done to a server or to its connections: classes that satisfy txfuzz.Fault."""


@hookspec
def txfuzz_register_commands(cli: Any) -> None:
    """Add commands to the command line. cli: the click group of `txfuzz`."""
