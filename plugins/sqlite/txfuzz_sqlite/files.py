"""Where the database is: a temporary file, the user's file, or memory."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from txfuzz.plugin_api import Closeable, DatabaseUnavailable, UsageError, kept_directory

from .options import SHARED_CACHE


@dataclass(frozen=True, slots=True)
class DatabaseFile:
    """uri: for connections. shown: for people. path: the file, None in memory. keeper: removes the
    temporary directory, even if this process is killed."""

    uri: str
    shown: str
    path: Path | None = None
    keeper: Closeable | None = None

    def remove(self) -> None:
        """Remove the database and SQLite's files beside it."""
        for suffix in ("", "-wal", "-shm", "-journal"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)

    def beside(self, name: str) -> DatabaseFile | None:
        """Another one in the same directory, which is removed with it; None in memory."""
        if self.path is None:
            return None
        path = self.path.with_name(f"{name}.sqlite3")
        return DatabaseFile(uri_of(path, ""), f"sqlite:///{path}", path)

    def close(self) -> None:
        if self.keeper is not None:
            self.keeper.close()


def new_database_file(mode: str) -> DatabaseFile:
    """Memory for a shared cache, else a file in a new directory."""
    if mode == SHARED_CACHE:
        uri = f"file:txfuzz-{secrets.token_hex(5)}?mode=memory&cache=shared"
        return DatabaseFile(uri, "memory, shared cache")
    directory, keeper = kept_directory("SQLite", "txfuzz-sqlite-")
    path = directory / "data.sqlite3"
    return DatabaseFile(uri_of(path, mode), f"sqlite:///{path}", path, keeper)


def database_file(url: str, mode: str) -> DatabaseFile:
    """`sqlite:///relative/path` and `sqlite:////absolute/path`, as in SQLAlchemy."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() not in ("sqlite", "sqlite3"):
        raise UsageError("a SQLite database URL looks like sqlite:///path/to/file")
    path_text = rest.partition("?")[0]
    if not path_text.startswith("/") or path_text[1:] in ("", ":memory:"):
        raise UsageError(
            "a SQLite URL names a file: sqlite:///relative/path or sqlite:////absolute/path "
            "(without a URL it is a temporary file, or memory for mode: shared-cache)"
        )
    if "?" in rest:
        raise UsageError("a SQLite URL takes no parameters: modes are options of the adapter")
    path = Path(unquote(path_text[1:])).absolute()
    if not path.parent.is_dir():
        raise DatabaseUnavailable(f"there is no directory {path.parent} for the SQLite database")
    if path.is_dir():
        raise DatabaseUnavailable(f"{path} is a directory, not a SQLite database")
    return DatabaseFile(uri_of(path, mode), f"sqlite:///{path}", path)


def uri_of(path: Path, mode: str) -> str:
    """As SQLite reads it, with the drive of a path on Windows."""
    return path.as_uri() + ("?cache=shared" if mode == SHARED_CACHE else "")
