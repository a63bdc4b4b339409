"""How far work has come that may take long, told to whoever watches; as a rule nobody does.

Each step of it has a share of the time, measured once; the time of the steps that are done says how fast this
machine is, and so how long the others take.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

Watcher = Callable[[str, float], None]

_MOST = 0.95  # of a step that has not ended, where it does not say itself how far it is
_LEAST = 0.02  # of the work, before it is said how long the rest takes

_watcher: ContextVar[Watcher | None] = ContextVar("watcher", default=None)


@contextmanager
def watched_by(watcher: Watcher) -> Iterator[None]:
    """Within it, this is told the name of each step when that begins, and the share that is done, 0 to 1."""
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


def is_watched() -> bool:
    return _watcher.get() is not None


def come_to(step: str, share: float = 0.0) -> None:
    """Tell that this step begins, or that so much of it is done."""
    watcher = _watcher.get()
    if watcher is not None:
        watcher(step, share)


@dataclass(frozen=True)
class Estimate:
    """How far work is. shares: of each step, of the time for all of them. began: when, in seconds; first: the
    share of all at that moment, for work that does not begin with the first step. step: the one under way;
    since: when that began; told: its share."""

    shares: Mapping[str, float]
    began: float
    first: float | None = None
    step: str = ""
    since: float = 0.0
    told: float = 0.0

    def at(self, now: float, step: str, share: float) -> Estimate:
        """A step begins, or has come so far."""
        first = self._before(step) if self.first is None else self.first
        since = self.since if step == self.step else now
        return replace(self, first=first, step=step, since=since, told=share)

    def share(self, now: float) -> float:
        """Of all, 0 to 1."""
        before, whole = self._before(self.step), self.shares.get(self.step, 0.0)
        done = self.told
        known = before - (self.first or 0.0)
        if not done and known > 0 and whole:  # by the time that it should take
            should = (self.since - self.began) / known * whole
            done = min(_MOST, (now - self.since) / should) if should > 0 else 0.0
        return before + whole * done

    def left(self, now: float) -> float | None:
        """Seconds; None as long as too little is done to tell."""
        done = self.share(now) - (self.first or 0.0)
        if done < _LEAST:
            return None
        return (now - self.began) / done * (1.0 - self.share(now))

    def _before(self, step: str) -> float:
        """The share of the steps before this one."""
        total = 0.0
        for name, share in self.shares.items():
            if name == step:
                return total
            total += share
        return total
