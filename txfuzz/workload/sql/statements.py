"""SQL scripts as statements: where each ends, in a file that a client would read.

This is not an SQL parser. It knows what can hide a semicolon: strings, quoted names, comments, dollar quotes,
brackets, and the bodies of triggers and routines (BEGIN … END, CASE, IF, LOOP, …).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from txfuzz.errors import UsageError

_TOKEN = re.compile(
    r"""
      (?P<space>\s+ | --[^\n]*)
    | (?P<comment>/\*(?!M?!))                       # but /*! … */ is run by the databases that know it
    | (?P<escaped>[eE](?='))
    | (?P<quote>['"`])
    | (?P<tag>\$(?:[^\W\d]\w*)?\$)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<other>\d[\w.]* | :: | := | .)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"/\*|\*/")
_HASH = re.compile(r"#[^\n]*")
_STRINGS = {
    (quote, escapes): re.compile(
        rf"{quote}[^{quote}\\]*(?:(?:{quote}{quote}|\\.)[^{quote}\\]*)*{quote}(?!{quote})"
        if escapes
        else rf"{quote}[^{quote}]*(?:{quote}{quote}[^{quote}]*)*{quote}(?!{quote})",
        re.DOTALL,
    )
    for quote in "'\"`"
    for escapes in (False, True)
}
# What CREATE makes, up to which nothing is known: with a body of statements, or without one
_ROUTINES = frozenset({"trigger", "procedure", "function", "event", "package"})
_OTHERS = frozenset(
    {"table", "view", "index", "unique", "sequence", "type", "domain", "schema", "database", "role", "user"}
    | {"extension", "materialized", "virtual", "rule", "policy", "operator", "cast", "collation", "server"}
)
_BLOCKS = frozenset({"if", "loop", "while", "repeat", "for"})
_CLIENTS = re.compile(r"(?P<client>\\\S+|\.[a-z]+\b|delimiter\b)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class WrittenStatement:
    """text: without the comments around it and the semicolon behind it. start: its offset in the script."""

    text: str
    start: int


class UnfinishedStatement(UsageError):
    """The script cannot be split. start: the offset of what is wrong."""

    def __init__(self, found: str, expected: str, start: int) -> None:
        super().__init__(f"found {found}, expected {expected}")
        self.found, self.expected, self.start = f"found {found}", expected, start


def split_statements(script: str, *, backslash_escapes: bool = False) -> tuple[WrittenStatement, ...]:
    """The statements of a script, without empty ones.

    backslash_escapes: in every string a backslash escapes what follows, and # begins a comment. Raises
    UnfinishedStatement for strings and comments that nothing closes, and for commands that clients keep to
    themselves.
    """
    found: list[WrittenStatement] = []
    start = end = -1  # of the statement that is being read
    depth, body = 0, _Body()
    for token in _tokens(script, backslash_escapes):
        text = script[token.start : token.end]
        if start < 0:
            if text == ";":
                continue
            if client := _CLIENTS.match(script, token.start):
                raise UnfinishedStatement(
                    f"{client['client']}, a command of a client", "an SQL statement", token.start
                )
            start, depth, body = token.start, 0, _Body()
        depth += (text == "(") - (text == ")" and depth > 0)
        if body.may_be_routine:
            body.read(text.lower() if token.plain else "'", depth)
        if text == ";" and depth == 0 and not body.open:
            found.append(WrittenStatement(script[start:end], start))
            start = -1
        else:
            end = token.end
    if start >= 0:
        found.append(WrittenStatement(script[start:end], start))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Token:
    """plain: neither quoted nor a string."""

    start: int
    end: int
    plain: bool


def _tokens(script: str, backslash_escapes: bool) -> Iterator[_Token]:
    """All but spaces and comments."""
    at = 0
    while at < len(script):
        if backslash_escapes and (comment := _HASH.match(script, at)):
            at = comment.end()
            continue
        token = _TOKEN.match(script, at)
        assert token is not None
        if token["space"]:
            at = token.end()
        elif token["comment"]:
            at = _comment_end(script, at)
        elif token["quote"] or token["escaped"]:
            opening = token.end() if token["escaped"] else at
            escapes = bool(token["escaped"]) or (backslash_escapes and script[opening] != "`")
            end = _string_end(script, opening, escapes)
            yield _Token(at, end, False)
            at = end
        elif tag := token["tag"]:
            close = script.find(tag, token.end())
            if close < 0:
                raise UnfinishedStatement(f"a string that begins with {tag}", f"{tag} at its end", at)
            yield _Token(at, close + len(tag), False)
            at = close + len(tag)
        else:
            yield _Token(at, token.end(), True)
            at = token.end()


def _string_end(script: str, opening: int, escapes: bool) -> int:
    quote = script[opening]
    if found := _STRINGS[quote, escapes].match(script, opening):
        return found.end()
    raise UnfinishedStatement(f"a {quote} that nothing closes", f"{quote} at the end of the text", opening)


def _comment_end(script: str, opening: int) -> int:
    """Comments inside comments count where that leaves none unfinished: not every database has them."""
    depth = 0
    for mark in _COMMENT.finditer(script, opening):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return mark.end()
    end = script.find("*/", opening + 2)
    if end < 0:
        raise UnfinishedStatement("a comment that nothing closes", "*/ at its end", opening)
    return end + 2


class _Body:
    """Whether a semicolon would stand inside the body of a routine, token by token."""

    def __init__(self) -> None:
        self._blocks: list[tuple[str, int]] = []  # the word that opened each, and the depth of brackets
        self._routine: bool | None = None  # None: not known yet
        self._starts = False  # does the next token begin a statement of the body?
        self._first = self._before = ""  # word of that statement; the token before

    @property
    def may_be_routine(self) -> bool:
        return self._routine is not False

    @property
    def open(self) -> bool:
        return bool(self._blocks)

    def read(self, token: str, depth: int) -> None:
        """token: in lower case, or a quote for anything quoted. depth: of brackets, this one included."""
        if not self._before and token != "create":
            self._routine = False
        if self._routine is None:
            self._routine = True if token in _ROUTINES else False if token in _OTHERS else None
        elif self._routine and self._before != ".":
            self._inside(token, depth)
        self._before = token

    def _inside(self, token: str, depth: int) -> None:
        starts, self._starts = self._starts, False
        if starts:
            self._first = token
        if token == "end" and self._blocks and self._blocks[-1][1] >= depth:
            self._blocks.pop()
        elif self._before == "end" and token in {*_BLOCKS, "case"}:
            pass  # END IF
        elif token == "case":
            self._blocks.append(("case" if starts else "expression", depth))
        elif token == "begin":
            if depth == 0 and (starts or not self._blocks or self._first == "declare"):
                self._blocks.append((token, depth))
                self._starts = True
        elif token in _BLOCKS and starts:
            self._blocks.append((token, depth))
            self._starts = token in ("loop", "repeat")
        else:
            expression = bool(self._blocks) and self._blocks[-1][0] == "expression"
            self._starts = (
                token in (";", ":", "do", "atomic")
                or (token in ("then", "else") and not expression)
                or (token == "row" and self._before == "each")
            )
