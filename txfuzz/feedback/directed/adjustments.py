"""The adjustments by which a strategy has the near-cycle that it pursues played beside the crowd."""

from __future__ import annotations

from collections.abc import Iterator

from txfuzz.common.sentences import counted, listed
from txfuzz.errors import UsageError
from txfuzz.feedback.adjustments import current
from txfuzz.feedback.contract import Adjustment, FeedbackResult, Situation
from txfuzz.feedback.directed.aim import aimed
from txfuzz.feedback.directed.direction import Direction
from txfuzz.feedback.directed.pursuer import Pursuer
from txfuzz.feedback.learning.difference import difference
from txfuzz.workload.model import Workload

NAME = "directed"  # under which the adjustments are made
_TARGETS = ("directed", "choices", "mix")


def directed_adjustments(
    pursuer: Pursuer, situation: Situation, wanted: Workload, original: Workload
) -> tuple[tuple[Adjustment, ...], tuple[str, ...]]:
    """What to change further, and sentences about directed schedules.

    wanted: the next workload so far, with the directed schedules of the last one.
    """
    feedback = situation.feedback
    assert feedback is not None
    said = tuple(_told(pursuer, feedback))
    if wanted.scheduling.clients < 2 <= original.scheduling.clients:
        return _ended(wanted, "one client runs alone"), said
    direction = feedback.direction
    if direction is None:
        return _ended(wanted, "no near-cycle is pursued"), said
    near, times = direction.near, pursuer.times(direction.near)
    pursuer.pursue(
        near, situation.runs_as
    )  # if it cannot be directed, it is the turn of another one next time
    if not direction.schedules:
        why = f"near-cycle 1 cannot be directed: {direction.reason}"
        return _ended(wanted, why), (*said, why)
    order = times % len(direction.schedules)
    try:
        found = aimed(wanted, direction.schedules[order], near.keys, situation.workload, original)
    except UsageError as error:
        found = str(error)  # what the next iteration runs is beyond the bounds of the original
    if isinstance(found, str):
        why = f"near-cycle 1 is not directed: {found}"
        return _ended(wanted, why), (*said, why)
    made = difference(wanted, found, original, _reason(direction, feedback, order, times), NAME)
    return tuple(each for each in made if each.target in _TARGETS), said


def _ended(wanted: Workload, why: str) -> tuple[Adjustment, ...]:
    """What ends the directed schedules of the last iteration, if there were any."""
    if not wanted.directed:
        return ()
    return (Adjustment("directed", current(wanted, "directed"), [], why, NAME),)


def _reason(direction: Direction, feedback: FeedbackResult, order: int, times: int) -> str:
    near = direction.near
    tried = f"its like was pursued {counted(times, 'time')} before" if times else "its like was never pursued"
    return (
        f"the near-cycle of iteration {feedback.iteration} with score {near.score:.2f} lacks the "
        f"{direction.schedules[order].text} to be {near.anomaly}; order {order + 1} of "
        f"{len(direction.schedules)}, {tried}"
    )


def _told(pursuer: Pursuer, feedback: FeedbackResult) -> Iterator[str]:
    yield from (each.text for each in feedback.directed)
    if pursuer.played and any(each.played for each in feedback.directed):
        codes = [f"{code} ×{count:,}" for code, count in pursuer.refused.most_common()]
        refused = f", transactions refused: {listed(codes)}" if codes else ""
        yield (
            f"directed schedules so far: the edge forced in {pursuer.forced:,} of "
            f"{counted(pursuer.played, 'play')}{refused}"
        )
