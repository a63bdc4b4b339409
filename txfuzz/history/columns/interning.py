"""Keys, values, lists and processes as numbers while a history is being read.

Values become codes: integers of moderate size are their own codes, everything else gets a number beyond
those. Lists become lengths: in list-append nearly every read of a key is a prefix of the longest one, so the
longest text is kept per key, "[1 2 3 ", and a read is the length of its text, "[1 2". Reads that do not fit
are kept whole, as odd ones.

Elle identifies clients by integers and ignores everything else as the nemesis. Other recorders use names like
"worker-1" or :client, which count as clients here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, TypeAlias

from txfuzz.history.columns.growing import NO_PROCESS
from txfuzz.history.values import display_name, edn, identity

# The kinds of micro-operations, stored as key * 8 + kind, with a value.
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
# Histories cannot contain this byte where a number is expected, so other codes cannot be mistaken for numbers
# in the file.
SIDE_MARK = b"\x1f"

NUMBER = rb"(?:0|-?[1-9]\d{0,17}+)"
_A_NUMBER = re.compile(NUMBER)
_MORE_NUMBERS = re.compile(rb"%b(?: %b)*" % (NUMBER, NUMBER))
# A scalar between spaces or brackets that can be parsed without context.
_SCALAR = re.compile(rb'"[^"\\\x00-\x20,]*"|[^\x00-\x20,\[\](){}"\\;#^\x7f]+')
_TOKENS_KEPT = 1 << 16

# Larger than integers in a file, so that the numbers of names cannot collide with them.
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
    """Values to codes and back. decode: parses the text of a scalar, or raises ValueError."""

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
        """The code of a scalar by its text; ValueError if that is not a plain scalar."""
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
        """`list_text` of the codes of these values."""
        # The str of a list of numbers is the fastest way to our text.
        if set(map(type, values)) == {int} and min(values) > -PLAIN and max(values) < PLAIN:
            return b"[" + str(list(values))[1:-1].replace(",", "").encode()
        return self.list_text(map(self.code, values))

    def list_text(self, codes: Iterable[int]) -> bytes:
        """A list as text for Lists, without the closing bracket."""
        return b"[" + b" ".join(
            [b"%d" % c if c > -PLAIN else b"%b%d" % (SIDE_MARK, -PLAIN - c) for c in codes]
        )


class Key:
    """One key. base: its number times 8. text: the longest list read of it, "[1 2 3 " ("[" at first).
    unread: the text of its read in an invocation, "r 12 nil"."""

    __slots__ = ("base", "text", "unread")

    def __init__(self, base: int, unread: bytes) -> None:
        self.base = base
        self.text = b"["
        self.unread = unread


class Keys:
    """All keys, by value and by text. unset: those without a logical key so far."""

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
        """The key with this text; ValueError if that is not a plain scalar."""
        found = self.by_token.get(token)
        if found is None:
            found = self.by_token[token] = self.key(_token_value(token, self._decode))
        return found

    def set_logical(self, codes: Iterable[int], logical: bytes | tuple[int | None, ...]) -> None:
        """Set the logical keys of the micro-operations with these codes, unless already set."""
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
        # (key, text, length of the key's text at that time), in the order of the history
        self.odd: list[tuple[int, bytes, int]] = []
        self._known: dict[tuple[int, bytes], int] = {}

    def read(self, key: Key, text: bytes) -> tuple[int, int]:
        """What to store for a read of a list whose text is well-formed."""
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
        """Like `read`, for text directly from a file; ValueError unless it contains plain scalars."""
        known = key.text
        if len(text) < len(known) and known.startswith(text) and known[len(text)] == 32:
            return key.base + READ_LIST, len(text)
        if len(text) > 1 and not is_numbers(text, len(known) if text.startswith(known) else 1):
            text = codes.list_text([codes.token(token) for token in text[1:].split(b" ")])
        return self.read(key, text)


class Processes:
    """Numbers for processes that are not integers. tokens: text of a name → text of its number."""

    def __init__(self) -> None:
        self.names: list[Any] = []
        self.tokens: dict[bytes, bytes] = {}
        self._known: dict[Hashable, bytes] = {}

    def knows(self, name: Any) -> bool:
        return identity(name) in self._known

    def token(self, name: Any) -> bytes:
        """The token of the process in the columns."""
        found = self._known.get(identity(name))
        if found is None:
            found = b"%d" % (FIRST_NAMED + len(self.names))
            self._known[identity(name)] = self.tokens[edn(name).encode("utf-8", "replace")] = found
            self.names.append(name)
        return found

    def text(self, token: bytes) -> str:
        """A process for messages."""
        number = int(token)
        if number == NO_PROCESS:
            return "an operation without a process"
        if number >= -LARGEST_PROCESS:
            return f"process {number}"
        return f"process {display_name(self.names[number - FIRST_NAMED])}"


def is_numbers(text: bytes, start: int) -> bool:
    """Whether the text from here on is plain numbers separated by single spaces."""
    return _MORE_NUMBERS.fullmatch(text, start) is not None
