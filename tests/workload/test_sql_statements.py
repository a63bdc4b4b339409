"""Where the statements of a script end."""

from __future__ import annotations

import sqlite3

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from txfuzz.workload.sql.statements import UnfinishedStatement, split_statements

# Each is one statement, whatever stands behind it
WHOLE = [
    "SELECT ';', 'it''s;', \";\"\";\", `;`",
    "SELECT E'\\';', e'\\\\' , 'C:\\'",
    "SELECT $$;$$, $a$ $$; $b$ ; $a$, $é1$;$é1$, a$$b, 1",
    "SELECT 1 -- ;\n+ 1 /* ; /* ; */ ; */ + 1",
    "SELECT 1 /* a /* b */ + 1",  # where comments cannot stand inside comments
    "SELECT a::int, b #>> '{;}', c[1:2], :x",
    "/*!40101 SET @a = 1 */",
    'CREATE TABLE begin ("end" int, case_ int, loop int)',
    "CREATE TABLE t (a int DEFAULT (CASE WHEN true THEN 1 END))",
    "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)",
    "CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
    "CREATE CONSTRAINT TRIGGER r AFTER INSERT ON t FOR EACH ROW WHEN (NEW.end > 1) EXECUTE FUNCTION f()",
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END; $$",
    "CREATE FUNCTION f(a int) RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE a WHEN 1 THEN 2 END; END",
    "DO $do$ BEGIN PERFORM 1; END $do$",
    # SQLite
    "CREATE TRIGGER r AFTER INSERT ON t BEGIN UPDATE t SET a = 1; END",
    "CREATE TEMP TRIGGER IF NOT EXISTS r INSTEAD OF UPDATE OF begin, a ON v WHEN NEW.end = 1 "
    "BEGIN INSERT INTO log (begin, end) VALUES (1, 2); SELECT CASE WHEN 1 THEN 2 ELSE 3 END; END",
    # MariaDB
    "CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1",
    "CREATE DEFINER=`a;b`@`%` TRIGGER r BEFORE INSERT ON t FOR EACH ROW FOLLOWS q SET NEW.a = IF(1, 2, 3)",
    "CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW IF NEW.a < 0 THEN SET NEW.a = 0; "
    "ELSEIF (NEW.a = 1) THEN SET NEW.a = 2; ELSE SET NEW.a = CASE 1 WHEN 1 THEN IF(1, 2, 3) END; END IF",
    "CREATE OR REPLACE PROCEDURE p(IN a int) BEGIN DECLARE b int; "
    "DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN SELECT 1; END; "
    "one: LOOP SET b = 1; LEAVE one; END LOOP one; "
    "WHILE b < 3 DO SET b = b + 1; END WHILE; "
    "REPEAT SET b = REPEAT('1', 2); UNTIL b > 3 END REPEAT; "
    "FOR i IN 1..3 DO SET b = i; END FOR; "
    "CASE b WHEN 1 THEN IF true THEN SELECT 2; END IF; ELSE BEGIN END; END CASE; "
    "END",
    "CREATE FUNCTION f(a int) RETURNS int DETERMINISTIC RETURN IF(a > 0, 1, 2)",
    "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO BEGIN DELETE FROM t; DELETE FROM u; END",
]


@pytest.mark.parametrize("statement", WHOLE)
def test_what_hides_a_semicolon(statement: str) -> None:
    script = f"SELECT 0;{statement};\n{statement} ; SELECT 9"
    assert [each.text for each in split_statements(script)] == ["SELECT 0", statement, statement, "SELECT 9"]


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(WHOLE), max_size=5),
    st.lists(
        st.sampled_from([";", " ; ", ";;\n;", ";-- a; '\n", "/* ' */;/* $$; */\n", ";\r\n\t"]), min_size=6
    ),
    st.sampled_from(["", "\n", "-- begin\n", "/* ; */ ;"]),
)
def test_what_is_joined_is_split(statements: list[str], ends: list[str], head: str) -> None:
    script = head + "".join(each + end for each, end in zip(statements, ends, strict=False))
    found = split_statements(script)
    assert [each.text for each in found] == statements
    assert all(script.startswith(each.text, each.start) for each in found)


WORDS = ["create ", "trigger ", "begin ", "end ", "case ", "if ", "then ", "loop ", "as "]
PIECES = st.sampled_from([*"'\"`; \n$a1()\\E#:.", "''", "--", "/*", "*/", "$a$", *WORDS])


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join), st.booleans())
def test_splitting_again_changes_nothing(script: str, escapes: bool) -> None:
    try:
        found = split_statements(script, backslash_escapes=escapes)
    except UnfinishedStatement as error:
        assert 0 <= error.start < len(script)  # noqa: PT017 — whether it is raised depends on the script
        return
    for each in found:
        assert script.startswith(each.text, each.start)
        assert each.text == each.text.strip()
        again = split_statements(each.text, backslash_escapes=escapes)
        assert [other.text for other in again] == [each.text]


SQLITE = [
    "SELECT 1;",
    "SELECT ';';",
    "SELECT \";\", 'it''s';",
    "SELECT `;`;",
    "-- ;\n",
    "/* ; */",
    "\n",
    "CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; SELECT ';end;'; END;",
    "CREATE TEMP TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM t; END;",
    "CREATE TABLE trigger_ (a);",
]


@settings(deadline=None)
@given(st.lists(st.sampled_from(SQLITE), max_size=8).map("".join))
def test_sqlite_ends_statements_at_the_same_places(script: str) -> None:
    """Its own function says after which characters of a script a statement is complete."""
    ends, start = [], 0
    for at, character in enumerate(script):
        if character == ";" and sqlite3.complete_statement(script[start : at + 1]):
            ends.append(at)
            start = at + 1
    found = split_statements(script)
    assert [each.start + len(each.text) for each in found] == ends


def test_where_backslashes_escape() -> None:
    script = "SELECT 'a\\'; b', \"\\\";\", `\\`; # ; '\nSELECT 2"
    found = split_statements(script, backslash_escapes=True)
    assert [each.text for each in found] == ["SELECT 'a\\'; b', \"\\\";\", `\\`", "SELECT 2"]


@pytest.mark.parametrize(
    ("script", "start", "sentence"),
    [
        ("SELECT 'a", 7, "found a ' that nothing closes, expected ' at the end of the text"),
        ('SELECT 1;\n"a\\"', None, ""),
        ("SELECT E'a\\'", 8, "found a ' that nothing closes, expected ' at the end of the text"),
        ("SELECT 1; `a", 10, "found a ` that nothing closes, expected ` at the end of the text"),
        ("/* a", 0, "found a comment that nothing closes, expected */ at its end"),
        ("SELECT $x$ $$", 7, "found a string that begins with $x$, expected $x$ at its end"),
        ("SELECT 1; \\d t", 10, "found \\d, a command of a client, expected an SQL statement"),
        ("delimiter //", 0, "found delimiter, a command of a client, expected an SQL statement"),
    ],
)
def test_what_nothing_closes(script: str, start: int | None, sentence: str) -> None:
    if start is None:
        assert len(split_statements(script)) == 2
        return
    with pytest.raises(UnfinishedStatement) as caught:
        split_statements(script)
    assert (caught.value.start, str(caught.value)) == (start, sentence)


def test_a_long_script_is_split_quickly() -> None:
    script = "INSERT INTO t VALUES (1, 'it''s', $$;$$);\n" * 20_000
    assert len(split_statements(script)) == 20_000
