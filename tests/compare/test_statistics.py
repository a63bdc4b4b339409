"""The statistics of comparisons, beside those of scipy where it has them."""

from __future__ import annotations

from itertools import combinations
from random import Random

import pytest
from scipy import stats

from txfuzz.compare.statistics import effect_size, mann_whitney, median


def test_survivors_are_later_than_everything_found() -> None:
    assert median([5, None, 7]) == 7
    assert median([5, None]) is None
    assert median([4, 6, 8, None]) == 7
    assert median([4, 6, None, None]) is None
    assert median([]) is None


def test_the_effect_size_is_the_share_of_pairs_in_which_ours_is_earlier() -> None:
    random = Random(1)
    for _ in range(20):
        ours, theirs = ([random.choice([1, 2, 3, 4, None]) for _ in range(n)] for n in (5, 7))
        pairs = [(a or 99, b or 99) for a in ours for b in theirs]
        share = sum((a < b) + (a == b) / 2 for a, b in pairs) / len(pairs)
        assert effect_size(ours, theirs) == pytest.approx(share)


def test_p_is_that_of_scipy_where_nothing_ties() -> None:
    random = Random(2)
    for sizes in ((3, 4), (8, 8), (20, 20), (7, 30)):
        values = random.sample(range(1000), sum(sizes))
        ours, theirs = values[: sizes[0]], values[sizes[0] :]
        exact = stats.mannwhitneyu(ours, theirs, method="exact").pvalue
        assert mann_whitney(ours, theirs) == pytest.approx(exact)


def test_p_with_ties_counts_the_divisions_that_differ_as_much() -> None:
    ours, theirs = [3, 5, 5, None], [5, 8, None, None, None]
    values = [99 if each is None else each for each in (*ours, *theirs)]
    ranks = stats.rankdata(values)
    sums = [sum(ranks[list(chosen)]) for chosen in combinations(range(9), 4)]
    observed = sum(ranks[:4])
    below = sum(each <= observed for each in sums) / len(sums)
    above = sum(each >= observed for each in sums) / len(sums)
    assert mann_whitney(ours, theirs) == pytest.approx(min(1, 2 * min(below, above)))


def test_groups_of_survivors_alone_do_not_differ() -> None:
    assert mann_whitney([None] * 20, [None] * 20) == 1
    assert effect_size([None] * 20, [None] * 20) == 0.5


def test_many_seeds_of_each_are_possible() -> None:
    assert mann_whitney(list(range(60)), [None] * 60) < 1e-30
