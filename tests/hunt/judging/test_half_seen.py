"""A statement that sees half of a transaction, against all that can be seen in it."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest

from tests.hunt.attempts import COMMIT, attempt
from tests.hunt.samples import PRESENT, UPDATE, program
from txfuzz.check.run import FollowedSchedule
from txfuzz.check.serial.outcome import StatementOutcome
from txfuzz.database.scenario import Rows
from txfuzz.hunt.form import Effect, Form
from txfuzz.hunt.judging.anomalies import anomalies
from txfuzz.hunt.judging.wrong import Wrong
from txfuzz.hunt.program import SmallProgram, Use, value_of

TOGETHER = Form(
    "select-join",
    "two rows by a join",
    ("SELECT t.v, o.v AS other_v FROM {table} t, {other_table} o",),
    Effect(),
    Effect(),
    returns_rows=True,
)
WRITERS = ("T1", "T2")


def both_read(
    random: Random, seen: tuple[int, int], last: tuple[int, int], aborted: str
) -> tuple[SmallProgram, FollowedSchedule]:
    """Two transactions each write both rows; a third one reads both in one statement. seen, last: for each
    row whose value, 0 for the first one."""
    small = program((PRESENT, PRESENT), *[((UPDATE, 0), (UPDATE, 1))] * 2, ())
    use = Use(TOGETHER, (0, 1))
    small = SmallProgram(small.layout, small.states, (*small.sessions[:2], ((use,),)))
    cells = tuple(0 if writer == 0 else value_of(2 * (writer - 1) + row) for row, writer in enumerate(seen))
    final = {
        name: value_of(2 * (writer - 1) + row)
        for row, (name, writer) in enumerate(zip("ab", last, strict=True))
    }
    moves = [(label, 1) for label in WRITERS for _ in "ab"]
    random.shuffle(moves)
    made = attempt(
        *moves, *((label, COMMIT) for label in WRITERS), ("T3", [0]), ("T3", COMMIT), final=final,
        aborted=aborted,
    )  # fmt: skip
    transactions = dict(made.outcome.transactions)
    rows = Rows(("v", "other_v"), (cells,))
    reader = transactions["T3"]
    transactions["T3"] = type(reader)(reader.ending, (StatementOutcome(0, rows),))
    outcome = type(made.outcome)(transactions, made.outcome.tables)
    return small, FollowedSchedule(made.program, "", made.trace, outcome, made.judgement)


def half(seen: tuple[int, int], last: tuple[int, int], aborted: str) -> bool:
    """By brute force: is there an order of the versions of each row, as its last one says, in which one row
    is as before a transaction and the other one as after it?"""
    committed = [at for at, label in enumerate(WRITERS, 1) if label != aborted]
    for writer in committed:
        after = []
        for row in range(2):
            others = [each for each in committed if each != last[row]]
            versions = [0, *others, last[row]]
            if seen[row] not in versions:
                return False  # a dirty read is another thing
            after.append(versions.index(seen[row]) >= versions.index(writer))
        if after[0] != after[1]:
            return True
    return False


CASES = [
    (seen, last, aborted)
    for seen, last in product(product(range(3), repeat=2), product((1, 2), repeat=2))
    for aborted in ("", *WRITERS)
    if not aborted or last == (3 - int(aborted[1]),) * 2
]


@pytest.mark.parametrize(("seen", "last", "aborted"), CASES)
def test_half_of_a_transaction_is_told_where_it_was_seen(
    seen: tuple[int, int], last: tuple[int, int], aborted: str
) -> None:
    random = Random(repr((seen, last, aborted)))
    for _ in range(3):
        small, made = both_read(random, seen, last, aborted)
        told = {each.kind for each in anomalies(small, made)}
        if Wrong.HALF_SEEN in told:
            assert half(seen, last, aborted)
        elif half(seen, last, aborted):
            # Never missed in silence: the two rows were left crosswise, or what was seen is told otherwise
            assert told & {Wrong.DIRTY_WRITE, Wrong.CIRCULAR_INFORMATION, Wrong.READ_SKEW, Wrong.DIRTY_READ}
