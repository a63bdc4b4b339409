"""Every mistake in a scenario file is named with its place: the ¦ in the text, which is not part of it."""

from __future__ import annotations

import pytest

from scenario_words import complaint, steps
from txfuzz.errors import WorkloadError
from workload_words import complaint as complaint_of_workload
from workload_words import parse as parse_workload

HEAD = "version: 1\nsetup: CREATE TABLE t (k int)\n"
ONE = "workload: {transactions: [{name: one, steps: [{sql: SELECT 1}]}]}\n"
LOOK = "{sql: SELECT v FROM t, returns: {found: v}}"
KNOWN = "a name of `params` or of `returns` of an earlier step"

THE_WHOLE = {
    "version: 1\n¦init_schema: true\n" + ONE + "setup: SELECT 1\n": (
        "found `init_schema` in a scenario, expected `setup`, which makes the tables"
    ),
    HEAD + ONE + "¦scheduling: {}\n": (
        "found `scheduling` in a scenario, expected none: all orders of a few transactions are run"
    ),
    HEAD + ONE + "¦invariant: []\n": (
        "found the unknown field 'invariant' in a scenario (did you mean 'invariants'?)"
    ),
    "¦version: 1\nsetup: CREATE TABLE t (k int)\n": "found a scenario without the field 'workload'",
    "¦setup: SELECT 1\n" + ONE: "found no version, expected a scenario that begins with `version: 1`",
    "¦version: 1\n" + ONE: (
        "found a workload, expected a scenario, which has `setup` (`txfuzz run` runs workloads)"
    ),
    "¦version: 1\njudge: serial\n" + ONE: "found a scenario without the field 'setup'",
    "¦": "found an empty file, expected a scenario that begins with `version: 1`",
    "¦# nothing\n": "found a file without content, expected a scenario that begins with `version: 1`",
    "¦[]": "found an empty list, expected a scenario as a mapping that begins with `version: 1`",
    HEAD + "workload: {¦mix: [], transactions: []}": (
        "found `mix` in a scenario, expected none: every pair of transactions is run"
    ),
    HEAD + "workload: {transactions: ¦[]}": "found no transaction, expected at least one",
    HEAD + ONE + "database: {adapter: postgres, isolation: ¦snapshot}\n": (
        "no isolation level 'snapshot': known: read committed, read uncommitted, repeatable read, "
        "serializable"
    ),
    HEAD + ONE + "judge: ¦elle\n": (
        "found the text 'elle', expected serial or invariants: Elle's judge needs the keys and "
        "micro-operations of a workload"
    ),
    HEAD + ONE + "judge: ¦seriel\n": (
        "found the text 'seriel', expected who judges (did you mean 'serial'?)"
    ),
    HEAD + ONE + "judge: ¦invariants\n": (
        "found the judge 'invariants' in a scenario without any, expected `invariants`"
    ),
    HEAD + ONE + "expect: ¦snapshot-isolation\n": (
        "found the text 'snapshot-isolation', expected a consistency model "
        "(known: serializable, strict-serializable)"
    ),
    HEAD + ONE + "ignore: ¦t.k\n": ("found the text 't.k', expected a list of columns, as in [table.column]"),
    HEAD + ONE + "ignore: [¦k]\n": "found the text 'k', expected a column as table.column",
    HEAD + ONE + "ignore: [¦s.t.k]\n": "found the text 's.t.k', expected a column as table.column",
    HEAD + ONE + "ignore: [¦.k]\n": "found the text '.k', expected a column as table.column",
    HEAD + ONE + "ignore: [t.k, ¦t.k]\n": "found the duplicate column 't.k', expected each column once",
}

