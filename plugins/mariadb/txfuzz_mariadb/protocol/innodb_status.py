"""Who waits for a row or table lock, and for whom, from SHOW ENGINE INNODB STATUS.

It is always current, and takes less time than any other way to ask. A granted lock is taken off its
transaction's wait by the thread that lets it go, so a session that may go on never shows as waiting.
Locks that are held are listed only with innodb_status_output_locks, and no more than ten a transaction.
https://mariadb.com/kb/en/show-engine-innodb-status/
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

STATUS = "SHOW ENGINE INNODB STATUS"
_BEGIN = "LIST OF TRANSACTIONS FOR EACH SESSION:"
_END = re.compile(r"^-+\nFILE I/O\n-+$", re.MULTILINE)
# The statement comes behind the thread's number, so nothing in it is taken for one of these
_TRANSACTION = re.compile(
    r"^---TRANSACTION [^\n]*\n(?:mysql tables in use [^\n]*\n)?"
    r"(?P<waits>LOCK WAIT )?(?:[A-Z][A-Z ]*)?(?P<locks>\d+) lock struct\(s\)[^\n]*\n"
    r"(?:(?:MariaDB|MySQL) thread id (?P<thread>\d+),)?",
    re.MULTILINE,
)
_LOCK = re.compile(
    r"^(?:TABLE LOCK table (?P<table>.*)|RECORD LOCKS (?P<page>space id \d+ page no \d+) .*)"
    r" trx id \d+ lock[_ ]mode (?P<mode>[A-Z-]+)"
    r"(?P<gap> locks gap before rec)?(?P<row> locks rec but not gap)?(?P<inserts> insert intention)?"
    r"(?P<waiting> waiting)?[^\n]*$"
    r"|^Record lock, heap no (?P<heap>\d+) ",
    re.MULTILINE,
)
_WITH: Mapping[str, frozenset[str]] = {
    "IS": frozenset({"IS", "IX", "S", "AUTO-INC"}),
    "IX": frozenset({"IS", "IX", "AUTO-INC"}),
    "S": frozenset({"IS", "S"}),
    "X": frozenset(),
    "AUTO-INC": frozenset({"IS", "IX"}),
}


@dataclass
class InnodbLock:
    """place: a table or a page. rows: of the page; none for a table. gap: only the gap before the row. row:
    only the row. inserts: only against those who hold the gap."""

    place: str
    mode: str
    gap: bool
    row: bool
    inserts: bool
    waiting: bool
    rows: frozenset[int] = frozenset()

    def keeps_out(self, wanted: InnodbLock) -> bool:
        """As lock_rec_has_to_wait() and lock_mode_compatible() of InnoDB's lock0lock.cc and lock0priv.h."""
        if self.place != wanted.place or self.mode in _WITH.get(wanted.mode, ()):
            return False
        if not self.rows and not wanted.rows:
            return True
        if not self.rows & wanted.rows or self.inserts:
            return False
        return not self.row if wanted.inserts else not self.gap


@dataclass(frozen=True)
class InnodbTransaction:
    """thread: the number of its connection, if it has one. locked: it has locks, or wants one. locks: all of
    them, or None where not all are listed."""

    thread: int | None
    waits: bool
    locked: bool
    locks: tuple[InnodbLock, ...] | None

    @property
    def wanted(self) -> InnodbLock | None:
        return next((each for each in self.locks or () if each.waiting), None)


def transactions(status: str) -> tuple[InnodbTransaction, ...] | None:
    """None where the text is not what it should be, or has been cut because it was too long."""
    begin = status.find(_BEGIN)
    end = _END.search(status, begin) if begin >= 0 else None
    if end is None:
        return None
    heads = list(_TRANSACTION.finditer(status, begin, end.start()))
    ends = [*(each.start() for each in heads[1:]), end.start()]
    found = []
    for head, until in zip(heads, ends, strict=False):
        waits, count = bool(head["waits"]), int(head["locks"])
        locks = _locks(status, head.end(), until) if count else ()
        found.append(
            InnodbTransaction(
                int(head["thread"]) if head["thread"] else None,
                waits,
                bool(count),
                locks if len(locks) == count + waits else None,  # what it waits for is listed twice
            )
        )
    return tuple(found)


def _locks(status: str, begin: int, end: int) -> tuple[InnodbLock, ...]:
    found: list[InnodbLock] = []
    for each in _LOCK.finditer(status, begin, end):
        if each["heap"]:
            if found:
                found[-1].rows |= {int(each["heap"])}
            continue
        gap, row, inserts, waiting = (bool(each[name]) for name in ("gap", "row", "inserts", "waiting"))
        found.append(InnodbLock(each["table"] or each["page"], each["mode"], gap, row, inserts, waiting))
    return tuple(found)


def waited_for(
    waiting: InnodbTransaction, everybody: Sequence[InnodbTransaction]
) -> tuple[InnodbTransaction, ...] | None:
    """Whom a transaction waits for; None where that cannot be told."""
    others = [each for each in everybody if each is not waiting and each.locked]
    if len(others) < 2:
        return tuple(others)  # whatever it has
    wanted = waiting.wanted
    if wanted is None or any(each.locks is None for each in others):
        return None
    for queued in (False, True):  # those who hold it, else those who have wanted it before
        found = tuple(
            each
            for each in others
            if any(lock.waiting == queued and lock.keeps_out(wanted) for lock in each.locks or ())
        )
        if found:
            return found
    return None
