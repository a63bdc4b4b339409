"""Changes that may mend a failing program: a lock on a read, a constraint, a higher level with retries.

They are guesses by the form of the SQL; only trying them says which of them help.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from txfuzz.check.code.call import CodeTransaction
from txfuzz.check.contract import CheckedTransaction, SqlInvariant
from txfuzz.check.finding.failures import firsts
from txfuzz.check.run import FollowedSchedule
from txfuzz.check.serial.difference import StatementPlace
from txfuzz.check.transaction import SqlTransaction, StatementPoint
from txfuzz.common.sentences import listed
from txfuzz.transactions.model import Transaction

RETRIES = 5  # of a proposed higher level
_LOCK = "update"  # of an adapter's locks; the word of the standard for it is FOR UPDATE
_PLAIN_READ = re.compile(r"\s*SELECT\b(?!.*\bFOR\s+(UPDATE|SHARE|NO\s+KEY|KEY)\b)", re.IGNORECASE | re.DOTALL)
_AGGREGATE = re.compile(
    r"\s*SELECT\s+(?P<what>.+?)\s+FROM\s+(?P<table>[\w.\"]+)(?P<where>\s+WHERE\s.+?)?\s*;?\s*\Z",
    re.IGNORECASE | re.DOTALL,
)
_CALL = re.compile(r"\b(count|sum|min|max|avg|exists)\s*\(", re.IGNORECASE)
_REPEATED = re.compile(
    r"\s*SELECT\s.+?\sFROM\s+(?P<table>[\w.\"]+)(?:\s+WHERE\s+(?P<where>.+?))?"
    r"\s+GROUP\s+BY\s+(?P<columns>[\w\s,\"]+?)\s+HAVING\s+count\s*\([\w*\"\s]+\)\s*>\s*1\s*;?\s*\Z",
    re.IGNORECASE | re.DOTALL,
)
_SINGLE_ROW = re.compile(
    r"\s*SELECT\s.+?\sFROM\s+(?P<table>[\w.\"]+)\s+WHERE\s+(?P<where>.+?)\s*;?\s*\Z",
    re.IGNORECASE | re.DOTALL,
)
_NOT_OF_ONE_ROW = re.compile(r"\b(SELECT|JOIN|GROUP|HAVING|ORDER|LIMIT|UNION)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Proposal:
    """about: the change in words. sql: the statements as they would be. transactions: by name, as they would
    be. setup: statements behind the user's own. isolation: the level to run at, None for the one at which it
    fails."""

    about: str
    sql: str = ""
    transactions: Mapping[str, CheckedTransaction] = field(default_factory=dict)
    setup: tuple[str, ...] = ()
    isolation: str | None = None


def locking_reads(attempt: FollowedSchedule, locks: Collection[str]) -> Iterator[Proposal]:
    """A lock on each read that the explanation names, and on all of them; else on any read."""
    if _LOCK not in locks:
        return
    reads = _named_reads(attempt) or _all_reads(attempt)
    singles = [_locking(attempt, {read}) for read in sorted(reads)]
    yield from (each for each in singles if each is not None)
    if len(reads) > 1 and (together := _locking(attempt, reads)) is not None:
        yield together
    yield from _locking_code(attempt)


def constraints(invariants: Sequence[object], broken: Collection[str]) -> Iterator[Proposal]:
    """What a broken invariant would be as a constraint, where its query has the form of one."""
    for each in invariants:
        if isinstance(each, SqlInvariant) and each.name in broken:
            about, statement = _constraint(each.sql)
            if statement:
                yield Proposal(about, statement, setup=(statement,))


def stronger_levels(
    attempt: FollowedSchedule, higher: Sequence[str], codes: Sequence[str]
) -> Iterator[Proposal]:
    """Each of these levels, run again after an error that asks for it."""
    changed = {each.name: _tried_again(each) for each, _ in attempt.program.calls}
    for level in higher:
        again = f", run again after {listed(codes, 'or')}" if codes else ""
        yield Proposal(f"{level.upper()}{again}", transactions=changed, isolation=level)


def _tried_again(transaction: CheckedTransaction) -> CheckedTransaction:
    if isinstance(transaction, CodeTransaction):
        return replace(transaction, isolation=None, retries=max(transaction.retries, RETRIES))
    if isinstance(transaction, SqlTransaction):
        sql = transaction.transaction
        mode = replace(sql.mode, isolation=None)
        return SqlTransaction(replace(sql, retry=max(sql.retry, RETRIES), mode=mode))
    return transaction


def _locking_code(attempt: FollowedSchedule) -> Iterator[Proposal]:
    """A lock on all reads of code, whose statements are met on their way to the database."""
    changed: dict[str, CheckedTransaction] = {}
    shown: dict[str, None] = {}
    names = dict(zip(attempt.program.labels, attempt.program.calls, strict=True))
    for step in attempt.trace.steps:
        transaction, point = names[step.chosen.actor][0], step.chosen.what
        if isinstance(transaction, CodeTransaction) and isinstance(point, StatementPoint):
            locked = _locked(point.sql) if _PLAIN_READ.match(point.sql) else None
            if locked is not None:
                changed[transaction.name] = replace(transaction, rewrite=_with_lock)
                shown.setdefault(" ".join(locked.split()))
    if changed:
        where = listed(f"the reads of {name}" for name in changed)
        yield Proposal(f"FOR UPDATE in {where}", "\n".join(shown), changed)


def _with_lock(sql: str) -> str:
    return (_locked(sql) if _PLAIN_READ.match(sql) else None) or sql


def _named_reads(attempt: FollowedSchedule) -> set[tuple[str, int]]:
    names = dict(zip(attempt.program.labels, (each.name for each, _ in attempt.program.calls), strict=True))
    transactions = _transactions(attempt)
    return {
        (names[place.transaction], place.step)
        for _, place in firsts(attempt)
        if isinstance(place, StatementPlace)
        and names[place.transaction] in transactions
        and _is_plain_read(transactions[names[place.transaction]], place.step)
    }


def _all_reads(attempt: FollowedSchedule) -> set[tuple[str, int]]:
    return {
        (name, number)
        for name, each in _transactions(attempt).items()
        for number in range(len(each.steps))
        if _is_plain_read(each, number)
    }


def _is_plain_read(transaction: Transaction, step: int) -> bool:
    return _PLAIN_READ.match(str(transaction.steps[step].sql)) is not None


def _transactions(attempt: FollowedSchedule) -> dict[str, Transaction]:
    return {
        each.name: each.transaction for each, _ in attempt.program.calls if isinstance(each, SqlTransaction)
    }


def _locking(attempt: FollowedSchedule, reads: Collection[tuple[str, int]]) -> Proposal | None:
    changed = _transactions(attempt)
    for name, number in reads:
        transaction = changed[name]
        sql = _locked(str(transaction.steps[number].sql))
        if sql is None:
            return None
        step = replace(transaction.steps[number], sql=sql)
        steps = (*transaction.steps[:number], step, *transaction.steps[number + 1 :])
        changed[name] = replace(transaction, steps=steps)
    where = listed(f"step {number + 1} of {name}" for name, number in sorted(reads))
    statements = (str(changed[name].steps[number].sql) for name, number in sorted(reads))
    shown = "\n".join(dict.fromkeys(" ".join(each.split()) for each in statements))
    locking = {name: SqlTransaction(changed[name]) for name, _ in reads}
    return Proposal(f"FOR UPDATE in {where}", shown, locking)


def _locked(sql: str) -> str | None:
    """The read, locking the rows that it reads. An aggregate cannot, but a subquery below it can."""
    found = _AGGREGATE.match(sql)
    if _CALL.search(sql) is None:
        return f"{sql.rstrip().rstrip(';')} FOR UPDATE"
    if found is None or _NOT_OF_ONE_ROW.search(found["where"] or ""):
        return None
    rows = f"SELECT * FROM {found['table']}{found['where'] or ''} FOR UPDATE"
    return f"SELECT {found['what']} FROM ({rows}) AS locked"


def _constraint(sql: str) -> tuple[str, str]:
    """In words, and the statement that adds it; empty where the query has another form."""
    repeated = _REPEATED.match(sql)
    if repeated is not None:
        columns = ", ".join(part.strip() for part in repeated["columns"].split(","))
        name = "_".join(re.findall(r"\w+", f"{repeated['table']} {columns}"))
        where = f" WHERE {repeated['where']}" if repeated["where"] else ""
        statement = f"CREATE UNIQUE INDEX {name}_once ON {repeated['table']} ({columns}){where}"
        return f"a unique index on {columns}", statement
    single = _SINGLE_ROW.match(sql)
    if single is not None and not _NOT_OF_ONE_ROW.search(single["where"]) and not _CALL.search(sql):
        statement = f"ALTER TABLE {single['table']} ADD CHECK (NOT ({single['where']}))"
        return "a CHECK constraint", statement
    return "", ""
