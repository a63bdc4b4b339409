"""Read and write workloads from Python, with the vocabulary of the installed plugins."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from txfuzz.campaign.directory.run_directory import write_text
from txfuzz.campaign.setup.resolve import InstalledVocabulary
from txfuzz.plugin.loader import load_plugins
from txfuzz.workload.model import Workload
from txfuzz.workload.shipped import workload_path
from txfuzz.workload.yaml.reader import parse_workload
from txfuzz.workload.yaml.reader import read_workload as read_file
from txfuzz.workload.yaml.writer import workload_text


def read_workload(path: str | os.PathLike[str], *, plugin_files: Sequence[str | Path] = ()) -> Workload:
    """A workload from its file, or by name if it ships with txfuzz.

    plugin_files: Python files to load as plugins, so that it may name their templates and so on.
    Raises WorkloadError with file, line, column and what was expected; UsageError if there is no
    such file.
    """
    registry = load_plugins(files=[Path(each) for each in plugin_files])
    place = workload_path(os.fspath(path), None)
    return read_file(place, InstalledVocabulary(registry, place))


def write_workload(
    workload: Workload,
    path: str | os.PathLike[str],
    *,
    header: str = "",
    plugin_files: Sequence[str | Path] = (),
) -> None:
    """Write a workload as YAML, so that `read_workload` returns the same one.

    header: lines of a comment at the top. Passwords in the URL and in options are left out. The file is
    renamed into place once it is complete. Raises WorkloadError, with the place in the text, for a
    workload that could not be read again, and OutputError if the file cannot be written.
    """
    place = Path(path)
    text = workload_text(workload, header)
    registry = load_plugins(files=[Path(each) for each in plugin_files])
    parse_workload(text, str(place), InstalledVocabulary(registry, place))
    write_text(place, text)
