"""Which tables a raw statement reads and changes, judging by its text.

This is not an SQL parser. It looks for the keywords that precede table names, which are the same in all
dialects, and skips strings, comments, subqueries and names of common table expressions. It cannot see what
functions, procedures and triggers do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

TABLE = "{table}"

_TOKEN = re.compile(
    r"""
      [eE]'(?:[^'\\]|''|\\.)*' | '(?:[^']|'')*'      # string constants
    | (?P<tag>\$\w*\$).*?(?P=tag)                    # dollar-quoted strings
    | --[^\n]* | /\*.*?\*/                           # comments
    | (?P<braced>\{table\})
    | (?P<name>(?:"(?:[^"]|"")*"|`[^`]*`|[^\W\d]\w*)(?:\s*\.\s*(?:"(?:[^"]|"")*"|`[^`]*`|[^\W\d]\w*))*)
    | (?P<mark>[(),;])
    | :: | :\w+ | \S
    """,
    re.VERBOSE | re.DOTALL,
)
# Words that may stand between such a keyword and the table name
_PASSED_OVER = frozenset(
    {"only", "ignore", "low_priority", "delayed", "high_priority", "lateral", "quick", "table"}
    | {"if", "exists", "or", "abort", "fail"}
)
# Words that end the list of tables after FROM
_CLAUSES = frozenset(
    {"where", "group", "order", "having", "limit", "offset", "fetch", "for", "window", "union", "intersect"}
    | {"except", "set", "returning", "on", "using", "values", "select", "when", "then", "lock", "into"}
)
_NO_TABLES = frozenset(
    {"extract", "substring", "trim", "overlay", "position"}
)  # which have a FROM of their own
_CHANGING = frozenset({"insert", "update", "delete", "merge", "replace", "truncate", "alter", "drop"})
_OPAQUE = frozenset({"call", "do", "execute", "exec"})
_ENDING = frozenset({"abort", "begin", "commit", "end", "rollback", "start"})
_SETTING = frozenset({"set", "reset", "alter"})
_CURSORS = frozenset({"fetch", "move", "close"})  # whose FROM names a cursor


@dataclass(frozen=True, slots=True)
class StatementTables:
    """The tables of one statement, including "{table}".

    reads: tables named without being changed. changes: tables that it inserts into, updates, deletes from
    or alters. verb: its first word. opaque: a call, whose effects cannot be seen. savepoint: the name that
    SAVEPOINT sets or ROLLBACK TO or RELEASE uses, depending on the verb. filtered: it has WHERE, VALUES or
    the like, so it need not affect every row. ends: it begins or ends a transaction. sets_level: it
    changes an isolation level.
    """

    verb: str
    reads: frozenset[str] = frozenset()
    changes: frozenset[str] = frozenset()
    opaque: bool = False
    savepoint: str | None = None
    filtered: bool = True
    ends: bool = False
    sets_level: bool = False

    @property
    def changes_ours(self) -> bool:
        return TABLE in self.changes

    @property
    def others(self) -> tuple[str, ...]:
        """All tables but {table}, in order."""
        return tuple(sorted((self.reads | self.changes) - {TABLE}))


def savepoint_named(word: str) -> str:
    """The name of a savepoint as in StatementTables: lower case unless quoted."""
    return word if word[:1] in ('"', "`") else word.lower()


@lru_cache(maxsize=1024)
def tables_of(sql: str) -> StatementTables:
    """The tables of this statement."""
    tokens = list(_tokens(sql))
    words = [token for token in tokens if token not in "(),;"]
    verb = words[0] if words else ""
    if savepoint := _savepoint(words):
        return StatementTables(verb, savepoint=savepoint)
    if verb in _CURSORS or verb in _ENDING:
        return StatementTables(verb, ends=verb in _ENDING)
    if verb in _SETTING and any("isolation" in word for word in words):
        return StatementTables(verb, sets_level=True)
    defined = set(_defined(tokens))
    reads: set[str] = set()
    changes: set[str] = set()
    for table, changed in _named(tokens):
        if table not in defined:
            (changes if changed else reads).add(table)
    everything = verb in ("update", "delete") and not {"where", "from", "limit", "using"} & set(words[2:])
    return StatementTables(
        verb,
        frozenset(reads - changes),
        frozenset(changes),
        opaque=verb in _OPAQUE,
        filtered=not everything,
    )


def _tokens(sql: str) -> Iterator[str]:
    """Names (lower case unless quoted), brackets and commas; `?` for anything else."""
    for token in _TOKEN.finditer(sql):
        text = token[0]
        if token["braced"] or token["mark"]:
            yield text
        elif name := token["name"]:
            plain = re.sub(r"\s*\.\s*", ".", name)
            yield plain if plain[0] in '"`' else plain.lower()
        elif not text.startswith(("--", "/*")):
            yield "?"


def _savepoint(words: Sequence[str]) -> str | None:
    match words:
        case ["savepoint", name]:
            return name
        case ["rollback", *between, "to", name] | ["rollback", *between, "to", "savepoint", name] if all(
            word in ("work", "transaction") for word in between
        ):
            return name
        case ["release", name] | ["release", "savepoint", name]:
            return name
    return None


def _defined(tokens: Sequence[str]) -> Iterator[str]:
    """Names of common table expressions: NAME [(columns)] AS [[NOT] MATERIALIZED] ( SELECT …"""
    for at, token in enumerate(tokens):
        if token != "as":
            continue
        after = at + 1
        while after < len(tokens) and tokens[after] in ("not", "materialized"):
            after += 1
        if tokens[after : after + 1] != ["("]:
            continue
        before = at - 1
        if before >= 0 and tokens[before] == ")":
            while before >= 0 and tokens[before] != "(":
                before -= 1
            before -= 1
        if before >= 0:
            yield tokens[before]


def _named(tokens: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """(table, whether it is changed) for every mention of a table."""
    brackets: list[str] = []  # the word before each open bracket
    from_at: set[int] = set()  # depths at which commas separate tables
    for at, token in enumerate(tokens):
        before = tokens[at - 1] if at else ""
        if token == "(":
            brackets.append(before)
        elif token == ")":
            from_at.discard(len(brackets))
            if brackets:
                brackets.pop()
        elif token in _CLAUSES:
            from_at.discard(len(brackets))
        changed = _changes(tokens, at)
        if (
            changed
            or token in ("join", "using")
            or (token == "from" and before not in ("delete", "distinct"))
        ):
            of_function = bool(brackets) and brackets[-1] in _NO_TABLES
            if token == "from" and (of_function or tokens[0] == "copy"):
                continue
            if token == "from":
                from_at.add(len(brackets))
        elif token != "," or len(brackets) not in from_at:
            continue
        table = _table_after(tokens, at)
        if table is not None:
            yield table, changed


def _changes(tokens: Sequence[str], at: int) -> bool:
    """Is this token followed by the name of a table that is changed?"""
    token, before = tokens[at], tokens[at - 1] if at else ""
    if token == "update":
        # FOR [NO KEY] UPDATE, DO UPDATE, ON DUPLICATE KEY UPDATE, WHEN MATCHED THEN UPDATE
        return before in ("", "(", ")", ";", "explain", "analyze")
    if token == "into":
        return any(word in _CHANGING for word in tokens[max(0, at - 3) : at])
    if token == "from":
        return before == "delete" or (before == "quick" and "delete" in tokens[max(0, at - 3) : at])
    if token == "replace":  # REPLACE INTO is seen by its INTO; MariaDB can leave that out
        return before in ("", ";") and tokens[at + 1 : at + 2] not in (["into"], ["("])
    if token == "copy":  # COPY name (…) FROM changes it, COPY name TO reads it
        return before in ("", ";") and "from" in tokens[at:] and "to" not in tokens[at:]
    if token == "truncate":
        return True
    return token == "table" and before in ("alter", "drop")


def _table_after(tokens: Sequence[str], at: int) -> str | None:
    """The table name that follows; None for a subquery or function."""
    at += 1
    while at < len(tokens) and tokens[at] in _PASSED_OVER:
        at += 1
    if at >= len(tokens) or tokens[at] in "(),;?" or tokens[at] in _CLAUSES:
        return None
    if tokens[at + 1 : at + 2] == ["("] and not _columns(tokens, at):
        return None
    return tokens[at]


def _columns(tokens: Sequence[str], at: int) -> bool:
    """Do the following brackets hold the columns of INSERT INTO name (…)?"""
    return "into" in tokens[max(0, at - 2) : at] or tokens[at] == TABLE
