"""Which adapter opens which URL: by what the URL begins with. The adapters say so; none is named here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, runtime_checkable

from txfuzz.common.sentences import listed
from txfuzz.errors import UsageError

ANY_SCHEME = "*"  # those that no other adapter calls its own


@runtime_checkable
class OwnsSchemes(Protocol):
    """An additional class attribute of adapters.

    schemes: what URLs of its databases begin with, in lower case, without "+driver"; or ANY_SCHEME.
    """

    schemes: ClassVar[frozenset[str]]


@runtime_checkable
class FitsUrl(Protocol):
    """An additional class method of adapters whose options depend on the URL."""

    @classmethod
    def options_for(cls, url: str) -> Mapping[str, Any]:
        """The options that the URL decides, wherever nobody sets them. Called before it is opened."""


def scheme_of(url: str) -> str:
    """What it begins with, in lower case, without "+driver"; empty for what is no URL."""
    scheme, separator, _ = url.partition("://")
    return scheme.partition("+")[0].strip().lower() if separator else ""


def schemes_of(adapter: Any) -> frozenset[str]:
    """Of an adapter or its class; empty for one that does not say."""
    return frozenset(getattr(adapter, "schemes", ()))


def options_of_url(adapter: Any, url: str | None) -> dict[str, Any]:
    """See FitsUrl."""
    return dict(adapter.options_for(url)) if url is not None and hasattr(adapter, "options_for") else {}


def refuse_foreign_scheme(adapter: Any, url: str | None) -> None:
    """UsageError where an adapter that says which URLs are its own is given another one."""
    own = schemes_of(adapter)
    scheme = scheme_of(url) if url is not None else ""
    if not scheme or not own or ANY_SCHEME in own or scheme in own:
        return
    raise UsageError(
        f"the database URL begins with {scheme}://, but the adapter {adapter.name!r} opens "
        f"{listed([f'{each}://' for each in sorted(own)], 'or')}: give another URL or another adapter, or "
        "leave one of them out"
    )
