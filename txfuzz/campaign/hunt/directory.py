"""The directory of a hunt, which one hunt at a time uses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from txfuzz.campaign.directory.run_directory import locked, set_aside, writing
from txfuzz.campaign.directory.run_records import HUNT, RACE


@contextmanager
def hunt_directory(wished: Path | None, resumed: Path | None) -> Iterator[tuple[Path, Path | None]]:
    """That of the hunt that is resumed, or the wished one; and where an earlier hunt was moved to."""
    path = resumed or wished
    assert path is not None
    moved = None
    with writing(path):
        if resumed is None and any((path / each).exists() for each in (HUNT, RACE)):
            locked(path, "hunt").close()  # fails if a hunt is running there
            moved = set_aside(path, "hunt")
        path.mkdir(parents=True, exist_ok=True)
        lock = locked(path, "hunt")
    with lock:
        yield path, moved
