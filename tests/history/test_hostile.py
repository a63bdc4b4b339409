"""Histories from strangers: the right answer, or one sentence that names the line and the cause."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from compare_histories import mops
from txfuzz.errors import HistoryError
from txfuzz.history.reader import read_history, read_history_bytes

INVOKE = b"{:index 0, :type :invoke, :process 0, :f :txn, :value [[:r 1 nil] [:append 1 2]]}\n"
OK = b"{:index 1, :type :ok, :process 0, :f :txn, :value [[:r 1 []] [:append 1 2]]}\n"


def sentence(data: bytes) -> str:
    """What is said of a history that cannot be read, the same by the fast path and without it."""
    said = set()
    for fast in (True, False):
        with pytest.raises(HistoryError) as caught:
            read_history_bytes(data, "h", fast=fast)
        said.add(str(caught.value))
    assert len(said) == 1
    text = said.pop()
    assert "\n" not in text
    assert len(text) < 400
    return text


def value(text: bytes) -> bytes:
    return b"{:type :ok, :process 1, :value [[:append %b 3]]}\n" % text


REFUSED = {
    "lists nested too deeply": INVOKE + b"{:value " + b"[" * 100_000 + b"]" * 100_000 + b"}\n" + OK,
    "tags nested too deeply": INVOKE + value(b"#a " * 5000 + b"1"),
    "maps nested too deeply": INVOKE + b"{" * 100_000,
    "discards": INVOKE + value(b"#_" * 5000),
    "long number": INVOKE + value(b"9" * 5000),
    "long hexadecimal number": INVOKE + value(b"0x" + b"f" * 5000),
    "large index": INVOKE + OK.replace(b":index 1", b":index 99999999999999999999"),
    "large process": INVOKE + b"{:type :ok, :process -99999999999999999999, :value []}",
    "fractional process": INVOKE + b"{:type :ok, :process 1.5, :value []}",
    "time is text": INVOKE + b'{:type :ok, :process 1, :time "now", :value []}',
    "large decimal": INVOKE + value(b"1e99999999999M"),
    "ratio with zero": INVOKE + value(b"1/0"),
    "no UTF-8": INVOKE + OK.replace(b":f :txn", b':f "\xff"'),
    "no UTF-8 in a comment": INVOKE + b"; \xff\n" + OK,
    "no UTF-8 in a list": INVOKE + OK.replace(b"[]", b'["\xff"]'),
    "zeros": INVOKE + b"\0\0\n" + OK,
    "lone surrogate": INVOKE + value(b'"\\ud800"'),
    "control character": INVOKE + value(b"a\x01b\\"),
    "key twice": INVOKE + INVOKE[:-2] + b", " + OK[1:],
    "invoked twice": INVOKE + INVOKE,
    "wrong bracket": INVOKE + b"{:type :ok, :value [[:r 1 [1 2}]]}\n",
    "operation without end": INVOKE + INVOKE[:-2] + b"\n" + OK,
    "string without end": INVOKE + b'{:a "b\n' + OK,
    "unknown type": INVOKE + b"{:type :done, :process 0, :value []}",
    "bracket after the vector": b"[" + INVOKE + b"]]",
    "operation after the vector": b"[" + INVOKE + b"]" + OK,
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_refused_in_one_sentence_with_line_and_cause(data: bytes, snapshot: SnapshotAssertion) -> None:
    said = sentence(data)
    assert said.startswith("h:2: ")
    assert said == snapshot


def test_files_of_other_kinds() -> None:
    for data in (
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"version: 1\n",
        b"<html>",
        "{:type :ok}".encode("utf-16"),
        b"PK\3\4",
    ):
        assert sentence(data).startswith("h:1: ")
    assert "gzip" in sentence(b"\x1f\x8bnot gzip at all")
    assert "gzip" in sentence(gzip.compress(INVOKE)[:15] + b"garbage garbage")


def test_json_that_is_none() -> None:
    line = b'{"type":"ok","process":0,"value":[["append",1,3]]}\n'
    for garbled in (
        line.replace(b",1,", b",1 "),
        line.replace(b'"process"', b'"type"'),
        line.replace(b"1", b'"\\ud800"'),
        line.replace(b"1", b"9" * 5000),
        line.replace(b"1", b"[" * 200 + b"]" * 200),
    ):
        assert sentence(line + garbled + line).startswith("h:2: ")


def test_values_of_any_size_and_sort_are_kept() -> None:
    long = 10**400
    text = b'{:type :ok, :process 0, :value [[:append %d "\\ud83d\\ude00"] [:append "a\0b" -0]]}' % long
    assert mops(read_history_bytes(text)) == [[("append", long, "\U0001f600"), ("append", "a\0b", 0)]]


def test_a_negative_process_is_a_process() -> None:
    data = (INVOKE + OK).replace(b":process 0", b":process -5")
    assert read_history_bytes(data).process.tolist() == [-5]


def test_completions_without_an_invocation_are_read_with_a_warning() -> None:
    for fast in (True, False):
        h = read_history_bytes(OK + OK.replace(b":ok", b":fail"), fast=fast)
        assert h.type.tolist() == [0, 1]
        assert h.invoke_at.tolist() == [-1, -1]
        assert any("without an invocation: 2" in warning for warning in h.warnings)


def test_unknown_micro_operations_are_recorded_with_their_lines() -> None:
    lines = [
        b"{:type :invoke, :process 0, :value [[:r 1 nil] [:append 1 2]]}",
        b"{:type :ok, :process 0, :value [[:r 1 []] [:append 1 2]]}",
        b"{:type :invoke, :process 0, :value [[:cas 1 [2 3]] [:append 1 4]]}",
        b"{:type :ok, :process 0, :value [[:append 1 4] [:append 1] 7 {:a 1}]}",
        b"{:type :ok, :process 1, :value :all}",
        b"{:type :invoke, :process 0, :value [[:w 1 5] [:append 1 6]]}",
    ]
    for fast in (True, False):
        h = read_history_bytes(b"\n".join(lines), fast=fast)
        assert list(h.unknown_mops) == [
            (3, "[:cas 1 [2 3]]"),
            (4, "7"),
            (4, "[:append 1]"),
            (4, "{:a 1}"),
            (5, ":all"),
            (6, "[:w 1 5]"),
        ]
        assert h.values(h.mop_value[1:]) == [2, 4, 6]


SIZE = 18 << 20  # more than a real parser gets
SOME = 6 << 20
# What the long line is, and what is said: nothing where it is read.
LONG: dict[str, tuple[Callable[[], bytes], str]] = {
    "list": (lambda: OK.replace(b"[]", b"[%b]" % b" ".join(b"%d" % i for i in range(SOME // 9))), ""),
    "spaces": (lambda: b" " * SIZE + OK, ""),
    "comment": (lambda: b";" * SIZE + b"\n" + OK, ""),
    "string": (lambda: OK.replace(b":txn", b'"%b"' % (b"a" * SIZE)), ""),
    "open bracket": (lambda: b"{" + b"[] " * (SOME // 3), "truncated"),
    "open string": (lambda: b'{"' + b"a" * SIZE, "truncated"),
    "escapes": (lambda: b'{"' + b'\\"' * (SOME // 2), "truncated"),
    "tags": (lambda: b"#a " * (SOME // 3), "truncated"),
    "digits": (lambda: OK.replace(b":index 1", b":index " + b"9" * SIZE), "h:2: .* 16 MiB"),
    "keys": (lambda: OK.replace(b":f", b":k 1, " * (SIZE // 6) + b":f"), "h:2: .* 16 MiB"),
    "brackets": (lambda: b"[" * SIZE, "h:2: .* deeper"),
    "junk": (lambda: b"x" * SIZE, "h:2: .*'xxx"),
}
READ = """
from txfuzz.errors import HistoryError
from txfuzz.history.reader import read_history
try:
    history = read_history("h")
    print(len(history), *history.warnings)
except HistoryError as error:
    print(error)
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="nothing tells the memory")
@pytest.mark.parametrize("what", LONG)
def test_long_lines_take_memory_in_proportion(what: str, tmp_path: Path) -> None:
    line, said = LONG[what]
    (tmp_path / "h").write_bytes(INVOKE + line())
    done = subprocess.run(
        [sys.executable, "-c", READ], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    answer, peak = done.stdout.splitlines()
    assert re.search(said or "^1 ?$", answer), answer
    assert len(answer) < 400
    assert int(peak) << 10 < 12 * SIZE + (100 << 20)


def test_a_small_file_that_unpacks_to_a_large_one_is_read_piece_by_piece(tmp_path: Path) -> None:
    path = tmp_path / "h.edn.gz"
    with gzip.open(path, "wb", compresslevel=1) as out:
        out.write(INVOKE)
        for _ in range(64):
            out.write(b"\n" * (1 << 20))
        out.write(OK)
    h = read_history(path)
    assert h.type.tolist() == [0]
