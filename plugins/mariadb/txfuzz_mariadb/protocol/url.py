"""Database URLs, and the driver's parameters from them.

No message here quotes the URL: a malformed one may contain the password anywhere.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from sqlalchemy.engine import URL, make_url

from txfuzz.plugin_api import UsageError, checked_url, did_you_mean

SCHEMES = ("mysql", "mariadb", "mysql+pymysql", "mariadb+pymysql")
SECRETS = frozenset({"password", "passwd", "ssl_key_password"})
TEXTS = frozenset({"unix_socket", "ssl_ca", "ssl_cert", "ssl_key", "ssl_key_password"})
FLAGS = frozenset({"ssl_disabled", "ssl_verify_cert", "ssl_verify_identity"})
TRUTH = {"true": True, "1": True, "on": True, "false": False, "0": False, "off": False}
CONNECT_SECONDS = 10.0
PORT = 3306
LAST_PORT = 65535
# Accepted but not passed on: what decides how sessions behave is set by us.
IGNORED = frozenset({"charset"})


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect. shown: the URL without secrets; parameters: the driver's, including secrets.

    unix_socket: the path of a socket, instead of host and port.
    """

    shown: str
    host: str = "localhost"
    port: int = PORT
    unix_socket: str | None = None
    connect_seconds: float = CONNECT_SECONDS
    parameters: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def url_of_database(self, database: str, settings: Mapping[str, str | int]) -> str:
        """As SQLAlchemy reads it, with these settings in each session. Contains the password."""
        given = {name: value for name, value in self.parameters.items() if name != "database"}
        user, password = given.pop("user", None), given.pop("password", None)
        query = {name: str(value) for name, value in given.items() if value is not False}
        if self.unix_socket is not None:
            query["unix_socket"] = self.unix_socket
        if settings:
            query["init_command"] = "SET " + ", ".join(f"{name} = {settings[name]}" for name in settings)
        return URL.create(
            "mysql+pymysql",
            username=user,
            password=password.decode() if isinstance(password, bytes) else password,
            host=self.host,
            port=self.port if self.unix_socket is None else None,
            database=database,
            query={**query, "charset": "utf8mb4"},
        ).render_as_string(hide_password=False)


def parse_url(text: str) -> Target:
    """A URL of the schemes above; UsageError with the reason, which never quotes the URL."""
    url = checked_url(text, SCHEMES, make_url, example="mysql://user@host:port")
    if url.port is not None and not 1 <= url.port <= LAST_PORT:
        raise UsageError(f"the port in the database URL must be a number from 1 to {LAST_PORT}")
    query = {name: value if isinstance(value, str) else value[-1] for name, value in url.query.items()}
    return Target(
        shown=url.difference_update_query(SECRETS)._replace(password=None).render_as_string(),
        host=unquote(url.host) if url.host else "localhost",
        port=url.port or PORT,
        unix_socket=query.get("unix_socket"),
        connect_seconds=seconds(query.get("connect_timeout")),
        parameters=driver_parameters(url, query),
    )


def driver_parameters(url: URL, query: Mapping[str, str]) -> dict[str, Any]:
    """The URL's parts and query under the driver's names. A password may also be in MYSQL_PWD."""
    found: dict[str, Any] = {}
    password = str(url.password) if url.password is not None else os.environ.get("MYSQL_PWD")
    if url.username:
        found["user"] = url.username
    if password:
        found["password"] = password.encode()  # the driver encodes text as Latin-1
    if url.database:
        found["database"] = url.database
    known = TEXTS | FLAGS | IGNORED | {"connect_timeout"}
    for name, value in query.items():
        if name not in known:
            raise UsageError(f"unknown parameter {name!r} in the database URL: {did_you_mean(name, known)}")
        if name in FLAGS:
            if value.lower() not in TRUTH:
                raise UsageError(f"the parameter {name!r} in the database URL must be true or false")
            found[name] = TRUTH[value.lower()]
        elif name in TEXTS and name != "unix_socket":
            found[name] = value
    return found


def seconds(text: str | None) -> float:
    if text is None:
        return CONNECT_SECONDS
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 < found < 1e6:
        raise UsageError("connect_timeout in the database URL must be a number of seconds")
    return found
