"""What is kept of a hole can be followed again, or says why not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scenario_words import parse
from tests.hunt.samples import ABSENT, PLAIN, PRESENT, SELECT, UPDATE, program
from txfuzz.campaign.hunt.artefacts import folder_name, hole_files
from txfuzz.check.finding.result import Finding
from txfuzz.check.run import FollowedSchedule
from txfuzz.check.scheduling.trace import Decision, Point, Trace
from txfuzz.check.serial.judge import SerialAnswer, SerialJudgement
from txfuzz.check.serial.outcome import CallOutcome, Ending, ProgramOutcome
from txfuzz.check.transaction import CommitPoint, StatementPoint
from txfuzz.hunt.judging.wrong import Wrong
from txfuzz.hunt.layout import Layout
from txfuzz.hunt.program import SmallProgram, Use, as_check
from txfuzz.hunt.result import FoundHole, ShrunkHole
from txfuzz.workload.scenario import CallReplay

ONE_SESSION = SmallProgram(
    PLAIN,
    (PRESENT, PRESENT),
    (((Use(UPDATE, (0,)),), (Use(SELECT, (1,)),)), ((Use(SELECT, (0,)), Use(UPDATE, (1,))),)),
)


def files(small: SmallProgram, wrong: Wrong = Wrong.NO_ORDER) -> dict[str, str]:
    checked = as_check(small)
    steps = [
        Decision(Point(label, StatementPoint(0, "…") if point == 0 else CommitPoint()), ())
        for label in checked.labels
        for point in range(2)
    ]
    answer = SerialAnswer.UNEXPLAINED if wrong is Wrong.NO_ORDER else SerialAnswer.EXPLAINED
    attempt = FollowedSchedule(
        checked,
        "serializable",
        Trace(tuple(steps), {}),
        ProgramOutcome({label: CallOutcome(Ending.COMMITTED) for label in checked.labels}),
        SerialJudgement(answer),
    )
    hole = FoundHole("found", wrong, "serializable", ("select",), "plain", "", "", "", 1, 1, 3, 3)
    finding = Finding(attempt, attempt, ("…",), 3, 3, setup=small.layout.statements(small.states))
    return hole_files(
        ShrunkHole(hole, small, finding), "postgres", "Server 1", lambda level, mode: ("BEGIN",), None
    )


def calls(text: str) -> list[CallReplay]:
    replay = parse(text).replay
    assert replay is not None
    return list(replay.calls)


def test_a_session_runs_its_transactions_in_the_replay_too() -> None:
    found = calls(files(ONE_SESSION)["replay.yaml"])
    assert found == [CallReplay("T1", (), 1), CallReplay("T2", (), 1), CallReplay("T3", (), 2)]


def test_sessions_of_one_transaction_need_no_number() -> None:
    small = program((PRESENT, PRESENT), ((UPDATE, 0),), ((SELECT, 0),))
    assert calls(files(small)["replay.yaml"]) == [CallReplay("T1"), CallReplay("T2")]


FRESH = replace(PLAIN, fresh=("TRUNCATE {table}",))


@pytest.mark.parametrize(
    ("layout", "wrong", "said"),
    [
        (PLAIN, Wrong.NO_ORDER, []),
        (PLAIN, Wrong.CRASH, ["so it cannot show what went wrong: the server went down"]),
        (FRESH, Wrong.NO_ORDER, ["The hunt made the tables anew each time"]),
        (FRESH, Wrong.HALF_SEEN, ["sees half of a transaction", "The hunt made the tables anew each time"]),
    ],
)
def test_a_replay_says_what_it_cannot_show(layout: Layout, wrong: Wrong, said: list[str]) -> None:
    small = program((ABSENT, ABSENT), ((UPDATE, 0),), ((SELECT, 0),), layout=layout)
    title, *notes = [line for line in files(small, wrong)["replay.yaml"].splitlines() if line[0] == "#"]
    assert title == "# found at serializable"
    assert len(notes) == len(said)
    assert all(words in note for words, note in zip(said, notes, strict=True))


def test_holes_that_go_wrong_in_other_ways_have_other_folders() -> None:
    hole = FoundHole(
        "rows seen", Wrong.NO_ORDER, "repeatable read", ("select",), "plain", "", "", "", 1, 1, 3, 3
    )
    assert folder_name(hole) == "rows-seen_repeatable-read"
    lost = replace(hole, wrong=Wrong.LOST_UPDATE)
    assert folder_name(lost) == "rows-seen_repeatable-read_lost-update"
    assert folder_name(replace(lost, isolation="serializable")) == "rows-seen_serializable_lost-update"
    long = [replace(each, name="race_" + "insert_" * 30) for each in (hole, lost)]
    assert len({folder_name(each) for each in long}) == 2
    assert max(len(folder_name(each)) for each in long) == 80
