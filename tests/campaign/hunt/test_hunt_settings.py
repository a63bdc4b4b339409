"""What a hunt holds a level to, by what its adapter says of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from txfuzz.campaign.hunt import race as races
from txfuzz.campaign.hunt.race import race
from txfuzz.campaign.hunt.settings import HuntSettings, promise_of
from txfuzz.hunt.hunt import Budget
from txfuzz.hunt.judging.wrong import Wrong
from txfuzz.hunt.race.result import RaceCounts, RacedHole, RaceResult
from txfuzz.hunt.result import FoundHole

DIRTY = {Wrong.DIRTY_WRITE, Wrong.DIRTY_READ, Wrong.INTERMEDIATE_READ, Wrong.CIRCULAR_INFORMATION}
OLD = {Wrong.HALF_SEEN, Wrong.LOST_UPDATE, Wrong.READ_SKEW}


@pytest.mark.parametrize(
    ("model", "forbidden"),
    [
        ("read-uncommitted", {Wrong.DIRTY_WRITE}),
        ("read-committed", DIRTY),
        ("repeatable-read", DIRTY | OLD | {Wrong.WRITE_SKEW}),
        ("snapshot-isolation", DIRTY | OLD | {Wrong.PHANTOM_SKEW}),
    ],
)
def test_a_level_forbids_what_its_model_does(model: str, forbidden: set[Wrong]) -> None:
    promise = promise_of(model)
    assert not promise.serial
    assert set(promise.forbids) == forbidden


def test_a_serializable_level_promises_an_order() -> None:
    assert promise_of("strict-serializable").serial


SETTINGS = HuntSettings("sqlite", seed=3)


def test_the_command_of_a_hunt_has_all_that_it_was_given() -> None:
    plain = "txfuzz hunt --adapter sqlite --seed 3"
    assert SETTINGS.command() == plain
    assert SETTINGS.command(schedules=80_000) == f"{plain} --budget 80000"
    given = SETTINGS.command("--race", url=True, plugin_files=[Path("my plugin.py")])
    assert given == f"{plain} --race --plugin-file 'my plugin.py' --database-url URL"
    shared = replace(SETTINGS, options={"mode": "shared-cache"})
    assert shared.command() == f'{plain}  # with these options of the adapter: {{"mode": "shared-cache"}}'


def test_the_story_of_a_race_names_the_adapter_that_was_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hole = FoundHole("found", Wrong.NO_ORDER, "serializable", ("select",), "plain", "", "", "", 41, 1, 3, 3)

    class FindsOne:
        def __init__(self, *given: object, on_hole: Callable[..., RacedHole], **more: object) -> None:
            self._on_hole = on_hole

        def run(self, budget: Budget) -> RaceResult:
            found = RacedHole(hole, (), "", 0, 0)
            self._on_hole(found, None)
            return RaceResult(RaceCounts(), (found,))

    monkeypatch.setattr(races, "RaceHunt", FindsOne)
    monkeypatch.setattr(races, "told_race", lambda found, finding: found)
    url = f"sqlite:///{tmp_path / 'd.sqlite'}"
    race(HuntSettings("", seed=3), Budget(schedules=1), url=url, output=tmp_path / "out")
    [story] = (tmp_path / "out" / "findings").glob("*/story.md")
    command = "txfuzz hunt --adapter sqlite --seed 3 --race --budget 41 --database-url URL"
    assert f"\n{command}\n" in story.read_text()
