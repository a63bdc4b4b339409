"""Which adapter opens which URL: by what the URL begins with. The adapters say so; none is named here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any, ClassVar, Protocol, runtime_checkable

from txfuzz.common.sentences import listed
from txfuzz.errors import UsageError, did_you_mean

_NEAR = 0.85  # of difflib: one letter more, less or swapped in a word of seven
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


@runtime_checkable
class KnowsSchemes(Protocol):
    """An additional class method of adapters for ANY_SCHEME, so that a misspelt scheme is not taken for one
    of theirs."""

    @classmethod
    def knows_scheme(cls, scheme: str) -> bool:
        """Whether it could open such URLs. scheme: see scheme_of()."""


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


def misspelt(scheme: str, known: Collection[str]) -> str | None:
    """The sentence about a scheme that is nearly one of these; None if it is one, or near none."""
    if scheme in known or not get_close_matches(scheme, known, n=1, cutoff=_NEAR):
        return None
    return f"unknown database URL scheme {scheme!r}: {did_you_mean(scheme, known)}"


def refuse_foreign_scheme(adapter: Any, url: str | None) -> None:
    """UsageError where an adapter that says which URLs are its own is given another one."""
    own = schemes_of(adapter)
    scheme = scheme_of(url) if url is not None else ""
    if not scheme or not own or ANY_SCHEME in own or scheme in own:
        return
    near = misspelt(scheme, own)
    if near is not None:
        raise UsageError(near)
    raise UsageError(
        f"the database URL begins with {scheme}://, but the adapter {adapter.name!r} opens "
        f"{listed([f'{each}://' for each in sorted(own)], 'or')}: give another URL or another adapter, or "
        "leave one of them out"
    )