SETUP = {
    "¦null": "found nothing, expected SQL text, a list of statements, or {file: schema.sql}",
    "¦3": "found the number 3, expected SQL text, a list of statements, or {file: schema.sql}",
    "¦[]": "found an empty list, expected SQL text, a list of statements, or {file: schema.sql}",
    "[SELECT 1, ¦2]": "found the number 2, expected SQL text, a list of statements, or {file: schema.sql}",
    "¦' '": "found the text ' ', expected SQL that makes the tables (text)",
    "¦-- nothing; at all": ("found SQL without a statement, expected SQL that makes the tables"),
    "¦{}": "found `setup` without the field 'file'",
    "{¦fil: a.sql}": "found the unknown field 'fil' in `setup` (did you mean 'file'?)",
    "{file: ¦nowhere.sql}": (
        "found 'nowhere.sql', which is not a file, expected a file with SQL beside the scenario"
    ),
    "[¦[SELECT 1]]": "found a list, expected SQL text, a list of statements, or {file: schema.sql}",
    "{file: ¦..}": "found '..', which is not a file, expected a file with SQL beside the scenario",
    "|\n  SELECT 1;\n\n  SELECT ¦'it''s;\n": (
        "found a ' that nothing closes, expected ' at the end of the text"
    ),
    "|2\n    SELECT 1; /* no */ ¦BEGIN;\n": (
        "found BEGIN, which controls a transaction, expected only statements that make tables and rows "
        "(each is committed by itself)"
    ),
    '"SELECT 1; ¦COMMIT"': (
        "found COMMIT, which controls a transaction, expected only statements that make tables and rows "
        "(each is committed by itself)"
    ),
    "SELECT 1; ¦SAVEPOINT a": (
        "found SAVEPOINT, which controls a transaction, expected only statements that make tables and rows "
        "(each is committed by itself)"
    ),
    "¦>\n  SELECT 1;\n  /* what": "found a comment that nothing closes, expected */ at its end",
    "|\n  SELECT ¦$a$ what": "found a string that begins with $a$, expected $a$ at its end",
    "|\n  ¦\\connect somewhere\n": "found \\connect, a command of a client, expected an SQL statement",
    "|\n  ¦DELIMITER //\n": "found DELIMITER, a command of a client, expected an SQL statement",
    "|\n  ¦.mode csv\n": "found .mode, a command of a client, expected an SQL statement",
    "|\n  ¦COPY t (a, b) FROM stdin;\n  1 2\n": (
        "found COPY … FROM stdin, whose rows only a client can send, expected INSERT"
    ),
    '¦"a\\0b"': "found a NUL character in SQL, expected text",
}

TRANSACTIONS = {
    "[¦x]": "found the text 'x', expected a transaction: a mapping with name and steps",
    "[{¦template: bank-transfer}]": (
        "found `template` in a transaction of a scenario, expected `name` and `steps`"
    ),
    "[¦{name: one}]": "found a transaction without the field 'steps'",
    "[{name: ¦'', steps: [{sql: SELECT 1}]}]": ("found an empty text, expected the name of a transaction"),
    "[{name: one, steps: ¦[]}]": "found a transaction without steps, expected at least one",
    "[{name: one, steps: [{sql: SELECT 1}]}, {name: ¦one, steps: [{sql: SELECT 1}]}]": (
        "found the duplicate transaction 'one', expected a different name"
    ),
    "[{name: one, ¦retries: 1, steps: [{sql: SELECT 1}]}]": (
        "found the unknown field 'retries' in a transaction (did you mean 'retry'?)"
    ),
    "[{name: one, retry: ¦-1, steps: [{sql: SELECT 1}]}]": (
        "found the number -1, expected how often to try again (a whole number from 0 to 100)"
    ),
    "[{name: one, isolation: ¦serialisable, steps: [{sql: SELECT 1}]}]": (
        "no isolation level 'serialisable': did you mean 'serializable'?"
    ),
    "[{name: one, params: ¦{}, steps: [{sql: SELECT 1}]}]": (
        "found an empty mapping, expected at least one parameter"
    ),
    "[{name: one, params: ¦[a], steps: [{sql: SELECT 1}]}]": (
        "found a list, expected the parameters with the values to choose from, as in {who: [ann, bob]}"
    ),
    "[{name: one, params: {a: ¦[]}, steps: [{sql: 'SELECT :a'}]}]": (
        "found an empty list, expected at least one value"
    ),
    "[{name: one, params: {a: ¦{}}, steps: [{sql: 'SELECT :a'}]}]": (
        "found an empty mapping, expected a value or a list of values"
    ),
    "[{name: one, params: {a: [1, ¦[2]]}, steps: [{sql: 'SELECT :a'}]}]": (
        "found a list, expected a value: text, a number, true, false, null, a date"
    ),
    "[{name: one, params: {a: [x, 1, 1.0, true, ¦x]}, steps: [{sql: 'SELECT :a'}]}]": (
        "found the duplicate value 'x', expected each value once"
    ),
    "[{name: one, params: {¦a-b: 1}, steps: [{sql: 'SELECT 1'}]}]": (
        "found the name 'a-b', expected a name made of letters, digits and underscores"
    ),
    "[{name: one, params: {a: 1, ¦b: 2}, steps: [{sql: 'SELECT :a'}]}]": (
        "found the parameter 'b', expected a name that a step uses, in SQL as :b"
    ),
    "[{name: one, params: {a: ¦2026-02-31}, steps: [{sql: 'SELECT :a'}]}]": (
        "found the text '2026-02-31', expected a date of the calendar, or text in quotes"
    ),
}

