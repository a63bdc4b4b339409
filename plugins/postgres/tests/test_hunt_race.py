"""Races on the embedded server: rounds run and count, a control shows nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from txfuzz.campaign.directory.run_directory import locked
from txfuzz.campaign.hunt.opening import opened_hunt
from txfuzz.campaign.hunt.settings import HuntSettings
from txfuzz.check.serial.judge import SerialAnswer
from txfuzz.cli import run_command
from txfuzz.errors import ExitCode
from txfuzz.hunt.form import RowState
from txfuzz.hunt.program import SmallProgram, Use, as_check
from txfuzz.hunt.race import rounds
from txfuzz.hunt.race.offsets import LAG, axes, far_apart, timing
from txfuzz.hunt.race.outcome import outcome_of
from txfuzz.hunt.race.processors import Placement, placed, placements, stoppable
from txfuzz.hunt.race.race import Race
from txfuzz.hunt.race.rounds import RacedSession, RoundRunner
from txfuzz.hunt.tables import HuntTables

pytestmark = pytest.mark.server


@pytest.fixture(autouse=True)
def busy_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """On which a transaction that is slow before the race is not one that waits."""
    monkeypatch.setattr(rounds, "_BEFORE", 10.0)


@pytest.fixture(scope="module")
def hunted() -> Iterator[tuple[HuntTables, Race]]:
    """The three transactions of the commit window (docs/reference/faults.md), as forms."""
    settings = HuntSettings("postgres", sessions=3, layouts=("plain",))
    with opened_hunt(settings, None, ()) as opened:
        forms = {form.name: form for form in opened.scope.forms}

        def uses(*named: tuple[str, int]) -> tuple[tuple[Use, ...]]:
            return (tuple(Use(forms[name], (key,)) for name, key in named),)

        small = SmallProgram(
            opened.scope.layouts[0],
            (RowState.PRESENT, RowState.PRESENT),
            (
                uses(("update", 0)),
                uses(("select", 0), ("update", 1)),
                uses(("select", 0), ("select", 1)),
            ),
        )
        yield opened.tables, Race(small, (1, 2, 0))


def test_offsets_far_apart_show_nothing(hunted: tuple[HuntTables, Race]) -> None:
    tables, race = hunted
    opened = tables.opened(race.program.layout, race.program.states)
    runner = RoundRunner(
        opened.tables, [RacedSession(each) for each in opened.sessions(4)], race, "serializable"
    )
    program, refused = as_check(race.program), 0
    for order in ((0, 2, 1), (2, 1, 0), (1, 0, 2)):
        for _ in range(8):
            round_ = runner.round(far_apart(order, 1.5e-3))
            assert round_.sent == order
            outcome = outcome_of(race, round_, runner)
            assert opened.runner().judge(program, outcome).answer is SerialAnswer.EXPLAINED
            runner.restart()
            refused += any(each.code == "40001" for each in outcome.transactions.values())
    assert refused > 0  # in the order in which the third sees the first one's, and not the second one's


def test_racing_rounds_run_and_differ(hunted: tuple[HuntTables, Race]) -> None:
    tables, race = hunted
    opened = tables.opened(race.program.layout, race.program.states)
    sessions = opened.sessions(4)
    runner = RoundRunner(opened.tables, [RacedSession(each) for each in sessions], race, "serializable")
    random, found = Random(1), Counter[object]()
    for placement in placements(sessions):
        with placed(sessions, placement):
            for _ in range(150):
                cell = (random.randrange(LAG.buckets), random.randrange(LAG.buckets))
                round_ = runner.round(timing(cell, random))
                found[round_.answers[2]] += 1
    assert found.total() == 150 * len(placements(sessions))
    assert len(found) > 1  # the third transaction comes before or after others
    assert Placement.FREE in placements(sessions)


def test_a_session_that_is_stopped_holds_up_nobody_for_long(hunted: tuple[HuntTables, Race]) -> None:
    tables, race = hunted
    opened = tables.opened(race.program.layout, race.program.states)
    sessions = opened.sessions(4)
    assert stoppable(sessions)  # the server is ours
    runner = RoundRunner(opened.tables, [RacedSession(each) for each in sessions], race, "serializable")
    random, found = Random(2), Counter[object]()
    for stopped in range(3):
        for _ in range(80):
            cell = tuple(random.randrange(axis.buckets) for axis in axes(3, stopped))
            round_ = runner.round(timing(cell, random, stopped))
            assert [len(answers) for answers in round_.answers if not answers[-1].code] != []
            found[round_.answers] += 1
    assert len(found) > 2


def test_what_is_sent_is_answered_as_what_is_run(hunted: tuple[HuntTables, Race]) -> None:
    tables, race = hunted
    opened = tables.opened(race.program.layout, race.program.states)
    session = RacedSession(opened.sessions(1)[0])
    statements = [
        "SELECT 1 AS n, NULL AS nothing, 'text' AS t, 1.50 AS d, ARRAY[1, 2] AS a, true AS b",
        "SELECT v FROM a WHERE false",
        "UPDATE a SET v = v",
        "SELECT FROM a",
        "SELECT FROM a WHERE false",
        "SET LOCAL work_mem = '1MB'",
        "SELECT 1 / 0",
        "SELECT 2",
    ]
    session.send(session.script(statements, begin="serializable"))
    while session.busy:
        session.look()
    *answers, error = session.answers
    assert error.code == "22012"
    assert error.message == "division by zero"
    run = session.session
    run.rollback()
    for statement, sent in zip(statements, answers, strict=False):
        expected, answer = run.run(statement, {}), session.answer(sent)
        assert answer.changed == expected.changed or expected.rows is not None
        assert (answer.rows is None) == (expected.rows is None)
        if answer.rows is not None and expected.rows is not None:
            assert (answer.rows.columns, answer.rows.rows) == (expected.rows.columns, expected.rows.rows)


@pytest.mark.slow
def test_a_hunt_by_races_counts_its_rounds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["hunt", "--race", "--budget", "900", "--layouts", "plain", "--forms", "select,update"]
    assert run_command([*asked, "--output-dir", str(tmp_path), "--load", "1"]) == ExitCode.NOTHING_FOUND
    told = capsys.readouterr().out
    assert "rounds of" in told
    assert "Control, with offsets far apart: 0 of" in told
    assert "Beside the clients, 1 process kept processors busy." in told
    kept = json.loads((tmp_path / "race.json").read_text())
    counts = kept["counts"]
    assert counts["rounds"] >= 900
    assert counts["control_rounds"] >= 6
    assert 0 < counts["committed"] < counts["rounds"]
    assert counts["outcomes"] > 5
    # So few rounds show the commit window hardly ever, but it is there
    assert ("<svg" in (tmp_path / "race.html").read_text()) == bool(kept["holes"])
    assert run_command(["hunt", "--resume", str(tmp_path), "--budget", "300"]) == ExitCode.NOTHING_FOUND
    more = json.loads((tmp_path / "race.json").read_text())["counts"]
    assert more["rounds"] >= counts["rounds"] + 300
    assert more["races"] >= counts["races"]
    assert more["seconds"] > counts["seconds"]
    with locked(tmp_path, "hunt"):
        for where in (["--resume", str(tmp_path)], ["--race", "--output-dir", str(tmp_path)]):
            capsys.readouterr()
            assert run_command(["hunt", "--budget", "300", *where]) == ExitCode.USAGE
            assert "another hunt is running there" in capsys.readouterr().err
    assert run_command([*asked, "--output-dir", str(tmp_path), "--budget", "60"]) == ExitCode.NOTHING_FOUND
    assert f"the earlier hunt that was there is now in {tmp_path}.1" in capsys.readouterr().err
    assert json.loads((tmp_path.with_name(f"{tmp_path.name}.1") / "race.json").read_text())["counts"] == more


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--load", "1"], "--load is for races: add --race"),
        (["--race", "--resume", "x"], "there are no races to resume"),
        (["--race", "--sessions", "3"], "leave out --sessions"),
        (["--race", "--isolation", "repeatable read"], "name a level that promises them"),
        (["--race", "--forms", "select"], "no form that is left writes"),
        (["--race", "--forms", "update"], "some that read and some that write"),
        (["--race", "--workers", "2"], "leave out --workers"),
    ],
)
def test_what_does_not_fit(options: list[str], error: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["hunt", *options]) == ExitCode.USAGE
    assert error in capsys.readouterr().err
