"""A transaction of raw SQL while it runs: what the history says of it."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from txfuzz.database.api import Answer, BoundStep, Outcome, ReadValue, SessionError
from txfuzz.execution.raw_transaction import TransactionRun
from txfuzz.history.writer import Mop
from txfuzz.workload.generator import TransactionGenerator
from txfuzz.workload.keys import KeySpace
from txfuzz.workload.model import KeyLife
from workload_words import parse

Says = Answer | SessionError
LISTS: Mapping[Any, ReadValue] = {None: (), "{}": (), "{1}": (1,), "{7,8}": (7, 8)}


def rows(*found: Sequence[Any], columns: tuple[str, ...] = ("key", "val")) -> Answer:
    return Answer(columns, found, len(found), LISTS.__getitem__)


def changed(count: int | None, *, twice: bool = False) -> Answer:
    return Answer(changed=count, decode=LISTS.__getitem__, twice=twice)


def error(code: str, outcome: Outcome = Outcome.FAIL) -> SessionError:
    return SessionError(outcome, code, "no")


@dataclass
class Scripted:
    """A session that answers statements in order; savepoints are noted and always work."""

    answers: list[Says]
    ran: list[str] = field(default_factory=list)

    def execute(self, step: BoundStep) -> ReadValue:
        self.ran.append(f"{step.f} {step.key}")
        return () if step.f == "r" else None

    def execute_sql(self, step: BoundStep) -> Answer:
        sql = step.step.sql or ""
        self.ran.append(sql.split()[0].lower() + (f" {dict(step.args)}" if step.args else ""))
        if sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            return changed(0)
        answer = self.answers.pop(0)
        if isinstance(answer, SessionError):
            raise answer
        return answer

    def rollback_to(self, savepoint: str) -> None:
        self.ran.append(f"rollback_to {savepoint}")


def ran(steps: str, *answers: Says, session: Scripted | None = None) -> list[Mop]:
    """The micro-operations of one transaction on physical keys 1, 2, …, given these answers."""
    text = "\n".join(
        ["version: 1", "database: {adapter: postgres}", "workload:", "  transactions:", "    - name: t",
         "      steps:", *("        " + line for line in steps.strip("\n").splitlines())]
    )  # fmt: skip
    workload = parse(text + "\n")
    keys = KeySpace(KeyLife(writes=100), 0, lambda _: None)
    asked = TransactionGenerator(workload, random.Random(1), keys).next()
    run = TransactionRun(asked)
    session = session or Scripted([])
    session.answers = list(answers)
    for number in range(len(asked.steps)):
        run.execute_step(session, number)  # type: ignore[arg-type]
    return [each.mop for each in run.seen]


READ = """
- sql: SELECT val FROM {table} WHERE key = :k AND cardinality(val) = 0
  args: {k: 1}
  elle: {f: r, key: k}
"""
WRITE = """
- sql: UPDATE {table} SET val = val || :v WHERE key = :k AND version = 3
  args: {k: 1, v: {new: value}}
  elle: {f: append, key: k, value: v}
"""


def test_a_read_without_a_row_has_read_nothing() -> None:
    assert ran(READ, rows(columns=("val",))) == []
    assert ran(READ, rows(("{7,8}",), columns=("val",))) == [("r", 1, (7, 8))]
    assert ran(READ, rows((None,), columns=("val",))) == [("r", 1, ())]


def test_absence_is_read_where_the_workload_says_so() -> None:
    assert ran(READ + "  rows: {0: empty}", rows(columns=("val",))) == [("r", 1, ())]


def test_a_write_that_changes_no_row_has_done_nothing() -> None:
    assert ran(WRITE, changed(0)) == []
    assert ran(WRITE, changed(1)) == [("append", 1, 1)]
    assert ran(WRITE, changed(None)) == [("append", 1, 1)], "a call does not count rows"
    assert ran(WRITE + "  rows: {0: ok}", changed(0)) == [("append", 1, 1)]
    assert ran(WRITE + "  rows: {1: skip}", changed(1)) == []


def test_stop_and_abort() -> None:
    session = Scripted([])
    both = WRITE + "  rows: {0: stop}" + READ
    assert ran(both, changed(0), session=session) == []
    assert len(session.ran) == 1
    with pytest.raises(SessionError) as caught:
        ran(WRITE + "  rows: {0: abort}", changed(0))
    assert (caught.value.outcome, caught.value.code) == (Outcome.FAIL, "ROLLBACK")


@pytest.mark.parametrize(
    ("steps", "answer", "said"),
    [
        (WRITE, changed(2), "a write of one key changed 2 rows"),
        (READ, rows(("{1}",), ("{1}",), columns=("val",)), "a read of one key returned 2 rows"),
        (READ, changed(1), "a read must return rows"),
        (READ + "  returns: {n: nothing}", rows(("{1}",), columns=("val",)), "returns no column 'nothing'"),
        (READ + "  returns: {n: val}", rows(("{1}",), columns=("val",)), "which is not a whole number"),
    ],
)
def test_what_is_otherwise_than_the_workload_says_ends_the_run(steps: str, answer: Says, said: str) -> None:
    with pytest.raises(SessionError, match=said) as caught:
        ran(steps, answer)
    assert caught.value.outcome is Outcome.BUG


def test_an_upsert_may_count_a_row_twice() -> None:
    assert ran(WRITE, changed(2, twice=True)) == [("append", 1, 1)]
    with pytest.raises(SessionError, match="changed 3 rows"):
        ran(WRITE, changed(3, twice=True))


TWO = """
- sql: UPDATE {table} SET val = val || :v WHERE key IN (:a, :b)
  args: {a: 1, b: 2, v: {new: value}}
  elle: [{f: append, key: a, value: v}, {f: append, key: b, value: v}]
