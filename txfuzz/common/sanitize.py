"""Makes untrusted text safe for terminals and plain text, for Markdown, and for JSON.

Names, values, and messages of servers and plugins are untrusted: all output passes through here.
"""

from __future__ import annotations

import re

INSTEAD = "\ufffd"
# Characters that control a terminal or reorder text: control characters except tab and line feed, line
# separators, direction marks, surrogates and noncharacters.
_UNFIT = (
    r"\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069"
    r"\ud800-\udfff\ufffe\uffff"
)
_ANY = re.compile(f"[{_UNFIT}]")
# What begins markup, a tag, an entity or a link, or ends a table cell. Inside words it is left alone, which
# keeps the source readable.
_MARKUP = re.compile(
    r"[\\`*|$~]|(?<!\w)_|_(?!\w)|\](?=[(\[:])|!(?=\[)|<(?=[A-Za-z/!?])|&(?=[#A-Za-z])|^[#>+-]|^\d+(?=[.)])"
)
_ENTITIES = {"<": "&lt;", "&": "&amp;"}
_FENCES = re.compile("`+")


def printable(text: str) -> str:
    """For terminals and plain text: keeps lines, replaces unsafe characters."""
    return _ANY.sub(INSTEAD, text)


def one_line(text: str) -> str:
    """The same on one line, as for errors."""
    return printable(" ".join(text.split()))


def markdown(text: str) -> str:
    """For Markdown: one line without markup, HTML, ends of table cells, or mentions."""
    plain = _MARKUP.sub(lambda found: _ENTITIES.get(found[0]) or _escaped(found[0]), one_line(text))
    return plain.replace("@", "@\u200b")


def _escaped(markup: str) -> str:
    """Escaped with a backslash, or for a number (of a list) with a zero-width space."""
    return f"&#8203;{markup}" if markup.isdigit() else f"\\{markup}"


def code_span(text: str) -> str:
    """Text as inline code in Markdown."""
    text = one_line(text).replace("|", "\\|")
    ticks = "`" * (1 + max((len(found) for found in _FENCES.findall(text)), default=0))
    return f"{ticks} {text} {ticks}" if len(ticks) > 1 else f"`{text}`"


def code_block(text: str, language: str = "") -> list[str]:
    """Lines of a Markdown code block, with a fence longer than any inside."""
    text = printable(text.replace("\r\n", "\n")).rstrip()
    longest = max((len(found) for found in _FENCES.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", text, fence]


def escaped(text: str) -> str:
    """For JSON: escapes characters that are unsafe for terminals."""
    return _ANY.sub(lambda found: found[0] if found[0] == "\n" else f"\\u{ord(found[0]):04x}", text)
