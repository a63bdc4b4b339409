"""Every mistake in a workload file is named with its place: the ¦ in the text, which is not part of it."""

from __future__ import annotations

import pytest

from workload_words import complaint, steps

ONE = "workload: {transactions: [{name: one, steps: [{f: r, key: 1}]}]}\n"
HEAD = "version: 1\n"
FORMS = "a key: {choice: {from: [1, 2]}}, {choice: {range: [1, 9]}}, {ref: NAME} or a number"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("¦name: x\n", "found no version, expected a workload that begins with `version: 1`"),
        ("version: ¦2\nnews: 1\n", "found the number 2, expected version 1, the only one there is"),
        ("version: ¦'1'\n", "found the text '1', expected version 1, the only one there is"),
        ("version: ¦true\n", "found true, expected version 1, the only one there is"),
        ("¦version: 1\n", "found a workload without the field 'workload'"),
        (HEAD + ONE + "¦schedulling: {}\n",
         "found the unknown field 'schedulling' in a workload (did you mean 'scheduling'?)"),
        (HEAD + "name: ¦7\n" + ONE, "found the number 7, expected the name of the workload (text)"),
        (HEAD + "name: ¦''\n" + ONE, "found an empty text, expected the name of the workload"),
        (HEAD + "about: ¦[]\n" + ONE, "found an empty list, expected what the workload is about (text)"),
        (HEAD + ONE + "expect: ¦serialisable\n",
         "unknown consistency model 'serialisable'; did you mean 'serializable'?"),
        (HEAD + ONE + "expect:¦\n", "found nothing, expected a consistency model (text)"),
        (HEAD + ONE + "init_schema: ¦yes\n", "found the text 'yes', expected init_schema (true or false)"),
        (HEAD + ONE + "seed: ¦1.5\n", "found the number 1.5, expected a seed (a whole number)"),
        (HEAD + ONE + "seed: ¦true\n", "found true, expected a seed (a whole number)"),
        (HEAD + ONE + "faults:\n  - ¦kill\n",
         "found the text 'kill', expected a fault as a mapping like {name: NAME, every: 2s}"),
        (HEAD + ONE + "faults: ¦kill\n", "found the text 'kill', expected a list of faults"),
        (HEAD + "workload: ¦[]\n", "found an empty list, expected `workload` as a mapping"),
        (HEAD + "workload: ¦{mix: []}\n", "found `workload` without the field 'transactions'"),
        (HEAD + "workload: {transactions: ¦[]}\n", "found no transaction, expected at least one"),
        (HEAD + "workload: {transactions: ¦{}}\n", "found an empty mapping, expected a list of transactions"),
    ],
)  # fmt: skip
def test_the_whole(text: str, said: str) -> None:
    assert complaint(text) == said


