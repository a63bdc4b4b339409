"""Shrinking leaves out what a failure does not need, and writes the rest plainly."""

from __future__ import annotations

from dataclasses import replace

from tests.hunt.samples import COUNT, DELETE, FORMS, HOLE, PLAIN, PRESENT, SELECT, SHARED, UPDATE, program
from txfuzz.check.program import Program
from txfuzz.check.run import FollowedSchedule
from txfuzz.check.scheduling.trace import Trace
from txfuzz.check.serial.judge import SerialAnswer, SerialJudgement
from txfuzz.check.serial.outcome import ProgramOutcome
from txfuzz.hunt.finding.shrink import candidates, shrink
from txfuzz.hunt.program import SmallProgram

ATTEMPT = FollowedSchedule(
    Program("", ()), "", Trace((), {}), ProgramOutcome({}), SerialJudgement(SerialAnswer.UNEXPLAINED)
)


def deletes_beside_an_update(each: SmallProgram) -> FollowedSchedule | None:
    names = [{use.form.name for use in uses} for uses in each.transactions]
    return ATTEMPT if len(names) == 2 and "delete" in names[0] and "update" in names[1] else None


def test_statements_forms_and_layout_become_as_plain_as_they_can() -> None:
    big = program((PRESENT, PRESENT), ((COUNT, 0), (DELETE, 1)), ((UPDATE, 1), (SELECT, 0)), layout=SHARED)
    small, _ = shrink(big, ATTEMPT, FORMS, (PLAIN, SHARED), deletes_beside_an_update)
    assert small == program((PRESENT, PRESENT), ((DELETE, 1),), ((UPDATE, 1),))


def test_what_needs_everything_stays() -> None:
    small, attempt = shrink(HOLE, ATTEMPT, FORMS, (PLAIN,), lambda each: None)
    assert (small, attempt) == (HOLE, ATTEMPT)


def test_candidates_are_smaller_or_plainer() -> None:
    found = list(candidates(replace(HOLE, layout=SHARED), FORMS, (PLAIN, SHARED)))
    assert sum(len(each.uses) == 3 for each in found) == 4
    assert sum(each.layout is PLAIN for each in found) == 1
    assert HOLE in found
