"""Several places of one database that transactions can go to: a primary, and copies that follow it.

An adapter describes the roles of such places (Capabilities.endpoints) and says what it promises about
transactions spread over several of them (HasEndpoints). A workload names endpoints and gives each a role.
An open database makes sessions at an endpoint, and waits until all of them show what has been committed
(txfuzz.database.api.ReachesEndpoints).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class EndpointRole:
    """A kind of place.

    levels: the isolation levels that transactions may have there, of Capabilities.isolation, from weak to
    strong. read_only: it refuses writes. count: how many an embedded server has. how: how to get more, as a
    phrase for messages.
    """

    levels: tuple[str, ...]
    read_only: bool = False
    count: int = 1
    how: str = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A place by the name that the workload gives it.

    number: counts the endpoints of one role that have no URL, from 0. url: of its server; None for a place of
    the database that is open. isolation: the level of transactions there that have none; None for the
    workload's. read_only: as its role.
    """

    name: str
    role: str
    number: int = 0
    url: str | None = None
    isolation: str | None = None
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class EndpointUse:
    """What a workload does at an endpoint. levels: of its transactions there. reads: whether they read
    anything (a statement in SQL may)."""

    endpoint: Endpoint
    levels: frozenset[str]
    reads: bool
    writes: bool


@dataclass(frozen=True, slots=True)
class Promise:
    """model: in Elle's terms, for all transactions together. because: sentences about why it is no more."""

    model: str
    because: tuple[str, ...] = ()


@runtime_checkable
class HasEndpoints(Protocol):
    """An additional method of adapters with `endpoints`."""

    def promise_across(self, uses: Sequence[EndpointUse], faults: Collection[str]) -> Promise:
        """What is promised of transactions spread in this way.

        uses: at least one. faults: the abilities that the workload's faults need: a failover may legitimately
        lose what a crash may not. Only at the first role, and without faults, it is what
        Capabilities.isolation says of the weakest level.
        """
