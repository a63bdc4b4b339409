"""Finding the MariaDB server's files."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from txfuzz.plugin_api import DatabaseUnavailable

BIN_VARIABLE = "TXFUZZ_MARIADB_BIN"
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
    def shown(self) -> str:
        return f"{self.origin}: {self.mariadbd}"


def find_server() -> ServerFiles:
    """The first server that can be executed, in the documented order.

    Only the directory TXFUZZ_MARIADB_BIN if that is set; else PATH, then the usual directories.
    """
    found, problems = installed_servers()
    if found:
        return found[0]
    if problems:
        raise DatabaseUnavailable("no MariaDB server can be started: " + "; ".join(problems))
    raise DatabaseUnavailable(
        "no MariaDB server is installed: install mariadb-server, "
        f"set {BIN_VARIABLE} to the directory of mariadbd, or give the URL of a running server"
    )


def installed_servers() -> tuple[list[ServerFiles], list[str]]:
    """All servers that can be executed, best first, and what is wrong with the others."""
    looked = [server_files(mariadbd, origin) for mariadbd, origin in dict(candidates()).items()]
    return (
        [each for each in looked if isinstance(each, ServerFiles)],
        [each for each in looked if isinstance(each, str)],
    )


def candidates() -> Iterator[tuple[Path, str]]:
    """Paths that may be a server, best first, each with its origin in words."""
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
