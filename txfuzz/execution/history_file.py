"""A history whose file is moved or removed under us while it is being written."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from txfuzz.common.closeable import Closing
from txfuzz.errors import OutputError


class Anchor(Closing):
    """Holds on to a history's file, so that what was written can be saved when its name has gone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_RDONLY)

    def gone(self) -> bool:
        """Is there no such file any more, or another one?"""
        try:
            return not os.path.samestat(os.stat(self.path), os.fstat(self._file))
        except OSError:
            return True

    def loss(self) -> OutputError | None:
        """None if the file is where it was. Else a copy is made, and this says where; call it when
        nothing more is written."""
        if not self.gone():
            return None
        said = f"{self.path.parent}: the directory vanished during the run"
        if os.fstat(self._file).st_nlink:
            return OutputError(f"{said}; the history is where it was moved to, {self._name()}")
        try:
            copy = self._copy()
        except OSError as error:
            return OutputError(f"{said}, and the history could not be saved elsewhere: {error.strerror}")
        return OutputError(f"{said}; the history that was recorded is now {copy}")

    def _name(self) -> str:
        with contextlib.suppress(OSError):
            return os.readlink(f"/proc/self/fd/{self._file}")
        return "whatever that is called"

    def _copy(self) -> str:
        target, name = tempfile.mkstemp(prefix="txfuzz-history-", suffix=".edn")
        with open(self._file, "rb", closefd=False) as source, open(target, "wb") as copy:
            source.seek(0)
            shutil.copyfileobj(source, copy)
        return name

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
