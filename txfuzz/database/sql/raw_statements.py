"""Raw SQL steps, whatever the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from txfuzz.database.api import BoundStep, Outcome, SessionError
from txfuzz.errors import UsageError
from txfuzz.transactions.model import NewValue


@dataclass(frozen=True, slots=True)
class RawStatement:
    """A compiled raw step, without its table. sql: with the driver's placeholders.

    names: its arguments, in the order of their placeholders where these are numbered; None: all of the
    step's, for drivers that bind by name. upserts: it may count a changed row twice. calls: it is a
    procedure call, which counts no rows.
    """

    sql: str
    names: tuple[str, ...] | None = None
    upserts: bool = False
    calls: bool = False

    def on(self, table: str) -> str:
        return self.sql.replace("{table}", table)

    def arguments(self, step: BoundStep, code: str) -> Mapping[str, int]:
        """Plain numbers by name; SessionError with this code where the step does not have them."""
        names = step.args if self.names is None else self.names
        for name in names:
            if name not in step.args:
                raise SessionError(Outcome.BUG, code, f"the step has no argument :{name}")
        return {name: int(step.args[name]) for name in names}


def table_index(step: BoundStep, sql: str, count: int, code: str) -> int:
    """The table, of `count`, that holds the keys of a raw step (of its micro-operations and arguments).

    SessionError with this code if there is no key, or if the keys are in several tables.
    """
    if count == 1 or "{table}" not in sql:
        return 0
    keys = [step.key, *(mop[1] for mop in step.mops)]
    keys += [step.args.get(name) for name, arg in step.step.args if not isinstance(arg, NewValue)]
    known = {key % count for key in keys if key is not None}
    if not known:
        message = f"{{table}} needs a key, because there are {count} tables: {sql}"
        raise SessionError(Outcome.BUG, code, message)
    if len(known) > 1:
        message = f"the keys of one statement are in several tables, but it can name only one: {sql}"
        raise SessionError(Outcome.BUG, code, message)
    return known.pop()


def check_stays_inside(words: tuple[str, ...], ending: Collection[str], *, forbidden: bool = False) -> None:
    """UsageError for a raw step that begins or ends its transaction.

    words: the first ones of the statement, in lower case. ending: words that begin such statements; ROLLBACK
    TO a savepoint is allowed. forbidden: it would change the level of the transaction.
    """
    undoes = words[:1] == ("rollback",) and "to" in words
    if forbidden or (words and words[0] in ending and not undoes):
        started = " ".join(words[:2]).upper()
        raise UsageError(f"{started}: a step may not begin or end the transaction or change its isolation")
