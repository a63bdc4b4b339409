"""A workload of two transactions on few keys, for runs on the dictionary of tests/third."""

from __future__ import annotations

from txfuzz.transactions.model import Choice, Ref, Step, Transaction
from txfuzz.workload.model import KeyLife, Scheduling, Weight, Workload

KEYS = tuple(range(1, 5))
WORKLOAD = Workload(
    "w",
    (
        Transaction("add", (Step("r", Choice(KEYS, "k")), Step("append", Ref("k")))),
        Transaction("look", (Step("r", Choice(KEYS)),)),
    ),
    (Weight("add", 1), Weight("look", 1)),
    scheduling=Scheduling(clients=4, transactions=400),
    keys=KeyLife(10),
)
