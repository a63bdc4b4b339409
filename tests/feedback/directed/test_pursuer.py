"""Which near-cycle is pursued: the nearest of those whose like was pursued least."""

from __future__ import annotations

from dataclasses import replace

from txfuzz.feedback.directed.direction import DirectedOutcome
from txfuzz.feedback.directed.pursuer import Pursuer, shape
from txfuzz.testing.feedback.samples import near_cycle
from txfuzz.workload.directed import DirectedSchedule, DirectedTransaction
from txfuzz.workload.replay import Missing

ONE, SAME = near_cycle(1, 2), near_cycle(3, 4, score=0.5)
OTHER = near_cycle(1, 2, template="other", score=0.3)
SCHEDULE = DirectedSchedule(
    (DirectedTransaction("t1", "rmw", (1,)), DirectedTransaction("t2", "rmw", (1,))),
    (),
    Missing("rw", "t1", "t2"),
    1,
)


def test_keys_do_not_make_another_shape() -> None:
    assert shape(ONE) == shape(SAME)
    assert shape(ONE) != shape(OTHER)
    assert shape(ONE) != shape(replace(ONE, missing=replace(ONE.missing, kind="wr")))


def test_each_shape_has_its_turn_and_the_nearest_comes_first() -> None:
    pursuer = Pursuer()
    found = [ONE, SAME, OTHER]
    chosen = []
    for _ in range(4):
        place = pursuer.choose(found)
        assert place is not None
        chosen.append(place)
        pursuer.pursue(found[place])
        pursuer.note([DirectedOutcome(SCHEDULE, 4, 1)])
    assert chosen == [0, 2, 0, 2]
    assert pursuer.times(SAME) == 2
    assert pursuer.choose([]) is None


def test_what_is_never_forced_is_left_alone_longer_and_longer() -> None:
    pursuer, pursued = Pursuer(), []
    for _ in range(16):
        place = pursuer.choose([ONE])
        pursued.append(place == 0)
        if place is not None:
            pursuer.pursue(ONE)
        pursuer.note([] if place is None else [DirectedOutcome(SCHEDULE, 4)])
    assert [number for number, each in enumerate(pursued) if each] == [0, 1, 3, 5, 9, 13]


def test_asking_changes_nothing() -> None:
    pursuer = Pursuer()
    assert [pursuer.choose([ONE, OTHER]) for _ in range(3)] == [0, 0, 0]


def test_what_came_of_it_is_added_up() -> None:
    pursuer = Pursuer()
    pursuer.note([DirectedOutcome(SCHEDULE, 4, 1, refused={"40001": 3})])
    pursuer.note([DirectedOutcome(SCHEDULE, 2, 2, refused={"40001": 1})])
    assert (pursuer.played, pursuer.forced, dict(pursuer.refused)) == (6, 3, {"40001": 4})


def test_an_outcome_is_told_in_words() -> None:
    told = DirectedOutcome(SCHEDULE, 40, 3, refused={"40001": 30, "40P01": 2}, waited=5).text
    assert told == (
        "the rw edge rmw → rmw on key 1, directed: forced in 3 of 40 plays; transactions refused: "
        "40001 ×30 and 40P01 ×2; waited for a lock in 5"
    )
    idle = DirectedOutcome(SCHEDULE, reason="the run ended first").text
    assert idle == "the rw edge rmw → rmw on key 1, directed: not played, because the run ended first"
