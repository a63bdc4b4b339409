"""What a function may ask for by its parameters: a connection, a session, an engine, the URL."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from txfuzz.common.closeable import Closeable
from txfuzz.database.drivers import Drivers
from txfuzz.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine


class Resource(Enum):
    """CONNECTION: the driver's. SQL_CONNECTION: SQLAlchemy's. SESSION: of SQLAlchemy's ORM. ENGINE:
    SQLAlchemy's. URL: the text."""

    CONNECTION = "connection"
    SQL_CONNECTION = "sqlalchemy connection"
    SESSION = "session"
    ENGINE = "engine"
    URL = "url"


_BY_NAME = {each.value: each for each in Resource}
_BY_TYPE = {
    "Connection": Resource.SQL_CONNECTION,
    "Session": Resource.SESSION,
    "Engine": Resource.ENGINE,
}

_MODES = (
    "closed", "open", "autocommit", "autocommit_mode", "isolation_level", "read_only", "deferrable",
    "row_factory", "text_factory", "cursor_factory", "cursorclass",
)  # fmt: skip


def asked_for(parameter: inspect.Parameter) -> Resource | None:
    """By its annotation, else by its name; None for a parameter that the transaction has for itself."""
    annotation = parameter.annotation
    name = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    module = getattr(annotation, "__module__", "")
    path = [part for part in f"{module}.{name}".split("[")[0].split(".") if part]
    if path and path[-1] in ("Session", "Engine"):
        return _BY_TYPE[path[-1]]
    if path and path[-1] == "Connection" and path[0] in ("sqlalchemy", "sa"):
        return Resource.SQL_CONNECTION
    if path and path[-1].lower() == "connection":
        return Resource.CONNECTION
    return _BY_NAME.get(parameter.name)


def _modes(connection: Any) -> list[Any]:
    """What code may have set on a connection, or that it is closed."""
    return [_mode(connection, name) for name in _MODES]


def _mode(connection: Any, name: str) -> Any:
    try:
        return getattr(connection, name, None)
    except Exception:  # some drivers raise once it is closed
        return "closed"


@dataclass
class Resources(Closeable):
    """Opens them to one URL. url: as SQLAlchemy reads it; it may hold a password."""

    url: str = field(repr=False)
    drivers: Drivers
    connect: Callable[[], Any] | None = None
    engine: Engine | None = None
    _made_engine: Engine | None = field(default=None, init=False)
    _threads: threading.local = field(default_factory=threading.local, init=False)

    def close(self) -> None:
        if self._made_engine is not None:
            self._made_engine.dispose()

    @contextmanager
    def of(self, wanted: Mapping[str, Resource]) -> Iterator[dict[str, Any]]:
        """The arguments. What is left open in them is committed, or rolled back after an exception."""
        with ExitStack() as stack:
            yield {name: stack.enter_context(self._opened(each)) for name, each in wanted.items()}

    @contextmanager
    def _opened(self, resource: Resource) -> Iterator[Any]:
        if resource is Resource.URL:
            yield self.url
        elif resource is Resource.ENGINE:
            yield self._engine()
        elif resource is Resource.CONNECTION:
            yield from self._connection()
        elif resource is Resource.SQL_CONNECTION:
            with self._engine().connect() as connection:
                yield connection
                connection.commit()
        else:
            from sqlalchemy.orm import Session

            with Session(self._engine()) as session:
                yield session
                session.commit()

    def _connection(self) -> Iterator[Any]:
        """The thread's own, as long as it stays as it was opened."""
        connection = getattr(self._threads, "connection", None)
        if connection is None:
            connection = self.connect() if self.connect is not None else self.drivers.connect(self.url)
            self._threads.modes = _modes(connection)
        self._threads.connection = None
        try:
            yield connection
            if self.drivers.in_transaction(connection):
                connection.commit()
        except BaseException:
            with suppress(Exception):
                connection.rollback()
            raise
        finally:
            if _modes(connection) == self._threads.modes and not self.drivers.in_transaction(connection):
                self._threads.connection = connection
            else:
                with suppress(Exception):
                    connection.close()

    def _engine(self) -> Engine:
        if self.engine is not None:
            return self.engine
        if self._made_engine is None:
            try:
                from sqlalchemy import create_engine
            except ImportError:
                raise UsageError("a parameter asks for SQLAlchemy, which is not installed") from None
            self._made_engine = create_engine(self.url)
        return self._made_engine
