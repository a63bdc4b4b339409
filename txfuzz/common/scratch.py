"""Directories that are removed when they are no longer needed.

Those of a worker process lie in one directory that whoever started it removes, since a process that is killed
removes nothing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_place: str | None = None


def use_scratch(directory: str) -> None:
    """All further ones of this process lie in this directory."""
    global _place
    _place = directory


@contextmanager
def scratch_directory(purpose: str) -> Iterator[Path]:
    """A new directory until the end of the `with`. purpose: a part of its name."""
    with tempfile.TemporaryDirectory(prefix=f"txfuzz-{purpose}-", dir=_place) as directory:
        yield Path(directory)
