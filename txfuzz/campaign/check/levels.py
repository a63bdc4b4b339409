"""At which isolation levels a check runs, which of them decide its verdict, and what each promises."""

from __future__ import annotations

import re
from collections.abc import Sequence

from txfuzz.check.code.call import CodeTransaction
from txfuzz.check.contract import CheckedTransaction
from txfuzz.check.program import Program
from txfuzz.check.transaction import SqlTransaction
from txfuzz.database.api import Capabilities
from txfuzz.database.isolation_levels import level_named
from txfuzz.errors import UsageError, did_you_mean

MODELS = ("serializable", "strict-serializable")  # that outcomes can be held against, from weak to strong
ALL = "all"
_SKIPS = re.compile(r"\bSKIP\s+LOCKED\b", re.IGNORECASE)


def levels(
    capabilities: Capabilities, wanted: Sequence[str], own: str | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The levels that are run, from weak to strong, and those of them that decide the verdict.

    wanted: as the command line names them; they are the only ones that are run. own: the level that the
    file names, which decides alone; the others are run to compare. If nobody names one, all decide.
    """
    known = distinct_levels(capabilities)
    if any(word.lower() == ALL for word in wanted):
        return known, known
    if wanted:
        named = {level_named(capabilities, word) for word in wanted}
        chosen = tuple(level for level in capabilities.isolation if level in named)
        return chosen, chosen
    if own is None:
        return known, known
    level = level_named(capabilities, own)
    return tuple(each for each in capabilities.isolation if each in known or each == level), (level,)


def distinct_levels(capabilities: Capabilities) -> tuple[str, ...]:
    """Without those that promise no more than the next one does."""
    names = list(capabilities.isolation)
    promises = list(capabilities.isolation.values())
    return tuple(name for at, name in enumerate(names) if promises[at] not in promises[at + 1 :])


def check_expect(model: str) -> None:
    if model not in MODELS:
        raise UsageError(f"outcomes cannot be held against {model!r}: {did_you_mean(model, MODELS)}")


def promises(capabilities: Capabilities, program: Program, isolation: str, expect: str) -> bool:
    """Does the database promise at the levels of this program what it is held against?

    Not to code: that may choose a level of its own, and be several transactions. Nor to statements that
    ask not to see what others have locked.
    """
    if any(asks_for_less(transaction) for transaction, _ in program.calls):
        return False
    strong = MODELS[MODELS.index(expect) :]
    return all(capabilities.isolation.get(call.isolation) in strong for call in program.bound(isolation))


def asks_for_less(transaction: CheckedTransaction) -> bool:
    if isinstance(transaction, SqlTransaction):
        return any(_SKIPS.search(str(step.sql)) for step in transaction.transaction.steps)
    return isinstance(transaction, CodeTransaction)
