"""Every form of history that elle-cli takes: EDN and JSON in their variants, plain and packed."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

from compare_histories import differences, mops, told
from elle_verdicts import handmade_histories, random_histories
from txfuzz.common.kind import Kind
from txfuzz.errors import ExitCode, HistoryError
from txfuzz.history.model import FAIL, INFO, OK, UNKNOWN, History
from txfuzz.history.reader import read_history, read_history_bytes
from txfuzz.history.values import Keyword, Map, Symbol, Tagged

LISTS = """\
{:index 0, :type :invoke, :process 0, :f :txn, :time 5, :value [[:r 1 nil] [:append 1 2]]}
{:index 1, :type :invoke, :process 1, :f :txn, :time 6, :value [[:append 1 3] [:r 2 nil]]}
{:index 2, :type :ok, :process 0, :f :txn, :time 7, :value [[:r 1 []] [:append 1 2]]}
{:index 3, :type :info, :process :nemesis, :f :kill, :time 8, :value {:n1 :killed}}
{:index 4, :type :fail, :process 1, :f :txn, :time 9, :value [[:append 1 3] [:r 2 nil]]}
{:index 5, :type :invoke, :process 0, :f :txn, :time 10, :value [[:r 1 nil]]}
{:index 6, :type :ok, :process 0, :f :txn, :time 11, :value [[:r 1 [2]]]}
"""
LINES = LISTS.splitlines()
REGISTERS = LISTS.replace("append", "w").replace("[]", "nil").replace("[2]", "2")


def read(text: str | bytes) -> History:
    return read_history_bytes(text.encode() if isinstance(text, str) else text, "h")


def test_a_map_a_line() -> None:
    h = read(LISTS)
    assert h.kind is Kind.LIST_APPEND
    assert h.type.tolist() == [OK, FAIL, OK]
    assert mops(h) == [
        [("r", 1, ()), ("append", 1, 2)],
        [("append", 1, 3), ("r", 2, None)],
        [("r", 1, (2,))],
    ]
    assert h.invoke_index.tolist() == [0, 1, 5]
    assert h.complete_index.tolist() == [2, 4, 6]
    assert h.complete_time.tolist() == [7, 9, 11]
    assert (h.invoke_at.tolist(), h.complete_at.tolist()) == ([0, 1, 4], [2, 3, 5]), "without the nemesis"
    assert (h.operations, list(h.warnings), h.source) == (7, [], "h")


def test_registers() -> None:
    h = read(REGISTERS)
    assert h.kind is Kind.RW_REGISTER
    assert mops(h) == [[("r", 1, None), ("w", 1, 2)], [("w", 1, 3), ("r", 2, None)], [("r", 1, 2)]]


@pytest.mark.parametrize(
    "form",
    [
        LISTS.rstrip("\n"),
        LISTS.replace("\n", "\r\n"),
        "\ufeff" + LISTS,
        "; a comment with a { brace\n\n" + LISTS.replace("\n", "\n\n ; another é\n"),
        "[" + LISTS + "]",
        "[" + LISTS.replace("\n", ", ") + "]",
        "(" + LISTS + ")\n",
        "[\n " + " ".join(LINES) + "\n]\n; the end",
        " ".join(LINES),
        "".join(LINES),
        LISTS.replace("{:index", "#jepsen.history.Op{:index"),
        LISTS.replace("{:index", "#jepsen.history.Op {:index"),
        "#jepsen.history.History [" + LISTS + "]",
        LISTS.replace(",", ""),
        LISTS.replace(" ", "   "),
        LISTS.replace(", ", ",\n  "),
        LISTS.replace("[:", "[ :").replace("]", " ]"),
        LISTS.replace("[[:", "([:").replace("]]}", "])}"),
        LISTS.replace(":value [[", ":error nil, :value [["),
        LISTS.replace(":f :txn", ':f :txn, :error [:timeout "a \\"b\\" {"], :node "n1"'),
        LISTS.replace(":f :txn", ":f :txn, :ext #object[java.lang.Object 0x1 {:a #{1 2}}]"),
        LISTS.replace(":f :txn", ":f #_ {:a 1} :txn"),
        re.sub(r"([{ ]):(index|type|process|f|time|value) ", r"\1:op/\2 ", LISTS),
        LISTS.replace("{:index", "#:op{:index"),
    ],
)
def test_variants_of_edn_say_the_same(form: str) -> None:
    assert differences(read(form), read(LISTS)) == []
    assert differences(read_history_bytes(form.encode(), fast=False), read(LISTS)) == []


def as_json(text: str) -> list[dict[str, object]]:
    operations = []
    for operation in told(read(text)):
        value = [list(mop) for mop in operation.mops or []]
        operations.append(
            {"index": operation.index, "type": operation.type, "process": operation.process, "f": "txn"}
            | {"time": operation.time, "value": value}
        )
    operations.insert(3, {"index": 3, "type": "info", "process": "nemesis", "f": "kill", "value": None})
    return operations


@pytest.mark.parametrize("text", [LISTS, REGISTERS])
def test_json_histories(text: str) -> None:
    operations = as_json(text)
    colons = json.loads(json.dumps(operations))
    for operation in colons:
        operation["type"] = ":" + operation["type"]
        operation["value"] = [[":" + f, *rest] for f, *rest in operation["value"] or []]
    forms = [
        "\n".join(map(json.dumps, operations)),
        json.dumps(operations),
        json.dumps(operations, indent=2),
        "\n".join(json.dumps(operation, separators=(",", ":")) for operation in operations) + "\n",
        "\n".join(map(json.dumps, colons)),
    ]
    for form in forms:
        assert differences(read(form), read(text)) == []


def test_without_index_and_time_the_place_in_the_file_counts() -> None:
    h = read("\n".join("{:type " + line.partition(":type ")[2] for line in LINES).replace(":time ", ":was "))
    assert h.invoke_index.tolist() == [0, 1, 5]
    assert h.complete_index.tolist() == [2, 4, 6]
    assert h.complete_time.tolist() == [-1, -1, -1]
    assert list(h.warnings) == []


def test_without_process_there_is_one_at_a_time() -> None:
    h = read(
        "{:type :invoke, :value [[:append 1 2]]}\n{:type :ok, :value [[:append 1 2]]}\n"
        "{:type :invoke, :value [[:r 1 nil]]}\n{:type :info, :value [[:r 1 nil]]}\n"
    )
    assert (h.type.tolist(), h.process.tolist()) == ([OK, INFO], [-1, -1])


def test_what_the_recorder_adds() -> None:
    h = read(
        '{:index 0, :type :invoke, :process 0, :f :txn, :time 5, :txn "a \\"b\\"", :steps [0 2], '
        ":logical [1 nil], :value [[:r 17 nil] [:append 18 2]]}\n"
    )
    assert (h.templates, h.mop_step.tolist(), list(h.logical)) == (['a "b"'], [0, 2], [1, None])


def test_keys_and_values_of_all_sorts() -> None:
    text = (
        '{:type :ok, :process 0, :value [[:append :k "v"] [:append "k" :v] [:append k nil] [:append 1.5 1N] '
    )
    text += "[:append [1 {:a 2}] #{3}] [:append #my/tag 1 true]]}\n"
    assert mops(read(text)) == [
        [
            ("append", Keyword("k"), "v"),
            ("append", "k", Keyword("v")),
            ("append", Symbol("k"), None),
            ("append", 1.5, 1),
            ("append", (1, Map({Keyword("a"): 2})), frozenset({3})),
            ("append", Tagged("my/tag", 1), True),
        ]
    ]


def test_the_same_key_and_value_in_other_words() -> None:
    h = read(
        "{:type :ok, :process 0, :value [[:append 12N +7]]}\n{:type :ok, :process 0, :value [[:r 12 [7N]]]}\n"
    )
    assert h.keys == [12]
    assert len(h.element_value) == 1


def test_gzip_in_several_members_and_cut_off(tmp_path: Path) -> None:
    half = len(LISTS) // 2
    data = LISTS.encode()
    packed = gzip.compress(data[:half]) + gzip.compress(data[half:])
    (tmp_path / "h.edn.gz").write_bytes(packed)
    h = read_history(tmp_path / "h.edn.gz")
    assert differences(h, read(LISTS)) == []
    assert h.source == str(tmp_path / "h.edn.gz")
    cut = read(packed[:-12])
    assert len(cut) <= 3
    assert "truncated" in " ".join(cut.warnings)


def test_operations_longer_than_what_is_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("txfuzz.history.byte_source.BLOCK", 16)
    for form in (LISTS, LISTS.replace(":value", ":x #a {}, :value"), "; é" * 30 + "\n" + LISTS):
        assert differences(read(form), read(LISTS)) == []
    assert differences(read("[" + LISTS + "]"), read(LISTS)) == []


def test_a_torn_last_line_is_a_warning_wherever_it_is_torn() -> None:
    data = LISTS.replace(":time 11", ':node "é"').encode()
    whole = len(read(data))
    start = data.rstrip().rindex(b"\n") + 1
    for end in range(start + 1, len(data) - 2):
        h = read(data[:end])
        assert len(h) == whole
        assert h.complete_at.tolist() == [2, 3, -1], "the last completion is missing"
        assert h.mop_value[-1] == UNKNOWN
        assert [warning.partition(" is")[0] for warning in h.warnings] == ["line 7"]


def test_a_torn_vector_is_a_warning() -> None:
    assert read("[" + LISTS[:-20]).warnings
    h = read("[" + LISTS)
    assert len(h) == 3
    assert "vector" in h.warnings[0]


def test_zeros_at_the_end_of_the_file_are_a_warning() -> None:
    h = read(LISTS.encode() + b"\0" * 5000)
    assert (len(h), len(h.warnings)) == (3, 1)


@pytest.mark.parametrize("line", [0, 1, 2, 4, 5])  # of the nemesis nothing is read
@pytest.mark.parametrize(
    "garbled",
    [
        lambda line: line[:40],
        lambda line: line[40:],
        lambda line: line.replace("{", ""),
        lambda line: line.replace("}", ""),
        lambda line: line.replace(":type", ""),
        lambda line: line.replace(":type :", ":type :x"),
        lambda line: line.replace(":index ", ":index :x"),
        lambda line: "hello",
        lambda line: "nil",
        lambda line: "[1 2 3]",
        lambda line: line[:-1] + line[1:],
    ],
)
def test_a_garbled_middle_line_is_named_in_one_sentence(line: int, garbled) -> None:  # type: ignore[no-untyped-def]
    lines = [*LINES]
    lines[line] = garbled(lines[line])
    for fast in (True, False):
        with pytest.raises(HistoryError) as caught:
            read_history_bytes("\n".join(lines).encode(), "dir/h.edn", fast=fast)
        sentence = str(caught.value)
        assert sentence.startswith(f"dir/h.edn:{line + 1}: ")
        assert "\n" not in sentence
        assert len(sentence) < 300
        assert caught.value.exit_code == ExitCode.USAGE


@pytest.mark.parametrize("text", ["", "\n \n", "; nothing\n", "[]", "()", "[\n]\n", LINES[0][:50]])
def test_a_history_without_operations_is_no_history(text: str) -> None:
    with pytest.raises(HistoryError, match=r"^h: expected operations, found none"):
        read(text)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.edn", tmp_path, tmp_path / "a\0b"):
        with pytest.raises(HistoryError) as caught:
            read_history(path)
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)


def test_all_recorded_histories_by_both_ways() -> None:
    for path in handmade_histories():
        assert differences(read_history(path), read_history_bytes(path.read_bytes(), fast=False)) == [], (
            path.name
        )
    for at, (name, data) in enumerate(random_histories().items()):
        h = read_history_bytes(data, name)
        assert len(h) > 0
        assert not h.warnings
        assert not h.unknown_mops
        if at % 20 == 0:
            assert differences(h, read_history_bytes(data, fast=False)) == [], name
    assert len(handmade_histories()) + len(random_histories()) == 1269
