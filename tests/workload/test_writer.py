"""What is written is read back as it was."""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
import pytest
import yaml
from hypothesis import example, given, settings

from txfuzz.transactions.model import Choice, MicroOperation, Mode, NewValue, Ref, Step, Transaction
from txfuzz.workload.model import DatabaseSpec, KeyLife, PluginSpec, Scheduling, Weight, Workload
from txfuzz.workload.yaml.layout import WIDTH, filled, scalar, text_field
from txfuzz.workload.yaml.writer import workload_text
from workload_words import parse

names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12).filter(
    lambda text: text.isprintable() and bool(text.strip())
) | st.sampled_from(
    ["off", "1e3", "0o7", "null", "a: b", "#x", "[", "a, b", "'", "- x", "1_0", "=", "<<", "~"]
)
texts = st.text(max_size=30) | st.text("ab: #'\"-|\n \t", max_size=20)
key_numbers = st.integers(1, (1 << 63) - 1)
ranges = st.tuples(key_numbers, st.integers(0, 2000)).map(
    lambda pair: range(pair[0], min(pair[0] + pair[1], (1 << 63) - 1) + 1)
)
key_lists = st.lists(key_numbers, min_size=1, max_size=60, unique=True).map(tuple)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts
data = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abcxyz-_", min_size=1), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def transactions(draw: st.DrawFn, name: str, write: str) -> Transaction:
    """Choices first named, then referred to; the keys are enough for all to differ."""
    known: list[str] = []

    def key() -> Choice | Ref:
        if known and draw(st.booleans()):
            return Ref(draw(st.sampled_from(known)))
        as_ = draw(st.none() | names.filter(lambda word: word not in known))
        differs = tuple(draw(st.lists(st.sampled_from(known), unique=True, max_size=2))) if known else ()
        keys = range(1, 100) if differs else draw(ranges | key_lists)
        if as_ is not None:
            known.append(as_)
        return Choice(keys, as_, differs)

    def step() -> Step:
        form = draw(st.sampled_from(["r", write, "sql r", "sql write", "sql", "sql more"]))
        if form == "r":
            return Step("r", key(), draw(st.sampled_from([None, "update", "no key update"])))
        if form == write:
            return Step(write, key())
        note = draw(texts.filter(lambda text: not set(text) & set("'\0") and "*/" not in text))
        if form == "sql":
            return Step(None, sql=f"SELECT '{note}'")
        own = key()
        if form == "sql more":
            return _scan(draw, own, known)
        if form == "sql r":
            return Step("r", own, None, f"SELECT :k\n  '{note}'", (("k", own),), "k")
        return Step(
            write, own, None, f"UPDATE '{note}' :v\n\n :k::int", (("v", NewValue()), ("k", own)), "k", "v"
        )

    mode = Mode(
        draw(st.none() | st.just("serializable")),
        read_only=draw(st.booleans()),
        deferrable=draw(st.booleans()),
    )
    return Transaction(name, tuple(step() for _ in range(draw(st.integers(1, 4)))), mode)


def _scan(draw: st.DrawFn, own: Choice | Ref, known: list[str]) -> Step:
    """A statement of several micro-operations, and what its rows and errors mean."""
    elle = draw(
        st.just((MicroOperation("r", "k", None, "val", "key"), MicroOperation("r", None, None, None, "key")))
        | st.just((MicroOperation("r", "k", None, "val"),))
        | st.just(())
    )
    returned = draw(st.sampled_from([(), (("job", "key"),)])) if "job" not in known else ()
    rules = st.sampled_from(["skip", "stop", "abort"])
    rows = draw(st.dictionaries(st.integers(0, 9), rules, max_size=3))
    errors = draw(st.dictionaries(st.sampled_from(["23505", "1062", "40001"]), rules, max_size=2))
    return Step(
        "r" if elle else None,
        own if elle else None,
        None,
        "SELECT key, val FROM {table} WHERE key = :k",
        (("k", own),),
        "k" if elle else None,
        None,
        elle,
        harmless=not elle,
        returns=returned,
        rows=tuple(rows.items()),
        on_error=tuple(errors.items()),
    )


@st.composite
def workloads(draw: st.DrawFn) -> Workload:
    titles = draw(st.lists(names, min_size=1, max_size=3, unique=True))
    write = draw(st.sampled_from(["append", "w"]))
    weights = st.integers(1, 50) | st.floats(0.001, 1e20)
    duration = st.integers(1, 10_000).map(float) | st.floats(0.001, 1e6)
    press = draw(st.integers(1, 10**7) | duration)
    timed = isinstance(press, float)
    plugins = (
        st.just(()) | st.just((PluginSpec("hot-keys"),)) | st.just((PluginSpec("hot-keys", {"max_keys": 7}),))
    )
    return Workload(
        name=draw(names),
        about=draw(texts),
        database=draw(
            st.just(DatabaseSpec())
            | st.just(DatabaseSpec("postgres", "serializable", "postgres://ann@h/x?a=b", {"schema": "off"}))
            | st.just(DatabaseSpec("postgres", None, "$DATABASE_URL", {"tables": 3, "fsync": False}))
        ),
        expect=draw(st.sampled_from([None, "serializable", "snapshot-isolation"])),
        init_schema=draw(st.booleans()),
        seed=draw(st.integers()),
        transactions=tuple(draw(transactions(title, write)) for title in titles),
        mix=tuple(Weight(title, draw(weights)) for title in titles),
        scheduling=Scheduling(
            draw(st.integers(1, 99)),
            None if timed else press,
            press if timed else None,
            draw(st.integers(0, 9)),
        ),
        keys=KeyLife(draw(st.integers(1, 99)), draw(st.sampled_from(["fresh", "inserted"]))),
        analyzers=draw(st.sampled_from([None, (PluginSpec("elle"),)])),
        heuristics=draw(st.none() | plugins),
    )


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(workloads(), st.text(max_size=20))
def test_round_trip(workload: Workload, header: str) -> None:
    text = workload_text(workload, header)
    assert parse(text) == workload
    assert workload_text(parse(text), header) == text


