"""What each target refuses, in one sentence, and what it makes of a value that leaves something out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from txfuzz import Adjustment, Workload
from txfuzz.errors import UsageError
from txfuzz.feedback.adjustments import apply, current
from txfuzz.transactions.model import Choice, Mode, Ref, Step, Transaction
from txfuzz.workload.allowed_changes import EVERYTHING
from txfuzz.workload.model import FaultSpec, Weight

PAIR = Transaction(
    "pair",
    (Step("r", Choice(range(1, 51), "a")), Step("append", Choice(range(51, 101))), Step("r", Ref("a"))),
)
LOOK = Transaction("look", (Step("r", Choice(range(51, 101))),), Mode(read_only=True))
SQL = Transaction(
    "sql",
    (Step(None, sql="SAVEPOINT here"), Step("r", Choice((1, 2), "k"))),
)
WORKLOAD = Workload(
    "w",
    (PAIR, LOOK, SQL),
    (Weight("pair", 1.0), Weight("look", 1.0), Weight("sql", 1.0)),
    faults=(FaultSpec("kill-server", every=2.0),),
    mutate=replace(EVERYTHING, levels=("repeatable read", "serializable"), locks=("update",)),
)


def changed(target: str, after: Any, workload: Workload = WORKLOAD) -> Workload:
    return apply(
        workload, [Adjustment(target, current(workload, target), after, "why not", "test")], WORKLOAD
    )


def with_transaction(number: int, **fields: Any) -> Any:
    value = current(WORKLOAD, "transactions")
    value["transactions"][number] |= fields
    return value


PLAIN = [{"f": "r", "key": 3}]
REFUSED = {
    "choices: no list": ("choices", {"pair": [1]}),
    "choices: no keys": ("choices", [{"transaction": "pair", "step": 0}]),
    "choices: another field": ("choices", [{"transaction": "pair", "step": 0, "keys": [1], "kees": 1}]),
    "choices: misspelled": ("choices", [{"transaction": "pear", "step": 0, "keys": [1]}]),
    "choices: no such step": ("choices", [{"transaction": "pair", "step": 2, "keys": [1]}]),
    "choices: which": ("choices", [{"transaction": "pair", "keys": [1]}]),
    "choices: twice": ("choices", [{"transaction": "pair", "name": "a", "keys": [1]}] * 2),
    "choices: empty": ("choices", [{"transaction": "pair", "name": "a", "keys": []}]),
    "choices: backwards": ("choices", [{"transaction": "pair", "name": "a", "keys": {"range": [9, 1]}}]),
    "choices: of others": ("choices", [{"transaction": "pair", "step": 0, "keys": {"range": [40, 60]}}]),
    "length": ("scheduling.transactions", 0),
    "length: no duration": ("scheduling.transactions", None),
    "writes": ("keys.writes", 0),
    "rows": ("keys.rows", "inserte"),
    "pause: no mapping": ("scheduling.think_time", 0.1),
    "pause: before what": ("scheduling.think_time", {"least": 0, "most": 0.1, "before": "read"}),
    "pause: backwards": ("scheduling.think_time", {"least": 0.2, "most": 0.1, "before": "step"}),
    "pause: too long": ("scheduling.think_time", {"least": 0, "most": 3, "before": "step"}),
    "sending": ("scheduling.sending", "step"),
    "isolation: weaker": ("isolation", {"pair": "read committed"}),
    "isolation: misspelled": ("isolation", {"pare": "serializable"}),
    "locks: unknown": ("locks", {"pair": ["share", None]}),
    "locks: too few": ("locks", {"pair": ["update"]}),
    "locks: read-only": ("locks", {"look": ["update"]}),
    "faults: others": ("faults", [{"name": "pause-server", "at": [1]}]),
    "faults: never": ("faults", [{"name": "kill-server", "at": []}]),
    "faults: all the time": ("faults", [{"name": "kill-server", "every": 0, "times": None}]),
    "transactions: no mapping": ("transactions", []),
    "transactions: not a step": ("transactions", with_transaction(0, steps=[{"f": "rr", "key": 1}])),
    "transactions: writes what is only read": (
        "transactions",
        with_transaction(0, steps=[{"f": "append", "key": 3}, {"f": "r", "key": 60}]),
    ),
    "transactions: registers": ("transactions", with_transaction(0, steps=[{"f": "w", "key": 60}])),
    "transactions: nothing is written": ("transactions", with_transaction(0, steps=PLAIN)),
    "transactions: other SQL": (
        "transactions", with_transaction(2, steps=[{"sql": "SAVEPOINT there"}, *PLAIN])
    ),
    "transactions: half of its SQL twice": (
        "transactions", with_transaction(2, steps=[{"sql": "SAVEPOINT here"}] * 3 + PLAIN)
    ),
    "transactions: a lock": (
        "transactions",
        with_transaction(0, steps=[{"f": "append", "key": 60}, {"f": "r", "lock": "share", "key": 3}]),
    ),
    "transactions: weaker": ("transactions", with_transaction(0, isolation="read committed")),
    "transactions: read-only writer": (
        "transactions", with_transaction(1, steps=[{"f": "append", "key": 60}])
    ),
    "transactions: too long": ("transactions", with_transaction(0, steps=[{"f": "append", "key": 60}] * 65)),
    "transactions: no weight": (
        "transactions", {**current(WORKLOAD, "transactions"), "mix": {"pair": 0.0}}
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED.values(), ids=REFUSED)
def test_what_is_not_valid_is_refused_in_one_sentence(
    what: tuple[str, Any], snapshot: SnapshotAssertion
) -> None:
    with pytest.raises(UsageError) as error:
        changed(*what)
    assert str(error.value) == snapshot


def test_what_is_left_out_stays() -> None:
    narrow = changed("choices", [{"transaction": "pair", "name": "a", "keys": [3, 4]}])
    assert [each["keys"] for each in current(narrow, "choices")] == [
        [3, 4], {"range": [51, 100]}, {"range": [51, 100]}, [1, 2],
    ]  # fmt: skip
    locked = changed("locks", {"sql": ["update"]}, narrow)
    assert current(locked, "locks") == {"pair": [None, None], "look": [None], "sql": ["update"]}
    leveled = changed("isolation", {"pair": "serializable"}, locked)
    assert current(leveled, "isolation") == {"pair": "serializable", "look": None, "sql": None}
    assert changed("isolation", {"pair": None}, leveled) == locked


def test_transactions_may_be_dropped_and_added() -> None:
    value = current(WORKLOAD, "transactions")
    value["transactions"] = [
        value["transactions"][0],
        {
            "name": "new",
            "isolation": "serializable",
            "steps": [{"f": "append", "key": 60}, {"f": "r", "key": 7}],
        },
    ]
    value["mix"] = {"pair": 1.0, "new": 2.0}
    now = changed("transactions", value)
    assert [each.name for each in now.transactions] == ["pair", "new"]
    assert now.mix == (Weight("pair", 1.0), Weight("new", 2.0))
    assert changed("transactions", current(WORKLOAD, "transactions"), now) == WORKLOAD


def test_sql_comes_along_whole() -> None:
    whole = [{"sql": "SAVEPOINT here"}, {"f": "r", "key": 70}]
    merged = changed("transactions", with_transaction(0, steps=[{"f": "append", "key": 60}, *whole]))
    assert [step.sql for step in merged.transactions[0].steps] == [None, "SAVEPOINT here", None]
