"""Forms and layouts of no database in particular."""

from __future__ import annotations

from txfuzz.hunt.form import Change, Effect, Form, RowState
from txfuzz.hunt.layout import Layout
from txfuzz.hunt.program import SmallProgram, Use

ABSENT, PRESENT = RowState.ABSENT, RowState.PRESENT
SELECT = Form("select", "reads", ("SELECT v FROM {table} WHERE k = {key}",), returns_rows=True)
COUNT = Form("count", "counts", ("SELECT count(*) FROM {table} WHERE k = {key}",), returns_rows=True)
UPDATE = Form(
    "update", "updates", ("UPDATE {table} SET v = {value} WHERE k = {key}",), Effect(present=Change.UPDATE)
)
DELETE = Form("delete", "deletes", ("DELETE FROM {table} WHERE k = {key}",), Effect(present=Change.DELETE))
INSERT = Form(
    "insert",
    "inserts",
    ("INSERT INTO {table} (k, v) VALUES ({key}, {value})",),
    Effect(Change.INSERT, Change.REFUSED),
)
MAYBE = Form(
    "insert-or-nothing",
    "inserts or does nothing",
    ("INSERT INTO {table} (k, v) VALUES ({key}, {value}) ON CONFLICT (k) DO NOTHING",),
    Effect(Change.INSERT),
)
UNDONE = Form(
    "update-undone",
    "rolled back",
    ("SAVEPOINT s{value}", "UPDATE {table} SET v = {value} WHERE k = {key}", "ROLLBACK TO s{value}"),
)
IF_THERE = Form(
    "update-if-exists",
    "if there is another row",
    ("UPDATE {table} SET v = {value} WHERE k = {key} AND EXISTS (SELECT 1 FROM {other_table})",),
    Effect(present=Change.UPDATE),
    Effect(),
    Effect(),
)
FORMS = (SELECT, COUNT, UPDATE, DELETE, INSERT, MAYBE)
PLAIN = Layout("plain", "plain", ("CREATE TABLE {table} (k int PRIMARY KEY, v int NOT NULL)",), plain=True)
SHARED = Layout("shared", "one table", PLAIN.setup, shared=True)


def program(
    states: tuple[RowState, ...], *transactions: tuple[tuple[Form, int], ...], layout: Layout = PLAIN
) -> SmallProgram:
    """Each transaction in a session of its own: forms with their keys."""
    sessions = tuple((tuple(Use(form, (key,)) for form, key in uses),) for uses in transactions)
    return SmallProgram(layout, states, sessions)


# T1 may not insert a, since it is there; T2 deletes it, and does not see what T1 inserts
HOLE = program((PRESENT, ABSENT), ((MAYBE, 0), (INSERT, 1)), ((DELETE, 0), (UPDATE, 1)))
