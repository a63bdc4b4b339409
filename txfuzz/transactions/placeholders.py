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


def with_placeholders(sql: str, form: str, *, percent: str = "%") -> tuple[str, tuple[str, ...]]:
    """The statement with each `:name` written in another form, in which {} stands for the name, and the
    names, in the order of their first use. percent: how a percent sign is written there."""

    def write(token: re.Match[str]) -> str:
        name = token["name"]
        return token[0].replace("%", percent) if name is None else form.format(name)

    parts, end = [], 0
    for token in _TOKEN.finditer(sql):
        parts += [sql[end : token.start()].replace("%", percent), write(token)]
        end = token.end()
    parts.append(sql[end:].replace("%", percent))
    return "".join(parts), placeholders(sql)


def _names(sql: str, group: str) -> tuple[str, ...]:
    found = (token[group] for token in _TOKEN.finditer(sql))
    return tuple(dict.fromkeys(name for name in found if name is not None))
