"""The columns of a History, from operations that are added one by one."""

from __future__ import annotations

import numpy as np
import pytest

from compare_histories import told
from txfuzz.common.kind import Kind
from txfuzz.errors import HistoryError
from txfuzz.history.builder import HistoryBuilder
from txfuzz.history.model import APPEND, FAIL, INFO, NIL, OK, READ, UNKNOWN, WRITE, History
from txfuzz.history.values import Keyword


def history(*operations: tuple) -> History:  # type: ignore[type-arg]
    builder = HistoryBuilder("h")
    for type, process, mops, *more in operations:
        builder.add(type, process, mops, **(more[0] if more else {}))
    return builder.finish()


def test_columns_of_one_transaction() -> None:
    h = history(
        (
            "invoke",
            3,
            [("r", 10, None), ("append", 20, 7)],
            {"time": 5, "txn": "t", "steps": (0, 2), "logical": (1, 2)},
        ),
        ("ok", 3, [("r", 10, (1, 2)), ("append", 20, 7)], {"time": 9}),
    )
    assert h.kind is Kind.LIST_APPEND
    assert (h.type.tolist(), h.process.tolist()) == ([OK], [3])
    assert (h.invoke_at.tolist(), h.complete_at.tolist()) == ([0], [1])
    assert (h.invoke_index.tolist(), h.complete_index.tolist()) == ([0], [1])
    assert (h.invoke_time.tolist(), h.complete_time.tolist()) == ([5], [9])
    assert (h.templates, h.template.tolist()) == (["t"], [0])
    assert (h.mops.tolist(), h.mop_f.tolist(), h.mop_step.tolist()) == ([0, 2], [READ, APPEND], [0, 2])
    assert ([h.keys[key] for key in h.mop_key], list(h.logical)) == ([10, 20], [1, 2])
    assert h.values(h.read_elements(int(h.mop_value[0]))) == [1, 2]
    assert h.element_value[int(h.mop_value[1])] == 7
    assert h.operations == 2


def test_rows_stand_in_the_order_of_invocation_and_completions_find_theirs() -> None:
    h = history(
        ("invoke", 0, [("append", 1, 1)]),
        ("invoke", 1, [("append", 1, 2), ("append", 2, 2)]),
        ("fail", 1, [("append", 1, 2), ("append", 2, 2)]),
        ("invoke", 2, [("append", 1, 3)]),
        ("info", 0, [("append", 1, 1)]),
    )
    assert h.type.tolist() == [INFO, FAIL, INFO]
    assert (h.invoke_at.tolist(), h.complete_at.tolist()) == ([0, 1, 3], [4, 2, -1])
    assert h.mops.tolist() == [0, 1, 3, 4]
    assert h.values(h.mop_value) == [1, 2, 2, 3]


def test_reads_of_a_list_are_lengths_of_the_trunk() -> None:
    h = history(
        ("ok", 0, [("append", 1, 1)]),
        ("ok", 0, [("r", 1, (1, 2))]),
        ("ok", 0, [("r", 1, (1, 2, 3, 4))]),
        ("ok", 0, [("r", 1, (1,))]),
        ("ok", 0, [("r", 1, (1, 3))]),
        ("ok", 0, [("r", 1, (1, 2))]),
    )
    assert h.values(h.trunk(0)) == [1, 2, 3, 4]
    rows = h.mop_value[1:].tolist()
    assert [h.values(h.read_elements(row)) for row in rows] == [[1, 2], [1, 2, 3, 4], [1], [1, 3], [1, 2]]
    assert [bool(h.read_trunk[row]) for row in rows] == [True, True, True, False, True]
    assert rows[0] == rows[4], "reads of the same value share a row"
    assert list(h.odd_reads) == [rows[3]]


@pytest.mark.parametrize("first", [(1, 2, 3), (9, 8, 7)])
def test_of_equally_long_reads_the_first_is_the_trunk(first: tuple[int, ...]) -> None:
    reads = [first, *({(1, 2, 3), (9, 8, 7)} - {first})]
    h = history(("ok", 0, [("r", 1, reads[0][:1])]), *[("ok", 0, [("r", 1, read)]) for read in reads])
    assert h.values(h.trunk(0)) == list(first)


