"""A run as a zip file, made while it is sent, so that neither the disk nor the memory has to hold it."""

from __future__ import annotations

import io
import os
import stat
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

_CHUNK = 1 << 16
_PLAIN = frozenset({".png", ".gz", ".zip"})  # compressed already


class _Pipe(io.RawIOBase):
    """What the zip file is written to; hands over what has come together."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        part = bytes(data)  # type: ignore[call-overload]
        self._parts.append(part)
        return len(part)

    def taken(self) -> bytes:
        data, self._parts = b"".join(self._parts), []
        return data


_READING = os.O_RDONLY
if sys.platform != "win32":
    _READING |= os.O_NOFOLLOW | os.O_NONBLOCK


def zipped(run: Path) -> Iterator[bytes]:
    """The regular files below the directory of a run, under its name: no links, and nothing hidden, such as
    a lock or a file that is being written. A file that grows meanwhile is cut where it was when it was
    opened; one that is gone is left out."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        for path, name in regular_files(run):
            try:
                handle = os.open(path, _READING)
            except OSError:
                continue
            with open(handle, "rb") as source:
                found = os.fstat(handle)
                if not stat.S_ISREG(found.st_mode):
                    continue
                entry = zipfile.ZipInfo(f"{run.name}/{name}", _date(found.st_mtime))
                entry.compress_type = zipfile.ZIP_STORED if path.suffix in _PLAIN else zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                entry.file_size = found.st_size  # decides whether it needs large offsets
                left = found.st_size
                with archive.open(entry, "w") as target:
                    while left and (data := source.read(min(_CHUNK, left))):
                        target.write(data)
                        left -= len(data)
                        yield pipe.taken()
            yield pipe.taken()
    yield pipe.taken()


def regular_files(run: Path) -> Iterator[tuple[Path, str]]:
    """Each with its name relative to the directory, in order."""
    for folder, folders, files in os.walk(run, followlinks=False):
        folders[:] = sorted(
            each for each in folders
            if not each.startswith(".") and not os.path.islink(os.path.join(folder, each))
        )  # fmt: skip
        for name in sorted(files):
            path = Path(folder, name)
            if not name.startswith(".") and not path.is_symlink() and path.is_file():
                yield path, path.relative_to(run).as_posix()


def _date(seconds: float) -> tuple[int, int, int, int, int, int]:
    """Zip files begin in 1980."""
    import time

    year, month, day, hour, minute, second, *_ = time.localtime(max(seconds, 315_619_200))
    return max(year, 1980), month, day, hour, minute, second