@given(scalars)
def test_scalars_mean_the_same_in_yaml_1_1(value: object) -> None:
    assert yaml.safe_load(f"[{scalar(value)}, {scalar(value)}]") == [value, value]
    assert yaml.safe_load(f"a: {scalar(value, in_flow=False)}\n") == {"a": value}


@given(data)
def test_flow_style_is_read_back_by_others(value: object) -> None:
    assert yaml.safe_load(filled("a:", value, 2)) == {"a": value}


@given(texts)
@example("\x85")  # a line break to Python and to YAML 1.1
def test_text_fields_are_read_back_by_others(text: str) -> None:
    assert yaml.safe_load(text_field("a:", text, 2) + "\nb: 1\n") == {"a": text, "b": 1}


SMALL = Workload(
    "small",
    (Transaction("one", (Step("r", Choice((1, 2, 3), "k")), Step("append", Ref("k")))),),
    (Weight("one", 3),),
)


def test_how_it_looks() -> None:
    workload = replace(
        SMALL,
        about="Reads a key, appends to it.",
        database=DatabaseSpec("postgres", "repeatable read", None, {"append": "on-conflict"}),
        expect="serializable",
        heuristics=(PluginSpec("hot-keys", {"max_keys": 4}), PluginSpec("mix")),
    )
    assert workload_text(workload, "Two lines\n\nof comment.") == (
        "# Two lines\n"
        "#\n"
        "# of comment.\n"
        "version: 1\n"
        "name: small\n"
        "about: Reads a key, appends to it.\n"
        "database: {adapter: postgres, isolation: repeatable read, append: on-conflict}\n"
        "expect: serializable\n"
        "init_schema: true\n"
        "seed: 0\n"
        "workload:\n"
        "  transactions:\n"
        "    - name: one\n"
        "      steps:\n"
        "        - {f: r, key: {choice: {from: [1, 2, 3]}, as: k}}\n"
        "        - {f: append, key: {ref: k}}\n"
        "  mix:\n"
        "    - {txn: one, weight: 3}\n"
        "keys: {writes: 32, rows: fresh}\n"
        "scheduling: {clients: 8, transactions: 2000, barrier_every: 0}\n"
        "heuristics: [{name: hot-keys, max_keys: 4}, mix]\n"
    )


def test_long_lists_are_filled() -> None:
    keys = tuple(range(1000, 1100))
    workload = replace(SMALL, transactions=(Transaction("one", (Step("r", Choice(keys)),)),))
    text = workload_text(workload)
    assert max(map(len, text.splitlines())) <= WIDTH
    assert parse(text) == workload


@pytest.mark.parametrize(
    ("key", "written"),
    [
        (Choice((5,)), "key: 5}"),
        (Choice((5,), "k"), "key: {choice: {from: [5]}, as: k}}"),
        (Choice(range(1, 1001)), "key: {choice: {range: [1, 1000]}}}"),
        (Choice(range(5, 6)), "key: {choice: {range: [5, 5]}}}"),
    ],
)
def test_keys(key: Choice, written: str) -> None:
    workload = replace(SMALL, transactions=(Transaction("one", (Step("r", key),)),))
    text = workload_text(workload)
    assert written in text
    assert parse(text) == workload


@pytest.mark.parametrize(
    ("seconds", "written"), [(30.0, "30s"), (300.0, "5m"), (0.25, "0.25"), (3601.0, "3601s")]
)
def test_durations(seconds: float, written: str) -> None:
    workload = replace(SMALL, scheduling=Scheduling(2, None, seconds, 0))
    text = workload_text(workload)
    assert f"duration: {written}," in text
    assert parse(text) == workload


def test_passwords_are_not_written() -> None:
    workload = replace(
        SMALL,
        database=DatabaseSpec(
            "plain",
            None,
            "postgres://ann:hunter2@h/x?password=hunter2&a=b",
            {"replica": "postgres://ann:hunter2@h", "password": "hunter2", "size": 2},
        ),
        heuristics=(PluginSpec("remote", {"api_key": "hunter2", "where": "http://u:hunter2@h"}),),
    )
    text = workload_text(workload)
    assert "hunter2" not in text
    assert "url: 'postgres://ann@h/x?a=b', replica: 'postgres://ann@h', size: 2}" in text
    assert "heuristics: [{name: remote, where: 'http://u@h'}]" in text
