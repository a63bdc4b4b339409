"""Which files a server may hand out: those of the runs in its directory, and nothing that leads out of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from txfuzz.campaign.directory.run_records import RECORDS

_RUN_MARKS = (*RECORDS, "iter_00", "iter_small_scope")


class NotHere(LookupError):
    """There is no such run or file, or it must not be seen; the answer does not tell which."""


@dataclass(frozen=True)
class Places:
    """root: the directory that is served, without links in its path."""

    root: Path

    @classmethod
    def below(cls, directory: Path) -> Places:
        return cls(directory.resolve(strict=True))

    def find(self, address: str) -> Path:
        """The file or directory at an address relative to the root. Raises NotHere."""
        parts = PurePosixPath(address).parts
        if "\0" in address or address.startswith("/") or any(part.startswith(".") for part in parts):
            raise NotHere(address)
        try:
            path = self.root.joinpath(*parts).resolve(strict=True)
        except (OSError, RuntimeError, ValueError):
            raise NotHere(address) from None
        if not path.is_relative_to(self.root):
            raise NotHere(address)
        if any(part.startswith(".") for part in path.relative_to(self.root).parts):  # where a link led
            raise NotHere(address)
        return path

    def run(self, address: str) -> Path:
        """The directory of a run. Raises NotHere."""
        path = self.find(address.strip("/"))
        if not is_run(path):
            raise NotHere(address)
        return path

    def file(self, address: str) -> Path:
        """A regular file in the directory of a run. Raises NotHere."""
        path = self.find(address.strip("/"))
        inside = path.parent.is_relative_to(self.root) and any(
            is_run(each) for each in (path.parent, *path.parent.parents) if each.is_relative_to(self.root)
        )
        if not inside or not path.is_file():
            raise NotHere(address)
        return path

    def address(self, run: Path) -> str:
        """Of the directory of a run: "demo/", or "" for the root itself."""
        inner = os.path.relpath(run.resolve(), self.root)
        return "" if inner == "." else f"{PurePosixPath(*Path(inner).parts)}/"


def is_run(path: Path) -> bool:
    return path.is_dir() and any((path / name).exists() for name in _RUN_MARKS)
