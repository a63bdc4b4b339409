"""The fast path of EDN never reads anything differently from a real parser."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from compare_histories import disagreements
from txfuzz.errors import HistoryError
from txfuzz.history.ednform import EdnParser
from txfuzz.history.model import History
from txfuzz.history.reading import read_history_bytes
from txfuzz.history.writing import complete_line, event_line, invoke_line

OURS = [
    invoke_line(0, 0, 5, "w", (0, 1), (1, None), [("r", 1, None), ("append", 2, 2)]),
    invoke_line(1, 1, 6, "x", (0, 1, 2), (1, 2, 3), [("append", 1, 3), ("r", 5, None), ("append", 6, 44)]),
    complete_line(2, "ok", 0, 7, [("r", 1, ()), ("append", 2, 2)]),
    complete_line(
        3, "fail", 1, 8, [("append", 1, 3), ("r", 5, None), ("append", 6, 44)], ("40001", "commit")
    ),
    invoke_line(4, 2, 9, "w", (0, 1), (1, None), [("r", 1, None), ("append", 2, 3)]),
    event_line(5, 10, "kill", None),
    complete_line(6, "ok", 2, 11, [("r", 1, (5, 6, 7)), ("append", 2, 3)]),
    complete_line(7, "ok", 9, 12, [("r", 1, (5, 7)), ("r", 2, (2, 3))]),
    invoke_line(8, 3, 13, "w", (0, 1), (1, None), [("r", 1, None), ("append", 2, 8)]),
    complete_line(9, "info", 3, 14, [("r", 1, (5, 6)), ("append", 2, 8)], ("08006", "commit")),
]
OTHERS = [
    b'{:type :invoke, :process 2, :value [[:append "a" :k] [:r 7 nil] [:append 1 -5]]}\n',
    b'{:type :ok, :process 2, :value [[:append "a" :k] [:r 7 [1 2 3]] [:append 1 -5]]}\n',
    b"{:type :invoke, :f :txn, :value [[:r 1 nil] [:r 7 nil]], :process 1, :time 22, :index 9}\n",
    b"{:type :info, :f :txn, :value [[:r 1 [2 5 8]] [:r 7 nil]], :process 1, :time 23, :index 10}\n",
    b"#jepsen.history.Op{:index 11, :type :invoke, :process 4, :value [[:append 7 true] [:r x nil]]}\n",
    b'#jepsen.history.Op{:index 12, :type :ok, :process 4, :value [[:append 7 true] [:r x [1.5 "y"]]]}\n',
    b"{:op/type :ok, :op/process 8, :op/value [[:r 1 [2 5]] [:r 7 [1 2 3 4]]]}\n",
]
LISTS = [OURS, OTHERS, OURS + OTHERS, OTHERS + OURS]
REGISTERS = [
    [re.sub(rb"\[(:r \S+) \[[^\]]*?(\d*)\]\]", rb"[\1 \2]", line).replace(b" ]", b" nil]") for line in lines]
    for lines in LISTS
]
REGISTERS = [[line.replace(b":append", b":w") for line in lines] for lines in REGISTERS]
BYTES = b"0123456789 []{}():,\"\\;#_-+.NMaeintrul\n\r\t\x00\xff\xc3\xa9/^~'@"
WORDS = [
    b"nil",
    b"007",
    b"1.0",
    b"-0",
    b"1e3",
    b"10N",
    b"#_1 ",
    b"  ",
    b"] [:r 1 nil",
    b'"a b"',
    b"\\a",
    b"+1",
]
WORDS += [b"a/b", b"[[", b"]]", b"1" * 20, b'"] [:append 1 9"', b"true", b"#t 1", b":r", b":ok", b"\n{"]


def mutated(seed: int) -> bytes:
    """Real lines with some bytes changed, lost, repeated, or replaced by words."""
    chance = random.Random(seed)
    lines = [line for line in chance.choice(LISTS + REGISTERS) if chance.random() < 0.9]
    if chance.random() < 0.2:
        chance.shuffle(lines)
    data = bytearray(b"".join(lines) or OURS[0])
    for _ in range(chance.choice((1, 1, 2, 3))):
        at, how = chance.randrange(len(data)), chance.random()
        if how < 0.4:
            data[at] = chance.choice(BYTES)
        elif how < 0.6:
            data.insert(at, chance.choice(BYTES))
        elif how < 0.8:
            del data[at : at + chance.randint(1, 3)]
        elif how < 0.9:
            other = chance.randrange(len(data))
            data[at:at] = data[other : other + chance.randint(1, 12)]
        else:
            data[at : at + chance.choice((0, 1))] = chance.choice(WORDS)
        data = data or bytearray(b"{")
    return bytes(data)


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
