"""What a worker's process and the coordinator's say to each other, each message pickled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from txfuzz import errors
from txfuzz.errors import DatabaseUnavailable, TxfuzzError


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
    """From a worker, which ends by that. kind: the name of one of txfuzz's errors, empty for any other."""

    kind: str
    sentence: str

    @classmethod
    def by(cls, error: BaseException) -> Failed:
        if isinstance(error, TxfuzzError):
            return cls(type(error).__name__, str(error))
        return cls("", f"{type(error).__name__}: {error}")

    def error(self) -> TxfuzzError:
        kind: type[TxfuzzError] = getattr(errors, self.kind, DatabaseUnavailable)
        return kind(self.sentence)


@dataclass(frozen=True, slots=True)
class Gone:
    """Of a worker, by whoever listens: nothing more will come."""


Message = Opened | News | Ended | Failed | Gone
