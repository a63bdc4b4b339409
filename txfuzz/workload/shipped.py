"""Finding workload files: those that come with txfuzz, their schema, and the user's own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from txfuzz.errors import UsageError, did_you_mean
from txfuzz.workload.yaml.parser import parse_yaml

SUFFIXES = (".yaml", ".yml")
_PACKAGE = Path(__file__).resolve().parent.parent


def shipped_workloads() -> list[tuple[str, Path]]:
    """Names and files of the workloads that come with txfuzz, by name."""
    return sorted(_in_directory(_shipped("workloads", "workloads")).items())


def shipped_targets() -> list[tuple[str, Path]]:
    """Those that come with txfuzz to compare strategies on, by name."""
    return sorted(_in_directory(_shipped("workloads", "workloads") / "targets").items())


def shipped_scenarios() -> list[tuple[str, Path]]:
    """Those that come with txfuzz, one for each anomaly of Hermitage, by name."""
    return sorted(_in_directory(_shipped("workloads/hermitage", "examples/hermitage")).items())


def scenario_path(name: str) -> Path:
    """The file of a shipped scenario. Raises UsageError if there is none of this name."""
    known = dict(shipped_scenarios())
    if name not in known:
        raise UsageError(f"no scenario {name!r} comes with txfuzz: {did_you_mean(name, known)}")
    return known[name]


def scenario_file(path: Path) -> Path:
    """The file of a scenario by its path, or by its name if it comes with txfuzz. UsageError for a name that
    is none."""
    is_path = path.suffix != "" or len(path.parts) > 1 or path.exists()
    return path if is_path else scenario_path(str(path))


def shipped_matrix(name: str) -> Path:
    """The file of a matrix that comes with txfuzz."""
    return _shipped("workloads", "workloads") / "matrices" / f"{name}.yaml"


def workload_path(name_or_path: str | Path, directory: Path | None = None) -> Path:
    """The file of a workload, by its path or its name.

    directory: where names are looked up; None for the workloads that come with txfuzz. Whatever ends in
    .yaml or .yml or contains a separator is a path. Raises UsageError if there is no such workload.
    """
    text = os.fspath(name_or_path)
    if directory is not None and not os.path.isdir(directory):
        raise UsageError(f"{directory}: no such workload directory")
    known = _in_directory(_shipped("workloads", "workloads") if directory is None else directory)
    if text in known:
        return known[text]
    path = Path(text)
    if directory is not None and not path.is_absolute() and os.path.isfile(directory / path):
        return directory / path
    if os.path.isfile(path):
        return path
    if path.suffix in SUFFIXES or os.path.dirname(text):
        if os.path.isdir(path):
            raise UsageError(f"{text}: this is a directory, not a workload file")
        raise UsageError(f"{text}: no such workload file")
    where = "" if directory is None else f" in {directory}"
    raise UsageError(f"no workload {text!r}{where}: {did_you_mean(text, known)}")


def schema_path() -> Path:
    """The JSON Schema of workload files."""
    return _shipped("workload.schema.json", "docs/workload.schema.json")


def headline(path: Path) -> str:
    """The `about` of a workload file on one line."""
    root = parse_yaml(path.read_text(encoding="utf-8"), str(path))
    fields = root.value if root is not None else None
    about = fields["about"].value if isinstance(fields, Mapping) and "about" in fields else ""
    return " ".join(str(about).split())


def adapter_named_in(path: Path) -> str | None:
    """The adapter that a workload file names, whatever else it contains; None if it names none."""
    root = parse_yaml(path.read_text(encoding="utf-8"), str(path))
    for name in ("database", "adapter"):
        fields = root.value if root is not None else None
        root = fields.get(name) if isinstance(fields, Mapping) else None
    return root.value if root is not None and isinstance(root.value, str) else None


def _shipped(inside: str, beside: str) -> Path:
    """Inside the package when installed, beside it in a clone."""
    path = _PACKAGE / inside
    return path if path.exists() else _PACKAGE.parent / beside


def _in_directory(directory: Path) -> dict[str, Path]:
    files = (path for path in sorted(directory.glob("*")) if path.suffix in SUFFIXES and path.is_file())
    return {path.stem: path for path in files}
