"""What a workload file says, and what is assumed where it says nothing."""

from __future__ import annotations

import pytest

from txfuzz.common.kind import Kind
from txfuzz.transactions.distinct_choices import satisfiable
from txfuzz.transactions.model import Choice, Ref, Step, Transaction
from txfuzz.workload.model import DatabaseSpec, KeyLife, PluginSpec, Scheduling, Weight, Workload
from workload_words import parse, steps

FULL = """\
version: 1
name: write_skew
about: Two transactions read both keys and write one each.
database: {adapter: postgres, isolation: REPEATABLE_READ, append: on-conflict, synchronous_commit: off}
expect: serializable
init_schema: false
seed: -7
workload:
  transactions:
    - name: hot_writer
      steps:
        - {f: r, key: {choice: {from: [3, 1, 2]}, as: k}, lock: no key update}
        - {f: append, key: {ref: k}}
    - name: probe
      steps:
        - {f: r, key: {choice: {range: [1, 1000]}, as: a}}
        - {f: r, key: {choice: {range: [1, 1000]}, distinct_from: [a]}}
        - {f: append, key: 5}
    - {template: skew_pair, with: {keys: [1, 2]}}
    - template: skew_pair
      name: other_pair
      with: {keys: [3, 4], f: r}
  mix:
    - {txn: hot_writer, weight: 3}
    - {txn: probe, weight: 0.5}
    - {txn: other_pair}
scheduling: {clients: 4, duration: 1.5m, barrier_every: 10}
keys: {writes: 5, rows: inserted}
analyzers: [elle]
heuristics: [{name: hot-keys, max_keys: 3}, {name: demanding, needed: 1}]
faults: []
"""


def test_everything_that_can_be_said() -> None:
    def pair(keys: tuple[int, ...], f: str) -> tuple[Step, ...]:
        return Step("r", Choice(keys, "a")), Step(f, Choice(keys, None, ("a",)))

    assert parse(FULL) == Workload(
        name="write_skew",
        about="Two transactions read both keys and write one each.",
        database=DatabaseSpec(
            "postgres",
            "repeatable read",
            None,
            {"append": "on-conflict", "synchronous_commit": "off"},
        ),
        expect="serializable",
        init_schema=False,
        seed=-7,
        transactions=(
            Transaction(
                "hot_writer",
                (Step("r", Choice((3, 1, 2), "k"), "no key update"), Step("append", Ref("k"))),
            ),
            Transaction(
                "probe",
                (
                    Step("r", Choice(range(1, 1001), "a")),
                    Step("r", Choice(range(1, 1001), None, ("a",))),
                    Step("append", Choice((5,))),
                ),
            ),
            Transaction("skew_pair", pair((1, 2), "append")),
            Transaction("other_pair", pair((3, 4), "r")),
        ),
        mix=(Weight("hot_writer", 3), Weight("probe", 0.5), Weight("other_pair", 1)),
        scheduling=Scheduling(4, None, 90.0, 10),
        keys=KeyLife(5, "inserted"),
        analyzers=(PluginSpec("elle"),),
        heuristics=(PluginSpec("hot-keys", {"max_keys": 3}), PluginSpec("demanding", {"needed": 1})),
    )


def test_what_is_assumed() -> None:
    found = parse(steps("{f: r, key: 1}"), "dir/small.case.yaml")
    assert found == Workload(
        name="small.case",
        transactions=(Transaction("one", (Step("r", Choice((1,))),)),),
        mix=(Weight("one", 1),),
    )
    assert found.init_schema is True
    assert found.analyzers is None
    assert found.heuristics is None
    assert found.scheduling == Scheduling(8, 2000, None, 0)
    assert parse(steps("{f: r, key: 1}") + "heuristics: []\n").heuristics == ()


def test_the_kind_follows_from_the_writes() -> None:
    assert parse(steps("{f: w, key: 1}")).kind is Kind.RW_REGISTER
    assert parse(steps("{f: append, key: 1}")).kind is Kind.LIST_APPEND
    assert parse(steps("{f: r, key: 1}")).kind is Kind.LIST_APPEND


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("5m", 300), ("2h", 7200), ("1.5 s", 1.5), ("250ms", 0.25), ("45", 45), ("0.5", 0.5)],
)
def test_durations(text: str, seconds: float) -> None:
    scheduling = parse(steps("{f: r, key: 1}") + f"scheduling: {{duration: {text}}}\n").scheduling
    assert (scheduling.duration, scheduling.transactions) == (pytest.approx(seconds), None)


@pytest.mark.parametrize("word", ["serializable", "SERIALIZABLE", "Serializable"])
def test_isolation_is_stored_in_the_words_of_the_database(word: str) -> None:
    assert (
        parse(
            steps("{f: r, key: 1}", database=f"{{adapter: postgres, isolation: {word}}}")
        ).database.isolation
        == "serializable"
    )
    assert (
        parse(steps("{f: r, key: 1}", database="{adapter: plain, isolation: snapshot}")).database.isolation
        == "SNAPSHOT"
    )


def test_without_adapter_nobody_knows_what_it_can_do() -> None:
    found = parse(
        steps("{f: r, key: 1, lock: anything}", "{sql: SELECT 1}", database="{isolation: whatever, url: $DB}")
    )
    assert found.database == DatabaseSpec(isolation="whatever", url="$DB")
    assert found.transactions[0].steps[0].lock == "anything"


def test_aliases_stand_for_what_they_name() -> None:
    found = parse(
        "version: 1\nworkload:\n  transactions:\n"
        "    - {name: a, steps: &steps [{f: r, key: &key {choice: {from: [1, 2]}}}]}\n"
        "    - {name: b, steps: *steps}\n"
        "    - {name: c, steps: [{f: append, key: *key}]}\n"
    )
    assert found.transaction("a").steps == found.transaction("b").steps
    assert found.transaction("c").steps[0].key == found.transaction("a").steps[0].key


def choices(*given: tuple[tuple[int, ...], str, tuple[str, ...]]) -> list[Choice]:
    return [Choice(*each) for each in given]


@pytest.mark.parametrize(
    ("given", "possible"),
    [
        (choices(((1,), "a", ()), ((1,), "b", ("a",))), False),
        (choices(((1,), "a", ()), ((2,), "b", ("a",))), True),
        (choices(((1, 2), "a", ()), ((2,), "b", ("a",))), True),
        (choices(((1, 2), "a", ()), ((1,), "b", ("a",)), ((2,), "c", ("a",))), False),
        (choices(((1, 2), "a", ()), ((1, 2), "b", ("a",)), ((1, 2), "c", ("a",))), True),
        (choices(((1, 2), "a", ()), ((1, 2), "b", ("a",)), ((1, 2), "c", ("a", "b"))), False),
        (choices(((1, 2, 3), "a", ()), ((1, 2), "b", ("a",)), ((1, 2), "c", ("a", "b"))), True),
        ([Choice(range(1, 10**15), "a"), Choice(range(1, 10**15), "b", ("a",))], True),
    ],
)
def test_whether_choices_can_differ(given: list[Choice], possible: bool) -> None:
    assert satisfiable(given) is possible
