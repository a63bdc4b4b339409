"""Raw SQL as people write it, on a real server: nobody is accused wrongly, and nothing right is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from syrupy.assertion import SnapshotAssertion

from project_fixtures import Ran
from txfuzz.analysis.analyze import analyze_history
from txfuzz.campaign.serial_check import anomalies_in_series
from txfuzz.campaign.setup.resolve import InstalledVocabulary
from txfuzz.common.kind import Kind
from txfuzz.execution.run import execute
from txfuzz.history.reader import read_history
from txfuzz.plugin.loader import load_plugins
from txfuzz.workload.model import Scheduling
from txfuzz.workload.shipped import shipped_targets
from txfuzz.workload.yaml.reader import read_workload
from txfuzz_postgres.adapter import PostgresAdapter
from txfuzz_postgres.server.launcher import EmbeddedServer, launch
from workload_words import complaint, parse

pytestmark = pytest.mark.server

Cli = Callable[..., Ran]
CASES = Path(__file__).parents[2] / "tests" / "cases"


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with launch() as running:
        yield running


def url(server: EmbeddedServer) -> str:
    info = server.conninfo
    return f"postgres://{info['user']}@/{info['dbname']}?host={info['host']}"


@pytest.mark.parametrize(
    "name", ["filter-misses-row", "optimistic-lock", "conditional-withdrawal", "read-only-deferrable"]
)
def test_correct_code_on_a_correct_database(txfuzz: Cli, name: str) -> None:
    ran = txfuzz("run", "--config", CASES / f"{name}.yaml", "--iterations", 1, "--output-dir", "run")
    assert ran.code == 0, ran.err
    assert "nothing found" in ran.out + ran.err
    record = json.loads(Path("run/iter_00/execution.json").read_text())
    assert record["ok"] > 50
    (confirmed,) = record["levels"].values()
    assert confirmed >= 4, "each client has asked the server for its level"


def test_what_was_read_behind_a_savepoint_is_kept_from_changing(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    """PostgreSQL's serializable transactions remember it when they have rolled back to the savepoint."""
    text = dict(shipped_targets())["mariadb_savepoint"].read_text()
    text = text.replace("mariadb", "postgres").replace("`key`", "key").replace("[1, 500]", "[1, 4]")
    workload = parse(text.replace("txn: peek, weight: 0.5", "txn: peek, weight: 9"))
    found = {}
    for level in ("serializable", "repeatable read"):
        with PostgresAdapter().open(url(server)) as database:
            execute(
                replace(workload, scheduling=Scheduling(8, 800)),
                database,
                tmp_path / "h.edn",
                isolation=level,
            )
        found[level] = analyze_history(read_history(tmp_path / "h.edn"), "serializable").anomaly_types
    assert found["serializable"] == ()
    assert "G2-item" in found["repeatable read"]


def test_a_row_that_skip_locked_left_out_has_not_been_read(txfuzz: Cli) -> None:
    ran = txfuzz("execute", "--config", CASES / "skip-locked-misses-row.yaml", "--out", "s.edn")
    assert ran.code == 0, ran.err
    assert "anomalies in 1 attempt: none" in ran.out
    history = read_history("s.edn")
    look = history.templates.index("look")
    (row,) = [row for row in range(len(history)) if history.template[row] == look]
    assert history.mops[row + 1] - history.mops[row] == 1, "the second read only"
    assert history.mop_step[history.mops[row]] == 1


@pytest.mark.parametrize(
    ("name", "line", "said"),
    [
        ("delete-without-micro-operation", 10, "changes {table} without a micro-operation"),
        ("one-statement-two-rows", 9, "no micro-operation for :b, expected `elle` as a list"),
        ("set-local-isolation", 8, "changes the isolation level, expected `isolation`"),
        ("next-free-job", 14, "found 'job', expected the name of an argument that is a key"),
    ],
)
def test_what_cannot_be_judged_is_refused_by_file_and_line(
    txfuzz: Cli, name: str, line: int, said: str
) -> None:
    ran = txfuzz("run", "--config", CASES / f"{name}.yaml", "--iterations", 1)
    assert ran.code == 2
    assert f"{name}.yaml:{line}:" in ran.err
    assert said in ran.err


