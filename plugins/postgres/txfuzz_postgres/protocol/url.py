"""Database URLs, and libpq's parameters from them.

A password may be in the URL or be found by libpq itself (PGPASSWORD, ~/.pgpass). No message
here quotes the URL: a malformed one may contain the password anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from sqlalchemy.engine import URL, make_url

from txfuzz.plugin_api import UsageError, checked_url, did_you_mean

SCHEMES = ("postgres", "postgresql", "postgresql+psycopg")
SECRETS = frozenset({"password", "sslpassword", "oauth_client_secret"})
CONNECT_SECONDS = 10
LAST_PORT = 65535
NUMBERS = frozenset(
    {"connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count",
     "tcp_user_timeout"}
)  # fmt: skip
NOWHERE = "/nonexistent"  # a directory in which no server has a socket


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect. shown: the URL without secrets; parameters: libpq's, including secrets."""

    shown: str
    parameters: Mapping[str, str] = field(repr=False)

    def conninfo(self, application_name: str) -> str:
        """libpq's connection string. Contains the password: never show it."""
        from psycopg.conninfo import make_conninfo

        defaults = {"connect_timeout": str(CONNECT_SECONDS), "client_encoding": "UTF8"}
        return make_conninfo(**{**defaults, **self.parameters, "application_name": application_name})

    def url_of_schemas(self, *schemas: str) -> str:
        """As SQLAlchemy reads it, and libpq if it can be; with these schemas as search path. Contains the
        password."""
        options = f"{self.parameters.get('options', '')} -csearch_path={','.join(schemas)}".strip()
        return url_of({**self.parameters, "options": options})

    @property
    def connect_seconds(self) -> float:
        """How long to wait for a connection, in seconds; 0 in libpq means no limit."""
        try:
            asked = int(self.parameters.get("connect_timeout", CONNECT_SECONDS))
        except ValueError:
            return CONNECT_SECONDS
        return float(asked) if asked > 0 else float("inf")


def url_of(parameters: Mapping[str, str]) -> str:
    """The URL with these parameters of libpq. Contains the password."""
    query = {
        name: value
        for name, value in parameters.items()
        if value and name not in ("user", "password", "dbname")
    }
    return URL.create(
        _scheme(),
        username=parameters.get("user") or None,
        password=parameters.get("password") or None,
        database=parameters.get("dbname") or None,
        query=query,
    ).render_as_string(hide_password=False)


def _scheme() -> str:
    """libpq knows no "+psycopg", and before 2.1 SQLAlchemy means another driver without it."""
    return SCHEMES[1] if URL.create(SCHEMES[1]).get_dialect().driver == "psycopg" else SCHEMES[2]


def parse_url(text: str) -> Target:
    """A URL of the schemes above; UsageError with the reason, which never quotes the URL."""
    url = checked_url(
        text,
        SCHEMES,
        make_url,
        example="postgresql://user@host:port/database",
        hint=" (several hosts are written ?host=one:5432&host=two:5432)",
    )
    parameters = {name: value for name, value in libpq_parameters(url).items() if value != ""}
    check_names(parameters)
    check_values(parameters)
    shown = url.difference_update_query(SECRETS)._replace(password=None).render_as_string()
    return Target(shown=shown, parameters=parameters)


def libpq_parameters(url: URL) -> dict[str, str]:
    """The URL's parts and query under libpq's names."""
    query = {name: (value,) if isinstance(value, str) else value for name, value in url.query.items()}
    parameters = {name: ",".join(values) for name, values in query.items()}
    if "host" in query and "port" not in query:
        parameters |= split_ports(query["host"])
    given = {
        "host": unquote(url.host) if url.host else None,
        "port": str(url.port) if url.port is not None else None,
        "user": url.username,
        "password": str(url.password) if url.password is not None else None,
        "dbname": url.database,
    }
    return {name: value for name, value in given.items() if value} | parameters


def split_ports(hosts: tuple[str, ...]) -> dict[str, str]:
    """`host=name:port`, once or several times, as libpq's two lists; a path is a socket directory."""
    pairs = [(host, "") if host.startswith("/") else host.partition(":")[::2] for host in hosts]
    ports = ",".join(port for _, port in pairs)
    named = {"host": ",".join(host for host, _ in pairs)}
    return named | {"port": ports} if ports.strip(",") else named


def check_names(parameters: Mapping[str, str]) -> None:
    """Reject parameters that libpq does not know, quoting only the name."""
    from psycopg import pq

    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
    for name in parameters:
        if name not in known:
            raise UsageError(f"unknown parameter {name!r} in the database URL: {did_you_mean(name, known)}")


def check_values(parameters: Mapping[str, str]) -> None:
    """Reject values that libpq would reject before connecting, so that no server is blamed for them."""
    ports = parameters.get("port", "").split(",")
    if any(port and not (port.isdecimal() and 1 <= int(port) <= LAST_PORT) for port in ports):
        raise UsageError(f"the port in the database URL must be a number from 1 to {LAST_PORT}")
    for name in NUMBERS & parameters.keys():
        if not parameters[name].removeprefix("-").isdecimal():
            raise UsageError(f"the parameter {name!r} in the database URL must be a whole number")
    if (refused := refused_by_libpq(parameters)) is not None:
        raise UsageError(f"the database URL: {refused}")


def refused_by_libpq(parameters: Mapping[str, str]) -> str | None:
    """libpq's own reason, such as an unknown sslmode; does not connect."""
    from psycopg import pq
    from psycopg.conninfo import make_conninfo

    hosts = (parameters.get("host") or parameters.get("hostaddr", "")).split(",")
    elsewhere = {"host": ",".join(NOWHERE for _ in hosts)}
    rest = {name: value for name, value in parameters.items() if name != "hostaddr"}
    conninfo = make_conninfo(**{**rest, **elsewhere}).encode()
    if pq.PGconn.ping(conninfo) != pq.Ping.NO_ATTEMPT:
        return None
    conn = pq.PGconn.connect_start(conninfo)
    try:
        return " ".join(conn.get_error_message().split())
    finally:
        conn.finish()
