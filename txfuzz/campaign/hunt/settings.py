"""What a hunt is asked for, and which forms, layouts and levels that comes to."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import product
from pathlib import Path
from typing import Any

from txfuzz.analysis.checker.consistency import prohibited
from txfuzz.common.durations import seconds_in
from txfuzz.common.sentences import listed
from txfuzz.database.api import Capabilities
from txfuzz.database.isolation_levels import level_named
from txfuzz.errors import UsageError, did_you_mean
from txfuzz.hunt.form import Form, RowState
from txfuzz.hunt.hunt import Budget
from txfuzz.hunt.judging.known import KnownHole
from txfuzz.hunt.judging.wrong import Promise, Wrong
from txfuzz.hunt.layout import Layout
from txfuzz.hunt.scope import Scope
from txfuzz.plugin.registry import Registry

_EACH = {"random": 2, "systematic": 40, "guided": 2}  # interleavings of a program
PROMISED = ("serializable", "strict-serializable")
# How the checker of histories calls what a level may forbid; one of them is enough
_CALLED: Mapping[Wrong, tuple[str, ...]] = {
    Wrong.DIRTY_WRITE: ("G0",),
    Wrong.DIRTY_READ: ("G1a",),
    Wrong.INTERMEDIATE_READ: ("G1b",),
    Wrong.CIRCULAR_INFORMATION: ("G1c",),
    Wrong.HALF_SEEN: ("fractured-read", "G-single-item"),
    Wrong.LOST_UPDATE: ("lost-update",),
    Wrong.READ_SKEW: ("G-single-item",),
    Wrong.PHANTOM_SKEW: ("G-single",),
    Wrong.WRITE_SKEW: ("G2-item",),
}


@dataclass(frozen=True)
class HuntSettings:
    """forms, layouts: by name, empty for all. isolation: levels, empty for those that promise that a serial
    order explains every outcome. each: interleavings of a program; None: by the strategy. options: of the
    adapter."""

    adapter: str
    strategy: str = "random"
    sessions: int = 2
    statements: int = 2
    keys: int = 2
    forms: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    layouts: tuple[str, ...] = ()
    isolation: tuple[str, ...] = ()
    seed: int = 0
    each: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def interleavings(self) -> int:
        return self.each or _EACH[self.strategy]

    def command(
        self, *more: str, schedules: int | None = None, url: bool = False, plugin_files: Sequence[Path] = ()
    ) -> str:
        """The command line of such a hunt, without what it would be anyhow. more: options of its own.
        schedules: how many it has to run. url: whether its server was given by URL, which can hold a password
        and is only named. Options of the adapter, which a command line cannot give, follow as a comment."""
        words = ["txfuzz", "hunt", "--adapter", self.adapter]
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name in ("adapter", "options", "seed") or value == each.default:
                continue
            if each.name == "isolation":
                words += [word for level in value for word in ("--isolation", level)]
            else:
                words += [f"--{each.name}", ",".join(value) if isinstance(value, tuple) else str(value)]
        words += ["--seed", str(self.seed), *more]
        words += [] if schedules is None else ["--budget", str(schedules)]
        words += [word for path in plugin_files for word in ("--plugin-file", str(path))]
        words += ["--database-url", "URL"] if url else []
        told = json.dumps(dict(self.options), default=str)
        return shlex.join(words) + (f"  # with these options of the adapter: {told}" if self.options else "")

    def to_json(self) -> dict[str, Any]:
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in vars(self).items()
            if name != "options" or value
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> HuntSettings:
        given: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
        }
        return cls(**given)


def budget_named(text: str) -> Budget:
    """ "90s", "10m", "2h", or a number of schedules."""
    plain = text.strip().lower()
    if plain.isascii() and plain.isdigit() and int(plain) > 0:
        return Budget(schedules=int(plain))
    if seconds := seconds_in(plain):
        return Budget(seconds=seconds)
    raise UsageError(
        f"--budget is {text!r}, expected a duration such as 10m (s, m or h) or a number of schedules"
    )


def scope_of(settings: HuntSettings, registry: Registry) -> tuple[Scope, tuple[str, ...]]:
    """The scope, and the forms that are left out because the database's documentation excepts them."""
    adapters = hunting_adapters(registry)
    if settings.adapter not in adapters:
        raise UsageError(f"no forms for {settings.adapter!r}: {did_you_mean(settings.adapter, adapters)}")
    forms = forms_of(registry, settings.adapter)
    layouts = layouts_of(registry, settings.adapter)
    if not layouts:
        raise UsageError(f"the adapter {settings.adapter!r} has no layouts to hunt with")
    _check(settings.forms, forms, "form")
    _check(settings.exclude, forms, "form")
    _check(settings.layouts, layouts, "layout")
    excepted = {
        name for hole in holes_of(registry, settings.adapter) if hole.documented for name in hole.forms
    }
    left_out = tuple(sorted(name for name in forms if name in excepted and not settings.forms))
    named = tuple(
        form
        for name, form in forms.items()
        if (name in settings.forms or not settings.forms) and name not in (*settings.exclude, *left_out)
    )
    chosen = tuple(form for form in named if form.keys <= settings.keys)
    if not named:
        raise UsageError("no form is left to hunt with: --exclude names them all")
    if not chosen:
        raise UsageError("no form is left to hunt with: each of them is about two keys, and --keys is 1")
    if not any(map(_writes, chosen)):
        raise UsageError(
            f"no form that is left writes ({listed([form.name for form in chosen])}): transactions that only "
            "read cannot conflict"
        )
    used = tuple(
        layout
        for name, layout in layouts.items()
        if name in settings.layouts or (not settings.layouts and any(map(layout.allows, chosen)))
    )
    if not used:
        raise UsageError("no layout allows any of the forms")
    return Scope(chosen, used, settings.sessions, settings.statements, settings.keys), left_out


