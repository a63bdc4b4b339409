"""What a worker's process and the coordinator's say to each other, each message pickled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from txfuzz.errors import DatabaseUnavailable, PluginError, TxfuzzError, UsageError


@dataclass(frozen=True, slots=True)
class Take:
    """To a worker: a slice."""

    asked: Any


@dataclass(frozen=True, slots=True)
class Stop:
    """To a worker: end the slice as soon as you can, and then yourself."""


@dataclass(frozen=True, slots=True)
class Opened:
    """From a worker: it has what it needs."""


@dataclass(frozen=True, slots=True)
class News:
    """From a worker, of the slice that it was given last."""

    told: Any


@dataclass(frozen=True, slots=True)
class Ended:
    """From a worker: the slice is done."""


@dataclass(frozen=True, slots=True)
class Failed:
    """From a worker, which ends by that. usage: what was asked for cannot be done, by no worker. told: the
    sentence is that of an error of ours. plugin: and a plugin is to blame."""

    sentence: str
    usage: bool = False
    told: bool = False
    plugin: bool = False

    @classmethod
    def by(cls, error: BaseException) -> Failed:
        if isinstance(error, TxfuzzError):
            return cls(str(error), isinstance(error, UsageError), True, isinstance(error, PluginError))
        lines = str(error).splitlines() or [""]
        return cls(f"{type(error).__name__}: {lines[0]}")

    def error(self) -> TxfuzzError:
        if self.plugin:
            return PluginError(self.sentence)
        return UsageError(self.sentence) if self.usage else DatabaseUnavailable(self.sentence)


@dataclass(frozen=True, slots=True)
class Gone:
    """Of a worker, by whoever listens: nothing more will come."""


Message = Opened | News | Ended | Failed | Gone