STEPS = {
    "¦SELECT 1": "found the text 'SELECT 1', expected a step: a mapping with sql",
    "{¦f: r, key: 1}": (
        "found `f` in a step of a scenario, expected `sql`: a scenario has no keys, only its own tables"
    ),
    "{sql: SELECT 1, ¦elle: []}": (
        "found `elle` in a step of a scenario, expected no micro-operations: scenarios are judged by serial "
        "orders and invariants"
    ),
    "{sql: 'SELECT :a', ¦args: {a: 1}}": (
        "found `args` in a step of a scenario, expected no mapping: SQL uses the names of `params` and "
        "`returns` as :NAME"
    ),
    "{sql: SELECT 1, ¦row: {}}": "found the unknown field 'row' in a step (did you mean 'rows'?)",
    "¦{rows: {0: abort}}": "found a step without the field 'sql'",
    "{sql:¦ }": "found nothing, expected an SQL statement (text)",
    "{sql: ¦''}": "found an empty text, expected an SQL statement (text)",
    "{sql: ¦';'}": "found SQL without a statement, expected an SQL statement",
    "{sql: 'SELECT 1; ¦SELECT 2;'}": "found a second statement in an SQL statement, expected one statement",
    "{sql: ¦'SELECT * FROM {table}'}": (
        "found {table} in an SQL statement, expected the name of a table that `setup` makes"
    ),
    "{sql: ¦'SELECT :who, '':x'', a::int'}": (
        f"found :who in an SQL statement, expected {KNOWN} (there is neither)"
    ),
    "{sql: ¦BEGIN}": (
        "found BEGIN, which begins or ends a transaction, expected a statement inside the transaction"
    ),
    "{sql: ¦commit work}": (
        "found COMMIT, which begins or ends a transaction, expected a statement inside the transaction"
    ),
    "{sql: ¦ROLLBACK}": (
        "found ROLLBACK, which begins or ends a transaction, expected a statement inside the transaction"
    ),
    "{sql: ¦PREPARE TRANSACTION 'a'}": (
        "found PREPARE TRANSACTION, which begins or ends a transaction, "
        "expected a statement inside the transaction"
    ),
    "{sql: ¦set autocommit = 1}": (
        "found SET AUTOCOMMIT, which begins or ends a transaction, "
        "expected a statement inside the transaction"
    ),
    "{sql: ¦SET TRANSACTION ISOLATION LEVEL SERIALIZABLE}": (
        "found a statement that changes the isolation level, expected `isolation` next to `steps`"
    ),
    "{sql: SELECT 1, rows: {0: ¦empty}}": (
        "found the text 'empty', expected what to do with the transaction (known: abort, ok, skip, stop)"
    ),
    "{sql: SELECT 1, rows: {¦few: skip}}": "found 'few', expected a number of rows",
    "{sql: SELECT 1, on_error: {x: ¦retry}}": (
        "found the text 'retry', expected what to do with the transaction: skip, stop, abort or "
        "{rollback_to: NAME} (known: abort, skip, stop)"
    ),
    "{sql: SELECT 1, on_error: {x: {rollback_to: ¦here}}}": (
        "found the savepoint 'here', expected one that an earlier step sets (there is none)"
    ),
    "{sql: SELECT 1, returns: ¦{}}": (
        "found an empty mapping, expected at least one value to return, as in {NAME: COLUMN}"
    ),
    "{sql: SELECT 1, returns: {¦a b: c}}": (
        "found the name 'a b', expected a name made of letters, digits and underscores"
    ),
    "{sql: UPDATE t SET v = 1, ¦returns: {a: v}}": (
        "found `returns` for UPDATE without RETURNING, expected a statement that returns rows"
    ),
    "{sql: SELECT 1, when: ¦{}}": ("found an empty mapping, expected at least one name with what it must be"),
    "{sql: SELECT 1, when: {¦found: 1}, returns: {found: v}}": (
        f"found 'found', expected {KNOWN} (there is neither)"
    ),
}

