"""What a new plugin may be called, and the words that follow from it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from txfuzz.errors import UsageError

PREFIX = "txfuzz-"
_LONGEST = 40
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Names:
    """plugin: what workloads say. distribution: what pip says. module, cls: what Python says."""

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
    """The names that follow from that of a plugin.

    Raises UsageError, with a name that would do, for one that is not lower-case words with hyphens.
    """
    if _NAME.fullmatch(plugin) and not plugin.startswith(PREFIX) and len(plugin) <= _LONGEST:
        return Names(plugin)
    raise UsageError(f"{plugin!r} cannot name a plugin: {_complaint(plugin)}")


def _complaint(plugin: str) -> str:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", plugin).lower()
    words = re.findall(r"[a-z0-9]+", spaced)
    if words[:1] == ["txfuzz"]:
        words = words[1:]
    near = re.sub(r"^[0-9-]+", "", "-".join(words))
    if len(near) > _LONGEST:
        return f"at most {_LONGEST} characters, please"
    if near:
        return f"did you mean {near!r}? (the distribution will be {PREFIX}{near})"
    return "expected lower-case letters, digits and hyphens, as in 'calmer-clients'"
