"""Time as a length, and lanes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from txfuzz.history.builder import HistoryBuilder
from txfuzz.history.model import History
from txfuzz.report.cycle.time_axis import lanes_of, span_of, stretch


def history_of(events: Sequence[tuple[str, int]]) -> History:
    """Each event (type, process), with one read; in the order of the history."""
    builder = HistoryBuilder("test")
    for at, (type, process) in enumerate(events):
        builder.add(type, process, [("r", 1, () if type == "ok" else None)], time=at)
    return builder.finish()


@st.composite
def spans(draw: st.DrawFn) -> list[tuple[float, float]]:
    """Intervals whose ends are all different, as positions in a history are."""
    number = draw(st.integers(1, 12))
    order = draw(st.permutations(range(2 * number)))
    pairs = [sorted(order[2 * at : 2 * at + 2]) for at in range(number)]
    return [(float(start), float(end)) for start, end in pairs]


@given(spans(), st.data())
def test_boxes_share_a_stretch_exactly_where_the_transactions_overlapped(
    lasted: list[tuple[float, float]], data: st.DataObject
) -> None:
    widths = [data.draw(st.floats(0, 5)) for _ in lasted]
    boxes = stretch(lasted, widths, 0.3)
    for at, (left, right) in enumerate(boxes):
        assert left >= 0
        assert right - left >= widths[at] - 1e-9
        for other in range(at):
            overlapped = lasted[at][0] < lasted[other][1] and lasted[other][0] < lasted[at][1]
            assert overlapped == (left < boxes[other][1] and boxes[other][0] < right)


def test_events_stay_in_order_and_apart() -> None:
    boxes = stretch([(0, 3), (1, 2), (4, math.inf)], [1.0, 2.0, 0.5], 0.25)
    assert boxes[0] == (0.0, 2.5)  # as long as the one within it needs
    assert boxes[1] == (0.25, 2.25)
    assert boxes[2] == (2.75, 3.25)


def test_a_transaction_that_never_completed_lasts_to_the_end() -> None:
    history = history_of([("invoke", 0), ("invoke", 1), ("ok", 1)])
    assert span_of(history, 0) == (0, math.inf)
    assert span_of(history, 1) == (1, 2)


def test_a_completion_without_invocation_begins_just_before_it() -> None:
    history = history_of([("invoke", 0), ("ok", 0), ("ok", 1)])
    assert span_of(history, 1) == (1.5, 2)


def test_each_process_has_a_lane_and_successors_take_it_over() -> None:
    history = history_of(
        [
            ("invoke", 0),
            ("invoke", 1),
            ("info", 0),
            ("invoke", 2),
            ("ok", 1),
            ("ok", 2),
            ("invoke", 1),
            ("ok", 1),
        ]
    )
    lane_of, lanes = lanes_of(history, range(len(history)))
    assert lane_of == {0: 0, 1: 1, 2: 0}
    assert lanes == [[0, 2], [1]]


def test_processes_that_overlap_never_share_a_lane() -> None:
    history = history_of([("invoke", n) for n in range(9)] + [("ok", n) for n in range(9)])
    lane_of, lanes = lanes_of(history, range(len(history)))
    assert sorted(lane_of.values()) == list(range(9))
    assert lanes == [[n] for n in range(9)]
