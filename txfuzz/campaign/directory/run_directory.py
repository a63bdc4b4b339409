"""The run directory: the only writer of artefacts.

Every file except the history, which grows as operations complete, is written under a temporary
name and then renamed, so that it is never seen half-written.
"""

from __future__ import annotations

import datetime
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Self

from txfuzz.analysis.result import AnalysisResult
from txfuzz.campaign.directory.lock import hold
from txfuzz.common.closeable import Closeable
from txfuzz.common.json_text import json_text
from txfuzz.errors import HistoryError, OutputError, UsageError
from txfuzz.history.model import History
from txfuzz.report.iteration import PLUGINS, SMALL_SCOPE

RUNS = Path("runs")

_UNFIT = re.compile(r"[^\w.+-]+")  # in the name of a directory
_LONGEST = 48  # characters of it: at four bytes each they fit into the 255 bytes of a file name

# JSON strings contain no line breaks, so a line break is always indentation
_PLAIN_LIST = re.compile(r"\[\n[^\[\]{}]*\]")
_BREAK = re.compile(r"\n *")


class IterationDirectory:
    """`iter_XX/`: the artefacts of one iteration."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.workload = path / "workload.yaml"
        self.history = path / "history.edn"
        self.execution = path / "execution.json"
        self.analysis = path / "analysis.json"
        self.decisions = path / "decisions.json"
        self.feedback = path / "feedback.json"  # where the history stayed with a worker
        self.minimal_graph = path / "minimal_dependency_graph.png"
        self.next_workload = path / "next_workload.yaml"
        self.notes = path / "notes.md"
        self.small_scope = path / "small_scope.json"  # of the search before the first iteration


def iteration_path(directory: Path, number: int) -> Path:
    return directory / ("iter_small_scope" if number == SMALL_SCOPE else f"iter_{number:02d}")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """OutputError if writing this file or directory fails."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from None


class RunDirectory(Closeable):
    """A campaign's directory, locked while the campaign runs. A context manager."""

    def __init__(self, path: Path, lock: IO[bytes]) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    def create(cls, wished: Path | None, name: str) -> tuple[Self, Path | None]:
        """A directory for a new campaign, and where an earlier campaign was moved to, if one was there.

        wished: None for a new one under `runs/`, named after the workload and the time.
        """
        path = new_path(RUNS, name) if wished is None else wished
        moved = None
        with writing(path):
            if _holds_campaign(path):
                locked(path).close()  # fails if a campaign is running there
                moved = set_aside(path)
            path.mkdir(parents=True, exist_ok=True)
            return cls(path, locked(path)), moved

    @classmethod
    def reopen(cls, path: Path | None) -> Self:
        """A directory with histories, to analyse them again or to add more."""
        if path is None:
            raise UsageError("--skip-run needs --output-dir: where the histories are to go")
        with writing(path):
            path.mkdir(parents=True, exist_ok=True)
            return cls(path, locked(path))

    def iteration(self, number: int) -> IterationDirectory:
        path = iteration_path(self.path, number)
        with writing(path):
            path.mkdir(exist_ok=True)
        return IterationDirectory(path)

    def keep_plugins(self, files: Mapping[str, bytes]) -> None:
        """Write plugins/: copies of the plugin files, so that the campaign can be run again from here."""
        place = self.path / PLUGINS
        with writing(place):
            if files:
                place.mkdir(exist_ok=True)
        for name, source in files.items():
            write_bytes(place / name, source)

    def close(self) -> None:
        self._lock.close()


def draw_graphs(
    history: History, result: AnalysisResult, directory: Path, max_nodes: int, *, excerpt: bool = False
) -> tuple[str, ...]:
    """Draw dependency_graph.png and minimal_dependency_graph.png; returns a sentence for what was not drawn.

    excerpt: if the history is too large, draw the relevant part of the dependency graph.
    """
    from txfuzz.report.pictures.png import draw_dependency_graph, draw_minimal_graph

    whole_graph = directory / "dependency_graph.png"
    with writing(directory):
        directory.mkdir(parents=True, exist_ok=True)
        notes = (
            draw_dependency_graph(history, result, whole_graph, max_nodes=max_nodes, excerpt=excerpt),
            draw_minimal_graph(history, result, directory / "minimal_dependency_graph.png"),
        )
    if notes[0]:
        whole_graph.unlink(missing_ok=True)  # left by an earlier analysis
    return tuple(f"dependency_graph.png {note}" for note in notes if note)


def archive_path(root: Path) -> Path:
    """`root`, or a new directory in it if `root` holds a campaign already."""
    return new_path(root, "adapt") if _holds_campaign(root) else root


def copy_history(source: Path, target: Path) -> None:
    """Archive a history. HistoryError if it cannot be read."""
    temporary = target.with_name(f".{target.name}.part")
    try:
        with open(source, "rb"):
            pass
    except OSError as error:
        raise HistoryError(f"{source}: cannot be read: {error.strerror}") from None
    with writing(target):
        shutil.copyfile(source, temporary)
        os.replace(temporary, target)


def write_json(path: Path, data: Any) -> None:
    """Write JSON that people can read: lists of plain values take one line."""
    text = json_text(data, indent=1)
    write_text(path, _PLAIN_LIST.sub(lambda found: _one_line(found[0]), text) + "\n")


def _one_line(text: str) -> str:
    return f"[{_BREAK.sub(' ', text[1:-1]).strip()}]"


def write_text(path: Path, text: str) -> None:
    """Write UTF-8. Lone surrogates, which JSON and file names may contain, are replaced."""
    write_bytes(path, text.encode("utf-8", "replace"))


def write_bytes(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.part")
    with writing(path):
        if path.exists() and not path.is_file():  # /dev/null or a pipe must not be replaced by a file
            path.write_bytes(data)
            return
        temporary.write_bytes(data)
        os.replace(temporary, path)


def _holds_campaign(path: Path) -> bool:
    kept = ("campaign.json", "iter_00", "iter_small_scope")
    return any((path / name).exists() for name in kept)


def locked(path: Path, what: str = "campaign") -> IO[bytes]:
    """The directory's lock, held until it is closed or the process ends."""
    lock = open(path / ".lock", "ab")  # noqa: SIM115 - closed by the caller
    if not hold(lock):
        lock.close()
        raise OutputError(f"{path}: another {what} is running there; choose another --output-dir")
    return lock


def set_aside(path: Path, what: str = "campaign") -> Path:
    """Rename the directory of an earlier campaign, so that nothing of it is lost."""
    if Path.cwd().is_relative_to(path.resolve()):  # the working directory would be renamed, too
        raise OutputError(
            f"{path}: holds an earlier {what}, which cannot be moved: it is the working directory or above "
            "it; choose another --output-dir"
        )
    if path.name in ("", ".."):
        path = path.resolve()
    number = 1
    while (aside := path.with_name(f"{path.name}.{number}")).exists():
        number += 1
    path.rename(aside)
    return aside


def new_path(root: Path, name: str) -> Path:
    """An unused path in `root`, made of the name and the time."""
    stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    plain = _UNFIT.sub("-", name).strip("-.")[:_LONGEST] or "campaign"
    path = root / f"{plain}-{stamp}"
    number = 1
    while path.exists():
        number += 1
        path = root / f"{plain}-{stamp}-{number}"
    return path
