"""Files that a job needs, with their contents, so that they are there on another machine, too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from txfuzz.common.scratch import scratch_directory
from txfuzz.errors import UsageError


@dataclass(frozen=True)
class CarriedFile:
    path: Path
    data: bytes = field(repr=False)


def carried(paths: Sequence[Path]) -> tuple[CarriedFile, ...]:
    """UsageError for one that cannot be read."""
    found = []
    for path in paths:
        try:
            found.append(CarriedFile(path.absolute(), path.read_bytes()))
        except OSError as error:
            raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    return tuple(found)


@contextmanager
def placed(files: Sequence[CarriedFile]) -> Iterator[tuple[Path, ...]]:
    """Where they are here: at their own places if they are there unchanged, else in a directory that is
    removed in the end."""
    if all(_is_here(each) for each in files):
        yield tuple(each.path for each in files)
        return
    with scratch_directory("carried") as directory:
        paths = []
        for number, each in enumerate(files):
            place = directory / str(number)
            place.mkdir()
            (place / each.path.name).write_bytes(each.data)
            paths.append(place / each.path.name)
        yield tuple(paths)


def _is_here(file: CarriedFile) -> bool:
    try:
        return file.path.read_bytes() == file.data
    except OSError:
        return False
