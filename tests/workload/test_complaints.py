"""Every mistake in a workload file is named with its place: the ¦ in the text, which is not part of it.

The place is asserted by `complaint`; the sentences are snapshots.
"""

from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion

from workload_words import complaint, steps

ONE = "workload: {transactions: [{name: one, steps: [{f: r, key: 1}]}]}\n"
HEAD = "version: 1\n"

THE_WHOLE = {
    "no version first": "¦name: x\n",
    "another version": "version: ¦2\nnews: 1\n",
    "version as text": "version: ¦'1'\n",
    "version as a word": "version: ¦true\n",
    "no workload": "¦version: 1\n",
    "misspelled field": HEAD + ONE + "¦schedulling: {}\n",
    "name is a number": HEAD + "name: ¦7\n" + ONE,
    "name is empty": HEAD + "name: ¦''\n" + ONE,
    "about is a list": HEAD + "about: ¦[]\n" + ONE,
    "unknown model": HEAD + ONE + "expect: ¦serialisable\n",
    "no model": HEAD + ONE + "expect:¦\n",
    "init_schema is text": HEAD + ONE + "init_schema: ¦yes\n",
    "seed is a fraction": HEAD + ONE + "seed: ¦1.5\n",
    "seed is a word": HEAD + ONE + "seed: ¦true\n",
    "fault is a word": HEAD + ONE + "faults:\n  - ¦kill\n",
    "faults are a word": HEAD + ONE + "faults: ¦kill\n",
    "workload is a list": HEAD + "workload: ¦[]\n",
    "no transactions": HEAD + "workload: ¦{mix: []}\n",
    "weight in a transaction": HEAD
    + "workload: {transactions: [{name: one, steps: [{f: r, key: 1}], ¦weight: 2}]}\n",
    "transactions are an empty list": HEAD + "workload: {transactions: ¦[]}\n",
    "transactions are an empty mapping": HEAD + "workload: {transactions: ¦{}}\n",
}


@pytest.mark.parametrize("text", THE_WHOLE.values(), ids=THE_WHOLE)
def test_the_whole(text: str, snapshot: SnapshotAssertion) -> None:
    assert complaint(text) == snapshot


def transactions(text: str) -> str:
    return f"version: 1\nworkload: {{transactions: [{text}]}}\n"


TRANSACTIONS = {
    "a word": "¦one",
    "no steps": "¦{name: one}",
    "no name": "¦{steps: []}",
    "steps are empty": "{name: one, steps: ¦[]}",
    "steps are a mapping": "{name: one, steps: ¦{f: r}}",
    "name is a list": "{name: ¦[a], steps: []}",
    "misspelled steps": "{name: one, ¦step: []}",
    "with but no template": "{name: one, steps: [{f: r, key: 1}], ¦with: {}}",
    "same name twice": "{name: one, steps: [{f: r, key: 1}]}, {name: ¦one, steps: [{f: r, key: 1}]}",
    "same template twice": (
        "{template: skew_pair, with: {keys: [1, 2]}}, {template: ¦skew_pair, with: {keys: [1, 2]}}"
    ),
    "unknown template": "{template: ¦skew_pear}",
    "template is a number": "{template: ¦1}",
    "missing parameter": "{template: ¦skew_pair}",
    "misspelled parameter": "{template: skew_pair, with: ¦{kyes: [1]}}",
    "parameters are a list": "{template: skew_pair, with: ¦[1]}",
    "template with steps": "{template: skew_pair, ¦steps: []}",
    "template with too few keys": "{template: ¦skew_pair, with: {keys: [1]}}",
    "template with no keys": "{template: skew_pair, with: {keys: ¦[]}}",
    "template with a misspelled f": "{template: skew_pair, with: {keys: [1, 2], f: ¦appned}}",
}


@pytest.mark.parametrize("text", TRANSACTIONS.values(), ids=TRANSACTIONS)
def test_transactions(text: str, snapshot: SnapshotAssertion) -> None:
    assert complaint(transactions(text)) == snapshot


