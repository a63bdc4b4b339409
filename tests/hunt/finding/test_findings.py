"""A hit counts as one more of a hole only as far as that is safe: others behind the same form are found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.hunt.attempts import COMMIT, attempt
from tests.hunt.samples import DELETE, FORMS, MAYBE, PLAIN, PRESENT, SELECT, SHARED, UPDATE, program
from txfuzz.check.run import FollowedSchedule
from txfuzz.check.serial.judge import SerialAnswer, SerialJudgement
from txfuzz.hunt.finding import findings as module
from txfuzz.hunt.finding.findings import Findings
from txfuzz.hunt.finding.likeness import Likeness, Samples
from txfuzz.hunt.form import Change, Effect, Form
from txfuzz.hunt.judging.known import KnownHole
from txfuzz.hunt.judging.quarry import Quarry
from txfuzz.hunt.judging.wrong import SERIAL, Wrong
from txfuzz.hunt.program import SmallProgram
from txfuzz.hunt.result import FoundHole, ShrunkHole
from txfuzz.hunt.scope import Scope

BOTH = (PRESENT, PRESENT)
TWIN = Form("insert-unless", "…", ("INSERT … WHERE NOT EXISTS",), Effect(Change.INSERT))
KNOWN = KnownHole(
    "unseen", "…", "x", frozenset({"insert-or-nothing"}), "…", unchanged=True,
    against=frozenset({Change.DELETE}), plain=True,
)  # fmt: skip
HIT = program(BOTH, ((MAYBE, 0), (SELECT, 1)), ((DELETE, 0), (UPDATE, 1)))
Wrongs = Callable[[SmallProgram], bool]


def names(small: SmallProgram) -> set[str]:
    return {form.name for form in small.forms}


def unseen(small: SmallProgram) -> bool:
    return {"insert-or-nothing", "delete"} <= names(small)


class FakeRuns:
    """Every schedule of a program goes wrong that has what `hole` looks for."""

    hole: Wrongs = staticmethod(unseen)

    def __init__(self, tables: object, small: SmallProgram) -> None:
        self.program = small

    def follow(self, level: str, schedule: Sequence[str]) -> FollowedSchedule:
        moves: list[tuple[str, Any]] = []
        for label, uses in zip(self.program.labels, self.program.transactions, strict=True):
            moves += [(label, [0] if use.form.returns_rows else int(use.form is not MAYBE)) for use in uses]
            moves.append((label, COMMIT))
        answer = SerialAnswer.UNEXPLAINED if type(self).hole(self.program) else SerialAnswer.EXPLAINED
        made = attempt(*moves, final={"a": 1})
        return replace(made, isolation=level, judgement=SerialJudgement(answer))

    def confirm(self, made: FollowedSchedule) -> FollowedSchedule:
        return replace(made, failed_again=(3, 3))


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Callable[[Wrongs, SmallProgram], Findings]:
    monkeypatch.setattr(module, "ProgramRuns", FakeRuns)
    quarry = Quarry({"serializable": SERIAL}, known=(KNOWN,))
    tables: Any = None
    kept: list[FoundHole] = []

    def on_hole(shrunk: ShrunkHole) -> FoundHole:
        kept.append(shrunk.hole)
        return shrunk.hole

    findings = Findings(
        tables,
        quarry,
        Scope((*FORMS, TWIN), (PLAIN, SHARED)),
        fits=lambda form, layout: True,
        on_hole=on_hole,
        goes_on=lambda: True,
    )

    def meet(hole: Wrongs, small: SmallProgram) -> Findings:
        monkeypatch.setattr(FakeRuns, "hole", staticmethod(hole))
        runs: Any = FakeRuns(None, small)
        findings.met(runs, runs.follow("serializable", ()), Wrong.NO_ORDER, 1)
        return findings

    return meet


def test_the_known_hole_is_known_however_often_it_shows(found: Callable[..., Findings]) -> None:
    for small in (HIT, replace(HIT, layout=SHARED), HIT, HIT, HIT):
        findings = found(unseen, small)
    [hole] = findings.holes
    assert (hole.known, hole.hits, hole.layout) == ("unseen", 5, "plain")


def test_what_goes_wrong_without_the_known_form_is_something_else(found: Callable[..., Findings]) -> None:
    found(unseen, HIT)
    findings = found(lambda small: {"select", "update"} <= names(small), HIT)
    known, news = findings.holes
    assert known.known == "unseen"
    assert not news.known
    assert set(news.forms) == {"select", "update"}


def test_a_second_hole_behind_the_same_form_is_found_by_its_layout(found: Callable[..., Findings]) -> None:
    found(unseen, HIT)
    behind = replace(HIT, layout=SHARED)
    findings = found(lambda small: unseen(small) and small.layout is SHARED, behind)
    assert [(hole.known, hole.layout) for hole in findings.holes] == [("unseen", "plain"), ("", "shared")]


def test_a_second_hole_behind_the_same_form_is_found_by_sampling(found: Callable[..., Findings]) -> None:
    """It needs a statement more, and the known hole would look just the same."""
    found(unseen, HIT)
    needs_update = program(BOTH, ((MAYBE, 0), (SELECT, 1)), ((DELETE, 1), (UPDATE, 0), (DELETE, 0)))

    def other(small: SmallProgram) -> bool:
        against = any(use.form is UPDATE and use.keys == (0,) for use in small.uses)
        return against and "insert-or-nothing" in names(small)

    hits = 0
    while len(found(other, needs_update).holes) == 1:
        hits += 1
        assert hits < 4
    findings = found(other, needs_update)
    assert not findings.holes[1].known
    assert set(findings.holes[1].forms) == {"insert-or-nothing", "update"}


def test_samples_grow_rarer_and_cost_a_share_of_the_time() -> None:
    samples = Samples()
    like = Likeness("h", Wrong.NO_ORDER, "serializable", "plain", frozenset())
    due = [number for number in range(1, 40) if samples.due(like, 100.0)]
    assert due == [1, 2, 4, 8, 16, 32]
    samples.spent(50.0)
    other = replace(like, layout="shared")
    assert not samples.due(other, 100.0)
    assert samples.due(other, 1_000.0)  # its turn was not lost
