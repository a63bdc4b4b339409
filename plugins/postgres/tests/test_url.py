"""Database URLs; no password in anything shown."""

from __future__ import annotations

import pytest

from txfuzz.errors import UsageError
from txfuzz_postgres.protocol.url import parse_url

SECRET = "hunter2"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_the_usual_schemes(scheme: str) -> None:
    target = parse_url(f"{scheme}://me:{SECRET}@db.example:5433/app?sslmode=disable&connect_timeout=3")
    assert target.parameters == {
        "host": "db.example",
        "port": "5433",
        "user": "me",
        "password": SECRET,
        "dbname": "app",
        "sslmode": "disable",
        "connect_timeout": "3",
    }
    assert target.connect_seconds == 3
    assert SECRET in target.conninfo("txfuzz")


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("postgresql:///app?host=/var/run/my sockets", "/var/run/my sockets", None),
        ("postgresql://%2Fvar%2Frun/app", "/var/run", None),
        ("postgresql://[::1]:7/app", "::1", "7"),
        ("postgresql:///app?host=one:1&host=two:2", "one,two", "1,2"),
        ("postgresql:///app?host=one&port=9", "one", "9"),
        ("postgresql:///app", None, None),
    ],
)
def test_hosts(url: str, host: str | None, port: str | None) -> None:
    parameters = parse_url(url).parameters
    assert (parameters.get("host"), parameters.get("port"), parameters["dbname"]) == (host, port, "app")


def test_special_characters_in_a_password() -> None:
    assert parse_url("postgres://me:p%40s%2Fs%3A@h/d").parameters["password"] == "p@s/s:"
    assert parse_url("postgres://me@h/d?password=a%20b").parameters["password"] == "a b"


@pytest.mark.parametrize(
    "url",
    [
        f"postgres://me:{SECRET}@h/d",
        f"postgres://me@h/d?password={SECRET}&sslmode=disable",
        f"postgres://me@h/d?sslpassword={SECRET}",
    ],
)
def test_what_is_shown_holds_no_password(url: str) -> None:
    target = parse_url(url)
    assert "h/d" in target.shown
    assert "me@" in target.shown
    assert SECRET not in target.shown + repr(target)
    assert "***" not in target.shown


def test_what_libpq_takes_is_taken() -> None:
    for tail in ("sslmode=verify-full&sslrootcert=system", "connect_timeout=0", "target_session_attrs=any"):
        parse_url(f"postgres://me@one.invalid:1/d?{tail}")
    parse_url("postgres://me@/d?host=one:1&host=two:2&gssencmode=disable")
    parse_url("postgres://me@/d?hostaddr=127.0.0.1,127.0.0.2&port=1,2")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://me:hunter2@h/d", "unknown database URL scheme 'mysql'"),
        ("postgress://me:hunter2@h/d", "did you mean 'postgres'"),
        ("hunter2", "must look like"),
        ("postgres:hunter2", "must look like"),
        ("postgres://me:x@hunter2@h/d", "%40"),
        ("postgres://h:hunter2/d", "is the port a number"),
        ("postgres://one:1,two:hunter2/d", "several hosts"),
        ("postgres://me:hunter2@h/d?sslmod=disable", "did you mean 'sslmode'"),
        ("postgres://me:hunter2@h:99999/d", "port in the database URL must be a number from 1 to 65535"),
        ("postgres://me:hunter2@/d?host=h:0", "port in the database URL must be a number from 1 to 65535"),
        ("postgres://me:hunter2@/d?host=h:hunter2", "port in the database URL must be a number"),
        ("postgres://me:hunter2@h/d?sslmode=bogus", "the database URL: invalid sslmode value: .bogus"),
        ("postgres://me:hunter2@/d?host=one,two&port=1,2,3", "could not match 3 port numbers to 2 hosts"),
        ("postgres://me:hunter2@h/d?connect_timeout=soon", "'connect_timeout' .* must be a whole number"),
    ],
)
def test_bad_urls_get_a_sentence_without_the_password(url: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        parse_url(url)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
