"""Text of others made harmless where it leaves: for terminals and plain text, for Markdown, for JSON.

Names, values, messages of servers and of plugins come from anybody. Each way out has its function here,
and nothing is written past it.
"""

from __future__ import annotations

import re

INSTEAD = "\ufffd"
# What moves the cursor, reaches for the terminal, or shows text in another order than it has: control
# characters but tab and line feed, separators of lines, marks of direction, halves of characters, and what
# is no character.
_UNFIT = (
    r"\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069"
    r"\ud800-\udfff\ufffe\uffff"
)
_ANY = re.compile(f"[{_UNFIT}]")
# What begins markup, a tag, an entity or a link, or ends a cell: in the middle of words it is left alone,
# so that the text can be read as it stands, too.
_MARKUP = re.compile(
    r"[\\`*|$~]|(?<!\w)_|_(?!\w)|\](?=[(\[:])|!(?=\[)|<(?=[A-Za-z/!?])|&(?=[#A-Za-z])|^[#>+-]|^\d+(?=[.)])"
)
_ENTITIES = {"<": "&lt;", "&": "&amp;"}
_FENCES = re.compile("`+")


def printable(text: str) -> str:
    """For terminals and plain text: the lines stay, and nothing in them does anything."""
    return _ANY.sub(INSTEAD, text)


def one_line(text: str) -> str:
    """The same as one line: an error is one sentence."""
    return printable(" ".join(text.split()))


def markdown(text: str) -> str:
    """For Markdown: words on one line, of which nothing is markup, HTML, the end of a cell, or a mention."""
    plain = _MARKUP.sub(lambda found: _ENTITIES.get(found[0]) or _escaped(found[0]), one_line(text))
    return plain.replace("@", "@\u200b")


def _escaped(markup: str) -> str:
    """By a backslash; of a number the sign behind it is what begins a list."""
    return f"&#8203;{markup}" if markup.isdigit() else f"\\{markup}"


def code_span(text: str) -> str:
    """Words as code within a line of Markdown."""
    text = one_line(text).replace("|", "\\|")
    ticks = "`" * (1 + max((len(found) for found in _FENCES.findall(text)), default=0))
    return f"{ticks} {text} {ticks}" if len(ticks) > 1 else f"`{text}`"


def code_block(text: str, language: str = "") -> list[str]:
    """Lines of Markdown: a block of code with a fence that is longer than any in it."""
    text = printable(text.replace("\r\n", "\n")).rstrip()
    longest = max((len(found) for found in _FENCES.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", text, fence]


def escaped(text: str) -> str:
    """For JSON: what a terminal should not get is written as an escape."""
    return _ANY.sub(lambda found: found[0] if found[0] == "\n" else f"\\u{ord(found[0]):04x}", text)
