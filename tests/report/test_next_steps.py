"""What to do after a campaign."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.report.test_text import write_skew
from txfuzz.report.campaign_result import CampaignFacts, CampaignResult
from txfuzz.report.iteration import Iteration, Numbers
from txfuzz.report.text.next_steps import next_steps
from txfuzz.transactions.model import Choice, Step, Transaction
from txfuzz.workload.model import Workload

PLACE = Path("run")


@pytest.mark.parametrize(
    ("locks", "advised"), [(("share", "update"), True), (("update",), True), (("share",), False), ((), False)]
)
def test_a_lock_is_advised_where_the_database_has_one(locks: tuple[str, ...], advised: bool) -> None:
    facts = CampaignFacts("ended", "w", "snapshot", adapter="some", locks=locks)
    steps = next_steps(CampaignResult(PLACE, facts, (Iteration(0, PLACE, write_skew(), Numbers()),)))
    assert any("FOR UPDATE" in what for _, what in steps) is advised
    assert steps[0][0] == "txfuzz explain G2-item"


@pytest.mark.parametrize(
    ("own_sql", "said"),
    [
        ((), "`lock: update` in the reads of right and left, on rows that exist beforehand (`keys: {rows: "),
        (("left", "right"), "FOR UPDATE: at the end of the SELECTs of right and left, on rows that exist be"),
        (("right",), "`lock: update` in the reads of left and at the end of the SELECTs of right, on rows"),
    ],
)
def test_a_transaction_with_its_own_sql_is_not_told_to_use_a_field(
    own_sql: tuple[str, ...], said: str
) -> None:
    facts = CampaignFacts("ended", "w", "snapshot", adapter="some", locks=("update",), own_sql=own_sql)
    steps = next_steps(CampaignResult(PLACE, facts, (Iteration(0, PLACE, write_skew(), Numbers()),)))
    [advice] = [what for _, what in steps if "FOR UPDATE" in what]
    assert said in advice


@pytest.mark.parametrize(
    ("locked", "said"),
    [
        (("left",), "`lock: update` in the reads of right, on rows that exist beforehand"),
        (("left", "right"), "right and left lock what they read, but a row that is not there yet cannot be"),
    ],
)
def test_who_locks_already_is_not_told_to(locked: tuple[str, ...], said: str) -> None:
    facts = CampaignFacts("ended", "w", "snapshot", adapter="some", locks=("update",), locked=locked)
    steps = next_steps(CampaignResult(PLACE, facts, (Iteration(0, PLACE, write_skew(), Numbers()),)))
    [advice] = [what for command, what in steps if not command]
    assert said in advice


def test_which_transactions_lock_whatever_they_read() -> None:
    read, locked = Step("r", Choice((1,))), Step("r", Choice((1,)), lock="update")
    share = replace(read, lock="share")
    in_sql = Step("r", sql="SELECT val FROM {table} WHERE key = :k\n  FOR  UPDATE")
    write = Step("append", Choice((1,)))
    transactions = {
        "all": (locked, write, in_sql),
        "some": (locked, read),
        "for share": (share,),
        "no read": (write,),
    }
    found = Workload("w", tuple(Transaction(name, steps) for name, steps in transactions.items()), ())
    assert found.locked == ("all",)
    assert found.own_sql == ("all",)
