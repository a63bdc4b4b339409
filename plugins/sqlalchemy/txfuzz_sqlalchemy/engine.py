"""From a URL to an engine whose transactions begin where they say so.

No message here quotes the URL: a malformed one may contain the password anywhere.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.dialects import registry
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from txfuzz.plugin_api import UsageError, did_you_mean

from .dialects import UNKNOWN, dialect_of
from .options import SqlalchemyOptions

_IN_FILES = frozenset({"sqlite", "duckdb"})
_IN_MEMORY = (None, "")
_MEMORY = re.compile(r":memory:|\bmode=memory\b|'mode': 'memory'")
# Parameters of a URL that are a password or contain one
_SECRET = re.compile(r"pass|pwd|secret|token|credential|api_?key|odbc_connect|\bdsn\b", re.IGNORECASE)
# Drivers that would wait without end for a server that does not answer
_CONNECT_SECONDS = {"psycopg": 10, "psycopg2": 10}
# Products that speak the protocol of another one and promise something else, as SELECT version() names them
_FOREIGN = re.compile(
    r"tidb|vitess|planetscale|singlestore|memsql|oceanbase|doris|starrocks|aurora|cockroach|yugabyte|-YB-"
    r"|redshift|greenplum|materialize|cratedb|risingwave|opengauss",
    re.IGNORECASE,
)


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
        engine = create_engine(url, poolclass=NullPool, connect_args=_time_limit(url, dialect.driver))
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
    except (SQLAlchemyError, TypeError, ValueError) as error:  # what a parameter is converted to
        raise unfit(url, error) from None
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


def shown(url: URL) -> str:
    """The URL without what is secret in it."""
    kept = url.difference_update_query([name for name in url.query if _SECRET.search(name)])
    return kept._replace(password=None).render_as_string(hide_password=False)


def in_words(url: URL, error: BaseException) -> str:
    """What a driver says, in one line and without what is secret in the URL, which it may quote."""
    said = " ".join(str(error).split())
    hidden = [value for name in url.query if _SECRET.search(name) for value in url.normalized_query[name]]
    for secret in (url.password, *hidden):
        if secret:
            said = said.replace(str(secret), "***")
    return said


def unfit(url: URL, error: BaseException) -> UsageError:
    """Of what is neither an error of the database nor of the network."""
    return UsageError(
        f"the driver of the database URL {shown(url)} cannot be used with it: {in_words(url, error)}"
    )


def foreign(on: Connection) -> str:
    """What a server calls itself that is not what its protocol says; empty for all others."""
    if on.dialect.name not in ("mysql", "mariadb", "postgresql"):
        return ""
    asked = "SELECT version(), @@version_comment" if on.dialect.name != "postgresql" else "SELECT version()"
    said = " ".join(map(str, on.exec_driver_sql(asked).one()))
    return " ".join(said.split()[:2]) if _FOREIGN.search(said) else ""


def refuse_levels(on: Connection, options: SqlalchemyOptions) -> None:
    """UsageError for levels that the driver cannot be told."""
    facts = options.facts
    if not facts.chooses:
        return
    try:
        known = on.dialect.get_isolation_level_values(on.connection.dbapi_connection)  # type: ignore[arg-type]
    except NotImplementedError:
        raise UsageError(
            f"the dialect {on.dialect.name!r} of SQLAlchemy cannot set an isolation level: leave out `levels`"
        ) from None
    levels = [each.lower() for each in known if each != "AUTOCOMMIT"]  # in which nothing is a transaction
    for level in facts.levels:
        if level not in levels:
            raise UsageError(
                f"{facts.product or on.dialect.name} has no isolation level {level!r} here: "
                f"{did_you_mean(level, levels)}"
            )


def _time_limit(url: URL, driver: str) -> dict[str, int]:
    given = driver not in _CONNECT_SECONDS or "connect_timeout" in url.query
    return {} if given else {"connect_timeout": _CONNECT_SECONDS[driver]}


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
    named = f"{url.database} {dict(url.query)}"
    if url.get_backend_name() in _IN_FILES and (url.database in _IN_MEMORY or _MEMORY.search(named)):
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


def table_wait(options: SqlalchemyOptions, seconds: int) -> str:
    """Likewise, of waits for a table that is to be dropped."""
    facts = options.facts if options.dialect is not None else UNKNOWN
    return (facts.table_wait or facts.lock_wait).format(ms=seconds * 1000, seconds=seconds)