AFTER_A_LOOK = {
    "{sql: ¦'SELECT :fond'}": (f"found :fond in an SQL statement, expected {KNOWN} (did you mean 'found'?)"),
    "{sql: SELECT 1, when: {¦fond: 1}}": f"found 'fond', expected {KNOWN} (did you mean 'found'?)",
    "{sql: SELECT 1, when: {found: ¦':fond'}}": (f"found :fond, expected {KNOWN} (did you mean 'found'?)"),
    "{sql: SELECT 1, when: {found: {¦equals: 1}}}": (
        "found the unknown field 'equals' in a condition (known: eq, ge, gt, le, lt, ne)"
    ),
    "{sql: SELECT 1, when: {found: {lt: ¦null}}}": (
        "found `lt` with null, expected a value (nothing is less or greater than null)"
    ),
    "{sql: SELECT 1, when: {found: ¦[1, 2]}}": "found a list, expected a value or :NAME",
    "{sql: SELECT 1, when: {found: ¦{}}}": (
        "found an empty mapping, expected null, `not null`, a value, or {eq|ne|lt|le|gt|ge: value or :NAME}"
    ),
    "{sql: SELECT 1, returns: {¦found: v}}": (
        "found the name 'found', which an earlier step returns, expected a different name "
        "(a step with `when` may give it again)"
    ),
}

INVARIANTS = {
    "¦SELECT 1": "found the text 'SELECT 1', expected a list of invariants, as in {name: NAME, sql: QUERY}",
    "[¦{name: a}]": "found an invariant without the field 'sql'",
    "[¦{sql: SELECT 1}]": "found an invariant without the field 'name'",
    "[¦3]": "found the number 3, expected an invariant as a mapping",
    "[{name: a, sql:¦ }]": (
        "found nothing, expected a query that returns the rows that break the invariant (text)"
    ),
    "[SELECT 1, ¦SELECT  1]": "found the duplicate invariant 'SELECT 1', expected a different name",
    "[{name: a, sql: SELECT 1}, {name: ¦a, sql: SELECT 2}]": (
        "found the duplicate invariant 'a', expected a different name"
    ),
    "[¦DELETE FROM t]": "found DELETE in an invariant, expected a query",
    "[¦'SELECT :a']": "found :a in an invariant, expected a query without parameters",
    "[SELECT 1; ¦SELECT 2]": (
        "found a second statement in a query that returns the rows that break the invariant, "
        "expected one statement"
    ),
}