"""


def test_one_statement_writes_two_keys() -> None:
    assert ran(TWO, changed(2)) == [("append", 1, 1), ("append", 2, 1)]
    assert ran(TWO, changed(0)) == []
    with pytest.raises(SessionError, match="a write of 2 keys changed 1 row:"):
        ran(TWO, changed(1))
    assert ran(TWO.replace("b: 2", "b: 1"), changed(1)) == [("append", 1, 1)], "two choices of one key"


def test_rows_are_told_apart_by_their_key() -> None:
    scan = """
- sql: SELECT key, val FROM {table} WHERE key IN (:a, :b)
  args: {a: 1, b: 2}
  elle: [{f: r, key: a, key_column: key, column: val}, {f: r, key: b, key_column: KEY, column: val}]
"""
    assert ran(scan, rows((b"2", "{7,8}"))) == [("r", 2, (7, 8))]
    assert ran(scan + "  rows: {0: empty}", rows((b"2", "{7,8}"))) == [("r", 1, ()), ("r", 2, (7, 8))]
    each = scan.replace("key: a, ", "").replace(", {f: r, key: b, key_column: KEY, column: val}", "")
    assert ran(each, rows((1, "{1}"), (None, "{1}"), (5, "{}"))) == [("r", 1, (1,)), ("r", 5, ())]


CLAIM = """
- sql: SELECT key, val FROM {table} WHERE val = '{}' LIMIT 1
  returns: {job: key}
