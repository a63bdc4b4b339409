"""Hunts on the embedded server: what is known is found, shrunk and named; without it nothing is."""

from __future__ import annotations

import json
from contextlib import closing
from itertools import product
from pathlib import Path

import pytest

from txfuzz.campaign.hunt.opening import opened_hunt
from txfuzz.campaign.hunt.settings import HuntSettings
from txfuzz.cli import run_command
from txfuzz.errors import ExitCode
from txfuzz.hunt.form import RowState
from txfuzz.hunt.tables import MOST_OPEN
from txfuzz_postgres.database import open_embedded
from txfuzz_postgres.export.isolationtester import run_spec
from txfuzz_postgres.options import PostgresOptions

pytestmark = pytest.mark.server
FORMS = "select,update,delete,insert,insert-or-nothing,insert-or-update-never,insert-or-update"
SMALL = ("hunt", "--forms", FORMS, "--layouts", "plain,one-table", "--seed", "1")


def test_the_known_hole_is_found_shrunk_and_no_news(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "hunt"
    assert run_command([*SMALL, "--budget", "800", "--output-dir", str(place)]) == ExitCode.NOTHING_FOUND
    told = capsys.readouterr().out
    assert "Known: on-conflict-reads-unseen, at SERIALIZABLE: no serial order explains it" in told
    assert "1 hole, known: on-conflict-reads-unseen. Nothing new." in told
    assert "no row changed" not in told  # the story of what is known is for --known
    kept = json.loads((place / "hunt.json").read_text())
    [hole] = kept["holes"]
    assert hole["shown"] == hole["tries"] == 3
    assert len(hole["forms"]) <= 4
    replay = place / "findings" / "on-conflict-reads-unseen_serializable" / "replay.yaml"
    assert run_command(["check", str(replay)]) == ExitCode.VIOLATED
    assert "on-conflict-reads-unseen_serializable/repro.spec" in (place / "hunt.html").read_text()
    follow_spec((replay.parent / "repro.spec").read_text())
    more = ["--budget", "20", "--workers", "2"]
    assert run_command(["hunt", "--resume", str(place), *more]) == ExitCode.NOTHING_FOUND
    assert json.loads((place / "hunt.json").read_text())["counts"]["schedules"] >= 820


def follow_spec(spec: str) -> None:
    """With PostgreSQL's own tool, where it is installed: both commit."""
    tester = next(Path("/usr/lib/postgresql").glob("*/lib/pgxs/src/test/isolation/isolationtester"), None)
    if tester is None:
        return
    with open_embedded(PostgresOptions()) as database:
        code, output = run_spec(tester, database._target.conninfo("txfuzz"), spec)
    assert code == 0, output
    assert "ERROR" not in output
    assert output.count("COMMIT;") == 2


def test_layouts_keep_their_settings_and_make_their_tables_once() -> None:
    with opened_hunt(HuntSettings("postgres"), None, ()) as opened:
        tables = opened.tables
        [layout] = [each for each in opened.scope.layouts if each.name == "sequential"]
        for states in product(RowState, repeat=2):
            found = tables.opened(layout, states)
            with closing(found.tables.session()) as session:
                for _ in range(2):
                    found.tables.reset()
                    rows = session.run("SHOW enable_indexscan", {}).rows
                    assert rows is not None
                    assert rows.rows == (("off",),)
            there = [len(rows.rows) for rows in found.tables.tables().values()]
            assert there == [int(each is RowState.PRESENT) for each in states]
        others = [each for each in opened.scope.layouts if not each.dependent][: MOST_OPEN + 1]
        for each in others:  # so many that the first ones rest
            tables.opened(each, (RowState.PRESENT, RowState.ABSENT)).tables.reset()
        found = tables.opened(layout, (RowState.PRESENT, RowState.ABSENT))
        found.tables.reset()
        schemas = found.tables.query("SELECT count(*) FROM pg_namespace WHERE nspname LIKE '%scenario%'")
        made = {layout.name, *(each.name for each in others)}
        assert schemas.rows == ((2 * len(made),),)  # with that of the copies
        connections = found.tables.query("SELECT count(*) FROM pg_stat_activity WHERE datname IS NOT NULL")
        assert connections.rows[0][0] < 30


def test_without_its_forms_there_is_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    without = ["--exclude", "insert-or-nothing,insert-or-update-never", "--budget", "300"]
    assert run_command([*SMALL, *without]) == ExitCode.NOTHING_FOUND
    assert "Nothing found." in capsys.readouterr().out


def test_a_weaker_level_promises_no_order(capsys: pytest.CaptureFixture[str]) -> None:
    asked = [*SMALL, "--isolation", "repeatable read", "--budget", "100"]
    assert run_command(asked) == ExitCode.NOTHING_FOUND
    assert "are explained by no serial order, which these levels do not promise" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("action", "forms", "budget", "shown"),
    [
        ("no-action", "select,delete", "40", "DELETE FROM a WHERE k = 1"),
        pytest.param(
            "set-null", "select,delete,update-key", "400", "UPDATE a SET k = ", marks=pytest.mark.slow
        ),
    ],
)
def test_a_foreign_key_that_sees_the_newest_rows_is_known(
    capsys: pytest.CaptureFixture[str], action: str, forms: str, budget: str, shown: str
) -> None:
    layouts = ["--layouts", f"plain,foreign-key-{action}", "--forms", forms]
    more = ["--strategy", "systematic", "--each", "6", "--seed", "4", "--budget", budget]
    assert run_command(["hunt", *layouts, *more, "--known"]) == ExitCode.NOTHING_FOUND
    told = capsys.readouterr().out
    assert "Known: foreign-key-sees-latest, at SERIALIZABLE: no serial order explains it" in told
    assert f"layout foreign-key-{action}" in " ".join(told.split())
    assert "SELECT v FROM b WHERE k = 1" in told
    assert shown in told


# T3 is before T1, whose change it has not seen, and T2 before T3. Unless T1 and T2 are of one session,
# the order T2, T3, T1 explains it.
IN_ONE_SESSION = """\
version: 1
name: in one session
database: {adapter: postgres, isolation: repeatable read}
setup: |
  CREATE TABLE a (k int PRIMARY KEY, v int NOT NULL);
  CREATE TABLE b (k int PRIMARY KEY, v int NOT NULL);
  INSERT INTO a VALUES (1, 0);
  INSERT INTO b VALUES (1, 0);
workload:
  transactions:
    - {name: T1, steps: [{sql: UPDATE a SET v = 1 WHERE k = 1}]}
    - {name: T2, steps: [{sql: SELECT v FROM b WHERE k = 1}]}
    - {name: T3, steps: [{sql: SELECT v FROM a WHERE k = 1}, {sql: UPDATE b SET v = 2 WHERE k = 1}]}
replay:
  isolation: repeatable read
  calls:
    - {transaction: T1, session: 1}
    - {transaction: T2, session: 1}
    - {transaction: T3}
  schedule: [3, 1, 1, 2, 2, 3, 3]
"""


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (IN_ONE_SESSION, ExitCode.VIOLATED, "no order"),
        (IN_ONE_SESSION.replace(", session: 1", ""), ExitCode.NOTHING_FOUND, ""),
    ],
    ids=["of one session", "of three"],
)
def test_a_replay_keeps_the_order_of_a_session(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, code: ExitCode, said: str
) -> None:
    (tmp_path / "replay.yaml").write_text(text)
    assert run_command(["check", str(tmp_path / "replay.yaml")]) == code
    assert said in capsys.readouterr().out