A_STEP = {
    "a word": "¦r",
    "no f": "¦{key: 1}",
    "no key": "¦{f: r}",
    "misspelled f": "{f: ¦appendd, key: 1}",
    "f is a number": "{f: ¦1, key: 1}",
    "misspelled lock": "{f: r, key: 1, ¦lokc: update}",
    "lock on an append": "{f: append, key: 1, ¦lock: update}",
    "key is a word": "{f: r, key: ¦x}",
    "key is a list": "{f: r, key: ¦[1]}",
    "key is true": "{f: r, key: ¦true}",
    "key is zero": "{f: r, key: ¦0}",
    "key is too large": "{f: r, key: ¦9223372036854775808}",
    "key is empty": "{f: r, key: ¦{}}",
    "misspelled choice": "{f: r, key: {¦choise: {from: [1]}}}",
    "choice is a list": "{f: r, key: {choice: ¦[1, 2]}}",
    "choice is empty": "{f: r, key: {choice: ¦{}}}",
    "choice has from and range": "{f: r, key: {choice: ¦{from: [1], range: [1, 2]}}}",
    "from is empty": "{f: r, key: {choice: {from: ¦[]}}}",
    "from is a number": "{f: r, key: {choice: {from: ¦3}}}",
    "key in from is a word": "{f: r, key: {choice: {from: [1, ¦a]}}}",
    "key in from is negative": "{f: r, key: {choice: {from: [1, ¦-2]}}}",
    "key in from twice": "{f: r, key: {choice: {from: [1, 2, ¦1]}}}",
    "range is backwards": "{f: r, key: {choice: {range: ¦[9, 1]}}}",
    "range is too large": "{f: r, key: {choice: {range: ¦[1, 1000000000000]}}}",
    "range is one too large": "{f: r, key: {choice: {range: ¦[7, 1000007]}}}",
    "range has one end": "{f: r, key: {choice: {range: ¦[1]}}}",
    "range is text": "{f: r, key: {choice: {range: ¦1-9}}}",
    "as is a number": "{f: r, key: {choice: {from: [1]}, as: ¦2}}",
    "ref to nothing": "{f: r, key: {ref: ¦k}}",
    "ref with as": "{f: r, key: {ref: k, ¦as: j}}",
    "distinct_from nothing": "{f: r, key: {choice: {from: [1, 2]}, as: k, distinct_from: [¦k]}}",
}


@pytest.mark.parametrize("step", A_STEP.values(), ids=A_STEP)
def test_a_step(step: str, snapshot: SnapshotAssertion) -> None:
    assert complaint(steps(step)) == snapshot


FIRST = "{f: r, key: {choice: {from: [1, 2]}, as: first}}"


A_STEP_AFTER_OTHERS = {
    "misspelled ref": "{f: r, key: {ref: ¦frist}}",
    "name used twice": "{f: r, key: {choice: {from: [1]}, as: ¦first}}",
    "distinct_from is a word": "{f: r, key: {choice: {from: [1]}, distinct_from: ¦first}}",
    "misspelled distinct_from": "{f: r, key: {choice: {from: [1]}, distinct_from: [first, ¦frist]}}",
    "registers among lists": "{f: ¦w, key: 1}",
}


@pytest.mark.parametrize("step", A_STEP_AFTER_OTHERS.values(), ids=A_STEP_AFTER_OTHERS)
def test_a_step_after_others(step: str, snapshot: SnapshotAssertion) -> None:
    assert complaint(steps(FIRST, "{f: append, key: {ref: first}}", step)) == snapshot


def test_choices_that_cannot_all_differ(snapshot: SnapshotAssertion) -> None:
    third = "{f: r, key: {choice: {from: [1, 2]}, distinct_from: ¦[first, second]}}"
    second = "{f: r, key: {choice: {from: [1, 2]}, as: second, distinct_from: [first]}}"
    assert complaint(steps(FIRST, second, third)) == snapshot


THE_DATABASE = {
    "a list": "¦[]",
    "a URL": "¦postgres://u:hunter2@h/d",
    "unknown adapter": "{adapter: ¦postgress}",
    "adapter is a number": "{adapter: ¦1}",
    "unknown level": "{adapter: postgres, isolation: ¦serialisable}",
    "level is a number": "{adapter: postgres, isolation: ¦1}",
    "URL is a number": "{adapter: postgres, url: ¦5}",
    "misspelled isolation": "{adapter: postgres, ¦isolaton: serializable}",
    "unknown value of an option": "{adapter: postgres, append: ¦merge}",
    "wrong option before the adapter": "{append: ¦merge, adapter: postgres, tables: 0}",
    "option below its least": "{adapter: postgres, fsync: true, tables: ¦0}",
    "option of the wrong type": "{adapter: postgres, tables: ¦many}",
    "option without an adapter": "{isolation: serializable, ¦append: on-conflict}",
    "misspelled field without an adapter": "{¦isolaton: serializable}",
    "password in a wrong option": "{adapter: plain, size: ¦'postgres://u:hunter2@h'}",
    "password is a list": "{adapter: plain, password: ¦[hunter2]}",
    "password is a number": "{adapter: plain, password: ¦12345}",
}


@pytest.mark.parametrize("database", THE_DATABASE.values(), ids=THE_DATABASE)
def test_the_database(database: str, snapshot: SnapshotAssertion) -> None:
    said = complaint(steps("{f: r, key: 1}", database=database))
    assert said == snapshot
    assert "hunter2" not in said


WHAT_AN_ADAPTER_CANNOT_DO = {
    "locking reads": "{f: r, key: 1, lock: ¦update}",
    "raw SQL": "{¦sql: SELECT 1}",
    "registers": "{f: ¦w, key: 1}",
}


@pytest.mark.parametrize("step", WHAT_AN_ADAPTER_CANNOT_DO.values(), ids=WHAT_AN_ADAPTER_CANNOT_DO)
def test_what_an_adapter_cannot_do(step: str, snapshot: SnapshotAssertion) -> None:
    assert complaint(steps(step, database="{adapter: plain}")) == snapshot


