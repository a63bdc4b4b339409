"""Levels, locks, and the SQL of every kind of step. Values are always parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from txfuzz.plugin_api import Kind, RawStatement, UsageError, check_stays_inside, did_you_mean, level_among

ON_CONFLICT = "on-conflict"
UPDATE_ELSE_INSERT = "update-else-insert"
WRITE_FORMS = (UPDATE_ELSE_INSERT, ON_CONFLICT)  # the usual ones, of which an option of the adapter chooses
# The forms of single steps. `merge` needs PostgreSQL 15.
_WRITES = (*WRITE_FORMS, "insert-else-update", "merge", "delete-insert")
FORMS: Mapping[str, tuple[str, ...]] = {
    "r": ("range", "update-returning"),
    "append": _WRITES,
    "w": _WRITES,
}


# READ UNCOMMITTED is an alias of READ COMMITTED, and REPEATABLE READ is snapshot isolation:
# https://www.postgresql.org/docs/current/transaction-iso.html
PROMISES: Mapping[str, str] = {
    "read uncommitted": "read-committed",
    "read committed": "read-committed",
    "repeatable read": "snapshot-isolation",
    "serializable": "serializable",
}
_OUTLIVES = re.compile(
    r"^\s*(SET\s+(?!LOCAL\b|TRANSACTION\b|CONSTRAINTS\b)|RESET|LISTEN|PREPARE|DEALLOCATE|DISCARD|LOAD)\b|"
    r"^\s*DECLARE\b[^;]*\bWITH\s+HOLD\b|"
    r"\bTEMP(ORARY)?\b|\bpg_(try_)?advisory_lock|\bset_config\s*\(",
    re.IGNORECASE,
)
_CHANGES_MEANING = re.compile(r"^\s*(SET|RESET|DEALLOCATE|DISCARD)\b|\bset_config\s*\(", re.IGNORECASE)
_ALTERS = re.compile(r"\b(create|alter|execute|call)\b", re.IGNORECASE)
DEFAULT_LEVEL = "serializable"
LOCKS = frozenset({"update", "no key update", "share", "key share"})


def level(word: str) -> str:
    """The level as PROMISES spells it; capitals, hyphens and underscores do not matter."""
    return level_among(word, PROMISES, "PostgreSQL has no isolation level")


def lock_clause(word: str | None) -> str:
    """` FOR UPDATE` or similar, for the end of a SELECT; empty without a lock."""
    if word is None:
        return ""
    if word not in LOCKS:
        raise UsageError(f"PostgreSQL has no row lock {word!r}: {did_you_mean(word, LOCKS)}")
    return f" FOR {word.upper()}"


def begin_sql(level: str, *, read_only: bool = False, deferrable: bool = False) -> str:
    """Every property is explicit, so that no server or role default applies."""
    writes = "READ ONLY" if read_only else "READ WRITE"
    defers = "DEFERRABLE" if deferrable else "NOT DEFERRABLE"
    return f"BEGIN ISOLATION LEVEL {level.upper()}, {writes}, {defers}"


def typed_begin(isolation: str, *, read_only: bool = False, deferrable: bool = False) -> str:
    """As people write it."""
    modes = (" READ ONLY" if read_only else "") + (" DEFERRABLE" if deferrable else "")
    return f"BEGIN ISOLATION LEVEL {isolation.upper()}{modes}"


@lru_cache(maxsize=4096)
def outlives_transactions(query: str) -> bool:
    """May it change what belongs to the connection: its locks, settings, tables, names and cursors?"""
    return _OUTLIVES.search(query) is not None


@lru_cache(maxsize=4096)
def may_alter(query: str) -> bool:
    """May it make a trigger, a rule or a foreign key? What a function of the user's does is not followed."""
    return _ALTERS.search(query) is not None


@lru_cache(maxsize=4096)
def changes_meaning(query: str) -> bool:
    """May a plan that was made before not be the right one any more for a statement behind it? Other settings
    make other plans, or plans are thrown away."""
    return _CHANGES_MEANING.search(query) is not None


def read_sql(table: str, lock: str | None) -> str:
    return f"SELECT val FROM {table} WHERE key = $1{lock_clause(lock)}"


def read_form_sql(table: str, form: str, lock: str | None) -> str:
    """A read in one of FORMS; `update-returning` locks the row by itself. $1: the key."""
    if form == "range":
        return f"SELECT val FROM {table} WHERE key >= $1 AND key <= $1{lock_clause(lock)}"
    if form == "update-returning":
        return f"UPDATE {table} SET val = val WHERE key = $1 RETURNING val"
    raise UsageError(f"PostgreSQL has no read {form!r}: {did_you_mean(form, FORMS['r'])}")


