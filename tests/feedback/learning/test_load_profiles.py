"""Load profiles: who gets how much of the mix, and what stays as the workload's owner wants it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from txfuzz.feedback.learning.load_profiles import LOAD_PROFILES, LoadProfile, read_more, run_longest
from txfuzz.transactions.model import Choice, Ref, Step, Transaction
from txfuzz.workload.allowed_changes import AllowedChanges
from txfuzz.workload.model import Scheduling, ThinkTime, Weight, Workload

KEYS = range(1, 9)
LOOK = Transaction("look", (Step("r", Choice(KEYS)), Step("r", Choice(KEYS))))
PEEK = Transaction("peek", (Step("r", Choice(KEYS)),))
RMW = Transaction("rmw", (Step("r", Choice(KEYS, "k")), Step("append", Ref("k"))))
TWO = Transaction("two", (Step("append", Choice(KEYS)), Step("append", Choice(KEYS))))
CLAIM = Transaction("claim", (Step("r", Choice(KEYS), lock="update"),))


def of(*transactions: Transaction, **weights: float) -> Workload:
    mix = tuple(Weight(each.name, weights.get(each.name, 1.0)) for each in transactions)
    return Workload("some", transactions, mix=mix, scheduling=Scheduling(8, 2_000))


def under(profile: LoadProfile, workload: Workload) -> Workload:
    return profile.of(workload, workload)


def test_readers_get_half_and_those_that_do_more_get_more() -> None:
    assert read_more(of(LOOK, PEEK, RMW, TWO)) == pytest.approx(
        {"look": 1 / 3, "peek": 1 / 6, "rmw": 1 / 6, "two": 1 / 3}, abs=1e-3
    )


def test_readers_that_have_more_than_half_keep_it() -> None:
    assert read_more(of(LOOK, RMW, look=9.0)) == pytest.approx({"look": 0.9, "rmw": 0.1})


@pytest.mark.parametrize("transactions", [(RMW, TWO), (LOOK, PEEK), (CLAIM, RMW)])
def test_without_readers_or_with_nothing_else_the_mix_stays(transactions: tuple[Transaction, ...]) -> None:
    """A read that locks is refused as a write is."""
    assert read_more(of(*transactions)) == {each.name: 1.0 for each in transactions}


def test_who_has_no_weight_gets_none() -> None:
    assert read_more(of(LOOK, PEEK, RMW, peek=0.0)) == {"look": 0.5, "peek": 0.0, "rmw": 0.5}


def test_the_longest_get_half_by_their_weights() -> None:
    assert run_longest(of(LOOK, PEEK, RMW, peek=4.0, look=1.0, rmw=0.5)) == pytest.approx(
        {"look": 1 / 3, "peek": 0.5, "rmw": 1 / 6}, abs=1e-3
    )
    assert run_longest(of(LOOK, PEEK, look=3.0)) == {"look": 0.75, "peek": 0.25}, "they have more"
    assert run_longest(of(LOOK, PEEK, RMW, look=0.0)) == {"look": 0.0, "peek": 0.5, "rmw": 0.5}


def test_where_all_are_as_long_the_mix_stays() -> None:
    assert run_longest(of(LOOK, RMW, look=3.0)) == {"look": 3.0, "rmw": 1.0}
    assert run_longest(of(LOOK, PEEK, peek=0.0)) == {"look": 1.0, "peek": 0.0}


def test_clients_are_doubled_within_bounds_that_the_workload_may_exceed_or_one_is_left() -> None:
    clients = {
        began: [
            under(each, replace(of(LOOK, RMW), scheduling=Scheduling(began, 100))).scheduling.clients
            for each in LOAD_PROFILES
        ]
        for began in (1, 2, 8, 20, 50)
    }
    assert clients == {
        1: [1, 2, 1, 1],
        2: [2, 4, 1, 2],
        8: [8, 16, 1, 8],
        20: [20, 32, 1, 20],
        50: [50, 50, 1, 50],
    }


def test_pauses_of_the_workload_are_kept() -> None:
    own = ThinkTime(0.5, 0.1, "step")
    workload = replace(of(LOOK, RMW), scheduling=Scheduling(8, 100, think_time=own))
    assert {under(each, workload).scheduling.think_time for each in LOAD_PROFILES} == {own}


def test_nothing_changes_that_the_owner_does_not_allow() -> None:
    workload = replace(of(LOOK, RMW), mutate=AllowedChanges(("keys",)))
    assert [under(each, workload) for each in LOAD_PROFILES] == [workload] * len(LOAD_PROFILES)


def test_what_is_told_of_a_load_is_what_the_owner_lets_it_change() -> None:
    _, _, alone, plain = LOAD_PROFILES
    free = of(LOOK, PEEK, RMW)
    assert alone.told(free, under(alone, free), free) == f"under the load {alone.name!r}: {alone.why}"
    assert plain.told(free, free, free).startswith("under the load 'as it is': ")
    only_mix = replace(free, mutate=AllowedChanges(("keys", "mix")))
    told = alone.told(only_mix, under(alone, only_mix), only_mix)
    assert told == f"under the load {alone.name!r}, as far as `mutate` allows: {alone.why}"
    only_keys = replace(free, mutate=AllowedChanges(("keys",)))
    assert alone.told(only_keys, under(alone, only_keys), only_keys) == ""


def test_one_profile_leaves_the_workload_as_it_is() -> None:
    workload = of(LOOK, RMW)
    assert [under(each, workload) == workload for each in LOAD_PROFILES] == [False, False, False, True]
