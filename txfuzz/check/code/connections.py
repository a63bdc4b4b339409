"""Whose each of a driver's connections is while code runs, and what makes code impossible to check."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Protocol

from txfuzz.check.code.place import own_frame
from txfuzz.check.scheduling.schedule import Abandoned
from txfuzz.database.drivers import Drivers
from txfuzz.database.scenario import AdoptedSession

_HANDING_OVER = 1.0  # seconds


class Owner(Protocol):
    """Whoever has connections. moving: its code runs now, outside of the database."""

    @property
    def moving(self) -> bool: ...


@dataclass
class Connections:
    """Whose each of the drivers' connections is now: a pool hands them from one to another.

    adopt: as ScenarioTables has it. strangers: threads that were there before, and send what they like.
    refusal: why the functions cannot be checked, once that is seen.
    """

    drivers: Drivers
    adopt: Callable[[Any], AdoptedSession]
    strangers: Collection[threading.Thread] = ()
    refusal: str = ""
    _adopted: dict[int, tuple[Any, AdoptedSession]] = field(default_factory=dict)
    _owners: dict[int, Owner] = field(default_factory=dict)

    def taken(self, connection: Any, owner: Owner) -> AdoptedSession:
        number = id(connection)
        known = self._adopted.get(number)
        self.until_it_is_free(connection, owner)
        before = self._owners.get(number, owner)
        if known is None or known[0] is not connection:
            known = self._adopted[number] = (connection, self.adopt(connection))
        elif before is not owner and self.drivers.in_transaction(connection):
            self._refuse(
                "here it comes into a transaction that another function has open in the same connection: "
                "each of them has to open a connection or session of its own, as another process would"
            )
            raise Abandoned
        self._owners[number] = owner
        return known[1]

    def until_it_is_free(self, connection: Any, owner: Owner) -> None:
        """Who gives a connection back to a pool is not done with it as soon as the next one has it."""
        until = time.monotonic() + _HANDING_OVER
        while (before := self._owners.get(id(connection), owner)) is not owner and before.moving:
            if time.monotonic() > until:
                return
            time.sleep(0.5e-3)

    def met_elsewhere(self) -> None:
        """A thread that runs no call has sent a statement."""
        thread = threading.current_thread()
        if thread not in self.strangers and not thread.name.startswith("txfuzz"):
            self._refuse(
                "this statement is sent by another thread than that of the function: only those that it "
                "sends itself can be put in order"
            )

    def refuse_unordered(self, why: str) -> None:
        self._refuse(f"this statement cannot be put in order: {why}")
        raise Abandoned

    def _refuse(self, why: str) -> None:
        place = own_frame(sys._getframe(1))
        self.refusal = self.refusal or (f"{place}: {why}" if place else why)

    def of(self, owner: Owner) -> list[tuple[Any, AdoptedSession]]:
        mine = [self._adopted.get(number) for number, each in list(self._owners.items()) if each is owner]
        return [each for each in mine if each is not None]

    def forget(self, owner: Owner) -> None:
        """At the end of its call: those that nobody else knows are closed by that, as they would be without
        us."""
        for number in [number for number, each in list(self._owners.items()) if each is owner]:
            del self._owners[number], self._adopted[number]