def test_a_longer_odd_read_becomes_the_trunk_and_shorter_ones_follow() -> None:
    h = history(
        ("ok", 0, [("r", 1, (1, 2))]),
        ("ok", 0, [("r", 1, (1,))]),
        ("ok", 0, [("r", 1, (1, 5, 6))]),
        ("ok", 0, [("r", 1, (1, 5))]),
    )
    assert h.values(h.trunk(0)) == [1, 5, 6]
    rows = h.mop_value.tolist()
    assert [bool(h.read_trunk[row]) for row in rows] == [False, True, True, True]
    assert [h.values(h.read_elements(row)) for row in rows] == [[1, 2], [1], [1, 5, 6], [1, 5]]


def test_nil_empty_and_unknown_reads() -> None:
    h = history(
        ("ok", 0, [("append", 1, 1)]),
        ("ok", 0, [("r", 1, None), ("r", 1, ())]),
        ("info", 1, [("r", 1, None), ("r", 1, ())]),
        ("fail", 2, [("r", 1, None), ("r", 1, (1,))]),
    )
    assert h.mop_value[1:].tolist() == [NIL, NIL, UNKNOWN, NIL, UNKNOWN, UNKNOWN]
    assert h.nil_literal[1:].tolist() == [True, False, False, False, False, False]
    assert len(h.read_key) == 0, "what a failed transaction read counts nowhere"


def test_registers() -> None:
    h = history(
        ("invoke", 0, [("w", "x", 1), ("r", "y", None)]),
        ("ok", 0, [("w", "x", 1), ("r", "y", None)]),
        ("ok", 1, [("r", "x", 1)]),
        ("info", 2, [("r", "x", None), ("w", "y", 3)]),
    )
    assert h.kind is Kind.RW_REGISTER
    assert h.mop_f.tolist() == [WRITE, READ, READ, READ, WRITE]
    assert h.mop_value[1] == NIL
    assert h.mop_value[3] == UNKNOWN
    assert h.mop_value[0] == h.mop_value[2], "the element that was written is the one that was read"
    assert not h.nil_literal.any()
    assert list(h.logical) == [None, None]


def test_a_completion_without_a_value_leaves_what_was_read_unsaid() -> None:
    h = history(("invoke", 0, [("r", 1, None), ("append", 2, 9)]), ("ok", 0, None))
    assert h.mop_value[0] == UNKNOWN
    assert h.element_value[int(h.mop_value[1])] == 9


def test_whatever_stands_beside_an_invoked_read_was_not_read() -> None:
    h = history(("invoke", 0, [("r", 1, 5), ("append", 2, 9)]), ("info", 0, None))
    assert (h.kind, h.mop_value[0]) == (Kind.LIST_APPEND, UNKNOWN)


def test_values_that_python_takes_for_equal_are_different_keys_and_elements() -> None:
    values = [1, True, 1.0, "1", Keyword("1"), (1,)]
    h = history(*[("ok", 0, [("append", value, value)]) for value in values])
    assert len(h.keys) == len(values)
    h = history(*[("ok", 0, [("append", 0, value)]) for value in values])
    assert len(set(h.mop_value.tolist())) == len(values)
    assert [(type(value), value) for value in h.values(h.mop_value)] == [(type(v), v) for v in values]
    assert not h.duplicate_writes


def test_numbers_at_the_ends_of_64_bits_and_beyond() -> None:
    values = [0, -1, 2**62 - 1, 2**62, -(2**62), -(2**62) - 1, 2**63, -(2**63), 10**30, "x", None]
    h = history(*[("ok", 0, [("append", 0, value)]) for value in values])
    assert h.values(h.mop_value) == values
    assert len(set(h.mop_value.tolist())) == len(values)


