"""Finds the end of an operation in bytes, by matching brackets and strings.

The same for EDN and JSON, whose brackets, strings and escapes look alike.
"""

from __future__ import annotations

import re

DEPTH = 100  # of brackets in an operation
SHOWN = 60  # bytes of what was found in a message

# Blanks before an operation; tags or discards in front of its bracket.
BLANKS = re.compile(rb"[ \t\n\r,]*+")
_HEAD = re.compile(rb"(?:#[^\s{}()\[\]\",;]*+[ \t\n\r,]*+)*")
_TOKEN = re.compile(
    rb'"[^"\\]*+(?:\\.[^"\\]*+)*"'  # a string
    rb"|\\."  # a character
    rb"|;[^\n]*+"  # a comment
    rb"|\n\{"  # what looks like the beginning of the next operation
    rb'|(?:\[[^\[\](){}"\\;\n]*+\][ ,]*+)+'  # vectors of words, such as nearly all are
    rb'|[\[\](){}"\\]',
    re.DOTALL,
)
_CLOSES = {b"]": b"[", b")": b"(", b"}": b"{"}


class Incomplete(Exception):
    """The data ends before the operation does."""


class Unclosed(Exception):
    """The next operation begins before this one is closed. args[0]: where the next one begins."""


class Malformed(Exception):
    """Brackets that do not match. args: what was found, where."""


def end_of(data: bytes, start: int) -> int:
    """The end of the bracketed form that starts here, including tags before the bracket.

    Lines separate a damaged operation from its neighbours: one that is still open when a line begins with a
    brace was truncated.
    """
    head = _HEAD.match(data, start)
    at = head.end() if head else start
    if at == len(data):
        raise Incomplete
    if data[at : at + 1] not in (b"{", b"[", b"("):
        raise Malformed(shown(data[at : at + SHOWN]), at)
    depth = [data[at : at + 1]]
    for token in _TOKEN.finditer(data, at + 1):
        text = token[0]
        if text in (b"{", b"[", b"("):
            depth.append(text)
            if len(depth) > DEPTH:
                raise Malformed(f"something nested deeper than {DEPTH} levels", token.start())
        elif text in _CLOSES:
            if depth.pop() != _CLOSES[text]:
                raise Malformed(f"{text.decode()!r}, which closes nothing", token.start())
            if not depth:
                return token.end()
        elif text in (b'"', b"\\"):
            # An unterminated string or escape, which contains the rest of the data.
            begins = data.find(b"\n{", token.start())
            if begins >= 0:
                raise Unclosed(begins + 1)
            raise Incomplete
        elif b"\n{" in text:
            raise Unclosed(token.start() + text.index(b"\n{") + 1)
    raise Incomplete


def normal(text: bytes) -> bytes | None:
    """An operation with single spaces between its parts and none inside brackets.

    None for operations with escapes, comments or tags.
    """
    if b"\\" in text or b";" in text or b"#" in text:
        return None
    pieces: list[bytes] = []
    for part in _STRING.split(text):
        if not part.startswith(b'"'):
            part = part.translate(_BLANK)
            for bracket, spaced in _SPACED:
                part = part.replace(bracket, spaced)
            part = b" ".join([word for word in part.split(b" ") if word])
            part = part.replace(b"[ ", b"[").replace(b" ]", b"]").replace(b"{ ", b"{").replace(b" }", b"}")
        if pieces and part and pieces[-1][-1:] not in (b"[", b"{") and part[:1] not in (b"]", b"}"):
            pieces.append(b" ")
        pieces.append(part)
    return b"".join(pieces)


_STRING = re.compile(rb'("[^"]*+")')
_BLANK = bytes.maketrans(b",\t\r\n", b"    ")
_SPACED = [(bracket, b" %b " % bracket) for bracket in (b"[", b"]", b"{", b"}")]


def shown(text: bytes) -> str:
    """Bytes of a file, shortened for messages."""
    cut = text if len(text) <= SHOWN else text[:SHOWN]
    first_line = cut.decode("utf-8", "backslashreplace").partition("\n")[0]
    return repr(first_line.rstrip("\r")) + ("" if len(cut) == len(text) else " …")