def _writes(form: Form) -> bool:
    states = product(RowState, repeat=form.keys)
    return any(change.writes for each in states for change in form.changes(each))


def promise_of(model: str) -> Promise:
    """Of a level whose adapter says that it keeps to this model."""
    if model in PROMISED:
        return Promise(True, model=model)
    forbidden = prohibited(model)
    found = frozenset(wrong for wrong, names in _CALLED.items() if forbidden & set(names))
    return Promise(False, found, model)


def levels_of(settings: HuntSettings, capabilities: Capabilities) -> dict[str, Promise]:
    """Each level that is run → what it promises."""
    promised = {level: promise_of(model) for level, model in capabilities.isolation.items()}
    if not settings.isolation:
        found = {level: promise for level, promise in promised.items() if promise.serial}
        if not found:
            raise UsageError(
                f"no level of {settings.adapter} promises to be serializable: name some by --isolation "
                f"({listed(list(promised), 'or')})"
            )
        return found
    named = {level_named(capabilities, word) for word in settings.isolation}
    return {level: promise for level, promise in promised.items() if level in named}


def forms_of(registry: Registry, adapter: str) -> dict[str, Form]:
    return {entry.value.name: entry.value for entry in registry.all("form") if entry.value.adapter == adapter}


def layouts_of(registry: Registry, adapter: str) -> dict[str, Layout]:
    return {
        entry.value.name: entry.value for entry in registry.all("layout") if entry.value.adapter == adapter
    }


def holes_of(registry: Registry, adapter: str) -> tuple[KnownHole, ...]:
    return tuple(entry.value for entry in registry.all("known hole") if entry.value.adapter == adapter)


def hunting_adapters(registry: Registry) -> tuple[str, ...]:
    """The adapters that have forms."""
    return tuple(sorted({entry.value.adapter for entry in registry.all("form")}))


def _check(names: Sequence[str], known: Mapping[str, object], what: str) -> None:
    for name in names:
        if name not in known:
            raise UsageError(f"no {what} {name!r}: {did_you_mean(name, known)}")
