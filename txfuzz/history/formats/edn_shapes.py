"""The shapes of operation maps: the order of their keys, and the forms of their values.

A shape is learned from an operation read by edn_format. It is a regular expression that matches only text of
which every byte is understood: known keys with values of the expected form, other keys with values of a few
harmless forms. Anything else does not match and is left to edn_format.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeAlias

from txfuzz.history.columns.interning import NUMBER

_GAP = rb"[, ]+"
_NAME = rb"[A-Za-z][\w.*+!?<>=-]*+"
_STRING = rb'"[^"\\\x00-\x1f]*+(?:\\["\\nrt][^"\\\x00-\x1f]*+)*"'
_SCALAR = rb"(?:%b|-?\d{1,15}\.\d{1,15}|:%b|nil|true|false|%b)" % (NUMBER, _NAME, _STRING)
_HARMLESS = rb"(?:%b|\[(?:%b(?:%b%b)*)?\])" % (_SCALAR, _SCALAR, _GAP, _SCALAR)

_NATURAL = rb"(0|[1-9]\d{0,17})"

# What is extracted from an operation, one group each.
ROLES = (b"type", b"process", b"index", b"time", b"value", b"txn", b"steps", b"logical")
_FORMS = {
    b"type": rb":(invoke|ok|fail|info)",
    b"process": rb'(%b|:%b|"[^"\\\x00-\x1f]*+")' % (_NATURAL[1:-1], _NAME),
    b"index": _NATURAL,
    b"time": _NATURAL,
    # All micro-operations without the outer brackets; the parts are examined separately.
    b"value": rb"\[\[:([^{}()\\;#^,\x00-\x1f]*)\]\]",
    b"txn": rb'"([^"\\\x00-\x1f]*)"',
    b"steps": rb"\[((?:%b(?: %b)*)?)\]" % (NUMBER, NUMBER),
    b"logical": rb"\[((?:(?:nil|%b)(?: (?:nil|%b))*)?)\]" % (NUMBER, NUMBER),
}
_TAG = rb"[A-Za-z][\w.*+!?$%&=<>-]*+"
_HEAD = re.compile(rb"(?:#%b(?:/%b)? ?)?\{[, ]*" % (_TAG, _TAG))
_PAIR = re.compile(rb"(:%b(?:/%b)?)(%b)(?:%b|%b)([, ]*)" % (_NAME, _NAME, _GAP, _FORMS[b"value"], _HARMLESS))
_LIMIT = 32  # shapes; a history has a handful
_LONGEST = 1 << 12  # bytes of the keys of a shape and the gaps between them

Fields: TypeAlias = (
    "tuple[bytes, bytes | None, bytes | None, bytes | None, bytes, bytes | None, bytes | None, bytes | None]"
)


@dataclass(frozen=True)
class _Shape:
    """before: the text before each key, including tag and bracket; after: the text at the end.

    Blanks are matched literally, which is much faster than allowing any.
    """

    before: tuple[bytes, ...]
    keys: tuple[bytes, ...]
    gaps: tuple[bytes, ...]
    after: bytes

    def roles(self) -> list[bytes]:
        return [_role(key) for key in self.keys]

    def expression(self) -> bytes:
        parts = zip(self.before, self.keys, self.gaps, self.roles(), strict=True)
        pairs = [
            re.escape(before + key + gap) + _FORMS.get(role, _HARMLESS) for before, key, gap, role in parts
        ]
        return b"".join(pairs) + re.escape(self.after)


@dataclass
class Shapes:
    """All shapes learned so far, as one pattern.

    pattern: matches one operation with the blanks before it, else its first byte, else the end (without a
    match the search would continue at every blank).
    groups: by `lastindex` of a match, the groups of the roles; None if it is not an operation.
    """

    _learned: list[_Shape] = field(default_factory=list)
    pattern: re.Pattern[bytes] = field(init=False)
    groups: list[tuple[int, ...] | None] = field(init=False)

    def __post_init__(self) -> None:
        self._compile()

    def learn(self, text: bytes) -> bool:
        """Learn the shape of an operation; whether it is new."""
        shape = _shape(text)
        if shape is None or shape in self._learned or len(self._learned) >= _LIMIT:
            return False
        self._learned.append(shape)
        self._compile()
        return True

    def _compile(self) -> None:
        alternatives = []
        self.groups = [None]
        never = 2 + sum(1 + sum(role in _FORMS for role in shape.roles()) for shape in self._learned)
        for shape in self._learned:
            inner = [role for role in shape.roles() if role in _FORMS]
            of_role = {role: at for at, role in enumerate(inner, len(self.groups) + 1)}
            self.groups.append(tuple(of_role.get(role, never) for role in ROLES))
            self.groups.extend([None] * len(inner))
            alternatives.append(b"(%b)" % shape.expression())
        self.groups.append(None)
        self.pattern = re.compile(
            rb"[ \t\n\r,]*+(?:%b)|(?!)()" % b"|".join([*alternatives, rb"([^ \t\n\r,]|\Z)"])
        )


def _role(key: bytes) -> bytes:
    """The name of a key without its namespace."""
    return key.rpartition(b"/")[2].lstrip(b":")


def _shape(text: bytes) -> _Shape | None:
    """The shape of an operation; None if it cannot be learned."""
    head = _HEAD.match(text)
    if head is None:
        return None
    before, keys, gaps = [head[0]], [], []
    at = head.end()
    size = 0
    while size < _LONGEST and (pair := _PAIR.match(text, at)):
        size += len(pair[1]) + len(pair[2]) + len(pair[4])
        keys.append(pair[1])
        gaps.append(pair[2])
        before.append(pair[4])
        at = pair.end()
    shape = _Shape(tuple(before[:-1]), tuple(keys), tuple(gaps), before[-1] + b"}")
    roles = shape.roles()
    if text[at:] != b"}" or len(set(roles)) < len(roles) or not {b"type", b"value"} <= set(roles):
        return None
    return shape if all(before[1:-1]) else None
