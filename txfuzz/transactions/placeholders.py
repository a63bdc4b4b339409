"""The placeholders of a raw statement: `:name` for its arguments, `{table}` for the table of its key."""

from __future__ import annotations

import re

# What only looks like a placeholder is matched first and skipped.
_TOKEN = re.compile(
    r"""
      [eE]'(?:[^'\\]|''|\\.)*' | '(?:[^']|'')*'  # string constants
    | "(?:[^"]|"")*"                              # quoted names
    | (?P<tag>\$\w*\$).*?(?P=tag)                  # dollar-quoted strings
    | --[^\n]* | /\*.*?\*/                        # comments
    | ::                                          # casts
    | (?<!\w):(?P<name>[A-Za-z_]\w*)              # and not the bounds of an array slice
    | \{(?P<braced>\w*)\}
    """,
    re.VERBOSE | re.DOTALL,
)


def placeholders(sql: str) -> tuple[str, ...]:
    """The names of the arguments that the statement uses, in the order of first use."""
    return _names(sql, "name")


def braced_words(sql: str) -> tuple[str, ...]:
    """The words in braces, of which only `{table}` has a meaning."""
    return _names(sql, "braced")


def _names(sql: str, group: str) -> tuple[str, ...]:
    found = (token[group] for token in _TOKEN.finditer(sql))
    return tuple(dict.fromkeys(name for name in found if name is not None))