REPLAY = {
    "¦{isolation: a, calls: []}": "found `replay` without the field 'schedule'",
    "{isolation: a, calls: ¦[], schedule: []}": "found an empty list, expected 1 to 6 calls",
    "{isolation: a, calls: [{transaction: ¦two}], schedule: []}": (
        "found the text 'two', expected a transaction of this scenario (known: one)"
    ),
    "{isolation: a, calls: [¦{transaction: one, params: {a: 1}}], schedule: []}": (
        "found a call of 'one' with the parameters a, expected none"
    ),
    "{isolation: a, calls: [{transaction: one}], schedule: [¦2]}": (
        "found the number 2, expected the number of a call (a whole number from 1 to 1)"
    ),
}


@pytest.mark.parametrize(("replay", "sentence"), REPLAY.items())
def test_replay(replay: str, sentence: str) -> None:
    assert complaint(HEAD + ONE + f"replay: {replay}\n") == sentence


@pytest.mark.parametrize(("text", "sentence"), THE_WHOLE.items())
def test_the_whole(text: str, sentence: str) -> None:
    assert complaint(text) == sentence


@pytest.mark.parametrize(("setup", "sentence"), SETUP.items())
def test_setup(setup: str, sentence: str) -> None:
    assert complaint(f"version: 1\n{ONE}setup: {setup}") == sentence


@pytest.mark.parametrize(("transactions", "sentence"), TRANSACTIONS.items())
def test_transactions(transactions: str, sentence: str) -> None:
    text = HEAD + f"database: {{adapter: postgres}}\nworkload:\n  transactions: {transactions}\n"
    assert complaint(text) == sentence


@pytest.mark.parametrize(("step", "sentence"), STEPS.items())
def test_steps(step: str, sentence: str) -> None:
    assert complaint(steps(step)) == sentence


@pytest.mark.parametrize(("step", "sentence"), AFTER_A_LOOK.items())
def test_what_depends_on_earlier_steps(step: str, sentence: str) -> None:
    assert complaint(steps(LOOK, step)) == sentence


@pytest.mark.parametrize(("invariants", "sentence"), INVARIANTS.items())
def test_invariants(invariants: str, sentence: str) -> None:
    assert complaint(HEAD + ONE + f"invariants: {invariants}\n") == sentence


def test_a_name_is_a_parameter_or_returned_but_not_both() -> None:
    step = "{sql: 'SELECT v FROM t WHERE k = :k', returns: {¦k: v}}"
    assert complaint(steps(step, params="{k: 1}")) == (
        "found the name 'k', a parameter, expected a different name"
    )


def test_a_savepoint_of_another_name() -> None:
    assert complaint(
        steps("{sql: SAVEPOINT there}", "{sql: SELECT 1, on_error: {x: {rollback_to: ¦ther}}}")
    ) == ("found the savepoint 'ther', expected one that an earlier step sets (did you mean 'there'?)")


def test_what_an_adapter_cannot_do() -> None:
    assert complaint("database: {adapter: plain}\n" + steps("{¦sql: SELECT 1}")) == (
        "found a statement in SQL, expected another adapter: 'plain' does not accept SQL"
    )


@pytest.mark.parametrize("field", ["setup: SELECT 1", "invariants: []", "ignore: []", "judge: serial"])
def test_a_scenario_is_no_workload(field: str) -> None:
    name = field.split(":")[0]
    assert complaint_of_workload("version: 1\n¦" + field + "\n") == (
        f"found `{name}`, which makes this a scenario, expected a workload (`txfuzz check` runs scenarios)"
    )


def test_params_are_of_scenarios_only() -> None:
    text = "version: 1\nworkload: {transactions: [{name: a, params: {b: 1}, steps: [{f: r, key: 1}]}]}\n"
    with pytest.raises(WorkloadError, match="the unknown field 'params' in a transaction"):
        parse_workload(text)
