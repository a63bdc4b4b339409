"""Offsets are narrowed to where rounds go wrong, and to where their outcomes differ."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from txfuzz.hunt.race.offsets import (
    LAG,
    STOP,
    WIDTH,
    Cell,
    OffsetBandit,
    OffsetCounts,
    axes,
    far_apart,
    timing,
)


def drawn(bandit: OffsetBandit, random: Random, number: int) -> Counter[Cell]:
    return Counter(bandit.cell(random) for _ in range(number))


def test_a_new_bandit_draws_every_bucket() -> None:
    assert len(drawn(OffsetBandit(2), Random(1), 2_000)) == LAG.buckets


def test_a_bandit_of_stops_draws_the_moment_of_the_stop_too() -> None:
    found = drawn(OffsetBandit(2, 0), Random(1), 4_000)
    assert {cell[-1] for cell in found} == set(range(STOP.buckets))
    assert {len(cell) for cell in found} == {2}


def test_a_bucket_with_hits_is_drawn_most() -> None:
    random, bandit = Random(2), OffsetBandit(3)
    for _ in range(3_000):
        cell = bandit.cell(random)
        bandit.tell(cell, "wrong" if cell == (15, 7) else "right", cell == (15, 7))
    found = drawn(bandit, random, 1_000)
    assert found.most_common(1)[0][0] == (15, 7)
    assert len(found) > 100  # and others still are


def test_buckets_with_different_outcomes_are_drawn_more() -> None:
    random, bandit = Random(3), OffsetBandit(2)
    for number in range(3_000):
        cell = bandit.cell(random)
        settled = not 10 <= cell[0] < 13
        bandit.tell(cell, 0 if settled else number % 4, False)
    found = drawn(bandit, random, 3_000)
    assert found[11,] > 4 * found[3,]


def test_the_same_seed_draws_the_same() -> None:
    def run() -> list[Cell]:
        random, bandit, cells = Random(4), OffsetBandit(3), []
        for number in range(500):
            cells.append(bandit.cell(random))
            bandit.tell(cells[-1], number % 3, number % 50 == 0)
        return cells

    assert run() == run()


def test_what_was_shown_long_ago_fades() -> None:
    random, bandit = Random(5), OffsetBandit(2)
    bandit.tell((3,), "wrong", True)
    for _ in range(20_000):
        bandit.tell((3,), "right", False)
        bandit.tell((20,), "right", False)
    bandit.tell((20,), "wrong", True)
    found = drawn(bandit, random, 2_000)
    assert found[20,] > found[3,]


def test_offsets_lie_within_their_buckets_and_begin_at_zero() -> None:
    random = Random(6)
    for bucket in range(LAG.buckets):
        one, other = timing((bucket,), random).lags
        assert min(one, other) == 0
        lag = (other - one) * 1e6
        low = bucket * WIDTH + LAG.low
        assert low - 0.001 <= lag <= low + WIDTH + 0.001


def test_the_others_are_let_go_around_the_moment_of_the_stop() -> None:
    random, late = Random(7), 0
    around, _, stop = axes(3, 1)
    for _ in range(200):
        cell = (
            random.randrange(around.buckets),
            random.randrange(around.buckets),
            random.randrange(stop.buckets),
        )
        found = timing(cell, random, 1)
        assert min(found.lags) == 0
        assert found.stopped == 1
        own = (found.stop - found.lags[1]) * 1e6  # behind the one that is stopped
        assert cell[2] * WIDTH - 0.001 <= own <= (cell[2] + 1) * WIDTH + 0.001
        for at, bucket in ((0, cell[0]), (2, cell[1])):
            behind = (found.lags[at] - found.stop) * 1e6
            low = around.low + bucket * WIDTH
            assert low - 0.001 <= behind <= low + WIDTH + 0.001
        late += found.late
    assert 20 < late < 100


def test_the_share_of_rounds_that_went_wrong() -> None:
    bandit = OffsetBandit(2)
    assert bandit.share == 0
    bandit.tell((3,), "wrong", True)
    bandit.tell((4,), "right", False)
    assert bandit.share == 0.5


def test_far_apart_is_in_the_order_asked_for() -> None:
    assert far_apart((2, 0, 1), 0.5).lags == (0.5, 1.0, 0.0)
    assert far_apart((2, 0, 1), 0.5).stopped is None


@pytest.mark.parametrize(
    ("bucket", "text"), [(0, "-120 to -110"), (12, "+0 to +10"), (LAG.buckets - 1, "+110 to +120")]
)
def test_buckets_in_words(bucket: int, text: str) -> None:
    assert LAG.text(bucket) == text


def test_counts_along_one_transaction() -> None:
    counts = OffsetCounts()
    counts.tell((1, 5), False)
    counts.tell((1, 6), True)
    counts.tell((2, 6), False)
    assert counts.along(0) == {1: (2, 1), 2: (1, 0)}
    assert counts.along(1) == {5: (1, 0), 6: (2, 1)}
