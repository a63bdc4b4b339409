"""Histories that are written are read back without loss, in every form."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compare_histories import ABOUT_THE_FILE, differences, plain, told
from elle_verdicts import handmade_histories
from txfuzz.errors import HistoryError, OutputError
from txfuzz.history.builder import HistoryBuilder
from txfuzz.history.model import History
from txfuzz.history.operations import Operation
from txfuzz.history.reader import read_history, read_history_bytes
from txfuzz.history.values import Character, Keyword, Map, Symbol, Tagged, edn, identity
from txfuzz.history.writer import complete_line, event_line, history_lines, invoke_line, write_history

FORMS = ("edn", "json", "jsonl")

INTEGERS = st.integers(-3, 12) | st.integers(-(10**25), 10**25)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
NAMES = st.text("abcxyz-", min_size=1, max_size=3).map(lambda name: "n" + name)
IN_JSON = INTEGERS | TEXTS | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)
IN_EDN = (
    IN_JSON
    | st.sampled_from([float("inf"), float("-inf"), Decimal("1.50"), Fraction(-1, 3), Character("a"), None])
    | NAMES.map(Keyword)
    | NAMES.map(Symbol)
    | st.builds(Tagged, NAMES, INTEGERS)
)


def nested(values: st.SearchStrategy[Any], keys: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        values,
        lambda inner: (
            st.lists(inner, max_size=3).map(tuple) | st.dictionaries(keys, inner, max_size=2).map(Map)
        ),
        max_leaves=4,
    )


@st.composite
def histories(draw: st.DrawFn, values: st.SearchStrategy[Any], write: str) -> History:
    """Any history: some processes, some transactions each, every way to end."""
    keys = draw(st.lists(values, min_size=1, max_size=3))
    builder = HistoryBuilder("h")
    builder.add("ok", 0, [(write, keys[0], draw(values.filter(lambda value: value is not None)))])
    elements = st.tuples(values, values).map(tuple) | st.just(()) | st.none() | st.just((1, 2, 3))
    read = elements if write == "append" else values | st.none()
    written = values.filter(lambda value: write == "append" or value is not None)
    a_key = st.sampled_from(keys)
    a_mop = st.tuples(st.just("r"), a_key, st.none()) | st.tuples(st.just(write), a_key, written)
    running: dict[int, list[Any]] = {}
    for _ in range(draw(st.integers(0, 12))):
        process, time = draw(st.integers(-2, 3)), draw(st.none() | st.integers(0, 1000))
        if process in running:
            asked = running.pop(process)
            done = [(f, key, draw(read) if f == "r" else value) for f, key, value in asked]
            type = draw(st.sampled_from(["ok", "ok", "fail", "info"]))
            builder.add(type, process, draw(st.sampled_from([done, done, done, None])), time=time)
        else:
            running[process] = asked = draw(st.lists(a_mop, max_size=3))
            builder.add("invoke", process, asked, time=time, **draw(about(len(asked))))
    return builder.finish()


def about(count: int) -> st.SearchStrategy[dict[str, Any]]:
    """What else an invocation of so many micro-operations may say."""

    def each(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.none() | st.lists(values, min_size=count, max_size=count)

    numbers = st.integers(0, 99)
    return st.fixed_dictionaries(
        {
            "index": st.none() | numbers,
            "txn": st.none() | TEXTS,
            "steps": each(numbers),
            "logical": each(st.none() | numbers),
        }
    )


def written_and_read(history: History, form: Any) -> History:
    return read_history_bytes(b"".join(history_lines(history, form)), "h")


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(history=st.sampled_from(["append", "w"]).flatmap(lambda write: histories(st.integers(-3, 12), write)))
def test_histories_of_integers_come_back_column_by_column(history: History) -> None:
    for form in FORMS:
        assert differences(written_and_read(history, form), history, ABOUT_THE_FILE) == []


@settings(max_examples=120, deadline=None)
@given(
    history=st.sampled_from(["append", "w"]).flatmap(lambda write: histories(nested(IN_EDN, NAMES), write))
)
def test_histories_of_anything_come_back_as_edn(history: History) -> None:
    again = written_and_read(history, "edn")
    assert plain(again) == plain(history)
    assert len(again.duplicate_writes) == len(history.duplicate_writes)


@settings(max_examples=80, deadline=None)
@given(
    history=st.sampled_from(["append", "w"]).flatmap(lambda write: histories(nested(IN_JSON, TEXTS), write))
)
def test_histories_of_what_json_has_come_back_as_json(history: History) -> None:
    assert plain(written_and_read(history, "jsonl")) == plain(history)


@settings(max_examples=200, deadline=None)
@given(value=nested(IN_EDN, NAMES.map(Keyword)))
def test_values_come_back_from_edn(value: Any) -> None:
    h = read_history_bytes(f"{{:type :ok, :process 0, :value [[:append 1 {edn(value)}]]}}".encode())
    assert identity(h.element_value[0]) == identity(value)


@settings(max_examples=60, deadline=None)
@given(history=histories(st.integers(-3, 12), "append"), by=st.integers(1, 10**6))
def test_renamed_keys_and_later_times_change_nothing_else(history: History, by: int) -> None:
    """Keys and values moved by a constant, times and processes too: only those columns differ."""
    builder = HistoryBuilder("h")
    for one in told(history):
        mops = one.mops and [(f, key + by, moved(value, by)) for f, key, value in one.mops]
        builder.add(
            one.type,
            one.process + by,
            mops,
            index=one.index,
            time=None if one.time is None else one.time + by,
            txn=one.txn,
            steps=one.steps,
            logical=one.logical,
        )
    again = written_and_read(builder.finish(), "edn")
    changed = ("process", "invoke_time", "complete_time", "keys", "logical", "element_value")
    assert differences(again, history, (*ABOUT_THE_FILE, *changed)) == []
    assert again.keys == [key + by for key in history.keys]
    assert list(again.element_value) == [moved(value, by) for value in history.element_value]
    assert (again.process == history.process + by).all()


def moved(value: Any, by: int) -> Any:
    if isinstance(value, tuple):
        return tuple(moved(item, by) for item in value)
    return value if value is None else value + by


def test_the_lines_of_a_run() -> None:
    data = b"".join(
        [
            event_line(0, 1, "iteration", {"number": 3}),
            invoke_line(1, 4, 5, 'say "t"', (0, 2), (7, None), [("r", 71, None), ("append", 72, 9)]),
            complete_line(2, "ok", 4, 6, [("r", 71, (1, 2)), ("append", 72, 9)]),
            invoke_line(3, 4, 7, "u", (), (), []),
            complete_line(4, "info", 4, 8, [], ("08006", "commit")),
        ]
    )
    assert data.splitlines()[1] == (
        b'{:index 1, :type :invoke, :process 4, :f :txn, :time 5, :txn "say \\"t\\"", :steps [0 2], '
        b":logical [7 nil], :value [[:r 71 nil] [:append 72 9]]}"
    )
    assert data.splitlines()[4] == (
        b'{:index 4, :type :info, :process 4, :f :txn, :time 8, :value [], :error ["08006" "commit"]}'
    )
    for fast in (True, False):
        h = read_history_bytes(data, fast=fast)
        assert told(h) == [
            Operation("invoke", 4, 1, 5, [("r", 71, None), ("append", 72, 9)], 'say "t"', [0, 2], [7, None]),
            Operation("ok", 4, 2, 6, [("r", 71, (1, 2)), ("append", 72, 9)]),
            Operation("invoke", 4, 3, 7, [], "u"),
            Operation("info", 4, 4, 8, []),
        ]
        assert h.operations == 5


@pytest.fixture
def small() -> History:
    builder = HistoryBuilder("small")
    builder.add(
        "invoke", 0, [("r", 1, None), ("append", 2, 5)], time=3, txn="t", steps=(0, 1), logical=(8, 9)
    )
    builder.add("ok", 0, [("r", 1, (1, 2)), ("append", 2, 5)], time=4)
    return builder.finish()


@pytest.mark.parametrize("name", ["h.edn", "h", "h.json", "h.jsonl", "h.ndjson", "h.edn.gz", "h.json.gz"])
def test_the_suffix_tells_the_form(small: History, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write_history(path, small)
    assert differences(read_history(path), small) == []
    data = path.read_bytes()
    assert data.startswith(b"\x1f\x8b") is name.endswith(".gz")
    if name == "h.json":
        assert [operation["type"] for operation in json.loads(data)] == ["invoke", "ok"]
    if name == "h.jsonl":
        assert [json.loads(line)["value"] for line in data.splitlines()] == [
            [["r", 1, None], ["append", 2, 5]],
            [["r", 1, [1, 2]], ["append", 2, 5]],
        ]


def test_the_form_can_be_asked_for(small: History, tmp_path: Path) -> None:
    write_history(tmp_path / "h.txt", small, "json")
    assert (tmp_path / "h.txt").read_bytes().startswith(b'[{"index":0,')


def test_what_json_has_no_form_for_is_refused(tmp_path: Path) -> None:
    for value in (Keyword("k"), float("inf"), frozenset(), Map({1: 2})):
        builder = HistoryBuilder("h")
        builder.add("ok", 0, [("append", 1, value)])
        with pytest.raises(HistoryError, match="JSON cannot represent"):
            write_history(tmp_path / "h.json", builder.finish())


def test_unknown_micro_operations_are_not_dropped_silently(tmp_path: Path) -> None:
    h = read_history_bytes(b"{:type :ok, :process 0, :value [[:append 1 2] [:cas 1 2]]}", "h")
    with pytest.raises(HistoryError, match=r"h:1: .*\[:cas 1 2\]"):
        write_history(tmp_path / "h.edn", h)


def test_a_path_that_cannot_be_written(small: History, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="No such file or directory"):
        write_history(tmp_path / "missing" / "h.edn", small)


@pytest.mark.parametrize("form", FORMS)
def test_recorded_histories_come_back(form: str) -> None:
    for path in handmade_histories():
        h = read_history(path)
        assert differences(written_and_read(h, form), h, ABOUT_THE_FILE) == [], path.name
