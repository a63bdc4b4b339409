"""The common part of adapters for SQL databases: options and URLs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol, Self, TypeVar

from txfuzz.common.options import option
from txfuzz.errors import UsageError, did_you_mean

USUAL_CONNECTIONS = 120  # of an embedded server
SPARE_CONNECTIONS = 20  # at least, besides those of clients


def tables_option() -> Any:
    return option(1, "number of tables to spread keys over", least=1)


def max_connections_option() -> Any:
    return option(
        None,
        "connections that the embedded server accepts; by default enough for the clients that the workload "
        f"starts with, and at least {USUAL_CONNECTIONS}",
        least=10,
    )


class RoomForClients:
    """See txfuzz.database.api.MakesRoom. For a dataclass with the option max_connections."""

    max_connections: int | None

    def with_room_for(self, clients: int) -> Self:
        if self.max_connections is not None:
            return self
        most = max(USUAL_CONNECTIONS, clients + SPARE_CONNECTIONS)
        changed: Self = dataclasses.replace(self, max_connections=most)  # type: ignore[type-var]
        return changed


class Url(Protocol):
    """A parsed URL, like that of make_url() in SQLAlchemy."""

    @property
    def host(self) -> str | None: ...

    @property
    def database(self) -> str | None: ...

    @property
    def query(self) -> Mapping[str, Any]: ...


AnyUrl = TypeVar("AnyUrl", bound=Url)


def checked_url(
    text: str, schemes: Collection[str], parse: Callable[[str], AnyUrl], *, example: str, hint: str = ""
) -> AnyUrl:
    """The parsed URL; UsageError with the reason, which never quotes it, as it may contain a password.

    schemes: that the adapter accepts. example: a valid URL. hint: another possible reason why a URL cannot be
    parsed.
    """
    scheme = text.partition(":")[0]
    if "://" not in text or not scheme.replace("+", "").isalnum():
        raise UsageError(f"the database URL must look like {example}")
    if scheme.lower() not in schemes:
        raise UsageError(f"unknown database URL scheme {scheme!r}: {did_you_mean(scheme, schemes)}")
    try:
        url = parse(text)
    except Exception:  # its message may quote the URL
        raise UsageError(
            "the database URL cannot be parsed: is the port a number, and are special characters in user and "
            f"password percent-encoded?{hint}"
        ) from None
    if any("@" in part for part in (url.host or "", url.database or "", *url.query)):
        raise UsageError("the database URL contains an unescaped '@': in a user name or password, write %40")
    return url
