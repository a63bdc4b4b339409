"""Who waits for a row or table lock, from SHOW ENGINE INNODB STATUS.

It is always current, and takes less time than any other way to ask. A granted lock is taken off its
transaction's wait by the thread that lets it go, so a session that may go on never shows as waiting.
https://mariadb.com/kb/en/show-engine-innodb-status/
"""

from __future__ import annotations

import re
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


@dataclass(frozen=True)
class InnodbTransactions:
    """Connections by number. waiting: for a lock of InnoDB's. holding: any lock; None for a transaction
    without a connection."""

    waiting: frozenset[int]
    holding: frozenset[int | None]


def transactions(status: str) -> InnodbTransactions | None:
    """None where the text is not what it should be, or has been cut because it was too long."""
    begin = status.find(_BEGIN)
    end = _END.search(status, begin) if begin >= 0 else None
    if end is None:
        return None
    waiting: set[int] = set()
    holding: set[int | None] = set()
    for found in _TRANSACTION.finditer(status, begin, end.start()):
        thread = int(found["thread"]) if found["thread"] else None
        if found["waits"] and thread is not None:
            waiting.add(thread)
        if int(found["locks"]):
            holding.add(thread)
    return InnodbTransactions(frozenset(waiting), frozenset(holding))