def transactions(text: str) -> str:
    return f"version: 1\nworkload: {{transactions: [{text}]}}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("¦one",
         "found the text 'one', expected a transaction: a mapping with name and steps, or with template"),
        ("¦{name: one}", "found a transaction without the field 'steps'"),
        ("¦{steps: []}", "found a transaction without the field 'name'"),
        ("{name: one, steps: ¦[]}", "found a transaction of no steps, expected at least one"),
        ("{name: one, steps: ¦{f: r}}", "found a mapping, expected a list of steps"),
        ("{name: ¦[a], steps: []}", "found a list, expected the name of a transaction (text)"),
        ("{name: one, ¦step: []}", "found the unknown field 'step' in a transaction (did you mean 'steps'?)"),
        ("{name: one, steps: [{f: r, key: 1}], ¦with: {}}",
         "found `with` in a transaction, expected a `template` that it fills"),
        ("{name: one, steps: [{f: r, key: 1}]}, {name: ¦one, steps: [{f: r, key: 1}]}",
         "found a second transaction 'one', expected another name"),
        ("{template: skew_pair, with: {keys: [1, 2]}}, {template: ¦skew_pair, with: {keys: [1, 2]}}",
         "found a second transaction 'skew_pair', expected another name"),
        ("{template: ¦skew_pear}", "no template 'skew_pear' is installed: did you mean 'skew_pair'?"),
        ("{template: ¦1}", "found the number 1, expected the name of a template (text)"),
        ("{template: ¦skew_pair}", "template 'skew_pair' needs the parameter 'keys'"),
        ("{template: skew_pair, with: ¦{kyes: [1]}}",
         "template 'skew_pair' has no parameter 'kyes': did you mean 'keys'?"),
        ("{template: skew_pair, with: ¦[1]}",
         "found a list, expected the parameters of the template, as a mapping"),
        ("{template: skew_pair, ¦steps: []}",
         "found the unknown field 'steps' in a transaction from a template "
         "(known: deferrable, isolation, name, read_only, template, with)"),
        ("{template: ¦skew_pair, with: {keys: [1]}}",
         "in template 'skew_pair': found a choice of 1 key that cannot differ from 'a', expected more keys"),
        ("{template: ¦skew_pair, with: {keys: []}}",
         "in template 'skew_pair': found an empty choice, expected at least one key"),
        ("{template: ¦skew_pair, with: {keys: [1, 2], f: appned}}",
         "in template 'skew_pair': found the text 'appned', expected what the step does "
         "(did you mean 'append'?)"),
    ],
)  # fmt: skip
def test_transactions(text: str, said: str) -> None:
    assert complaint(transactions(text)) == said


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("¦r", "found the text 'r', expected a step: a mapping with f and key, or with sql"),
        ("¦{key: 1}", "found a step without f, expected f (r, append or w) and key, or sql"),
        ("¦{f: r}", "found a step without the field 'key'"),
        ("{f: ¦appendd, key: 1}",
         "found the text 'appendd', expected what the step does (did you mean 'append'?)"),
        ("{f: ¦1, key: 1}", "found the number 1, expected what the step does (one of r, append, w)"),
        ("{f: r, key: 1, ¦lokc: update}", "found the unknown field 'lokc' in a step (did you mean 'lock'?)"),
        ("{f: append, key: 1, ¦lock: update}",
         "found `lock` on a step that is no read but append, expected it on reads only"),
        ("{f: r, key: ¦x}", f"found the text 'x', expected {FORMS}"),
        ("{f: r, key: ¦[1]}", f"found a list, expected {FORMS}"),
        ("{f: r, key: ¦true}", f"found true, expected {FORMS}"),
        ("{f: r, key: ¦0}",
         "found the number 0, expected a key (a whole number from 1 to 9223372036854775807)"),
        ("{f: r, key: ¦9223372036854775808}", "found the number 9223372036854775808, "
         "expected a key (a whole number from 1 to 9223372036854775807)"),
        ("{f: r, key: ¦{}}", "found a key without the field 'choice'"),
        ("{f: r, key: {¦choise: {from: [1]}}}",
         "found the unknown field 'choise' in a key (did you mean 'choice'?)"),
        ("{f: r, key: {choice: ¦[1, 2]}}", "found a list, expected a choice as a mapping"),
        ("{f: r, key: {choice: ¦{}}}", "found neither `from` nor `range` in a choice, expected one of them"),
        ("{f: r, key: {choice: ¦{from: [1], range: [1, 2]}}}",
         "found both `from` and `range` in a choice, expected one of them"),
        ("{f: r, key: {choice: {from: ¦[]}}}", "found an empty choice, expected at least one key"),
        ("{f: r, key: {choice: {from: ¦3}}}", "found the number 3, expected a list of keys"),
        ("{f: r, key: {choice: {from: [1, ¦a]}}}",
         "found the text 'a', expected a key (a whole number from 1 to 9223372036854775807)"),
        ("{f: r, key: {choice: {from: [1, ¦-2]}}}",
         "found the number -2, expected a key (a whole number from 1 to 9223372036854775807)"),
        ("{f: r, key: {choice: {from: [1, 2, ¦1]}}}", "found the key 1 again, expected each key once"),
        ("{f: r, key: {choice: {range: ¦[9, 1]}}}",
         "found a range from 9 to 1, expected the smaller key first"),
        ("{f: r, key: {choice: {range: ¦[1, 1000000000000]}}}",
         "found a range of 1,000,000,000,000 keys, expected at most 1,000,000"),
        ("{f: r, key: {choice: {range: ¦[7, 1000007]}}}",
         "found a range of 1,000,001 keys, expected at most 1,000,000"),
        ("{f: r, key: {choice: {range: ¦[1]}}}",
         "found a range of 1 numbers, expected the first and the last key, as in [1, 9]"),
        ("{f: r, key: {choice: {range: ¦1-9}}}",
         "found the text '1-9', expected the first and the last key, as in [1, 9]"),
        ("{f: r, key: {choice: {from: [1]}, as: ¦2}}",
         "found the number 2, expected a name for the chosen key (text)"),
        ("{f: r, key: {ref: ¦k}}", "found 'k', expected the name of an earlier choice "
         "(no step before has named one by `as`)"),
        ("{f: r, key: {ref: k, ¦as: j}}", "found the unknown field 'as' in a ref (known: ref)"),
        ("{f: r, key: {choice: {from: [1, 2]}, as: k, distinct_from: [¦k]}}",
         "found 'k', expected the name of an earlier choice (no step before has named one by `as`)"),
    ],
)  # fmt: skip
def test_a_step(step: str, said: str) -> None:
    assert complaint(steps(step)) == said


