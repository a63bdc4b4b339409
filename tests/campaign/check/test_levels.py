"""Which levels are run, and which of them decide."""

from __future__ import annotations

import pytest

from txfuzz.campaign.check.levels import check_expect, distinct_levels, levels
from txfuzz.database.api import Capabilities
from txfuzz.errors import UsageError

RUN = ("read committed", "repeatable read", "serializable")
CAPABILITIES = Capabilities(
    {
        "read uncommitted": "read-committed",
        "read committed": "read-committed",
        "repeatable read": "snapshot-isolation",
        "serializable": "serializable",
    },
    "serializable",
)


def test_a_level_that_promises_no_more_than_the_next_one_is_left_out() -> None:
    assert distinct_levels(CAPABILITIES) == RUN


@pytest.mark.parametrize(
    ("wanted", "own", "run", "asked"),
    [
        ((), None, RUN, RUN),
        ((), "repeatable read", RUN, ("repeatable read",)),
        ((), "READ-UNCOMMITTED", ("read uncommitted", *RUN), ("read uncommitted",)),
        (("all",), "repeatable read", RUN, RUN),
        (("serializable", "read committed"), None, (RUN[0], RUN[2]), (RUN[0], RUN[2])),
    ],
)
def test_who_names_a_level_decides(
    wanted: tuple[str, ...], own: str | None, run: tuple[str, ...], asked: tuple[str, ...]
) -> None:
    assert levels(CAPABILITIES, wanted, own) == (run, asked)


def test_what_nobody_knows_is_refused() -> None:
    with pytest.raises(UsageError, match="no isolation level 'snap'"):
        levels(CAPABILITIES, ("snap",), None)
    with pytest.raises(UsageError, match="cannot be held against 'snapshot-isolation'"):
        check_expect("snapshot-isolation")
