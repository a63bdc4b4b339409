"""Workloads of very many keys: a range is never counted out, and there is a bound."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txfuzz.common.key_ranges import key_count, key_union
from txfuzz.errors import WorkloadError
from txfuzz.workload.generator import TransactionGenerator
from txfuzz.workload.keys import KeySpace
from txfuzz.workload.seeds import stream
from txfuzz.workload.yaml.nodes import Place, node_of
from workload_words import complaint, parse

A_RANGE = st.tuples(st.integers(1, 30), st.integers(0, 12)).map(lambda each: range(each[0], sum(each)))
KEYS = A_RANGE | st.lists(st.integers(1, 40), unique=True).map(tuple)


@given(st.lists(KEYS))
def test_united_as_sets_are(choices: list[tuple[int, ...] | range]) -> None:
    expected = sorted(set().union(*choices))
    assert list(key_union(choices)) == expected
    assert key_count(choices) == len(expected)


def test_one_run_stays_a_range() -> None:
    assert key_union([range(5, 9), (9,), range(1, 6)]) == range(1, 10)
    assert key_union([range(1, 3), range(4, 5)]) == (1, 2, 4)


def text(*ranges: str) -> str:
    steps = ", ".join(f"{{f: append, key: {{choice: {{range: {each}}}}}}}" for each in ranges)
    return f"version: 1\nworkload: {{transactions: ¦[{{name: a, steps: [{steps}]}}]}}\n"


def test_a_million_keys_cost_nothing() -> None:
    tracemalloc.start()
    workload = parse(text("[1, 1000000]", "[2, 900000]").replace("¦", ""))
    assert len(workload.logical_keys()) == 1_000_000
    asking = TransactionGenerator(
        workload, stream(1, "asking"), KeySpace(workload.keys, 0, lambda keys: None)
    )
    for _ in range(10):
        asking.next()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4_000_000  # bytes; as a tuple the keys alone take 8 million


def test_the_bound_is_of_all_choices_together() -> None:
    assert parse(text("[1, 500000]", "[500001, 1000000]").replace("¦", "")).logical_keys()
    assert complaint(text("[1, 500000]", "[500002, 1000002]")) == (
        "found transactions that choose from 1,000,001 keys in total, expected at most 1,000,000"
    )


def test_a_range_in_a_template_has_a_bound() -> None:
    with pytest.raises(WorkloadError, match=r"w:1:1: found range\(1, 10+\), expected at most 100,000 items"):
        node_of({"from": range(1, 10**30)}, Place("w", 1, 1))