FIRST = "{f: r, key: {choice: {from: [1, 2]}, as: first}}"


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("{f: r, key: {ref: ¦frist}}", "found 'frist', expected the name of an earlier choice "
         "(did you mean 'first'?)"),
        ("{f: r, key: {choice: {from: [1]}, as: ¦first}}",
         "found the name 'first' again, expected another name for another choice"),
        ("{f: r, key: {choice: {from: [1]}, distinct_from: ¦first}}",
         "found the text 'first', expected a list of names of earlier choices"),
        ("{f: r, key: {choice: {from: [1]}, distinct_from: [first, ¦frist]}}",
         "found 'frist', expected the name of an earlier choice (did you mean 'first'?)"),
        ("{f: ¦w, key: 1}", "found 'w' in a workload that has 'append' in line 7, "
         "expected lists (append) or registers (w), not both"),
    ],
)  # fmt: skip
def test_a_step_after_others(step: str, said: str) -> None:
    assert complaint(steps(FIRST, "{f: append, key: {ref: first}}", step)) == said


def test_choices_that_cannot_all_differ() -> None:
    third = "{f: r, key: {choice: {from: [1, 2]}, distinct_from: ¦[first, second]}}"
    second = "{f: r, key: {choice: {from: [1, 2]}, as: second, distinct_from: [first]}}"
    said = "found a choice of 2 keys that cannot differ from 'first' and 'second', expected more keys"
    assert complaint(steps(FIRST, second, third)) == said


