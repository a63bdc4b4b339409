"""The fast path of EDN never reads anything differently from a real parser."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from compare_histories import disagreements
from history_lines import BYTES, OTHERS, OURS, mutated
from txfuzz.errors import HistoryError
from txfuzz.history.formats.edn import EdnParser
from txfuzz.history.model import History
from txfuzz.history.reader import read_history_bytes


def outcome(data: bytes, fast: bool) -> History | str:
    try:
        return read_history_bytes(data, "h", fast=fast)
    except HistoryError as error:
        return str(error)


@settings(max_examples=250, deadline=None)
@given(st.integers(0, 1 << 32).map(mutated))
@example(b"{:type :invoke, :process 0, :value [[:r 1 nil] w 1 3] [:r [:r 7 nil]]}\n" + OTHERS[1])
@example(OURS[0].replace(b"1 nil", b"1 x") + OURS[2])
@example(OURS[0].replace(b":append", b":cas") + OURS[2])
@example(OURS[0].replace(b":process", b":process/") + OURS[2])
@example(OURS[0][:-2] + OURS[2][1:])
@example(b"{:type :ok, :process 0, :value [[:append :k 1] [:append 1 :k] [:append 1 z]]}\n" * 2)
@example(OURS[0] + OURS[2] + OURS[1].replace(b"[:append 6", b'["append 6'))
@example(OURS[0] + b" \t\r\n" + OURS[2])
@example(mutated(2_157_219_408))  # a tag that ends in a slash
def test_with_and_without_it_histories_read_the_same(data: bytes) -> None:
    quick, slow = outcome(data, True), outcome(data, False)
    if isinstance(quick, History) and isinstance(slow, History):
        assert disagreements(quick, slow) == []
    else:
        # Which of several things is found first may differ.
        assert isinstance(quick, str), slow
        assert isinstance(slow, str), quick


@pytest.mark.parametrize("line", OURS + OTHERS)
def test_whichever_byte_of_a_line_is_another_one(line: bytes) -> None:
    chance = random.Random(line)
    for at in range(len(line)):
        changed = line + line[:at] + bytes([chance.choice(BYTES)]) + line[at + 1 :]
        quick, slow = (
            outcome(changed.replace(b"invoke", b"ok"), True),
            outcome(changed.replace(b"invoke", b"ok"), False),
        )
        if isinstance(quick, History) and isinstance(slow, History):
            assert disagreements(quick, slow) == []
        else:
            assert quick == slow


def test_our_own_lines_need_no_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_parser(self: EdnParser, data: bytes) -> list[object]:
        assert data == b"nil", "a single word is looked up once"
        return [None]

    monkeypatch.setattr(EdnParser, "parse", no_parser)
    client = [line for line in OURS if b":nemesis" not in line]
    h = read_history_bytes(b"".join(client))
    assert h.operations == len(client)
    assert h.templates == ["w", "x"]
    registers = [line.replace(b":append", b":w").replace(b"[]", b"nil") for line in client[:4]]
    assert read_history_bytes(b"".join(registers)).operations == 4


def test_shapes_are_learned_up_to_a_limit_and_read_beyond_it() -> None:
    lines = [
        b"{:type :ok, :process %d, :key-%d 1, :value [[:append 1 %d]]}\n" % (at, at, at) for at in range(50)
    ]
    h = read_history_bytes(b"".join(lines))
    assert h.values(h.mop_value) == list(range(50))