GET_OR_CREATE = """
version: 1
database: {adapter: postgres, isolation: read committed}
expect: serializable
workload:
  transactions:
    - name: get_or_create
      steps:
        - {f: r, key: {choice: {from: [1, 2]}, as: k}}
        - sql: SAVEPOINT s
        - sql: INSERT INTO {table} (key, val) VALUES (:k, :v)
          args: {k: {ref: k}, v: {new: value}}
          elle: {f: w, key: k, value: v}
          on_error: {"23505": {rollback_to: s}}
        - {f: r, key: {ref: k}}
keys: {writes: 8}
scheduling: {clients: 6, transactions: 400}
"""
QUEUE = """
version: 1
database: {adapter: postgres, isolation: read committed}
expect: serializable
workload:
  transactions:
    - name: claim
      steps:
        - sql: |
            SELECT key, val FROM {table} WHERE key IN (:a, :b, :c) AND val = '{}'
            ORDER BY key LIMIT 1 FOR UPDATE SKIP LOCKED
          args: {a: 1, b: 2, c: 3}
          elle: {f: r, key_column: key, column: val}
          returns: {job: key}
        - {f: append, key: {ref: job}}
    - name: look
      isolation: repeatable read
      read_only: true
      steps:
        - sql: SELECT key, val FROM {table} WHERE key IN (:a, :b, :c)
          args: {a: 1, b: 2, c: 3}
          elle: [{f: r, key: a, key_column: key, column: val}, {f: r, key: b, key_column: key, column: val}]
          rows: {0: empty}
keys: {rows: inserted, writes: 1}
scheduling: {clients: 6, transactions: 400}
"""
TWO_ROWS = """
version: 1
database: {adapter: postgres, isolation: read committed}
expect: serializable
workload:
  transactions:
    - name: both
      steps:
        - sql: |
            WITH l AS (SELECT key FROM {table} WHERE key IN (:a, :b) ORDER BY key FOR NO KEY UPDATE)
            UPDATE {table} AS t SET val = t.val || :v FROM l WHERE t.key = l.key
          args:
            a: {choice: {from: [1, 2, 3]}, as: a}
            b: {choice: {from: [1, 2, 3]}, as: b, distinct_from: [a]}
            v: {new: value}
          elle: [{f: append, key: a, value: v}, {f: append, key: b, value: v}]
        - {f: r, key: {ref: b}}
keys: {rows: inserted}
scheduling: {clients: 6, transactions: 400}
"""


@pytest.mark.parametrize(
    ("text", "code"), [(GET_OR_CREATE, 1), (QUEUE, 0), (TWO_ROWS, 0)], ids=["create", "queue", "two"]
)
def test_there_is_a_way_to_say_it(txfuzz: Cli, text: str, code: int) -> None:
    """At READ COMMITTED get-or-create reads nothing and then, once it was refused, a row: that is no
    serializable history, and no fault of the database."""
    Path("w.yaml").write_text(text)
    ran = txfuzz("run", "--config", "w.yaml", "--iterations", 2, "--output-dir", "run")
    assert ran.code == code, ran.err
    assert "broke its promise" not in ran.out
    again = txfuzz("run", "--config", "run/iter_01/workload.yaml", "--iterations", 1, "--output-dir", "again")
    assert again.code == code, again.err


def test_get_or_create_goes_on_after_a_duplicate(txfuzz: Cli) -> None:
    Path("w.yaml").write_text(GET_OR_CREATE.replace("writes: 8", "writes: 1000"))
    txfuzz("run", "--config", "w.yaml", "--iterations", 1, "--output-dir", "run")
    record = json.loads(Path("run/iter_00/execution.json").read_text())
    assert (record["ok"], record["fail"]) == (400, 0)
    history = read_history("run/iter_00/history.edn")
    assert history.kind is Kind.RW_REGISTER
    written = int((history.mop_f == 2).sum())
    assert 0 < written <= 2, "each row was inserted once, and all others read it"


