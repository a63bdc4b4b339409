"""Finding the MariaDB server's files."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from txfuzz.plugin_api import DatabaseUnavailable, is_version, listed, version_order

BIN_VARIABLE = "TXFUZZ_MARIADB_BIN"
SERVERS_VARIABLE = "TXFUZZ_MARIADB_SERVERS"
# Where servers are below a directory that has several
BELOW = ("", "bin", "sbin", "libexec", "*/bin", "*/sbin", "*/libexec")
# Besides PATH, which for ordinary users may lack the directories of servers.
USUAL = ("/usr/sbin", "/usr/local/sbin", "/usr/libexec", "/usr/local/mysql/bin", "/opt/homebrew/bin")
INSTALLERS = ("mariadb-install-db", "mysql_install_db")


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """mariadbd: the server. installer: creates a data directory. origin: where it was found."""

    mariadbd: Path
    installer: Path
    version: str
    origin: str

    @property
    def number(self) -> str:
        """Without what distributions add: "10.11.6"."""
        return re.split(r"[-+~]", self.version)[0]

    @property
    def shown(self) -> str:
        return f"{self.origin}: {self.mariadbd}"


def find_server(version: str | None = None, below: str | None = None) -> ServerFiles:
    """The first server that can be executed, in the documented order.

    What is below the directory `below`; then only the directory TXFUZZ_MARIADB_BIN if that is set; else PATH,
    the usual directories, and what is below the directories in TXFUZZ_MARIADB_SERVERS. version: only this
    one, such as "10.11".
    """
    found, problems = installed_servers(below)
    wanted = [each for each in found if version is None or is_version(each.number, version)]
    if wanted:
        return wanted[0]
    if found:
        there = listed(each.number for each in versions_of(found))
        raise DatabaseUnavailable(
            f"no MariaDB {version} can be started: there is only {there}; name a directory with others by "
            f"the option `server` or {SERVERS_VARIABLE}"
        )
    if problems:
        raise DatabaseUnavailable("no MariaDB server can be started: " + "; ".join(problems))
    raise DatabaseUnavailable(
        "no MariaDB server is installed: install mariadb-server, "
        f"set {BIN_VARIABLE} to the directory of mariadbd, or give the URL of a running server"
    )


def installed_servers(below: str | None = None) -> tuple[list[ServerFiles], list[str]]:
    """All servers that can be executed, best first, and what is wrong with the others."""
    looked = [server_files(mariadbd, origin) for mariadbd, origin in dict(candidates(below)).items()]
    return (
        [each for each in looked if isinstance(each, ServerFiles)],
        [each for each in looked if isinstance(each, str)],
    )


def versions_of(found: Sequence[ServerFiles]) -> list[ServerFiles]:
    """One of each version, the best of them, oldest first."""
    best: dict[str, ServerFiles] = {}
    for each in found:
        best.setdefault(each.number, each)
    return sorted(best.values(), key=lambda each: version_order(each.number))


def candidates(below: str | None = None) -> Iterator[tuple[Path, str]]:
    """Paths that may be a server, best first, each with its origin in words."""
    if below is not None:
        yield from _below(below, "option server")
    own = os.environ.get(BIN_VARIABLE)
    if own:
        yield Path(own).expanduser().absolute() / "mariadbd", BIN_VARIABLE
        return
    on_path = shutil.which("mariadbd")
    if on_path:
        yield Path(on_path).absolute(), "PATH"
    for directory in USUAL:
        if Path(directory, "mariadbd").is_file():
            yield Path(directory, "mariadbd"), "local installation"
    for each in filter(None, os.environ.get(SERVERS_VARIABLE, "").split(os.pathsep)):
        yield from _below(each, SERVERS_VARIABLE)


def _below(directory: str, origin: str) -> Iterator[tuple[Path, str]]:
    root = Path(directory).expanduser().absolute()
    found = {
        path / "mariadbd"
        for pattern in BELOW
        for path in (root.glob(pattern) if pattern else [root])
        if (path / "mariadbd").is_file()
    }
    for path in sorted(found) or [root / "mariadbd"]:
        yield path, origin


def server_files(mariadbd: Path, origin: str) -> ServerFiles | str:
    """The server, or what is wrong with it."""
    if not mariadbd.is_file():
        return f"there is no {mariadbd}"
    installer = find_installer(mariadbd)
    if installer is None:
        return f"{mariadbd}: there is no {INSTALLERS[0]} beside it or on PATH"
    try:
        return ServerFiles(mariadbd, installer, server_version(mariadbd), origin)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        return f"{mariadbd} does not run: {error}"


def find_installer(mariadbd: Path) -> Path | None:
    """In `bin` or `scripts` of the installation whose `bin`, `sbin` or `libexec` has the server."""
    prefix = mariadbd.parent.parent
    for name in INSTALLERS:
        for directory in (mariadbd.parent, prefix / "bin", prefix / "scripts"):
            if (directory / name).is_file():
                return directory / name
    on_path = shutil.which(INSTALLERS[0])
    return Path(on_path) if on_path else None


def server_version(mariadbd: Path) -> str:
    """What `mariadbd --version` says, such as "10.11.6-MariaDB"."""
    done = subprocess.run(
        [mariadbd, "--no-defaults", "--version"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd="/",
    )
    found = re.search(r"\bVer (\d+[\w.+~-]*)", done.stdout)
    if done.returncode or not found:
        reason = (done.stderr or done.stdout).strip().splitlines()
        raise ValueError(reason[-1] if reason else f"exit code {done.returncode}")
    return found[1]
