"""Micro-operations from text such as `r 12 [1 2]] [:append 12 4`, without a parser.

It is fast because it splits instead of scanning, and compares lists with the longest one read of the key so
far instead of parsing their elements. All functions raise ValueError for text that they do not understand to
the last byte.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from txfuzz.common.kind import Kind
from txfuzz.history.builder import Coded, HistoryBuilder
from txfuzz.history.columns.interning import (
    READ_ELEMENT,
    READ_LIST,
    READ_NIL,
    READ_UNKNOWN,
    WROTE,
    WROTE_APPEND,
)
from txfuzz.history.model import FAIL, INFO

# (text of the invocation, text of the completion) → number of micro-operations added to the columns; -1 if
# a full check is needed, and nothing was added.
OkMops: TypeAlias = Callable[[bytes, bytes], int]

BETWEEN = b"] [:"
KINDS = {b"append": Kind.LIST_APPEND, b"w": Kind.RW_REGISTER}
_OPEN, _CLOSE, _SPACE = b"[] "


def ok_lists(builder: HistoryBuilder) -> OkMops:
    """The reader of ok transactions of list-append."""
    # A closure, because local names are fastest in Python.
    codes, values = builder.columns.codes, builder.columns.values
    known_keys, known_values = builder.keys.by_token, builder.codes.by_token
    new_key, new_value, new_read = builder.keys.token, builder.codes.token, builder.lists.read_token
    meaning = builder.codes

    def read(invoked: bytes, text: bytes) -> int:
        before = len(codes)
        try:
            for mop, asked in zip(text.split(BETWEEN), invoked.split(BETWEEN), strict=True):
                f, key_text, value = mop.split(b" ", 2)
                key = known_keys.get(key_text) or new_key(key_text)
                if f == b"r" and (asked == key.unread or asked == b"r " + key_text):
                    if value == b"nil":
                        code, stored = key.base + READ_NIL, 0
                    elif value[0] == _OPEN and value[-1] == _CLOSE:
                        seen = value[:-1]
                        stored = len(seen)
                        longest = key.text
                        if stored < len(longest) and longest[stored] == _SPACE and longest.startswith(seen):
                            code = key.base + READ_LIST
                        else:
                            code, stored = new_read(key, seen, meaning)
                    else:
                        raise ValueError
                elif f == b"append" and mop == asked:
                    code = key.base + WROTE_APPEND
                    known = known_values.get(value)
                    stored = new_value(value) if known is None else known
                else:
                    raise ValueError
                codes.append(code)
                values.append(stored)
        except (ValueError, IndexError):
            del codes[before:], values[before:]
            return -1
        return len(codes) - before

    return read


def ok_registers(builder: HistoryBuilder) -> OkMops:
    """The reader of ok transactions of rw-register."""
    codes, values = builder.columns.codes, builder.columns.values
    known_keys, known_values = builder.keys.by_token, builder.codes.by_token
    new_key, new_value = builder.keys.token, builder.codes.token

    def read(invoked: bytes, text: bytes) -> int:
        before = len(codes)
        try:
            for mop, asked in zip(text.split(BETWEEN), invoked.split(BETWEEN), strict=True):
                f, key_text, value = mop.split(b" ", 2)
                key = known_keys.get(key_text) or new_key(key_text)
                if f == b"r" and (asked == key.unread or asked == b"r " + key_text):
                    code = key.base + (READ_NIL if value == b"nil" else READ_ELEMENT)
                elif f == b"w" and mop == asked and value != b"nil":
                    code = key.base + WROTE
                else:
                    raise ValueError
                known = known_values.get(value)
                codes.append(code)
                values.append(new_value(value) if known is None else known)
        except (ValueError, IndexError):
            del codes[before:], values[before:]
            return -1
        return len(codes) - before

    return read


def completed_mops(builder: HistoryBuilder, text: bytes, type: int) -> Coded:
    """The micro-operations of a completion of any type and kind, fully checked."""
    codes: list[int] = []
    values: list[int] = []
    write, number = builder.write()
    for mop in text.split(BETWEEN):
        f, key_text, value = mop.split(b" ", 2)
        key = builder.keys.token(key_text)
        if f == b"r":
            code, stored = _read(builder, key_text, value, type)
        elif f == write and value != b"nil":
            code, stored = key.base + number, builder.codes.token(value)
        else:
            raise ValueError(text)
        codes.append(code)
        values.append(stored)
    return codes, values


def _read(builder: HistoryBuilder, key_text: bytes, value: bytes, type: int) -> tuple[int, int]:
    """The value of a read in a completion of this type; unknown for failed ones."""
    key = builder.keys.token(key_text)
    if value == b"nil":
        return key.base + (READ_UNKNOWN if type in (FAIL, INFO) else READ_NIL), 0
    if builder.kind is Kind.RW_REGISTER:
        stored = builder.codes.token(value)
        return (key.base + READ_UNKNOWN, 0) if type == FAIL else (key.base + READ_ELEMENT, stored)
    if builder.kind is not Kind.LIST_APPEND or not (value.startswith(b"[") and value.endswith(b"]")):
        raise ValueError(value)
    if type == FAIL:
        for token in value[1:-1].split(b" ") if len(value) > 2 else ():
            builder.codes.token(token)
        return key.base + READ_UNKNOWN, 0
    return builder.lists.read_token(key, value[:-1], builder.codes)
