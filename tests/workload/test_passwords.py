"""Passwords never get out of a workload file."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from txfuzz.common.secrets import masked, without_password, without_secrets
from txfuzz.errors import WorkloadError
from workload_words import parse


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("postgres://ann:hunter2@db.example:5432/test?sslmode=disable",
         "postgres://ann@db.example:5432/test?sslmode=disable"),
        ("postgres://ann@db/test", "postgres://ann@db/test"),
        ("postgres://db:5432/test", "postgres://db:5432/test"),
        ("postgres://:hunter2@db/test", "postgres://db/test"),
        ("postgres://ann:hunter2:2@db/", "postgres://ann@db/"),
        ("postgres://ann:hunt/er2@db/", "postgres://ann@db/"),
        ("postgres://ann:hunt@er2@db/", "postgres://ann@db/"),
        ("postgres://ann:hunt?er2@db/x?a=b", "postgres://ann@db/x?a=b"),
        ("postgresql+psycopg://db/test?password=hunter2&a=b", "postgresql+psycopg://db/test?a=b"),
        ("postgres://db/test?a=b&password=hunter2", "postgres://db/test?a=b"),
        ("postgres://db/test?password=hunter2", "postgres://db/test"),
        ("postgres://db/test?pass%77ord=hunter2", "postgres://db/test"),
        ("postgres://db/test?sslpassword=hunter2&user=ann", "postgres://db/test?user=ann"),
        ("postgres://db/test?user=ann;password=hunter2", "postgres://db/test"),
        ("postgres://db/test?PASSWORD=hunter#2", "postgres://db/test"),
        ("host=db password=hunter2 dbname=x", "host=db dbname=x"),
        ("host=db password = 'hunter 2' dbname=x", "host=db dbname=x"),
        ("host=db password='hunter\\' 2", "host=db "),
        ("no secret", "no secret"),
        ("key = :pass_count", "key = :pass_count"),
    ],
)  # fmt: skip
def test_without_password(text: str, left: str) -> None:
    assert without_password(text) == left
    assert without_password(left) == left


@given(st.text("abc123@:/?#&%' =", min_size=1).map(lambda noise: f"h{noise}unter2"))
def test_whatever_the_password_is_made_of(password: str) -> None:
    assert "unter2" not in without_password(f"postgres://ann:{password}@db/test")


@given(st.text("abc123@:/?#=%+", min_size=1).map(lambda noise: f"h{noise}unter2"))
def test_whatever_the_password_in_the_query_is_made_of(password: str) -> None:
    assert "unter2" not in without_password(f"postgres://db/test?password={password}&user=ann")


def test_options() -> None:
    options = {
        "replica": "postgres://u:hunter2@h",
        "password": "hunter2",
        "deep": {"api_key": 12345, "hosts": ["postgres://u:hunter2@h", 5]},
        "passes": 3,
    }
    assert masked(options) == {
        "replica": "postgres://u@h",
        "password": "…",
        "deep": {"api_key": 0, "hosts": ["postgres://u@h", 5]},
        "passes": 3,
    }
    assert without_secrets(options) == {
        "replica": "postgres://u@h",
        "deep": {"hosts": ["postgres://u@h", 5]},
        "passes": 3,
    }


SECRET = "hunter2"
ONE = "workload: {transactions: [{name: a, steps: [{f: r, key: 1}]}]}\n"
URL = f"postgres://ann:{SECRET}@db/test"


@pytest.mark.parametrize(
    "text",
    [
        f"version: 1\ndatabase: {URL}\nworkload: {{}}\n",
        f"version: '{URL}'\n",
        f"version: 1\nname: ['{URL}']\nworkload: {{}}\n",
        f"version: 1\nseed: '{URL}'\n{ONE}",
        f"version: 1\nexpect: '{URL}'\n{ONE}",
        f"version: 1\ndatabase: {{adapter: '{URL}'}}\nworkload: {{}}\n",
        f"version: 1\ndatabase: {{adapter: postgres, isolation: '{URL}'}}\nworkload: {{}}\n",
        f"version: 1\ndatabase: {{adapter: postgres, append: '{URL}'}}\nworkload: {{}}\n",
        f"version: 1\ndatabase: {{'{URL}': 1}}\nworkload: {{}}\n",
        f"version: 1\n'{URL}': 1\nworkload: {{}}\n",
        f"version: 1\n{URL}\nworkload: {{}}\n",
        f"'{URL}': 1\n'{URL}': 1\n",
        f"version: 1\ndatabase: {{url: *{SECRET}}}",
    ],
)
def test_no_complaint_quotes_one(text: str) -> None:
    with pytest.raises(WorkloadError) as caught:
        parse(text)
    if f"*{SECRET}" not in text:  # the name of an alias is no password
        assert SECRET not in str(caught.value)