- {f: append, key: {ref: job}}
"""


def test_a_key_is_what_a_statement_has_returned() -> None:
    session = Scripted([])
    ((f, key, value),) = ran(CLAIM, rows((12, "{}")), session=session)
    assert (f, key) == ("append", 12)
    assert value > 10**9, "no generation counts so far"
    assert session.ran == ["select", "append 12"]
    assert ran(CLAIM, rows(), session=session) == []
    assert session.ran[2:] == ["select"], "nothing to claim, nothing appended"


def test_an_error_that_the_transaction_lives_with() -> None:
    session = Scripted([])
    insert = WRITE.replace("UPDATE", "INSERT INTO")
    steps = insert + "  on_error: {'23505': skip, '40001': abort}" + READ
    assert ran(steps, error("23505"), rows(("{1}",), columns=("val",)), session=session) == [("r", 1, (1,))]
    assert session.ran[0] == "savepoint"
    assert session.ran[2:] == ["rollback_to txfuzz_step", "select {'k': 1}"]
    with pytest.raises(SessionError) as caught:
        ran(steps, error("40001", Outcome.BUG))
    assert caught.value.outcome is Outcome.FAIL, "the workload knows this one"
    with pytest.raises(SessionError) as caught:
        ran(steps, error("53100"))
    assert caught.value.code == "53100"


def test_what_is_rolled_back_has_not_happened() -> None:
    steps = "- sql: SAVEPOINT s" + WRITE + "- sql: ROLLBACK TO SAVEPOINT s" + WRITE
    assert ran(steps, changed(1), changed(1)) == [("append", 1, 2)]
    nested = "- sql: SAVEPOINT s" + WRITE + "- sql: SAVEPOINT s" + WRITE + "- sql: RELEASE s" + WRITE
    kept = [("append", 1, 1), ("append", 1, 2), ("append", 1, 3)]
    assert ran(nested, *[changed(1)] * 3) == kept
    assert ran(nested + "- sql: ROLLBACK TO s", *[changed(1)] * 3) == []
    back = "- sql: SAVEPOINT s" + WRITE + WRITE + "  on_error: {'23505': {rollback_to: s}}" + WRITE
    assert ran(back, changed(1), error("23505"), changed(1)) == [("append", 1, 3)]


ONE = rows(("{1}",), columns=("val",))
OTHER_WRITE = WRITE.replace("k: 1", "k: 2")
BACK = "- sql: ROLLBACK TO s"


def test_what_was_read_before_a_rollback_has_been_seen() -> None:
    look = "- sql: SAVEPOINT s" + READ + BACK + WRITE
    assert ran(look, ONE, changed(1)) == [("r", 1, (1,)), ("append", 1, 1)]
    failing = "- sql: SAVEPOINT s" + READ + WRITE + "  on_error: {'23505': {rollback_to: s}}"
    assert ran(failing, ONE, error("23505")) == [("r", 1, (1,))]
    own = "- {f: append, key: 2}" + READ + "- {f: append, key: 1}" + READ
    shown = [("r", 2, (1,))]
    assert ran("- sql: SAVEPOINT s\n" + own + BACK, ONE, ONE) == shown, "the second shows what was taken back"


@pytest.mark.parametrize(
    "change",
    [
        "\n- sql: UPDATE {table} SET val = NULL WHERE key = 2\n",
        OTHER_WRITE,
        "\n- sql: CALL any()\n",
        "\n- sql: SELECT any()\n",
    ],
)
def test_a_read_of_what_may_have_been_taken_back_does_not_count(change: str) -> None:
    steps = "- sql: SAVEPOINT s" + READ + change.strip("\n") + READ + BACK + READ
    assert ran(steps, ONE, changed(1), ONE, ONE) == [("r", 1, (1,)), ("r", 1, (1,))]
    again = steps + "- sql: SAVEPOINT t" + READ + "- sql: ROLLBACK TO t"
    assert ran(again, ONE, changed(1), *[ONE] * 3) == [("r", 1, (1,))] * 3, (
        "it is gone since the first rollback"
    )


def test_a_change_before_a_savepoint_is_there_behind_it() -> None:
    steps = OTHER_WRITE + "- sql: SAVEPOINT s" + READ + BACK
    assert ran(steps, changed(1), ONE) == [("append", 1, 1), ("r", 2, (1,))]
    nested = (
        "- sql: SAVEPOINT s" + OTHER_WRITE + "- sql: SAVEPOINT t" + READ + "- sql: ROLLBACK TO t\n" + BACK
    )
    assert ran(nested, changed(1), ONE) == [], "nothing of what is read behind it counts"


def test_a_transaction_that_ends_otherwise_says_what_it_may_have_done() -> None:
    workload = parse(
        "version: 1\ndatabase: {adapter: postgres}\nworkload:\n  transactions:\n    - name: t\n      steps:\n"
        + "".join("        " + line + "\n" for line in (READ + WRITE).strip("\n").splitlines() if line)
    )
    asked = TransactionGenerator(workload, random.Random(1), KeySpace(KeyLife(), 0, lambda _: None)).next()
    run = TransactionRun(asked)
    session: Any = Scripted([rows(("{1}",), columns=("val",))])
    run.execute_step(session, 0)
    assert [each.mop for each in run.undone(1)] == [("r", 1, None), ("append", 1, 1)]
    assert [each.step for each in run.undone(1)] == [0, 1]
    session.answers = [changed(0)]
    run.execute_step(session, 1)
    assert [each.mop for each in run.undone(2)] == [("r", 1, None)], "the write did nothing"


def test_what_stood_in_a_table_before_counts_as_nothing() -> None:
    steps = """
- sql: SELECT held_by FROM seats WHERE seat = :s
  args: {s: 5}
  elle: {f: r, key: s}
- sql: UPDATE seats SET held_by = :v WHERE seat = :s
  args: {s: 5, v: {new: value}}
  elle: {f: w, key: s, value: v}
"""
    seen = Answer(("held_by",), [["17"]], 1, lambda cell: int(cell))
    read, (f, key, value) = ran(steps, seen, changed(1))
    assert read == ("r", 5, None), "the key is the number that the workload says"
    assert (f, key) == ("w", 5)
    assert value > 10**9
