"""What raw SQL steps owe the history, whatever the database."""

from __future__ import annotations

from collections.abc import Collection

from txfuzz.database.api import BoundStep, Outcome, SessionError
from txfuzz.errors import UsageError


def table_index(step: BoundStep, sql: str, count: int, code: str) -> int:
    """In which of `count` tables a raw step works: by its micro-operation's key, else by its first argument.

    SessionError with this code where {table} could be any.
    """
    if count == 1 or "{table}" not in sql:
        return 0
    keys = [step.key, *(mop[1] for mop in step.mops)]
    if step.step.args:
        keys.append(step.args.get(step.step.args[0][0]))
    known = [key for key in keys if key is not None]
    if not known:
        message = f"{{table}} needs a key, since there are {count} tables: {sql}"
        raise SessionError(Outcome.BUG, code, message)
    if any(key % count != known[0] % count for key in (mop[1] for mop in step.mops)):
        message = f"the keys of one statement are in several tables, and it names one: {sql}"
        raise SessionError(Outcome.BUG, code, message)
    return known[0] % count


def check_stays_inside(words: tuple[str, ...], ending: Collection[str], *, forbidden: bool = False) -> None:
    """UsageError for a raw step that begins or ends its transaction: it is sessions that do such things.

    words: the first ones of the statement, in lower case. ending: words that begin such statements;
    ROLLBACK TO a savepoint is none. forbidden: it would change the level of the transaction.
    """
    undoes = words[:1] == ("rollback",) and "to" in words
    if forbidden or (words and words[0] in ending and not undoes):
        started = " ".join(words[:2]).upper()
        raise UsageError(f"{started}: a step may not begin or end the transaction, nor change its isolation")
