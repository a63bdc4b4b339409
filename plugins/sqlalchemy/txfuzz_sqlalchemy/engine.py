"""From a URL to an engine whose transactions begin where they say so.

No message here quotes the URL: a malformed one may contain the password anywhere.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.dialects import registry
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from txfuzz.plugin_api import UsageError

from .dialects import UNKNOWN, dialect_of
from .options import SqlalchemyOptions

_IN_FILES = frozenset({"sqlite", "duckdb"})
_IN_MEMORY = (None, "", ":memory:")


def engine_for(text: str, options: SqlalchemyOptions) -> Engine:
    """Each connection is a new one. UsageError for a URL that cannot be used, with the reason."""
    url = parsed(text)
    _refuse_unfit(url, text, options)
    try:
        dialect = url.get_dialect()
        if dialect.is_async:
            raise UsageError(
                f"the driver {dialect.driver!r} of the database URL is asynchronous, and sessions here "
                "block: name another driver after the plus sign"
            )
        engine = create_engine(url, poolclass=NullPool)
    except NoSuchModuleError:
        name = url.drivername
        raise UsageError(
            f"SQLAlchemy knows no database {name!r}: its dialect is not installed, or misspelled"
        ) from None
    except ImportError as error:
        named = "" if "+" in url.drivername else f", or name another driver: {url.drivername}+DRIVER://"
        raise UsageError(
            f"the database URL {url.drivername}:// needs the Python module {error.name!r}, which is not "
            f"installed: install it{named}"
        ) from None
    if engine.dialect.name == "sqlite":
        _begin_where_asked(engine)
    return engine


def has_dialect(name: str) -> bool:
    """Whether SQLAlchemy has a dialect of this name, itself or from a distribution that is installed."""
    try:
        registry.load(name)
    except NoSuchModuleError:
        return False
    except ImportError:  # it has, and lacks a module
        return True
    return True


def parsed(text: str) -> URL:
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise UsageError(
            "the database URL cannot be parsed: it must look like dialect+driver://user@host:port/database, "
            "with special characters in user and password percent-encoded"
        ) from None
    if url.drivername.partition("+")[0] == "postgres":  # as others write it
        url = url.set(drivername="postgresql" + url.drivername.removeprefix("postgres"))
    return url


def _refuse_unfit(url: URL, text: str, options: SqlalchemyOptions) -> None:
    found = dialect_of(text)
    if options.dialect != found:
        if options.dialect is None:
            raise UsageError(
                "what the levels of this database promise depends on its dialect: write "
                f"`database: {{adapter: sqlalchemy, dialect: {found}}}`"
            )
        raise UsageError(
            f"the database URL begins with {url.drivername}://, but the workload is for the dialect "
            f"{options.dialect!r}"
        )
    if url.get_backend_name() in _IN_FILES and (url.database in _IN_MEMORY or ":memory:" in str(url.query)):
        raise UsageError(
            "the database URL names no file: each connection would have a database in memory of its own"
        )


def _begin_where_asked(engine: Engine) -> None:
    """Python's sqlite3 begins only before it writes, so that what a transaction reads first would not belong
    to it. https://docs.sqlalchemy.org/en/20/dialects/sqlite.html#serializable-isolation-savepoints-transactional-ddl
    """

    @event.listens_for(engine, "connect")
    def leave_it_to_us(connection: Any, record: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN")


def lock_wait(options: SqlalchemyOptions) -> str:
    """The statement that limits lock waits of a connection; empty where there is none."""
    facts = options.facts if options.dialect is not None else UNKNOWN
    seconds = max(1, round(options.lock_wait_ms / 1000))
    return facts.lock_wait.format(ms=options.lock_wait_ms, seconds=seconds)
