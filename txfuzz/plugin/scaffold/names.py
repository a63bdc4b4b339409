"""Valid names for a new plugin, and the names derived from it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from txfuzz.errors import UsageError

PREFIX = "txfuzz-"
_LONGEST = 40
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Names:
    """plugin: the name in workloads. distribution: for pip. module, cls: in Python."""

    plugin: str

    @property
    def distribution(self) -> str:
        return PREFIX + self.plugin

    @property
    def module(self) -> str:
        return self.distribution.replace("-", "_")

    @property
    def cls(self) -> str:
        return "".join(part.capitalize() for part in self.plugin.split("-"))


def names_of(plugin: str) -> Names:
    """The names derived from that of a plugin.

    Raises UsageError, with a suggestion, unless it is lower-case words with hyphens.
    """
    if _NAME.fullmatch(plugin) and not plugin.startswith(PREFIX) and len(plugin) <= _LONGEST:
        return Names(plugin)
    raise UsageError(f"{plugin!r} is not a valid plugin name: {_complaint(plugin)}")


def _complaint(plugin: str) -> str:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", plugin).lower()
    words = re.findall(r"[a-z0-9]+", spaced)
    if words[:1] == ["txfuzz"]:
        words = words[1:]
    near = re.sub(r"^[0-9-]+", "", "-".join(words))
    if len(near) > _LONGEST:
        return f"use at most {_LONGEST} characters"
    if near:
        return f"did you mean {near!r}? (the distribution will be {PREFIX}{near})"
    return "expected lower-case letters, digits and hyphens, as in 'calmer-clients'"
