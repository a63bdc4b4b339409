"""Fresh environments: one with the distributions installed, and others based on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


class Environment:
    """A virtual environment, and an empty directory to work in.

    source: a copy of the project, so that nothing is left in the original.
    """

    def __init__(self, path: Path, source: Path, *, base: Environment | None = None) -> None:
        self.bin = path / "venv with a space" / "bin"
        self.directory = path / "work"
        self.source = source
        self.directory.mkdir()
        without = ["--without-pip"] if base else []
        subprocess.run([sys.executable, "-m", "venv", *without, str(self.bin.parent)], check=True)
        if base:
            (self.packages / "base.pth").write_text(f"import site; site.addsitedir({str(base.packages)!r})\n")
            self._script("txfuzz", "from txfuzz.cli import main; main()")

    @property
    def packages(self) -> Path:
        (found,) = self.bin.parent.glob("lib/python*/site-packages")
        return found

    def _script(self, name: str, code: str) -> None:
        """As pip writes them; a first line of the kernel's could not hold the blank."""
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n'''exec' \"{self.bin}/python\" \"$0\" \"$@\"\n' '''\n{code}\n")
        path.chmod(0o755)

    def install(self, *arguments: str | Path) -> None:
        command = [self.bin / "python", "-m", "pip", "install", "--quiet"]
        subprocess.run([*command, *map(str, arguments)], check=True, timeout=500, env=self.variables())

    def variables(self, *, offline: bool = False) -> dict[str, str]:
        """offline: nothing is downloaded, and builds use the installed packages."""
        given = {
            name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "PYTHONPATH")
        }
        given["PATH"] = f"{self.bin}{os.pathsep}{given['PATH']}"
        given |= {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
        return given | ({"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"} if offline else {})

    def run(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run a command in the directory. stdout contains what a terminal would show."""
        return subprocess.run(
            list(command),
            cwd=self.directory,
            env=self.variables(offline=True),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=200,
            check=False,
        )

    def txfuzz(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.bin / "txfuzz"), *arguments],
            cwd=self.directory,
            env=self.variables(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def child(self, path: Path) -> Environment:
        """An environment with the packages of this one, which it does not change."""
        return Environment(path, self.source, base=self)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The distributions of this project, and the packages to build and test others."""
    path = tmp_path_factory.mktemp("install")
    path.chmod(0o755)
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    ).stdout.decode()
    source = path / "source"
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    environment = Environment(path, source)
    environment.install(
        "--constraint", source / "constraints.txt", source, source / "plugins/postgres",
        source / "plugins/heuristics", source / "plugins/sqlite", "pytest", "hatchling", "editables",
    )  # fmt: skip
    return environment
