"""Servers of several versions, found where they are; nothing of them is started here."""

from __future__ import annotations

from pathlib import Path

import pytest

from txfuzz.errors import DatabaseUnavailable
from txfuzz_mariadb.adapter import MariadbAdapter


def pretended(directory: Path, version: str) -> None:
    directory.mkdir(parents=True)
    (directory / "mariadbd").write_text(f"#!/bin/sh\necho 'mariadbd  Ver {version}-MariaDB for Linux'\n")
    (directory / "mariadb-install-db").write_text("#!/bin/sh\n")
    for path in directory.iterdir():
        path.chmod(0o755)


def test_servers_below_a_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pretended(tmp_path / "11" / "bin", "11.4.2")
    pretended(tmp_path / "10" / "sbin", "10.6.18")
    monkeypatch.setenv("TXFUZZ_MARIADB_BIN", str(tmp_path / "10" / "sbin"))
    for adapter, versions in (
        (MariadbAdapter(server=str(tmp_path)), ["10.6.18", "11.4.2"]),
        (MariadbAdapter(), ["10.6.18"]),
        (MariadbAdapter(version="11.4", server=str(tmp_path)), ["11.4.2"]),
    ):
        assert [each.version for each in adapter.startable()] == versions
    with pytest.raises(DatabaseUnavailable, match=r"no MariaDB 12 can be started: there is only 10\.6\.18"):
        MariadbAdapter(version=12).open(None)
