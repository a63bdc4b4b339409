"""Directed schedules of two transactions, beside a crowd that does nothing that matters."""

from __future__ import annotations

from txfuzz.testing.memory.database import MemoryDatabase
from txfuzz.testing.memory.defects import MemoryOptions
from txfuzz.transactions.model import Choice, Ref, Step, Transaction
from txfuzz.workload.directed import DirectedSchedule, DirectedTransaction
from txfuzz.workload.model import Scheduling, Weight, Workload
from txfuzz.workload.replay import Action, Missing

KEYS = (1, 2)
BOOK = Transaction(
    "book",
    (Step("r", Choice(KEYS, "a")), Step("r", Choice(KEYS, "b", ("a",))), Step("append", Ref("a"))),
)
LOOK = Transaction("look", (Step("r", Choice((9,))),))
SKEW = DirectedSchedule(
    (DirectedTransaction("t1", "book", (1, 2)), DirectedTransaction("t2", "book", (2, 1))),
    (Action("step", "t1", 2), Action("step", "t2", 3), Action("commit", "t2")),
    Missing("rw", "t1", "t2"),
    2,
)
# Both append to the same key before either commits
CLASH = DirectedSchedule(
    (DirectedTransaction("t1", "book", (1, 2)), DirectedTransaction("t2", "book", (1, 2))),
    (Action("step", "t1", 3), Action("step", "t2", 3), Action("commit", "t1")),
    Missing("ww", "t1", "t2"),
    1,
)
WORKLOAD = Workload(
    "w",
    (BOOK, LOOK),
    (Weight("book", 0), Weight("look", 1)),  # the crowd does nothing that matters
    scheduling=Scheduling(clients=2, transactions=300),
    directed=(SKEW,),
)


def database() -> MemoryDatabase:
    return MemoryDatabase(MemoryOptions(), url_given=False)
