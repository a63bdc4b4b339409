"""Which server it is, by what fake servers say of themselves, and what is promised there."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

import txfuzz_mariadb.database
from mariadb_server import needs_mariadb
from txfuzz.analysis.checker.consistency import canonical
from txfuzz.errors import UsageError
from txfuzz_mariadb.adapter import MariadbAdapter
from txfuzz_mariadb.products import INNODB, RELEASES, WITH_SNAPSHOTS, Server, refuse_other_levels, server_of

SAID = [
    ("10.11.19-MariaDB-0+deb12u1", "Debian 12", "MariaDB 10.11.19", False),
    ("5.5.5-10.6.12-MariaDB-log", "mariadb.org binary distribution", "MariaDB 10.6.12", None),
    ("10.6.18-MariaDB", "", "MariaDB 10.6.18", False),
    ("10.11.7-MariaDB", "", "MariaDB 10.11.7", None),
    ("11.8.2-MariaDB-ubu2404", "", "MariaDB 11.8.2", True),
    ("8.0.36", "MySQL Community Server - GPL", "MySQL 8.0.36", None),
    ("9.1.0", "MySQL Community Server - GPL", "MySQL 9.1.0", None),
    ("8.4.0-log", "MySQL Enterprise - Commercial", "MySQL 8.4.0", None),
    ("8.0.36-28", "Percona Server (GPL), Release 28, Revision 47601f19", "Percona Server 8.0.36", None),
    ("8.0.11-TiDB-v8.1.0", "TiDB Server (Apache License 2.0) Community Edition", "TiDB 8.1.0", None),
]
STRANGERS = [
    ("5.7.25-OceanBase-v4.3.0", "OceanBase 4.3.0"),
    ("5.7.32", "SingleStoreDB source distribution (compatible; MySQL Enterprise & Commercial)"),
    ("8.0.30-Vitess", "Version: 19.0.0 MySQL"),
    ("8.0.28", "Source distribution"),
]


@pytest.mark.parametrize(("version", "comment", "known", "snapshots"), SAID, ids=[each[2] for each in SAID])
def test_a_server_is_known_by_its_version(
    version: str, comment: str, known: str, snapshots: bool | None
) -> None:
    server = server_of(version, comment)
    assert str(server) == known
    assert server.release is not None
    assert server.release.snapshots is snapshots
    assert (server.release.levels == WITH_SNAPSHOTS) == (snapshots is True)


@pytest.mark.parametrize(("version", "comment"), STRANGERS, ids=[each[0] for each in STRANGERS])
def test_a_stranger_is_not_taken_for_mysql(version: str, comment: str) -> None:
    server = server_of(version, comment)
    assert server == Server("")
    assert "nothing is known" in server.unknown


def test_what_is_not_known_is_said() -> None:
    assert server_of("10.11.19-MariaDB", "").unknown == ""
    assert "taken from its manual" in server_of("8.0.36", "MySQL Community Server - GPL").unknown
    newer = server_of("99.1.0-MariaDB", "").unknown
    assert newer.startswith("this server is MariaDB 99.1.0, newer than what is known here")
    assert "nothing is known" in server_of("3.23.58", "MySQL").unknown


def test_the_levels_of_tidb_are_others() -> None:
    levels = MariadbAdapter(product="tidb").capabilities().isolation
    # Pessimistic transactions, the default there, may change what has changed since their snapshot
    assert levels == {"read committed": "read-committed", "repeatable read": "read-committed"}
    assert MariadbAdapter().capabilities().isolation == INNODB
    tidb, mysql = server_of("8.0.11-TiDB-v8.1.0", ""), server_of("9.1.0", "MySQL")
    with pytest.raises(UsageError, match=r"this server is TiDB 8\.1\.0, .* product: tidb"):
        refuse_other_levels(tidb, "innodb")
    with pytest.raises(UsageError, match="product: innodb"):
        refuse_other_levels(mysql, "tidb")
    refuse_other_levels(tidb, "tidb")
    with pytest.raises(UsageError, match="leave it out"):
        MariadbAdapter(product="tidb", innodb_snapshot_isolation=True)


def test_the_rows_of_a_product_go_upwards_and_promise_what_is_known() -> None:
    for one, other in pairwise(RELEASES):
        assert one.product != other.product or one.since < other.since
    assert {canonical(model) for each in RELEASES for model in each.levels.values()}
    assert all(each.source.startswith("https://") for each in RELEASES)


@needs_mariadb
@pytest.mark.server
def test_an_open_server_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    real = txfuzz_mariadb.database.describe_settings
    said: dict[str, str] = {}

    def fake(link: Any) -> dict[str, str]:
        return {**real(link), **said}

    monkeypatch.setattr(txfuzz_mariadb.database, "describe_settings", fake)
    with MariadbAdapter().open(None) as running, running.scenario(()) as tables:  # type: ignore[attr-defined]
        url = without_settings(tables.url())
        said.update(version="9.1.0", comment="MySQL Community Server - GPL")
        with MariadbAdapter().open(url) as mysql:
            assert mysql.describe()["product"] == "MySQL"
            assert any("this server is MySQL 9.1.0" in each for each in mysql.warnings())
        said.update(version="8.0.11-TiDB-v8.1.0", comment="TiDB Server")
        with pytest.raises(UsageError, match="product: tidb"):
            MariadbAdapter().open(url)


def without_settings(url: str) -> str:
    """What our own URLs hold; the adapter sets the rest itself."""
    from sqlalchemy.engine import make_url

    return make_url(url).difference_update_query(["init_command", "charset"]).render_as_string(False)