def test_duplicate_writes_name_both_transactions_failed_ones_too() -> None:
    h = history(
        ("fail", 0, [("append", 1, 5)]),
        ("ok", 0, [("append", 2, 5)]),
        ("ok", 0, [("append", 1, 5), ("append", 1, 6)]),
        ("ok", 0, [("append", 1, 6)]),
    )
    assert [(h.element_value[e], first, second) for e, first, second in h.duplicate_writes] == [
        (5, 0, 2),
        (6, 2, 3),
    ]


def test_a_duplicate_counts_as_invoked_whatever_the_completion_says() -> None:
    h = history(
        ("invoke", 0, [("append", 1, 5)]),
        ("ok", 0, [("append", 1, 7)]),
        ("ok", 1, [("append", 1, 5)]),
    )
    assert [(h.element_value[e], first, second) for e, first, second in h.duplicate_writes] == [(5, 0, 1)]
    assert h.element_value[int(h.mop_value[0])] == 7


def test_unknown_micro_operations_are_noted_not_read() -> None:
    h = history(
        ("invoke", 0, [("append", 1, 5), ("cas", 1, 2)], {"line": 4}),
        ("ok", 0, [("append", 1, 5), ("w", 1, 5)], {"line": 5}),
    )
    assert h.unknown_mops == [(4, "[:cas 1 2]"), (5, "[:w 1 5]")]
    assert h.mop_f.tolist() == [APPEND]


def test_many_unknown_micro_operations_are_counted() -> None:
    h = history(*[("ok", 0, [("cas", 1, at)], {"line": at}) for at in range(250)])
    assert len(h.unknown_mops) == 100
    assert any("150" in warning for warning in h.warnings)


def test_steps_and_logical_keys_need_one_for_each_micro_operation() -> None:
    h = history(
        ("invoke", 0, [("append", 1, 5)], {"steps": (1, 2), "logical": (1, 2)}),
        ("ok", 0, [("append", 1, 5)]),
        ("invoke", 0, [("append", "k", 5)], {"steps": (4,), "logical": (8,)}),
        ("ok", 0, [("append", "k", 5)]),
    )
    assert h.mop_step.tolist() == [-1, 4]
    assert list(h.logical) == [1, 8]


def test_operations_without_a_process_are_one_process_of_their_own() -> None:
    h = history(("invoke", None, []), ("ok", None, []), ("ok", -1, []), ("ok", 4, []))
    assert h.process.tolist() == [-2, -1, 4]


def test_a_process_with_two_transactions_at_once_is_refused() -> None:
    with pytest.raises(HistoryError, match=r"^h:7: process 3 invokes a transaction while .* still open"):
        history(("invoke", 3, []), ("invoke", 3, [], {"line": 7}))


def test_a_completion_without_an_invocation_is_a_transaction() -> None:
    h = history(("ok", 0, [("append", 1, 1)]), ("invoke", 0, [("append", 1, 2)]))
    assert (h.invoke_at.tolist(), h.complete_at.tolist()) == ([-1, 1], [0, -1])
    assert "completions without an invocation: 1" in h.warnings


def test_indices_that_fall_are_warned_of() -> None:
    h = history(("ok", 0, [], {"index": 9}), ("ok", 0, [], {"index": 3}))
    assert any(":index" in warning for warning in h.warnings)
    assert h.complete_at.tolist() == [0, 1]


def test_an_empty_builder_makes_an_empty_history() -> None:
    h = HistoryBuilder().finish()
    assert (len(h), h.kind, h.mops.tolist(), told(h)) == (0, None, [0], [])


def test_more_completions_than_are_kept_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("txfuzz.history.builder.FULL", 3)
    operations = []
    for at in range(20):
        process = at % 2
        mops = [("append", at % 3, at), ("r", 7, None)]
        operations.append(("invoke", process, mops, {"time": at, "steps": (0, 1)}))
        operations.append(("ok", process, [mops[0], ("r", 7, tuple(range(at)))], {"time": at}))
    h = history(*operations)
    assert np.diff(h.mops).tolist() == [2] * 20
    assert [operation.mops for operation in told(h) if operation.type == "ok"] == [
        mops for type, _, mops, _ in operations if type == "ok"
    ]
    assert h.mop_step.tolist() == [0, 1] * 20
