"""A job that does nothing, for workers that import it: what is measured is all that is around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from txfuzz.campaign.workers.independent import Part


@dataclass(frozen=True)
class IdleJob:
    """A Job of numbers → the same numbers."""

    @contextmanager
    def opened(self) -> Iterator[IdleJob]:
        yield self

    def run(self, asked: Part[int], tell: Callable[[int], bool]) -> None:
        tell(asked.what)
