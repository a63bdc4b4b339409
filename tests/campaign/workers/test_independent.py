"""Slices that are known from the beginning: each is done once, whatever happens to workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from counting_jobs import happen
from txfuzz.campaign.workers.carried import carried, placed
from txfuzz.campaign.workers.engines import Workers
from txfuzz.campaign.workers.here import Here
from txfuzz.campaign.workers.independent import Independent, Part
from txfuzz.campaign.workers.processes import Processes
from txfuzz.errors import DatabaseUnavailable, UsageError


@dataclass(frozen=True)
class Squares:
    """A Job of numbers → their squares. bad: kills its worker, once if there is a directory for that."""

    bad: int | None = None
    once: Path | None = None

    @contextmanager
    def opened(self) -> Iterator[Squares]:
        yield self

    def run(self, asked: Part[int], tell: Callable[[int], bool]) -> None:
        tell(-1)
        if asked.what == self.bad and (self.once is None or not (self.once / "done").exists()):
            if self.once is not None:
                (self.once / "done").touch()
            happen("die")
        tell(asked.what**2)


def test_each_part_ends_once_with_what_it_came_to(tmp_path: Path) -> None:
    for engine in (Here(), Processes(2)):
        found: dict[int, int] = {}
        lost: list[str] = []

        def ended(part: Part[int], square: int, found: dict[int, int] = found) -> None:
            assert part.number not in found
            found[part.number] = square

        slices = Independent([5, 6, 7, 8], on_ended=ended, on_lost=lost.append)
        engine.run(Squares(7 if isinstance(engine, Processes) else None, tmp_path), slices)
        assert found == {0: 25, 1: 36, 2: 49, 3: 64}
        assert len(lost) == (1 if isinstance(engine, Processes) else 0)
    assert lost[0].endswith("it was ended by SIGKILL; another one does its part again")


def test_a_part_that_nobody_survives_is_named() -> None:
    found: list[int] = []
    slices = Independent([5, 6, 7], on_ended=lambda part, square: found.append(square))
    with pytest.raises(DatabaseUnavailable, match="at this part of the work 3 workers were lost"):
        Processes(2).run(Squares(6), slices)


def test_files_are_carried_to_where_they_are_not(tmp_path: Path) -> None:
    one, other = tmp_path / "a" / "x.py", tmp_path / "b" / "x.py"
    for path in (one, other):
        path.parent.mkdir()
        path.write_text(str(path))
    files = carried([one, other])
    with placed(files) as paths:
        assert paths == (one, other)
    one.write_text("changed since")
    with placed(files) as paths:
        assert [path.read_text() for path in paths] == [str(one), str(other)]
        assert [path.name for path in paths] == ["x.py", "x.py"]
        assert paths[0] != one
    assert not paths[0].exists()
    with pytest.raises(UsageError, match="cannot be read"):
        carried([tmp_path / "missing"])


def test_which_engine_runs_them() -> None:
    assert not Workers().several
    assert not Workers(1).several
    assert Workers(2).several
    assert Workers(dask="tcp://somewhere:1").several
    assert isinstance(Workers(1).engine(), Here)
    assert Workers(3).engine().size == 3
