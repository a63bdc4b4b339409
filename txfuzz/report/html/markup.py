"""HTML and SVG from Python: everything is escaped except what was made here.

Names, keys and values come from untrusted histories, so text becomes markup in one place only.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import TypeAlias

from txfuzz.common.sanitize import printable

_CAMEL = frozenset(
    {"viewBox", "textLength", "lengthAdjust", "markerWidth", "markerHeight", "markerUnits", "refX", "refY"}
    | {"preserveAspectRatio"}
)
_UNCLOSED = frozenset({"meta", "br", "img", "input"})
_VOID = _UNCLOSED | {"path", "line", "circle", "rect", "polyline", "use", "polygon"}


class Markup(str):
    """Text that is already markup."""

    __slots__ = ()


Content: TypeAlias = "str | int | float | Iterable[Content] | None"


def el(name: str, /, *content: Content, **attributes: str | float | None) -> Markup:
    """An element. Attributes: `class_` for class, `_` for `-`; None omits one."""
    given = "".join(
        f' {_attribute(key)}="{_number(value) if isinstance(value, float) else escaped(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID and not content:
        return Markup(f"<{name}{given}>" if name in _UNCLOSED else f"<{name}{given}/>")
    return Markup(f"<{name}{given}>{joined(content)}</{name}>")


def joined(content: Content) -> Markup:
    """Contents one after the other; None is empty."""
    if isinstance(content, Markup):
        return content
    if content is None:
        return Markup("")
    if isinstance(content, str):
        return Markup(escaped(content))
    if isinstance(content, int | float):
        return Markup(escaped(str(content)))
    return Markup("".join(joined(each) for each in content))


def escaped(text: str) -> str:
    return html.escape(printable(text))


def cut(text: str, most: int) -> str:
    """A text of at most this many characters; if cut, it ends in "…"."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def points(*pairs: tuple[float, float]) -> str:
    """Coordinates in the format of paths and polylines."""
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in pairs)


def _attribute(key: str) -> str:
    if key in _CAMEL:
        return key
    return key.rstrip("_").replace("_", "-")


def _number(value: float) -> str:
    """Rounded to tenths of a pixel, which keeps the page small."""
    return f"{value:.1f}".removesuffix(".0")
