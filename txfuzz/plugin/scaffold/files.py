"""The files of a new plugin. Each kind has a folder here, and all share `common`.

A file NAME.in is a string.Template; `_module_`, `_plugin_` and `_name_` in paths stand for those words.
None of these files is imported from here.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from pathlib import Path

from txfuzz.errors import OutputError, UsageError
from txfuzz.plugin.scaffold.names import Names

# What the new plugin of each kind does
KINDS = {
    "adapter": "keeps lists in an SQLite file, with Python's own sqlite3",
    "template": "reads two keys and writes one, and so shows write skew",
    "analyzer": "reports reads that miss what was acknowledged",
    "heuristic": "concentrates on the keys of near-cycles",
    "mutator": "pauses between reading and writing",
    "strategy": "keeps the changes that show something new",
    "fault": "stalls a session for a while",
    "form": "writes a row on a condition, in hunts on SQLite",
}
_HERE = Path(__file__).resolve().parent
_SUFFIX = ".in"


def files_of(names: Names, kind: str, version: str) -> Mapping[str, str]:
    """Path → text of all files of the distribution.

    version: of txfuzz, which the plugin will require.
    """
    words = {
        "plugin": names.plugin,
        "distribution": names.distribution,
        "module": names.module,
        "name": names.plugin.replace("-", "_"),
        "cls": names.cls,
        "constant": names.plugin.replace("-", "_").upper(),
        "kind": kind,
        "requires": _compatible(version),
    }
    found = {}
    for folder in (_HERE / "common", _HERE / kind):
        for path, text in _templates(folder):
            for word in ("module", "plugin", "name"):
                path = path.replace(f"_{word}_", words[word])
            found[path] = string.Template(text).substitute(words)
    return dict(sorted(found.items()))


def write_plugin(files: Mapping[str, str], directory: Path) -> None:
    """Write them into a new or empty directory. Raises UsageError if it is not empty."""
    if directory.is_dir() and any(directory.iterdir()):
        raise UsageError(f"{directory}: the directory is not empty; choose another --output-dir")
    try:
        for name, text in files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{directory}: cannot be written: {error.strerror}") from None


def _templates(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob(f"*{_SUFFIX}")):
        yield path.relative_to(folder).as_posix().removesuffix(_SUFFIX), path.read_text(encoding="utf-8")


def _compatible(version: str) -> str:
    """From this minor version to the next one: "txfuzz-core>=0.1,<0.2"."""
    major, minor = (int(part) for part in version.split(".")[:2])
    return f"txfuzz-core>={major}.{minor},<{major}.{minor + 1}"
