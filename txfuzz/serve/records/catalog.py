"""The runs in the directory, each read again only if it has changed."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from txfuzz.campaign.directory.runs import RunSummary, read_summary
from txfuzz.serve.records.places import NotHere, Places


@dataclass(frozen=True, slots=True)
class _Read:
    changed: int  # of the directory: records are renamed into place
    summary: RunSummary | None


class RunCatalog:
    """Usable from several threads."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._read: dict[str, _Read] = {}
        self._lock = threading.Lock()

    def runs(self) -> list[RunSummary]:
        """Those in the directory, and the one that it is itself, if it is one; the newest first."""
        with self._lock:
            found: dict[str, _Read] = {}
            for name, path, changed in self._directories():
                known = self._read.get(name)
                if known is None or known.changed != changed or _may_go_on(known.summary):
                    known = _Read(changed, read_summary(path))
                found[name] = known
            self._read = found
        runs = [each.summary for each in found.values() if each.summary is not None]
        return sorted(runs, key=lambda each: (-each.written, each.path.name))

    def _directories(self) -> Iterator[tuple[str, Path, int]]:
        root = self._places.root
        yield "", root, root.stat().st_mtime_ns
        with os.scandir(root) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                try:
                    if entry.is_symlink():
                        path = self._places.find(entry.name)
                        if path.is_dir():
                            yield entry.name, root / entry.name, path.stat().st_mtime_ns
                    elif entry.is_dir():
                        yield entry.name, root / entry.name, entry.stat().st_mtime_ns
                except (OSError, NotHere):
                    continue


def _may_go_on(summary: RunSummary | None) -> bool:
    """Whether it runs is told by a lock, of which the time of the directory says nothing."""
    return summary is not None and summary.facts.state in ("running", "killed")
