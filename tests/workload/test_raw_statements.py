"""Raw SQL steps in a workload file."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

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


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("{sql: ¦[]}", "found an empty list, expected an SQL statement (text)"),
        ("{sql: ¦' '}", "found the text ' ', expected an SQL statement (text)"),
        ('{sql: ¦"SELECT \\0"}', "found a NUL character in an SQL statement, expected text"),
        ("{sql: SELECT 1, ¦lock: update}",
         "found the unknown field 'lock' in a raw SQL step "
         "(known: args, elle, on_error, returns, rows, sql)"),
        ("{sql: ¦'SELECT val FROM {tabel}'}", "found {tabel} in an SQL statement, expected {table}"),
        ("{sql: ¦'SELECT :key'}", "found :key in an SQL statement, expected an argument of that name"),
        ("{sql: ¦'SELECT :kye', args: {key: 1}}",
         "found :kye in an SQL statement, expected an argument of that name (did you mean 'key'?)"),
        ("{sql: 'SELECT :key', args: {key: 1, ¦kye: 2}}",
         "found the argument 'kye', expected a name that the statement uses as :kye (did you mean 'key'?)"),
        ("{sql: 'SELECT 1::int', args: {¦int: 2}}", "found the argument 'int', "
         "expected a name that the statement uses as :int (it has no placeholder)"),
        ("{sql: SELECT 1, args: ¦[1]}",
         "found a list, expected the arguments, as a mapping from names to keys"),
        ("{sql: 'SELECT :key', args: {key: {new: ¦key}}}",
         "found the text 'key', expected the word `value` (known: value)"),
        ("{sql: 'SELECT :v', args: {v: ¦{new: value}}}",
         "found a new value for :v that no micro-operation writes, "
         "expected `elle` to name it, as in {f: append, key: KEY, value: v}"),
        (f"{{{READ}, elle: ¦r}}", "found the text 'r', expected elle as a mapping"),
        (f"{{{READ}, elle: ¦{{f: r}}}}", "found elle without the field 'key'"),
        (f"{{{READ}, elle: {{f: ¦read, key: key}}}}",
         "found the text 'read', expected the micro-operation (known: append, r, w)"),
        (f"{{{READ}, elle: {{f: r, key: ¦kye}}}}",
         "found 'kye', expected the name of an argument that is a key (did you mean 'key'?)"),
        (f"{{{READ}, elle: {{f: r, key: key, ¦value: key}}}}",
         "found `value` in a read, expected f and key only"),
        (f"{{{READ}, elle: ¦{{f: w, key: key}}}}",
         "found 'w' without the field 'value', expected the argument that is {new: value}"),
        (f"{{{READ}, elle: {{f: w, key: key, value: ¦key}}}}",
         "found 'key', an argument that is no new value, "
         "expected the name of an argument that is a new value (no argument is a new value)"),
        (f"{{{WRITE}, elle: {{f: w, key: ¦v, value: v}}}}", "found 'v', an argument that is no key, "
         "expected the name of an argument that is a key (known: key)"),
        ("{sql: 'SELECT :v', args: {v: {new: value}}, elle: {f: append, key: ¦v, value: v}}",
         "found 'v', an argument that is no key, "
         "expected the name of an argument that is a key (no argument is a key; where a row says which key "
         "it is, `key_column` names its column)"),
    ],
)  # fmt: skip
def test_mistakes(step: str, said: str) -> None:
    assert complaint(steps(step)) == said


def test_registers_and_lists_do_not_mix_in_raw_sql_either() -> None:
    said = (
        "found 'w' in a workload that has 'append' in line 6, "
        "expected lists (append) or registers (w), not both"
    )
    assert (
        complaint(steps("{f: append, key: 1}", f"{{{WRITE}, elle: {{f: ¦w, key: key, value: v}}}}")) == said
    )


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