def write_sql(kind: Kind, table: str, form: str) -> tuple[str, ...]:
    """One statement, or several, each of which runs if the one before found no row. $1 key, $2 value."""
    appends = kind is Kind.LIST_APPEND
    first = "ARRAY[$2]" if appends else "$2"
    changed = "own.val || $2" if appends else "$2"
    insert = f"INSERT INTO {table} AS own (key, val) VALUES ($1, {first})"
    update = f"UPDATE {table} AS own SET val = {changed} WHERE key = $1"
    if form == ON_CONFLICT:
        return (f"{insert} ON CONFLICT (key) DO UPDATE SET val = {changed}",)
    if form == UPDATE_ELSE_INSERT:
        return (update, insert)
    if form == "insert-else-update":  # at last again, because somebody may delete the row in between
        return (f"{insert} ON CONFLICT (key) DO NOTHING", update, insert)
    if form == "merge":
        return (
            f"MERGE INTO {table} AS own USING (SELECT $1::bigint AS key) AS new ON own.key = new.key "
            f"WHEN MATCHED THEN UPDATE SET val = {changed} "
            f"WHEN NOT MATCHED THEN INSERT (key, val) VALUES (new.key, {first})",
        )
    if form == "delete-insert":
        old = "coalesce((SELECT val FROM own), '{}') || $2" if appends else "$2"
        return (
            f"WITH own AS (DELETE FROM {table} WHERE key = $1 RETURNING val) "
            # which has to wait until the old row is counted, and so deleted
            f"INSERT INTO {table} (key, val) SELECT $1, {old} FROM (SELECT count(*) FROM own) AS counted",
        )
    raise UsageError(f"PostgreSQL has no way to write {form!r}: {did_you_mean(form, _WRITES)}")


# Placeholders, and everything that only looks like one, which is matched first and kept.
TOKEN = re.compile(
    r"""
      [eE]'(?:[^'\\]|''|\\.)*' | '(?:[^']|'')*'  # string constants
    | "(?:[^"]|"")*"                              # quoted names
    | (?P<tag>\$\w*\$).*?(?P=tag)                  # dollar-quoted strings
    | --[^\n]* | /\*.*?\*/                        # comments
    | ::                                          # casts
    | (?<!\w):(?P<name>[A-Za-z_]\w*)              # but not the bounds of an array slice
    """,
    re.VERBOSE | re.DOTALL,
)
ENDING = frozenset({"abort", "begin", "commit", "end", "rollback", "start"})
# Settings that change the level, also of later transactions, by SET or set_config().
LEVEL = re.compile(
    r"\btransaction_isolation\b|\bisolation\s+level\b|\bsession\s+characteristics\b"
    r"|\bdefault_transaction_(isolation|read_only|deferrable)\b"
)
CHANGES_SETTINGS = re.compile(r"^\s*(set|reset|alter)\b|\bset_config\b|\bpg_settings\b")


@lru_cache(maxsize=1024)
def compile_raw(sql: str) -> RawStatement:
    """Turn every `:name` into a `$n`, the same one for the same name.

    Raises UsageError for statements that would end the transaction or change its level.
    """
    words = first_words(sql)
    plain = without_comments(sql).lower()
    sets_level = CHANGES_SETTINGS.search(plain) is not None and LEVEL.search(plain) is not None
    check_stays_inside(words, ENDING, forbidden=sets_level or words[:2] == ("prepare", "transaction"))
    statement, names = numbered(sql)
    return RawStatement(statement, names, calls=words[:1] == ("call",))


@lru_cache(maxsize=1024)
def numbered(sql: str) -> tuple[str, tuple[str, ...]]:
    """With $1, $2, … for its placeholders, and the names that these stand for."""
    numbers: dict[str, int] = {}

    def number(token: re.Match[str]) -> str:
        name = token["name"]
        return token[0] if name is None else f"${numbers.setdefault(name, len(numbers) + 1)}"

    return TOKEN.sub(number, sql), tuple(numbers)


def first_words(sql: str) -> tuple[str, ...]:
    """The first four words of a statement in lower case, comments skipped."""
    return tuple(word.lower() for word in re.findall(r"\w+", without_comments(sql))[:4])


def without_comments(sql: str) -> str:
    """The statement without the comments before its first word; block comments nest."""
    rest = sql.lstrip()
    while rest.startswith(("--", "/*")):
        if rest.startswith("--"):
            rest = rest.partition("\n")[2]
        else:
            depth = 0
            for mark in re.finditer(r"/\*|\*/", rest):
                depth += 1 if mark[0] == "/*" else -1
                if depth == 0:
                    rest = rest[mark.end() :]
                    break
            else:
                return ""
        rest = rest.lstrip()
    return rest
