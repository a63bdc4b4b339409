"""Lines of histories, as txfuzz and others write them, and the same lines with some bytes changed."""

from __future__ import annotations

import random
import re

from txfuzz.history.writer import complete_line, event_line, invoke_line

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
