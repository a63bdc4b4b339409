"""Levels, locks, and the SQL of every kind of step. Values are always parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from txfuzz.plugin_api import Kind, RawStatement, UsageError, check_stays_inside, did_you_mean, level_among

from .products import INNODB, WITH_SNAPSHOTS, levels_of

DIALECT = "mariadb"  # as templates name it
ON_DUPLICATE_KEY = "on-duplicate-key"
ON_DUPLICATE = "ON DUPLICATE KEY UPDATE"
UPDATE_ELSE_INSERT = "update-else-insert"
WRITE_FORMS = (ON_DUPLICATE_KEY, UPDATE_ELSE_INSERT)  # the usual ones, of which an option chooses
INSERT_ELSE_UPDATE = "insert-else-update"
# The forms of single steps
FORMS: Mapping[str, tuple[str, ...]] = {
    "r": ("range",),
    "append": (*WRITE_FORMS, INSERT_ELSE_UPDATE),
    "w": (*WRITE_FORMS, INSERT_ELSE_UPDATE),
}
LAYOUTS = ("primary-key", "secondary-index", "partitions")
PARTITIONS = 4
PLANS = ("default", "scan")


LOCKS: Mapping[str, str] = {"update": " FOR UPDATE", "share": " LOCK IN SHARE MODE"}


def promises(product: str, *, innodb_snapshot_isolation: bool) -> Mapping[str, str]:
    """Level → model. product: as the option has it."""
    return WITH_SNAPSHOTS if innodb_snapshot_isolation else levels_of(product)


def level(word: str) -> str:
    """The level as INNODB spells it; capitals, hyphens and underscores do not matter."""
    return level_among(word, INNODB, "MariaDB has no isolation level")


def lock_clause(word: str | None) -> str:
    """` FOR UPDATE` or similar, for the end of a SELECT; empty without a lock."""
    if word is None:
        return ""
    if word not in LOCKS:
        raise UsageError(f"MariaDB has no locking read {word!r}: {did_you_mean(word, LOCKS)}")
    return LOCKS[word]


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def read_sql(table: str, lock: str | None, form: str | None = None, *, plan: str = "default") -> str:
    """Parameter: key. plan: "scan" for a look at all rows, which a locking read then locks."""
    if form not in (None, *FORMS["r"]):
        raise UsageError(f"MariaDB has no read {form!r}: {did_you_mean(str(form), FORMS['r'])}")
    which = "`key` BETWEEN %(key)s AND %(key)s" if form == "range" else "`key` = %(key)s"
    hint = " IGNORE INDEX (PRIMARY)" if plan == "scan" else ""
    return f"SELECT val FROM {table}{hint} WHERE {which}{lock_clause(lock)}"


def write_sql(kind: Kind, table: str, form: str) -> tuple[str, ...]:
    """One statement, or two, the second of which runs if the first found nothing to do. Parameters: key,
    value."""
    appends = kind is Kind.LIST_APPEND
    first = "CONCAT(%(value)s, ',')" if appends else "%(value)s"
    changed = "CONCAT(val, %(value)s, ',')" if appends else "%(value)s"
    insert = f"INSERT INTO {table} (`key`, val) VALUES (%(key)s, {first})"
    if form == ON_DUPLICATE_KEY:
        return (f"{insert} {ON_DUPLICATE} val = {changed}",)
    update = f"UPDATE {table} SET val = {changed} WHERE `key` = %(key)s"
    if form == UPDATE_ELSE_INSERT:
        return (update, insert)
    if form == INSERT_ELSE_UPDATE:
        return (insert.replace("INSERT", "INSERT IGNORE", 1), update)
    raise UsageError(f"MariaDB has no way to write {form!r}: {did_you_mean(form, FORMS['w'])}")


# Placeholders, and everything that only looks like one, which is matched first and kept.
TOKEN = re.compile(
    r"""
      '(?:[^'\\]|''|\\.)*' | "(?:[^"\\]|""|\\.)*"  # strings
    | `(?:[^`]|``)*`                               # quoted names
    | --(?:[ \t][^\n]*|\n|$) | \#[^\n]* | /\*.*?\*/  # comments
    | (?<![\w:]):(?P<name>[A-Za-z_]\w*)            # but not an assignment
    | (?<![\w.@])(?P<column>key)(?!\w)             # the column, which must be quoted
    """,
    re.VERBOSE | re.DOTALL,
)
# What precedes a `key` that is a keyword
KEYWORD = re.compile(r"\b(primary|duplicate|foreign|unique)\s+$", re.IGNORECASE)
ENDING = frozenset({"begin", "commit", "rollback", "start", "xa"})
SETTINGS = re.compile(
    r"\btransaction\b|\bautocommit\b|\btx_(isolation|read_only)\b|\btransaction_(isolation|read_only)\b"
)


@lru_cache(maxsize=1024)
def compile_raw(sql: str) -> RawStatement:
    """Turn every `:name` into a driver placeholder, and quote the column `key` where it is not quoted.

    Raises UsageError for statements that would end the transaction or change its level.
    """
    plain = without_quoted(sql)
    words = tuple(word.lower() for word in re.findall(r"\w+", plain)[:4])
    sets_level = words[:1] == ("set",) and SETTINGS.search(plain.lower()) is not None
    check_stays_inside(words, ENDING, forbidden=sets_level)
    text, names = with_placeholders(sql, quote_key=True)
    return RawStatement(
        text,
        names,
        upserts=words[:1] in (("insert",), ("replace",)),
        calls=words[:1] == ("call",),
    )


def with_placeholders(sql: str, *, quote_key: bool = False) -> tuple[str, tuple[str, ...]]:
    """The statement with the driver's placeholders, and their names in the order of their first use."""
    names: dict[str, None] = {}
    pieces: list[str] = []
    end = 0
    for token in TOKEN.finditer(sql):
        pieces.append(sql[end : token.start()].replace("%", "%%"))
        name = token["name"]
        if name is not None:
            names[name] = None
            pieces.append(f"%({name})s")
        elif quote_key and token["column"] and not KEYWORD.search(sql, 0, token.start()):
            pieces.append("`key`")
        else:
            pieces.append(token[0].replace("%", "%%"))
        end = token.end()
    pieces.append(sql[end:].replace("%", "%%"))
    return "".join(pieces), tuple(names)


def without_quoted(sql: str) -> str:
    """The statement without strings and comments. `/*! … */` is not a comment."""

    def blank(token: re.Match[str]) -> str:
        text = token[0]
        if text.startswith(("/*!", "/*M!")):
            return text[3:-2]
        return text if token["name"] or token["column"] else " "

    return TOKEN.sub(blank, sql)
