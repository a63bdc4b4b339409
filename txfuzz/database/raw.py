"""What raw SQL steps owe the history, whatever the database."""

from __future__ import annotations

from collections.abc import Collection

from txfuzz.database.port import BoundStep, Outcome, SessionError
from txfuzz.errors import UsageError


class Written:
    """The write micro-operations of the open transaction, and which of them a savepoint has before it.

    code: the database's own code for what may not be done in a transaction.
    """

    def __init__(self, code: str) -> None:
        self._code = code
        self.begin()

    def begin(self) -> None:
        """A new transaction."""
        self._count = 0
        self._at_savepoint: int | None = None  # writes before the first savepoint

    def add(self) -> None:
        """A write has been done, and will be recorded."""
        self._count += 1

    def watch(self, *, opens: bool, undoes: bool) -> None:
        """A savepoint is about to be set (`opens`), or to be rolled back to (`undoes`).

        A write that ROLLBACK TO undoes would stand in the history as if it had happened: SessionError.
        """
        if opens and self._at_savepoint is None:
            self._at_savepoint = self._count
        if undoes and self._count != (self._at_savepoint or 0):
            message = "ROLLBACK TO would undo a write that the history has recorded"
            raise SessionError(Outcome.BUG, self._code, message)


def table_index(step: BoundStep, sql: str, count: int, code: str) -> int:
    """In which of `count` tables a raw step works: by its micro-operation's key, else by its first argument.

    SessionError with this code where {table} could be any.
    """
    if count == 1 or "{table}" not in sql:
        return 0
    key = step.key
    if key is None and step.step.args:
        key = step.args.get(step.step.args[0][0])
    if key is None:
        message = f"{{table}} needs a key, since there are {count} tables: {sql}"
        raise SessionError(Outcome.BUG, code, message)
    return key % count


def rolls_back_to_savepoint(
    words: tuple[str, ...], ending: Collection[str], *, forbidden: bool = False
) -> bool:
    """Is a raw step of these first words, in lower case, ROLLBACK TO?

    ending: words that begin statements which begin or end transactions. UsageError for those, and
    where the statement is `forbidden` for another reason: it is sessions that do such things.
    """
    undoes = words[:1] == ("rollback",) and "to" in words
    if forbidden or (words and words[0] in ending and not undoes):
        started = " ".join(words[:2]).upper()
        raise UsageError(f"{started}: a step may not begin or end the transaction, nor change its isolation")
    return undoes
