"""What a hunt holds a level to, by what its adapter says of it."""

from __future__ import annotations

import pytest

from txfuzz.campaign.hunt.settings import promise_of
from txfuzz.hunt.judging.wrong import Wrong

DIRTY = {Wrong.DIRTY_WRITE, Wrong.DIRTY_READ, Wrong.INTERMEDIATE_READ, Wrong.CIRCULAR_INFORMATION}
OLD = {Wrong.HALF_SEEN, Wrong.LOST_UPDATE, Wrong.READ_SKEW}


@pytest.mark.parametrize(
    ("model", "forbidden"),
    [
        ("read-uncommitted", {Wrong.DIRTY_WRITE}),
        ("read-committed", DIRTY),
        ("repeatable-read", DIRTY | OLD | {Wrong.WRITE_SKEW}),
        ("snapshot-isolation", DIRTY | OLD | {Wrong.PHANTOM_SKEW}),
    ],
)
def test_a_level_forbids_what_its_model_does(model: str, forbidden: set[Wrong]) -> None:
    promise = promise_of(model)
    assert not promise.serial
    assert set(promise.forbids) == forbidden


def test_a_serializable_level_promises_an_order() -> None:
    assert promise_of("strict-serializable").serial
