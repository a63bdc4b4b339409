"""Where the database is: a temporary file, the user's file, or memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from txfuzz.plugin_api import Closeable, DatabaseUnavailable, UsageError, kept_directory

from .options import MEMORY

IN_MEMORY = ":memory:"


@dataclass(frozen=True, slots=True)
class DatabaseFile:
    """name: for DuckDB. shown: for people. path: the file, None in memory. keeper: removes the temporary
    directory, even if this process is killed."""

    name: str
    shown: str
    path: Path | None = None
    keeper: Closeable | None = None

    def remove(self) -> None:
        for suffix in ("", ".wal"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)

    def close(self) -> None:
        if self.keeper is not None:
            self.keeper.close()


def new_database_file(storage: str) -> DatabaseFile:
    if storage == MEMORY:
        return DatabaseFile(IN_MEMORY, "memory")
    directory, keeper = kept_directory("DuckDB", "txfuzz-duckdb-")
    path = directory / "data.duckdb"
    return DatabaseFile(str(path), f"duckdb:///{path}", path, keeper)


def database_file(url: str) -> DatabaseFile:
    """`duckdb:///relative/path` and `duckdb:////absolute/path`, as in SQLAlchemy."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() != "duckdb":
        raise UsageError("a DuckDB database URL looks like duckdb:///path/to/file")
    text, _, parameters = rest.partition("?")
    if not text.startswith("/") or text[1:] == "" or text[1:].startswith(IN_MEMORY):
        raise UsageError(
            "a DuckDB URL names a file: duckdb:///relative/path or duckdb:////absolute/path "
            "(without a URL it is a temporary file, or memory for storage: memory)"
        )
    if parameters:
        raise UsageError("a DuckDB URL takes no parameters: settings are options of the adapter")
    path = Path(unquote(text[1:])).absolute()
    if not path.parent.is_dir():
        raise DatabaseUnavailable(f"there is no directory {path.parent} for the DuckDB database")
    if path.is_dir():
        raise DatabaseUnavailable(f"{path} is a directory, not a DuckDB database")
    return DatabaseFile(str(path), f"duckdb:///{path}", path)