def test_a_lock_that_the_adapter_does_not_have(snapshot: SnapshotAssertion) -> None:
    assert complaint(steps("{f: r, key: 1, lock: ¦updat}", database="{adapter: postgres}")) == snapshot


THE_MIX = {
    "a mapping": "mix: ¦{one: 1}",
    "empty": "mix: ¦[]",
    "all weights zero": "mix: ¦[{txn: one, weight: 0}]",
    "entry is a word": "mix: [¦one]",
    "entry without txn": "mix: [¦{weight: 1}]",
    "unknown transaction": "mix: [{txn: ¦oen}]",
    "negative weight": "mix: [{txn: one, weight: ¦-1}]",
    "infinite weight": "mix: [{txn: one, weight: ¦.inf}]",
    "weight is no number": "mix: [{txn: one, weight: ¦.nan}]",
    "weight is a word": "mix: [{txn: one, weight: ¦lots}]",
    "transaction twice": "mix: [{txn: one}, {txn: ¦one}]",
    "misspelled weight": "mix: [{txn: one, ¦wieght: 1}]",
}


@pytest.mark.parametrize("fields", THE_MIX.values(), ids=THE_MIX)
def test_the_mix(fields: str, snapshot: SnapshotAssertion) -> None:
    assert complaint(f"{steps('{f: r, key: 1}')}  {fields}\n") == snapshot


SCHEDULING_KEYS_AND_PLUGINS = {
    "scheduling is a number": "scheduling: ¦8",
    "misspelled clients": "scheduling: {¦client: 8}",
    "no clients": "scheduling: {clients: ¦0}",
    "too many clients": "scheduling: {clients: ¦10001}",
    "a fraction of a client": "scheduling: {clients: ¦2.5}",
    "no transactions": "scheduling: {transactions: ¦0}",
    "transactions after duration": "scheduling: {duration: 5s, ¦transactions: 7}",
    "duration after transactions": "scheduling: {transactions: 7, ¦duration: 5s}",
    "duration is a word": "scheduling: {duration: ¦soon}",
    "duration is zero": "scheduling: {duration: ¦0}",
    "duration is negative": "scheduling: {duration: ¦-5s}",
    "duration is true": "scheduling: {duration: ¦true}",
    "negative barrier": "scheduling: {barrier_every: ¦-1}",
    "a pause that is too long": "scheduling: {think_time: ¦2s}",
    "a pause without an end": "scheduling: {think_time: ¦{least: 1ms}}",
    "pauses from more to less": "scheduling: {think_time: {least: ¦3ms, most: 2ms}}",
    "a pause before a misspelled thing": "scheduling: {think_time: {most: 2ms, before: ¦comit}}",
    "misspelled sending": "scheduling: {sending: ¦batch}",
    "mutate is a kind": "mutate: ¦keys",
    "misspelled kind of change": "mutate: [¦transaction]",
    "kind of change twice": "mutate: [keys, ¦keys]",
    "kind of change with words twice": "mutate: [locks, ¦{locks: [update]}]",
    "no words": "mutate: [{isolation: ¦[]}]",
    "words for keys": "mutate: [{¦keys: [1]}]",
    "generation without writes": "keys: {writes: ¦0}",
    "unknown rows": "keys: {rows: ¦insert}",
    "misspelled rows": "keys: {¦row: fresh}",
    "analyzers are a word": "analyzers: ¦elle",
    "no analyzers": "analyzers: ¦[]",
    "unknown analyzer": "analyzers: [¦ellie]",
    "analyzer twice": "analyzers: [elle, ¦elle]",
    "analyzer is a number": "analyzers: [¦1]",
    "analyzer with an unknown option": "analyzers: [{name: elle, ¦depth: 1}]",
    "heuristic without a name": "heuristics: [¦{max_keys: 4}]",
    "unknown heuristic": "heuristics: [{name: ¦hot}]",
    "misspelled option": "heuristics: [{name: hot-keys, ¦max_key: 4}]",
    "option below its least": "heuristics: [{name: hot-keys, max_keys: ¦1}]",
    "required option is missing": "heuristics: [hot-keys, ¦demanding]",
    "required option is nothing": "heuristics: [{name: demanding, needed:¦ }]",
}


@pytest.mark.parametrize(
    "words", ["{isolation: [serializable, ¦serialisable]}", "{locks: [update, ¦updat]}", "{locks: ¦update}"]
)
def test_words_of_allowed_changes(words: str, snapshot: SnapshotAssertion) -> None:
    text = steps("{f: r, key: 1}", database="{adapter: postgres}")
    assert complaint(f"{text}mutate: [{words}]\n") == snapshot


@pytest.mark.parametrize("fields", SCHEDULING_KEYS_AND_PLUGINS.values(), ids=SCHEDULING_KEYS_AND_PLUGINS)
def test_scheduling_keys_and_plugins(fields: str, snapshot: SnapshotAssertion) -> None:
    assert complaint(f"{steps('{f: r, key: 1}')}{fields}\n") == snapshot
