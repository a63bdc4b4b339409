"""Files by URL, what is left behind, errors, and what is refused."""

# ruff: noqa: E402 - skipped before anything is imported that needs DuckDB

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed: pip install 'txfuzz[duckdb]'")

import txfuzz_duckdb
from own_workloads import own, run
from txfuzz.analysis.result import Verdict
from txfuzz.errors import DatabaseUnavailable, UsageError
from txfuzz.plugin_api import Kind, Outcome
from txfuzz.testing.sessions import read, sessions, transact, write
from txfuzz_duckdb.adapter import DuckdbAdapter
from txfuzz_duckdb.codes import session_error
from txfuzz_duckdb.statements import compile_raw

WORKLOADS = Path(txfuzz_duckdb.__file__).parent / "workloads"


def test_the_users_file_keeps_what_it_had(tmp_path: Path) -> None:
    file = tmp_path / "mine.duckdb"
    with duckdb.connect(str(file)) as theirs:
        theirs.execute("CREATE TABLE t AS SELECT 1 AS x")
    with DuckdbAdapter().open(f"duckdb:///{file}") as database:
        database.prepare(Kind.LIST_APPEND, fresh=True)
        with sessions(database, Kind.LIST_APPEND, 1) as (session,):
            transact(session, "snapshot", write(Kind.LIST_APPEND, 1, 1))
    with duckdb.connect(str(file)) as theirs:
        assert theirs.execute("SHOW TABLES").fetchall() == [("t",)]


def test_a_file_that_was_not_there_is_gone_unless_it_is_to_stay(tmp_path: Path) -> None:
    file = tmp_path / "new.duckdb"
    for keep in (False, True):
        with DuckdbAdapter(keep=keep).open(f"duckdb:///{file}") as database:
            database.prepare(Kind.RW_REGISTER, fresh=False)
            database.insert_rows(Kind.RW_REGISTER, range(1, 4))
        assert file.exists() is keep
    with DuckdbAdapter(keep=True).open(f"duckdb:///{file}") as database:
        assert database.prepare(Kind.RW_REGISTER, fresh=False) == 3


@pytest.mark.parametrize(
    ("url", "said", "kind"),
    [
        ("sqlite:///x", "looks like duckdb:///", UsageError),
        ("duckdb://", "names a file", UsageError),
        ("duckdb:///:memory:", "names a file", UsageError),
        ("duckdb:///x?threads=1", "no parameters", UsageError),
        ("duckdb:////nowhere/at/all", "no directory", DatabaseUnavailable),
    ],
)
def test_a_url_that_cannot_be_used(url: str, said: str, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=said):
        DuckdbAdapter().open(url)


def test_a_file_that_is_none_of_duckdb(tmp_path: Path) -> None:
    file = tmp_path / "text"
    file.write_text("no database" * 1000)
    with pytest.raises(DatabaseUnavailable, match="DuckDB at"):
        DuckdbAdapter().open(f"duckdb:///{file}")


def test_in_memory_with_several_tables() -> None:
    with DuckdbAdapter(storage="memory", tables=3, append="update-else-insert").open(None) as database:
        for kind in Kind:
            database.prepare(kind, fresh=True)
            with sessions(database, kind, 2) as (one, two):
                for key in range(1, 5):
                    transact(one, "snapshot", write(kind, key, key))
                seen = transact(two, "snapshot", *(read(key) for key in range(1, 5)))
                wanted = [(key,) if kind is Kind.LIST_APPEND else key for key in range(1, 5)]
                assert seen == wanted


@pytest.mark.parametrize(
    "sql", ["COMMIT", "ABORT", "END", "SET threads = 1", "ATTACH 'x'", "SELECT 1; COMMIT"]
)
def test_what_ends_the_transaction_is_refused(sql: str) -> None:
    with pytest.raises(UsageError):
        compile_raw(sql)


def test_what_errors_mean() -> None:
    def outcome(name: str, committing: bool) -> tuple[Outcome, bool]:
        error = session_error(getattr(duckdb, name)("x"), committing=committing)
        return error.outcome, error.lost

    assert (
        outcome("TransactionException", False)
        == outcome("TransactionException", True)
        == (Outcome.FAIL, False)
    )
    assert outcome("ConstraintException", False) == (Outcome.FAIL, False)
    assert outcome("BinderException", False) == (Outcome.BUG, False)
    assert outcome("IOException", True) == (Outcome.INFO, False)
    assert outcome("FatalException", True) == (Outcome.INFO, True)
    assert outcome("InterruptException", False) == (Outcome.FAIL, False)


def test_code_of_others_is_refused_in_a_sentence() -> None:
    with DuckdbAdapter().open(None) as database, database.scenario(()) as tables:  # type: ignore[attr-defined]
        for call in (tables.url, lambda: tables.adopt(None)):
            with pytest.raises(UsageError, match="other code cannot connect"):
                call()


def test_a_scenario_in_a_file_is_restored_and_leaves_nothing(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    setup = ("CREATE TABLE t (k int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    with (
        DuckdbAdapter(storage="file").open(None) as database,
        database.scenario(setup) as tables,  # type: ignore[attr-defined]
    ):
        session = tables.session()
        for _ in range(3):
            tables.reset()
            assert tables.tables()["t"].rows == ((1,),)
            session.begin("snapshot")
            session.run("INSERT INTO t VALUES (:k)", {"k": 2})
            session.commit()
        session.begin("snapshot")  # left open
        assert len(list(tmp_path.rglob("scenario_*.duckdb"))) == 1
        tables.reset()
        session.close()
    assert not list(tmp_path.rglob("*.duckdb*"))


def test_snapshot_isolation_shows_write_skew_and_nothing_else(tmp_path: Path) -> None:
    result, summary = run(own(WORKLOADS / "snapshot.yaml"), tmp_path / "h.edn")
    assert result.verdict is Verdict.INVALID
    assert set(result.anomaly_types) == {"G2-item"}
    assert set(summary.aborts) <= {"TransactionException", "ConstraintException"}
    assert summary.info == 0
    clean, _ = run(own(WORKLOADS / "snapshot.yaml"), tmp_path / "s.edn", expect="snapshot-isolation")
    assert clean.verdict is Verdict.VALID, clean.anomaly_types
