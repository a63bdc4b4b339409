"""Raw SQL steps in a workload file."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given
from syrupy.assertion import SnapshotAssertion

from txfuzz.transactions.model import Choice, NewValue, Ref, Step
from txfuzz.transactions.placeholders import placeholders
from txfuzz_postgres.statements import compile_raw
from workload_words import complaint, parse, steps


def only_step(*lines: str) -> Step:
    return parse(steps(*lines)).transactions[0].steps[-1]


def test_a_read_tied_to_its_micro_operation() -> None:
    step = only_step(
        "{sql: 'SELECT val FROM {table} WHERE key = :key FOR UPDATE', "
        "args: {key: {choice: {from: [1, 2]}, as: k}}, elle: {f: r, key: key}}"
    )
    chosen = Choice((1, 2), "k")
    assert step == Step(
        "r",
        chosen,
        sql="SELECT val FROM {table} WHERE key = :key FOR UPDATE",
        args=(("key", chosen),),
        key_arg="key",
    )


def test_a_write_with_its_new_value_and_keys_chosen_before() -> None:
    step = only_step(
        "{f: r, key: {choice: {range: [1, 9]}, as: a}}",
        "{sql: 'UPDATE {table} SET val = val || :v WHERE key = :k AND :other > 0', "
        "args: {other: {ref: a}, k: {choice: {range: [1, 9]}, distinct_from: [a]}, v: {new: value}}, "
        "elle: {f: append, key: k, value: v}}",
    )
    own = Choice(range(1, 10), None, ("a",))
    assert step.args == (("other", Ref("a")), ("k", own), ("v", NewValue()))
    assert (step.f, step.key, step.key_arg, step.value_arg) == ("append", own, "k", "v")
    assert step.key_terms() == (Ref("a"), own)


def test_a_statement_that_the_checker_does_not_see() -> None:
    assert only_step("sql: SAVEPOINT here") == Step(None, sql="SAVEPOINT here")


def test_an_argument_may_refer_to_the_one_before_it() -> None:
    step = only_step("{sql: 'SELECT :a, :b', args: {a: {choice: {from: [1]}, as: x}, b: {ref: x}}}")
    assert step.args[1] == ("b", Ref("x"))


READ = "sql: 'SELECT val FROM {table} WHERE key = :key', args: {key: 1}"
WRITE = "sql: 'UPDATE {table} SET val = :v WHERE key = :key', args: {key: 1, v: {new: value}}"


MISTAKES = {
    "sql is a list": "{sql: ¦[]}",
    "sql is blank": "{sql: ¦' '}",
    "NUL character": '{sql: ¦"SELECT \\0"}',
    "lock": "{sql: SELECT 1, ¦lock: update}",
    "misspelled table": "{sql: ¦'SELECT val FROM {tabel}'}",
    "no argument": "{sql: ¦'SELECT :key'}",
    "misspelled placeholder": "{sql: ¦'SELECT :kye', args: {key: 1}}",
    "misspelled argument": "{sql: 'SELECT :key', args: {key: 1, ¦kye: 2}}",
    "argument for a cast": "{sql: 'SELECT 1::int', args: {¦int: 2}}",
    "arguments are a list": "{sql: SELECT 1, args: ¦[1]}",
    "misspelled value": "{sql: 'SELECT :key', args: {key: {new: ¦key}}}",
    "unused new value": "{sql: 'SELECT :v', args: {v: ¦{new: value}}}",
    "elle is a word": f"{{{READ}, elle: ¦r}}",
    "elle without key": f"{{{READ}, elle: ¦{{f: r}}}}",
    "misspelled f": f"{{{READ}, elle: {{f: ¦read, key: key}}}}",
    "misspelled key": f"{{{READ}, elle: {{f: r, key: ¦kye}}}}",
    "value in a read": f"{{{READ}, elle: {{f: r, key: key, ¦value: key}}}}",
    "write without value": f"{{{READ}, elle: ¦{{f: w, key: key}}}}",
    "value is a key": f"{{{READ}, elle: {{f: w, key: key, value: ¦key}}}}",
    "key is a value": f"{{{WRITE}, elle: {{f: w, key: ¦v, value: v}}}}",
    "no argument is a key": (
        "{sql: 'SELECT :v', args: {v: {new: value}}, elle: {f: append, key: ¦v, value: v}}"
    ),
}


@pytest.mark.parametrize("step", MISTAKES.values(), ids=MISTAKES)
def test_mistakes(step: str, snapshot: SnapshotAssertion) -> None:
    assert complaint(steps(step)) == snapshot


def test_registers_and_lists_do_not_mix_in_raw_sql_either(snapshot: SnapshotAssertion) -> None:
    write = f"{{{WRITE}, elle: {{f: ¦w, key: key, value: v}}}}"
    assert complaint(steps("{f: append, key: 1}", write)) == snapshot


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT :a, :b, :a", ("a", "b")),
        ("SELECT :a::bigint, x::text", ("a",)),
        ("SELECT ':no', \":no\", $$:no$$, $x$ :no $x$ -- :no\n, :yes /* :no */", ("yes",)),
        ("SELECT E'it\\'s :no', 'it''s :no', :yes", ("yes",)),
        ("SELECT val[1:2], val[:low : :high]", ("low", "high")),
        ("SELECT a:b", ()),
    ],
)
def test_placeholders(sql: str, names: tuple[str, ...]) -> None:
    assert placeholders(sql) == names


@given(
    st.lists(
        st.sampled_from(
            [
                ":a",
                ":b",
                "::int",
                "'",
                '"',
                "$$",
                "$t$",
                "--",
                "/*",
                "*/",
                "\n",
                " ",
                "E'",
                "\\",
                "x",
                "[1:",
                "]",
            ]
        )
    ).map("".join)
)
def test_placeholders_are_those_that_the_adapter_finds(sql: str) -> None:
    assert placeholders(sql) == compile_raw(sql).names
