"""The embedded MariaDB and one by URL: starting, clean-up, and keeping secrets."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mariadb_server import needs_mariadb
from project_fixtures import Ran
from txfuzz.common.kind import Kind
from txfuzz.errors import DatabaseUnavailable, UsageError
from txfuzz.testing.sessions import read, transact, write
from txfuzz_mariadb.adapter import MariadbAdapter
from txfuzz_mariadb.protocol.connection import Link
from txfuzz_mariadb.protocol.url import Target
from txfuzz_mariadb.server import files as server_files
from txfuzz_mariadb.server.launcher import EmbeddedServer, launch

pytestmark = [needs_mariadb, pytest.mark.server]
LISTS = Kind.LIST_APPEND
SECRET = "s3cret'\" ü@/:"
IN_URL = "s3cret%27%22%20%C3%BC%40%2F%3A"


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with launch() as running:
        yield running


@pytest.fixture
def root(server: EmbeddedServer) -> Iterator[Link]:
    link = Link(Target("", unix_socket=str(server.socket), parameters={"user": server.user}))
    yield link
    link.close()


@pytest.fixture
def user(root: Link) -> Iterator[str]:
    """A user with a password and only the privileges that a campaign needs."""
    root.run("CREATE USER ada@localhost IDENTIFIED BY %s", (SECRET,))
    root.run("GRANT ALL ON `txfuzz\\_%%`.* TO ada@localhost", ())
    yield "ada"
    root.run("DROP USER ada@localhost")


def url(server: EmbeddedServer, user: str = "root", password: str = "") -> str:
    return f"mysql://{user}{password and ':' + password}@/?unix_socket={server.socket}"


def schemas(root: Link) -> set[str]:
    return {name for (name,) in root.rows("SHOW DATABASES")}


# -- embedded -------------------------------------------------------------------------------


def test_it_runs_where_only_we_reach_it_and_leaves_nothing() -> None:
    with launch() as server:
        link = Link(Target("", unix_socket=str(server.socket), parameters={"user": server.user}))
        assert link.run("SELECT @@skip_networking, @@innodb_rollback_on_timeout").row == (1, 1)
        link.close()
        assert stat.S_IMODE(server.directory.stat().st_mode) == 0o700
        if os.geteuid() == 0:
            assert Path(f"/proc/{server.pid}").stat().st_uid != 0
    assert not server.directory.exists()
    assert not Path(f"/proc/{server.pid}").exists()
    server.close()


def test_a_server_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    base = Path(tempfile.mkdtemp(prefix="txfuzz test "))
    base.chmod(0o755)
    monkeypatch.setattr(tempfile, "tempdir", str(base))
    with pytest.raises(DatabaseUnavailable, match="no-such-setting"):
        launch({"no_such_setting": "1"})
    assert not list(base.iterdir())
    base.rmdir()


PARENT = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs begin without it
from txfuzz_mariadb.server.launcher import launch
server = launch()
try:
    print(server.pid, server.directory, flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print(server.running(), flush=True)
    server.close()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_nothing_stays_however_txfuzz_ends(how: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as parent:
        assert parent.stdout is not None
        pid, directory = parent.stdout.readline().split()
        if how is signal.SIGINT:
            os.killpg(parent.pid, how)  # as the terminal does: everybody in the foreground group
            assert parent.stdout.readline() == "True\n"
        else:
            parent.kill()
    assert eventually(lambda: not Path(f"/proc/{pid}").exists())
    assert eventually(lambda: not Path(directory).exists())


def eventually(condition: Callable[[], bool], seconds: float = 20) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def test_a_killed_server_keeps_what_was_committed() -> None:
    with MariadbAdapter().open(None) as database:
        database.prepare(LISTS, fresh=True)
        session = database.session(LISTS)
        transact(session, "serializable", write(LISTS, 1, 7))
        assert database.injector().kill() == 1
        session.close()
        database.injector().restart()
        session = database.session(LISTS)
        assert transact(session, "serializable", read(1)) == [(7,)]
        session.close()


def test_which_servers_are_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = MariadbAdapter().servers()
    assert found[0].startswith("MariaDB 1")
    monkeypatch.setenv("TXFUZZ_MARIADB_BIN", str(tmp_path))
    assert MariadbAdapter().servers() == (f"not usable: there is no {tmp_path / 'mariadbd'}",)
    with pytest.raises(DatabaseUnavailable, match="no MariaDB server can be started: there is no"):
        launch()
    monkeypatch.setattr(server_files, "candidates", lambda below: iter(()))
    with pytest.raises(DatabaseUnavailable, match="install mariadb-server"):
        launch()


# -- by URL ----------------------------------------------------------------------------------


def test_a_campaign_leaves_nothing_on_a_foreign_server(server: EmbeddedServer, root: Link, user: str) -> None:
    before = schemas(root)
    with MariadbAdapter().open(url(server, user, IN_URL)) as database:
        database.prepare(LISTS, fresh=True)
        session = database.session(LISTS)
        transact(session, "serializable", write(LISTS, 1, 7))
        session.close()
        assert len(schemas(root) - before) == 1
        told = [*database.describe().items(), *database.warnings(), repr(database), repr(vars(session))]
        assert "s3cret" not in str(told)
        assert any("PROCESS" in sentence for sentence in database.warnings())
        assert not hasattr(database, "waiting")
    assert schemas(root) == before


def test_what_a_killed_campaign_left_is_dropped(server: EmbeddedServer, root: Link) -> None:
    for name in ("txfuzz_left", "txfuzz_users"):
        root.run(f"CREATE DATABASE {name}")
    root.run(
        "CREATE TABLE txfuzz_left.txfuzz_mark (id INT) "
        "COMMENT 'made by txfuzz for one campaign, dropped when it is over'"
    )
    with MariadbAdapter().open(url(server)), MariadbAdapter().open(url(server)):
        ours = {name for name in schemas(root) if name.startswith("txfuzz_")}
        assert "txfuzz_left" not in ours
        assert "txfuzz_users" in ours
        assert len(ours) == 3  # the second campaign has left the first one's alone
    root.run("DROP DATABASE txfuzz_users")


def test_a_database_of_ones_own_is_kept_and_used_once_at_a_time(server: EmbeddedServer, root: Link) -> None:
    adapter = MariadbAdapter(schema="mine`%s")
    with adapter.open(url(server)) as database:
        database.prepare(LISTS, fresh=True)
        session = database.session(LISTS)
        transact(session, "serializable", write(LISTS, 4, 7))
        session.close()
        with pytest.raises(UsageError, match="another campaign is using"):
            adapter.open(url(server))
    with adapter.open(url(server)) as database:
        assert database.prepare(LISTS, fresh=False) == 4
    root.run("DROP TABLE `mine``%%s`.txfuzz_list_append", ())
    root.run("CREATE TABLE `mine``%%s`.txfuzz_list_append (a INT)", ())
    with adapter.open(url(server)) as database, pytest.raises(UsageError, match="not a txfuzz table"):
        database.prepare(LISTS, fresh=False)
    root.run("DROP DATABASE `mine``%%s`", ())


@pytest.mark.parametrize(
    ("adapter", "where", "said"),
    [
        ({}, "mysql://ada:wr0ng@/?unix_socket={socket}", "Access denied for user 'ada'"),
        ({}, "mysql://ada:wr0ng@127.0.0.1:1/", "refused"),
        ({}, "mysql://ada:wr0ng@/?unix_socket=/nowhere", "No such file"),
        ({"schema": "mysql_not_mine"}, "mysql://ada:{secret}@/?unix_socket={socket}", "Access denied"),
    ],
)
def test_what_cannot_be_reached_says_so_in_a_sentence(
    server: EmbeddedServer, user: str, adapter: dict[str, Any], where: str, said: str
) -> None:
    with pytest.raises(DatabaseUnavailable) as caught:
        MariadbAdapter(**adapter).open(where.format(socket=server.socket, secret=IN_URL))
    assert said in str(caught.value)
    for secret in ("wr0ng", "s3cret"):
        assert secret not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_password_reaches_no_artefact(
    server: EmbeddedServer, user: str, tmp_path: Path, txfuzz: Callable[..., Ran]
) -> None:
    workload = tmp_path / "w.yaml"
    workload.write_text(
        "version: 1\ndatabase: {adapter: mariadb, isolation: serializable}\nworkload:\n  transactions:\n"
        "    - {name: t, steps: [{f: r, key: 1}, {f: append, key: 1}]}\n"
        "scheduling: {clients: 3, transactions: 60}\n"
    )
    where = url(server, user, IN_URL)
    ran = txfuzz("run", "--workload", workload, "--database-url", where, "--output-dir", tmp_path / "run",
                 "--iterations", "1")  # fmt: skip
    assert ran.code == 0, ran.err
    texts = [path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert len(texts) > 5
    for text in (*texts, (ran.out + ran.err).encode()):
        assert b"s3cret" not in text
