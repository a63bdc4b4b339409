"""Actors in threads that run one at a time: the statements of a scenario, or somebody's application."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from txfuzz.check.scheduling.schedule import Abandoned, Arrival, Asks, Waits, follow_schedule, tells_nothing
from txfuzz.check.scheduling.trace import Decision, Ended, Point, Trace
from txfuzz.common.mailbox import Mailbox

_LEFT_BEHIND = 1.0  # seconds for a thread to end, once its schedule is stuck
Stop = Callable[[Any], None]
Body = Callable[[Stop], Any]


@dataclass
class _Thread:
    name: str
    body: Body
    arrivals: Mailbox[Arrival]
    go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    abandoned: bool = False
    thread: threading.Thread | None = None

    def start(self) -> None:
        self.thread = threading.Thread(target=self.run, name=f"txfuzz {self.name}", daemon=True)
        self.thread.start()

    def run(self) -> None:
        try:
            ended = Ended(value=self.body(self.stop))
        except BaseException as error:
            ended = Ended(error=error)
        self.arrivals.put(Arrival(self.name, ended))

    def stop(self, what: Any) -> None:
        """A switch point: called in the actor's thread before it does this."""
        self.arrivals.put(Arrival(self.name, Point(self.name, what)))
        self.go.acquire()
        if self.abandoned:
            raise Abandoned


class ThreadActors:
    """cancel: makes a statement of this actor's return soon. where, stands: see Actors."""

    def __init__(
        self,
        bodies: Mapping[str, Body],
        cancel: Callable[[str], None],
        where: Callable[[str], str],
        stands: Callable[[str], Any],
    ) -> None:
        self._arrivals: Mailbox[Arrival] = Mailbox()
        self._threads = {name: _Thread(name, body, self._arrivals) for name, body in bodies.items()}
        self._cancel = cancel
        self.where, self.stands = where, stands

    def begin(self, name: str) -> None:
        self._threads[name].start()

    def go_on(self, name: str, alone: int) -> None:
        self._threads[name].go.release()

    def arrived(self, seconds: float) -> Arrival | None:
        return self._arrivals.get(timeout=seconds)

    def cancel(self, name: str) -> None:
        self._threads[name].abandoned = True
        self._cancel(name)

    def abandon(self, name: str) -> None:
        self._threads[name].abandoned = True
        self._threads[name].go.release()

    def close(self, *, stuck: bool) -> None:
        for each in self._threads.values():
            if each.thread is not None:
                each.thread.join(_LEFT_BEHIND if stuck else None)


def run_schedule(
    bodies: Mapping[str, Body],
    schedule: Sequence[str],
    waits: Waits,
    *,
    seconds: float,
    cancel: Callable[[str], None] = lambda actor: None,
    where: Callable[[str], str] = lambda actor: "",
    stands: Callable[[str], Any] = lambda actor: None,
    accesses: Asks = tells_nothing,
    after: Mapping[str, str] | None = None,
) -> Trace:
    """See follow_schedule() and ThreadActors."""
    actors = ThreadActors(bodies, cancel, where, stands)
    return follow_schedule(
        actors, tuple(bodies), schedule, waits, seconds=seconds, accesses=accesses, after=after
    )


def run_in_series(
    bodies: Mapping[str, Body], *, seconds: float, cancel: Callable[[str], None] = lambda actor: None
) -> Trace:
    """Run these actors one after the other, each to its end, in the thread that calls: quicker than threads
    where nobody has to be stopped. cancel: called from another thread."""
    running = ""
    late = threading.Event()

    def stop_it() -> None:
        late.set()
        cancel(running)

    steps: list[Decision] = []
    ended: dict[str, Ended] = {}
    watch = threading.Timer(seconds, stop_it)
    watch.daemon = True
    watch.start()
    try:
        for name, body in bodies.items():
            if late.is_set():
                break
            running = name

            def stop(what: Any, name: str = name) -> None:
                point = Point(name, what)
                steps.append(Decision(point, (point,)))

            try:
                ended[name] = Ended(value=body(stop))
            except Exception as error:
                ended[name] = Ended(error=error)
    finally:
        watch.cancel()
    at = str(steps[-1].chosen.what) if steps else "its start"
    stuck = f"it did not end within {seconds:g} s: {running} was at {at}" if late.is_set() else ""
    return Trace(tuple(steps), ended, stuck)