def test_own_tables_show_the_applications_lost_updates_each_time(txfuzz: Cli, server: EmbeddedServer) -> None:
    with psycopg.connect(**server.conninfo, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS public.seats")
        connection.execute("CREATE TABLE public.seats (show_id int, seat_no int, booked_by text)")
        connection.execute("INSERT INTO public.seats SELECT 1, n, NULL FROM generate_series(1, 5) n")
        for time in ("first", "second"):
            ran = txfuzz(
                "run", "--config", CASES / "own-table-seats.yaml", "--iterations", 1,
                "--database-url", url(server), "--output-dir", time,
            )  # fmt: skip
            assert ran.code == 1, (time, ran.err)
            assert "broke its promise" not in ran.out + ran.err
            assert "the database is not blamed" in ran.err
            found = json.loads(Path(time, "campaign.json").read_text())
            assert found["answers_for"] is None
            assert "lost-update" in found["found"], found["found"]
            assert not set(found["found"]) & {"G1a", "G1b", "unwritten-read", "cyclic-versions"}
            booked = connection.execute("SELECT count(booked_by) FROM public.seats").fetchone()
            assert booked == (5,), "it has worked on the seats of the user"


@pytest.mark.parametrize("mend", ["SERIALIZABLE", "FOR UPDATE"])
def test_what_is_right_on_own_tables_is_not_accused(txfuzz: Cli, server: EmbeddedServer, mend: str) -> None:
    """Schedules of the search before the first iteration all have the same keys here."""
    text = (CASES / "own-table-seats.yaml").read_text()
    if mend == "SERIALIZABLE":
        text = text.replace("isolation: read committed", "isolation: serializable")
    else:
        text = text.replace("seat_no = :s\n", "seat_no = :s FOR UPDATE\n", 1)
    Path("mended.yaml").write_text(f"{text}campaign: {{small_scope: {{schedules: 40}}}}\n")
    with psycopg.connect(**server.conninfo, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS public.seats")
        connection.execute("CREATE TABLE public.seats (show_id int, seat_no int, booked_by text)")
        connection.execute("INSERT INTO public.seats SELECT 1, n, NULL FROM generate_series(1, 5) n")
    ran = txfuzz(
        "run", "mended.yaml", "--iterations", 1, "--database-url", url(server), "--output-dir", "run"
    )
    assert ran.code == 0, ran.out
    searched = json.loads(Path("run/campaign.json").read_text())["small_scope"]
    assert (searched["verdict"], searched["found"]) == ("valid", 0)
    assert searched["schedules"] > 10
    history = read_history("run/iter_small_scope/history.edn")
    assert len(history.keys) >= searched["schedules"], "each schedule has keys of its own"


def test_own_tables_without_micro_operations_have_no_verdict(txfuzz: Cli, server: EmbeddedServer) -> None:
    with psycopg.connect(**server.conninfo, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS public.accounts")
        connection.execute("CREATE TABLE public.accounts (id int, owner text, balance int)")
        connection.execute("INSERT INTO public.accounts VALUES (1, 'ann', 1000)")
    names = "withdraw_if_enough,withdraw_if_enough"
    case = CASES / "own-table-without-micro-operations.yaml"
    ran = txfuzz("explore", case, "--transactions", names, "--database-url", url(server))
    assert ran.code == 3, ran.err
    assert "No verdict" in ran.out


def test_micro_operations_are_on_one_kind_of_table(snapshot: SnapshotAssertion) -> None:
    text = """
version: 1
database: {adapter: postgres}
workload:
  transactions:
    - name: t
      steps:
        - {f: r, key: 1}
        - sql: SELECT held_by FROM seats WHERE seat = :s
          args: {s: 1}
          elle: {f: ¦r, key: s}
"""
    assert complaint(text) == snapshot


def test_a_level_of_the_command_line_goes_before_those_of_transactions(txfuzz: Cli) -> None:
    Path("w.yaml").write_text(QUEUE)
    txfuzz(
        "run", "--config", "w.yaml", "--iterations", 1, "--isolation", "serializable", "--output-dir", "run"
    )
    record = json.loads(Path("run/iter_00/execution.json").read_text())
    assert set(record["levels"]) == {"serializable"}
    txfuzz("run", "--config", "w.yaml", "--iterations", 1, "--output-dir", "own")
    campaign = json.loads(Path("own/campaign.json").read_text())
    assert (campaign["isolation"], campaign["promised"]) == ("read committed", "read-committed")
    record = json.loads(Path("own/iter_00/execution.json").read_text())
    assert set(record["levels"]) == {"read committed", "repeatable read"}


def test_a_statement_of_several_micro_operations_is_replayed(txfuzz: Cli) -> None:
    """Write skew between two that scan a set and insert an element each."""
    ran = txfuzz("run", "--workload", "set_add", "--iterations", 1, "--run-replay", "--output-dir", "run")
    assert ran.code == 1, ran.err
    result = json.loads(Path("run/iter_00/replay_result.json").read_text())
    assert result["closed"] == result["attempts"] > 0
    again = txfuzz("execute", "--config", "run/iter_00/replay.yaml", "--out", "again.edn")
    assert again.code == 0, "what was expected has shown"
    assert "G2-item" in again.out


WRONG = """
version: 1
database: {adapter: postgres, isolation: serializable}
workload:
  transactions:
    - name: app
      steps: [{f: r, key: {choice: {from: [1, 2]}, as: k}}, {f: append, key: {ref: k}}]
    - name: wrong
      steps:
        - {f: r, key: {choice: {from: [1, 2]}, as: k}}
        - sql: UPDATE {table} SET val = %s
          args: {k: {ref: k}, v: {new: value}}
          elle: {f: append, key: k, value: v}
keys: {rows: inserted, writes: 8}
scheduling: {clients: 4, transactions: 200}
"""


@pytest.mark.parametrize(
    "sql", [":v || val WHERE key = :k", "val || :v || :v WHERE key = :k", "val || :v WHERE key = :k + 1"]
)
def test_sql_that_does_other_things_than_it_says_is_not_the_databases_fault(txfuzz: Cli, sql: str) -> None:
    """Prepended, appended twice, appended elsewhere: run one after the other it shows that, too."""
    Path("w.yaml").write_text(WRONG % sql)
    ran = txfuzz("run", "--config", "w.yaml", "--iterations", 1, "--output-dir", "run")
    assert ran.code == 1, ran.err
    assert "its SQL does not do what `elle` declares" in ran.err
    assert "broke its promise" not in ran.out + ran.err + Path("run/iter_00/notes.md").read_text()
    assert json.loads(Path("run/campaign.json").read_text())["answers_for"] is None


@pytest.mark.parametrize(
    ("sql", "wrong"), [("val || :v WHERE key = :k", False), (":v || val WHERE key = :k", True)]
)
def test_one_client_meets_anomalies_only_where_the_sql_is_wrong(
    tmp_path: Path, sql: str, wrong: bool
) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(WRONG % sql)
    workload = read_workload(path, InstalledVocabulary(load_plugins()))
    with PostgresAdapter().open(None) as database:
        assert bool(anomalies_in_series(workload, database, "read committed")) is wrong


def test_savepoints_by_quoted_names() -> None:
    parse(
        "version: 1\ndatabase: {adapter: postgres}\nworkload:\n  transactions:\n    - name: t\n      steps:\n"
        '        - sql: SAVEPOINT "Ab"\n'
        "        - {sql: SELECT 1, on_error: {'23505': {rollback_to: '\"Ab\"'}}}\n"
    )


def test_a_step_about_savepoints_has_none_of_its_own(snapshot: SnapshotAssertion) -> None:
    text = """
version: 1
database: {adapter: postgres}
workload:
  transactions:
    - name: t
      steps:
        - {sql: ¦SAVEPOINT a, on_error: {"55P03": skip}}
"""
    assert complaint(text) == snapshot
