"""Keys, values, lists and processes as numbers while a history is being read.

Values become codes: an integer of moderate size is its own code, everything else gets a number
beyond those. Lists become lengths: in list-append nearly every read of a key is a prefix of the
longest one, so of each key the longest text seen is kept, "[1 2 3 ", and a read of it is the
length of its own text, "[1 2". A read that does not fit is kept whole, as an odd one.

Elle knows clients by integers and passes over everything else as the nemesis. Other recorders call
theirs "worker-1" or :client; what such a process does counts here like anybody's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, TypeAlias

from txfuzz.history.columns.growing import NO_PROCESS
from txfuzz.history.values import display_name, edn, identity

# What a micro-operation is; stored as key * 8 + one of these, beside a value.
READ_LIST = 0  # value: length of the text of the list, a prefix of the key's text
WROTE_APPEND = 1  # value: code
WROTE = 2  # value: code
READ_ELEMENT = 3  # value: code
READ_NIL = 4
READ_EMPTY = 5
READ_UNKNOWN = 6
READ_ODD = 7  # value: index into Lists.odd
KIND_BITS = 3

PLAIN = 1 << 62  # integers nearer to 0 than this are their own codes
# No text of a history can hold this byte where a number is expected, so a code of something that
# is not a plain integer can never be taken for a number that stands in the file.
SIDE_MARK = b"\x1f"

NUMBER = rb"(?:0|-?[1-9]\d{0,17}+)"
_A_NUMBER = re.compile(NUMBER)
_MORE_NUMBERS = re.compile(rb"%b(?: %b)*" % (NUMBER, NUMBER))
# A scalar that stands between spaces or brackets and needs no context to be understood.
_SCALAR = re.compile(rb'"[^"\\\x00-\x20,]*"|[^\x00-\x20,\[\](){}"\\;#^\x7f]+')
_TOKENS_KEPT = 1 << 16

# Integers in a file are nearer to 0 than this, and so far from all numbers that names get.
LARGEST_PROCESS = (1 << 62) - 1
FIRST_NAMED = NO_PROCESS + 1

Decode: TypeAlias = Callable[[bytes], Any]


def no_decode(token: bytes) -> Any:
    """Refuse every token that is not a plain number."""
    raise ValueError(token)


def _token_value(token: bytes, decode: Decode) -> Any:
    if _A_NUMBER.fullmatch(token):
        return int(token)
    if _SCALAR.fullmatch(token):
        return decode(token)
    raise ValueError(token)


class Codes:
    """Values to codes and back. decode: what the text of a scalar means (ValueError: nothing)."""

    def __init__(self, decode: Decode = no_decode) -> None:
        self.side: list[Any] = []
        self.by_token: dict[bytes, int] = {}
        self._decode = decode
        self._known: dict[Hashable, int] = {}

    def code(self, value: Any) -> int:
        if type(value) is int and -PLAIN < value < PLAIN:
            return value
        found = self._known.setdefault(identity(value), len(self.side))
        if found == len(self.side):
            self.side.append(value)
        return -PLAIN - found

    def token(self, token: bytes) -> int:
        """The code of a scalar by its text; ValueError where that is not a plain scalar."""
        found = self.by_token.get(token)
        if found is None:
            found = self.code(_token_value(token, self._decode))
            if len(self.by_token) >= _TOKENS_KEPT:
                self.by_token.clear()
            self.by_token[token] = found
        return found

    def value(self, code: int) -> Any:
        return code if code > -PLAIN else self.side[-PLAIN - code]

    def values_text(self, values: Sequence[Any]) -> bytes:
        """A list of values as `list_text` of their codes."""
        # Python's own text of a list of numbers is the quickest way to ours.
        if set(map(type, values)) == {int} and min(values) > -PLAIN and max(values) < PLAIN:
            return b"[" + str(list(values))[1:-1].replace(",", "").encode()
        return self.list_text(map(self.code, values))

    def list_text(self, codes: Iterable[int]) -> bytes:
        """A list as the text that Lists keeps, without the closing bracket."""
        return b"[" + b" ".join(
            [b"%d" % c if c > -PLAIN else b"%b%d" % (SIDE_MARK, -PLAIN - c) for c in codes]
        )


class Key:
    """What is known of one key.

    base: its number times 8. text: the longest list read of it, "[1 2 3 " ("[" at first).
    unread: the text of a read of it in an invocation, "r 12 nil".
    """

    __slots__ = ("base", "text", "unread")

    def __init__(self, base: int, unread: bytes) -> None:
        self.base = base
        self.text = b"["
        self.unread = unread


class Keys:
    """All keys by what they are, and by their text. unset: those without a logical key so far."""

    def __init__(self, decode: Decode = no_decode) -> None:
        self.values: list[Any] = []
        self.states: list[Key] = []
        self.by_token: dict[bytes, Key] = {}
        self.logical: dict[int, int | None] = {}
        self.unset: set[int] = set()
        self._decode = decode
        self._known: dict[Hashable, Key] = {}

    def key(self, value: Any) -> Key:
        name = identity(value)
        found = self._known.get(name)
        if found is None:
            number = len(self.values)
            found = Key(number << KIND_BITS, b"r %b nil" % edn(value).encode("utf-8", "replace"))
            self._known[name] = found
            self.values.append(value)
            self.states.append(found)
            self.unset.add(number)
        return found

    def token(self, token: bytes) -> Key:
        """The key with this text; ValueError where that is not a plain scalar."""
        found = self.by_token.get(token)
        if found is None:
            found = self.by_token[token] = self.key(_token_value(token, self._decode))
        return found

    def set_logical(self, codes: Iterable[int], logical: bytes | tuple[int | None, ...]) -> None:
        """The logical keys of the micro-operations with these codes; the first one said counts."""
        if isinstance(logical, bytes):
            logical = tuple(None if text == b"nil" else int(text) for text in logical.split())
        named = [code >> KIND_BITS for code in codes]
        if len(named) == len(logical):
            for key, of_key in zip(named, logical, strict=True):
                if key in self.unset:
                    self.unset.discard(key)
                    self.logical[key] = of_key


class Lists:
    """The lists that were read."""

    def __init__(self) -> None:
        # (key, text, how long the key's own text was then): in the order of the history.
        self.odd: list[tuple[int, bytes, int]] = []
        self._known: dict[tuple[int, bytes], int] = {}

    def read(self, key: Key, text: bytes) -> tuple[int, int]:
        """What to store for a read of a list whose text is made of well-formed tokens."""
        length = len(text)
        if length == 1:
            return key.base + READ_EMPTY, 0
        longest = key.text
        if length < len(longest):
            if longest.startswith(text) and longest[length] == 32:
                return key.base + READ_LIST, length
        elif text.startswith(longest):
            key.text = text + b" "
            return key.base + READ_LIST, length
        name = (key.base, text)
        found = self._known.setdefault(name, len(self.odd))
        if found == len(self.odd):
            self.odd.append((key.base >> KIND_BITS, text, len(longest)))
        return key.base + READ_ODD, found

    def read_token(self, key: Key, text: bytes, codes: Codes) -> tuple[int, int]:
        """As `read`, for text straight from a file; ValueError unless it holds plain scalars."""
        known = key.text
        if len(text) < len(known) and known.startswith(text) and known[len(text)] == 32:
            return key.base + READ_LIST, len(text)
        if len(text) > 1 and not is_numbers(text, len(known) if text.startswith(known) else 1):
            text = codes.list_text([codes.token(token) for token in text[1:].split(b" ")])
        return self.read(key, text)


class Processes:
    """The names of processes that are no integers; each has a number of its own.

    tokens: by the text of a name, the text of its number.
    """

    def __init__(self) -> None:
        self.names: list[Any] = []
        self.tokens: dict[bytes, bytes] = {}
        self._known: dict[Hashable, bytes] = {}

    def knows(self, name: Any) -> bool:
        return identity(name) in self._known

    def token(self, name: Any) -> bytes:
        """What stands for the process in the columns."""
        found = self._known.get(identity(name))
        if found is None:
            found = b"%d" % (FIRST_NAMED + len(self.names))
            self._known[identity(name)] = self.tokens[edn(name).encode("utf-8", "replace")] = found
            self.names.append(name)
        return found

    def text(self, token: bytes) -> str:
        """A process as a message names it."""
        number = int(token)
        if number == NO_PROCESS:
            return "an operation without a process"
        if number >= -LARGEST_PROCESS:
            return f"process {number}"
        return f"process {display_name(self.names[number - FIRST_NAMED])}"


def is_numbers(text: bytes, start: int) -> bool:
    """Whether the text from there on is plain numbers with one space between them."""
    return _MORE_NUMBERS.fullmatch(text, start) is not None
