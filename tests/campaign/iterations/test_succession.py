"""Which iteration follows from which, for any number of workers, also after some were run by another one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from txfuzz import read_workload
from txfuzz.campaign.iterations.running import Succession
from txfuzz.campaign.iterations.steps import seeded

FIRST = replace(read_workload("write_skew"), seed=5)


def test_with_one_worker_each_follows_from_the_one_before() -> None:
    succession = Succession(FIRST, 5)
    assert succession.workload(0) == FIRST
    for number in range(4):
        assert succession.ahead(number) == 1
        following = seeded(FIRST, 5, number + 1)
        succession.add(number, following)
        assert succession.follows(number + 1) == number
        assert succession.workload(number + 1) is following


@pytest.mark.parametrize("workers", [2, 5])
def test_the_first_ones_begin_from_the_first_workload(workers: int) -> None:
    succession = Succession(FIRST, 5, workers)
    first = [succession.workload(number) for number in range(workers)]
    assert first[0] == FIRST
    assert len({each.seed for each in first}) == workers
    assert [replace(each, seed=5) for each in first] == [FIRST] * workers
    assert [succession.follows(number) for number in range(workers + 2)] == [None] * workers + [0, 1]


def test_after_others_have_run_the_beginning() -> None:
    """Five iterations by two workers; then by three."""
    succession = Succession(FIRST, 5, 3, earlier=2, begun=5)
    assert [succession.follows(number) for number in range(8)] == [None, None, 0, 1, 2, 2, 3, 4]
    assert [succession.ahead(number) for number in range(6)] == [2, 2, 2, 3, 3, 3]
    for number in range(5):
        succession.add(number, seeded(FIRST, 5, number + succession.ahead(number)))
    for number in range(5, 8):
        assert succession.workload(number).seed == seeded(FIRST, 5, number).seed, "each has its own"
