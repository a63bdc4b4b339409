"""Where the database lives: a file in a directory of ours, a file of the user's, or memory."""

from __future__ import annotations

import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from txfuzz.plugin_api import (
    Account,
    DatabaseUnavailable,
    KeeperLink,
    UsageError,
    environment_without,
)

from .modes import SHARED_CACHE

SCHEMES = ("sqlite", "sqlite3")
PREFIX = "txfuzz-sqlite-"


@dataclass(frozen=True, slots=True)
class Place:
    """uri: what connections open. shown: the same for people. path: the file, None in memory.

    keeper: removes the directory that is ours, whatever becomes of us.
    """

    uri: str
    shown: str
    path: Path | None = None
    keeper: KeeperLink | None = None

    def close(self) -> None:
        if self.keeper is not None:
            self.keeper.close()


def own_place(mode: str) -> Place:
    """Memory for a shared cache; a file in a new directory else."""
    if mode == SHARED_CACHE:
        return Place(f"file:txfuzz-{secrets.token_hex(5)}?mode=memory&cache=shared", "memory, shared cache")
    try:
        directory = Path(tempfile.mkdtemp(prefix=PREFIX)).absolute()
        keeper = keeper_of(directory)
    except OSError as error:
        raise DatabaseUnavailable(f"no place for a SQLite database: {error}") from None
    path = directory / "data.sqlite3"
    return Place(uri_of(path, mode), f"sqlite:///{path}", path, keeper)


def keeper_of(directory: Path) -> KeeperLink:
    """A process that removes the directory when we are done, or dead."""
    myself = Account(os.geteuid(), os.getegid(), drops=False)
    return KeeperLink(directory, myself, "SQLite", (), environment_without())


def place_of(url: str, mode: str) -> Place:
    """`sqlite:///relative/path` and `sqlite:////absolute/path`, as SQLAlchemy has them."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() not in SCHEMES:
        raise UsageError("a SQLite database is named by a URL like sqlite:///path/to/file")
    path_text = rest.partition("?")[0]
    if not path_text.startswith("/") or not path_text[1:] or path_text[1:] == ":memory:":
        raise UsageError(
            "a SQLite URL names a file: sqlite:///relative/path or sqlite:////absolute/path "
            "(without a URL there is one in a directory of its own, or memory for mode: shared-cache)"
        )
    if "?" in rest:
        raise UsageError("a SQLite URL takes no parameters: the modes are options of the adapter")
    path = Path(unquote(path_text[1:])).absolute()
    if not path.parent.is_dir():
        raise DatabaseUnavailable(f"there is no directory {path.parent} for the SQLite database")
    if path.is_dir():
        raise DatabaseUnavailable(f"{path} is a directory, no SQLite database")
    return Place(uri_of(path, mode), f"sqlite:///{path}", path)


def uri_of(path: Path, mode: str) -> str:
    return f"file:{quote(os.fspath(path))}" + ("?cache=shared" if mode == SHARED_CACHE else "")


def remove_file(path: Path) -> None:
    """The database, and what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