@pytest.mark.parametrize(
    ("database", "said"),
    [
        ("¦[]", "found an empty list, expected the database as a mapping"),
        ("¦postgres://u:hunter2@h/d",
         "found the text 'postgres://u@h/d', expected the database as a mapping"),
        ("{adapter: ¦postgress}", "no adapter 'postgress' is installed: did you mean 'postgres'?"),
        ("{adapter: ¦1}", "found the number 1, expected the name of an adapter (text)"),
        ("{adapter: postgres, isolation: ¦serialisable}",
         "no isolation level 'serialisable': did you mean 'serializable'?"),
        ("{adapter: postgres, isolation: ¦1}", "found the number 1, expected an isolation level (text)"),
        ("{adapter: postgres, url: ¦5}",
         "found the number 5, expected a database URL, or $NAME for that of an environment variable"),
        ("{adapter: postgres, ¦isolaton: serializable}",
         "found the unknown field 'isolaton' in the database, "
         "expected a field of its own or an option of adapter 'postgres' (did you mean 'isolation'?)"),
        ("{adapter: postgres, append: ¦merge}",
         "adapter 'postgres': append cannot be 'merge': known: on-conflict, update-else-insert"),
        ("{append: ¦merge, adapter: postgres, tables: 0}",
         "adapter 'postgres': append cannot be 'merge': known: on-conflict, update-else-insert"),
        ("{adapter: postgres, fsync: true, tables: ¦0}",
         "adapter 'postgres': tables must be at least 1, found 0"),
        ("{adapter: postgres, tables: ¦many}",
         "adapter 'postgres': tables must be a whole number ≥ 1, found 'many'"),
        ("{isolation: serializable, ¦append: on-conflict}", "found the field 'append' in a database without "
         "adapter, expected `adapter`, if it is an option of one (known: adapter, isolation, url)"),
        ("{¦isolaton: serializable}", "found the field 'isolaton' in a database without adapter, "
         "expected `adapter`, if it is an option of one (did you mean 'isolation'?)"),
        ("{adapter: plain, size: ¦'postgres://u:hunter2@h'}",
         "adapter 'plain': size must be a whole number ≥ 1, found 'postgres://u@h'"),
        ("{adapter: plain, password: ¦[hunter2]}", "adapter 'plain': password must be text, found ('…',)"),
        ("{adapter: plain, password: ¦12345}", "adapter 'plain': password must be text, found 0"),
    ],
)  # fmt: skip
def test_the_database(database: str, said: str) -> None:
    assert complaint(steps("{f: r, key: 1}", database=database)) == said


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("{f: r, key: 1, lock: ¦update}",
         "found 'update', expected no lock: adapter 'plain' has no locking reads"),
        ("{¦sql: SELECT 1}", "found a raw SQL step, expected steps with f: adapter 'plain' takes no raw SQL"),
        ("{f: ¦w, key: 1}", "found the micro-operation 'w', which makes a rw-register history, "
         "expected what adapter 'plain' can record: list-append"),
    ],
)  # fmt: skip
def test_what_an_adapter_cannot_do(step: str, said: str) -> None:
    assert complaint(steps(step, database="{adapter: plain}")) == said


