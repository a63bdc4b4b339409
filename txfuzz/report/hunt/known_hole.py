"""The page of `txfuzz explain` about a hole that is known, as text and as data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from txfuzz.hunt.judging.known import KnownHole
from txfuzz.report.text.lines import paragraph


def see(hole_name: str, reference: str) -> str:
    """The sentence that says where more is told."""
    return f"See `txfuzz explain {hole_name}` and {reference}"


def hole_title(hole: KnownHole) -> str:
    return f"{hole.name}, a known hole ({hole.adapter})"


def hole_lines(hole: KnownHole) -> Iterator[str]:
    """The page without its title."""
    yield ""
    yield from paragraph(hole.about)
    yield ""
    rows = {
        "levels": ", ".join(sorted(hole.levels)) or "all",
        "versions": _versions(hole),
        "forms": ", ".join(sorted(hole.forms)) or "any",
        "layouts": ", ".join(sorted(hole.layouts)) or ("any, also the plainest" if hole.plain else "any"),
        "against": ", ".join(sorted(each.value for each in hole.against)),
        "shows as": ", ".join(sorted(each.value for each in hole.wrong)),
        "needs": f"a race of {', '.join(sorted(hole.raced))}: txfuzz hunt --race" if hole.raced else "",
    }
    for name, value in rows.items():
        if value:
            yield from paragraph(f"{name:<10}{value}", 2, 10)
    yield ""
    yield from paragraph(
        "The database documents it, so a hunt leaves these forms out unless `--forms` names them."
        if hole.documented
        else "A hunt that meets it says so, and ends with 0: it is no news. `txfuzz forms NAME` shows a form."
    )
    yield from ("", "Where it is written about", "")
    yield from paragraph(f"- {hole.reference}", 2)


def hole_data(hole: KnownHole) -> dict[str, Any]:
    """The page as JSON data."""
    return {
        "hole": hole.name,
        "adapter": hole.adapter,
        "about": hole.about,
        "levels": sorted(hole.levels),
        "since": _version(hole.since),
        "until": _version(hole.until),
        "forms": sorted(hole.forms),
        "layouts": sorted(hole.layouts),
        "documented": hole.documented,
        "reference": hole.reference,
    }


def _versions(hole: KnownHole) -> str:
    since, until = _version(hole.since), _version(hole.until)
    if since and until:
        return f"from {since} until before {until}"
    return f"since {since}" if since else f"until before {until}" if until else "not known to end"


def _version(version: tuple[int, ...] | None) -> str | None:
    return None if version is None else ".".join(map(str, version))
