"""Everything that plugins have registered, by kind and name, with its origin."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, is_dataclass
from typing import Any

from txfuzz.common.sanitize import one_line
from txfuzz.errors import PluginError, did_you_mean

FILE = "file"  # the version of plugin files, whose distribution is the path


@dataclass(frozen=True, order=True)
class Plugin:
    """One entry point of one distribution, or one file."""

    distribution: str
    name: str
    version: str
    module: str

    @property
    def is_file(self) -> bool:
        return self.version == FILE

    def __str__(self) -> str:
        if self.is_file:
            return f"file {self.distribution}"
        return f"{self.name!r} of {self.distribution} {self.version}"


@dataclass(frozen=True)
class Problem:
    """Why a plugin, or one thing it registers, cannot be used."""

    plugin: Plugin
    reason: str

    def __str__(self) -> str:
        return f"plugin {self.plugin}: {self.reason}"


@dataclass(frozen=True)
class PluginKind:
    """One kind of thing that plugins register.

    methods: required methods. words: required class attributes that are text. data: where the
    type of it is, where it is a value and no class; a name, as types would delay commands without plugins.
    check: where the function is that raises PluginError for a wrong value, likewise.
    """

    name: str
    hook: str
    methods: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    data: str = ""
    check: str = ""

    @property
    def type_name(self) -> str:
        """Of data, as plugin authors import it."""
        return self.data.rpartition(".")[2]


KINDS = {
    kind.name: kind
    for kind in (
        PluginKind("adapter", "txfuzz_register_adapters", ("capabilities", "open")),
        PluginKind(
            "template",
            "txfuzz_register_templates",
            data="txfuzz.workload.template.Template",
            check="txfuzz.workload.template.check_template",
        ),
        PluginKind("analyzer", "txfuzz_register_analyzers", ("analyze",)),
        PluginKind("heuristic", "txfuzz_register_heuristics", ("propose",)),
        PluginKind("mutator", "txfuzz_register_mutators", ("propose",), ("kind",)),
        PluginKind("strategy", "txfuzz_register_strategies", ("propose",)),
        PluginKind("fault", "txfuzz_register_faults", ("inject", "heal", "cautions"), ("needs",)),
        PluginKind("form", "txfuzz_register_forms", data="txfuzz.hunt.form.Form"),
        PluginKind("layout", "txfuzz_register_layouts", data="txfuzz.hunt.layout.Layout"),
        PluginKind("known hole", "txfuzz_register_known_holes", data="txfuzz.hunt.judging.known.KnownHole"),
    )
}


@dataclass(frozen=True)
class RegistryEntry:
    """One named thing. value: a class, or a Template."""

    kind: str
    name: str
    about: str
    value: Any
    plugin: Plugin


def listed_by(kind: PluginKind, returned: Any) -> list[Any]:
    """What a hook returned, as a list; PluginError if it is none."""
    if isinstance(returned, Iterable) and not isinstance(returned, str | bytes | type | Mapping):
        return list(returned)
    what = f"the class {returned.__name__}" if isinstance(returned, type) else repr(returned)
    values = f"{kind.type_name} values of txfuzz.plugin_api" if kind.data else "classes"
    raise PluginError(f"{kind.hook} returned {one_line(what)[:200]}, expected a list of {values}")


def entry_of(kind: PluginKind, value: Any, plugin: Plugin) -> RegistryEntry:
    """The entry for what a plugin registered; PluginError if it is invalid."""
    what = getattr(value, "__name__", None) or repr(value)
    if kind.data:
        if not isinstance(value, pkgutil.resolve_name(kind.data)):
            raise PluginError(
                f"{kind.hook} returned {what}, expected a {kind.type_name} of txfuzz.plugin_api"
            )
        if kind.check:
            pkgutil.resolve_name(kind.check)(value)
        return RegistryEntry(kind.name, _full_name(value), _about(value), value, plugin)
    if not inspect.isclass(value):
        raise PluginError(f"{kind.hook} returned {what}, expected a class")
    name = getattr(value, "name", None)
    if not isinstance(name, str) or not name:
        raise PluginError(f"{kind.name} class {what} has no `name`")
    missing = [method for method in kind.methods if not callable(getattr(value, method, None))]
    if missing:
        raise PluginError(f"{kind.name} {name!r} has no method {missing[0]}()")
    for word in kind.words:
        if not isinstance(getattr(value, word, None), str):
            raise PluginError(f"{kind.name} {name!r} has no `{word}`")
    if not is_dataclass(value):
        raise PluginError(f"{kind.name} {name!r} is not a dataclass, whose fields would be its options")
    return RegistryEntry(kind.name, name, _about(value), value, plugin)


def _about(value: Any) -> str:
    about = getattr(value, "about", "")
    return about if isinstance(about, str) else ""


def _full_name(value: Any) -> str:
    """Of data; what belongs to one adapter may be named as what belongs to another."""
    adapter = getattr(value, "adapter", "")
    return f"{adapter}/{value.name}" if adapter else str(value.name)


@dataclass(frozen=True)
class Registry:
    """Everything registered by installed plugins and plugin files.

    entries: (kind, name) → all that claim the name, usually one. files: name → source as loaded.
    """

    plugins: tuple[Plugin, ...] = ()
    problems: tuple[Problem, ...] = ()
    entries: Mapping[tuple[str, str], tuple[RegistryEntry, ...]] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)

    def entry(self, kind: str, name: str) -> RegistryEntry:
        """The thing of this kind and name; PluginError if there is none, or several."""
        found = self.entries.get((kind, name), ())
        if len(found) > 1:
            raise PluginError(f"{kind} {name!r} is claimed by {_and(entry.plugin for entry in found)}")
        if found:
            return found[0]
        broken = "".join(f"; {problem}" for problem in self.problems)
        known = [known for of_kind, known in self.entries if of_kind == kind]
        raise PluginError(f"no {kind} {name!r} is installed: {did_you_mean(name, known)}{broken}")

    def find(self, kind: str, name: str) -> Any:
        return self.entry(kind, name).value

    def all(self, kind: str) -> tuple[RegistryEntry, ...]:
        """Everything of a kind claimed by exactly one plugin, sorted by name."""
        return tuple(
            found[0]
            for (of_kind, _), found in sorted(self.entries.items())
            if of_kind == kind and len(found) == 1
        )

    def clashes(self, *, of_files: bool = False) -> tuple[str, ...]:
        """A sentence for every name claimed by several plugins; of_files: only those that a file claims."""
        return tuple(
            f"{kind} {name!r} is claimed by {_and(entry.plugin for entry in found)}: none of them is used"
            for (kind, name), found in sorted(self.entries.items())
            if len(found) > 1 and (not of_files or any(entry.plugin.is_file for entry in found))
        )


def _and(plugins: Any) -> str:
    return " and by ".join(f"plugin {plugin}" for plugin in plugins)