def test_a_lock_that_the_adapter_does_not_have() -> None:
    said = "found 'updat', expected a lock that adapter 'postgres' has (did you mean 'update'?)"
    assert complaint(steps("{f: r, key: 1, lock: ¦updat}", database="{adapter: postgres}")) == said


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("mix: ¦{one: 1}", "found a mapping, expected a list of {txn: NAME, weight: N}"),
        ("mix: ¦[]", "found an empty mix, expected a weight above zero"),
        ("mix: ¦[{txn: one, weight: 0}]",
         "found a mix whose weights are all zero, expected a weight above zero"),
        ("mix: [¦one]", "found the text 'one', expected an entry of the mix as a mapping"),
        ("mix: [¦{weight: 1}]", "found an entry of the mix without the field 'txn'"),
        ("mix: [{txn: ¦oen}]", "found the unknown transaction 'oen' in the mix (did you mean 'one'?)"),
        ("mix: [{txn: one, weight: ¦-1}]",
         "found the number -1, expected a weight (a number that is not negative)"),
        ("mix: [{txn: one, weight: ¦.inf}]",
         "found the number inf, expected a weight (a number that is not negative)"),
        ("mix: [{txn: one, weight: ¦.nan}]",
         "found the number nan, expected a weight (a number that is not negative)"),
        ("mix: [{txn: one, weight: ¦lots}]",
         "found the text 'lots', expected a weight (a number that is not negative)"),
        ("mix: [{txn: one}, {txn: ¦one}]",
         "found the transaction 'one' again in the mix, expected each once"),
        ("mix: [{txn: one, ¦wieght: 1}]",
         "found the unknown field 'wieght' in an entry of the mix (did you mean 'weight'?)"),
    ],
)  # fmt: skip
def test_the_mix(fields: str, said: str) -> None:
    assert complaint(f"{steps('{f: r, key: 1}')}  {fields}\n") == said


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("scheduling: ¦8", "found the number 8, expected scheduling as a mapping"),
        ("scheduling: {¦client: 8}",
         "found the unknown field 'client' in scheduling (did you mean 'clients'?)"),
        ("scheduling: {clients: ¦0}",
         "found the number 0, expected how many clients (a whole number from 1 to 10000)"),
        ("scheduling: {clients: ¦10001}",
         "found the number 10001, expected how many clients (a whole number from 1 to 10000)"),
        ("scheduling: {clients: ¦2.5}",
         "found the number 2.5, expected how many clients (a whole number from 1 to 10000)"),
        ("scheduling: {transactions: ¦0}",
         "found the number 0, expected how many transactions (a whole number of at least 1)"),
        ("scheduling: {duration: 5s, ¦transactions: 7}",
         "found both transactions and duration in scheduling, expected one of them"),
        ("scheduling: {transactions: 7, ¦duration: 5s}",
         "found both transactions and duration in scheduling, expected one of them"),
        ("scheduling: {duration: ¦soon}",
         "found the text 'soon', expected a duration, as in 30s, 5m, 2h or a number of seconds"),
        ("scheduling: {duration: ¦0}",
         "found the number 0, expected a duration, as in 30s, 5m, 2h or a number of seconds"),
        ("scheduling: {duration: ¦-5s}",
         "found the text '-5s', expected a duration, as in 30s, 5m, 2h or a number of seconds"),
        ("scheduling: {duration: ¦true}",
         "found true, expected a duration, as in 30s, 5m, 2h or a number of seconds"),
        ("scheduling: {barrier_every: ¦-1}", "found the number -1, expected after how many transactions "
         "all clients meet (a whole number of at least 0)"),
        ("keys: {writes: ¦0}",
         "found the number 0, expected how many writes a generation takes (a whole number of at least 1)"),
        ("keys: {rows: ¦insert}",
         "found the text 'insert', expected how rows come into being (did you mean 'inserted'?)"),
        ("keys: {¦row: fresh}", "found the unknown field 'row' in keys (did you mean 'rows'?)"),
        ("analyzers: ¦elle", "found the text 'elle', expected a list of analyzers"),
        ("analyzers: ¦[]",
         "found an empty list, expected at least one analyzer: without one there is no verdict"),
        ("analyzers: [¦ellie]", "no analyzer 'ellie' is installed: did you mean 'elle'?"),
        ("analyzers: [elle, ¦elle]", "found the analyzer 'elle' again, expected each once"),
        ("analyzers: [¦1]", "found the number 1, expected the name of an analyzer (text)"),
        ("analyzers: [{name: elle, ¦depth: 1}]", "analyzer 'elle' has no option 'depth': none is known"),
        ("heuristics: [¦{max_keys: 4}]", "found a heuristic without the field 'name'"),
        ("heuristics: [{name: ¦hot}]", "no heuristic 'hot' is installed: known: demanding, hot-keys"),
        ("heuristics: [{name: hot-keys, ¦max_key: 4}]",
         "heuristic 'hot-keys' has no option 'max_key': did you mean 'max_keys'?"),
        ("heuristics: [{name: hot-keys, max_keys: ¦1}]",
         "heuristic 'hot-keys': max_keys must be at least 2, found 1"),
        ("heuristics: [hot-keys, ¦demanding]", "heuristic 'demanding' needs the option 'needed'"),
        ("heuristics: [{name: demanding, needed:¦ }]",
         "heuristic 'demanding': needed must be a whole number, found nothing"),
    ],
)  # fmt: skip
def test_scheduling_keys_and_plugins(fields: str, said: str) -> None:
    assert complaint(f"{steps('{f: r, key: 1}')}{fields}\n") == said
