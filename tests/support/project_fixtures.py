"""Fixtures for several tests: a directory for plugins, and the command line in this process."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from environments import installed
from txfuzz.workload.campaign import SmallScope

__all__ = ["installed"]

THIRD = Path(__file__).parents[1] / "third"


@dataclass(frozen=True)
class Site:
    """A directory with distributions as pip would install them, without pip."""

    path: Path

    def add(self, distribution: str, module: str, code: str, version: str = "1.0") -> None:
        """A distribution of one module, which is its plugin."""
        (self.path / f"{module}.py").write_text(textwrap.dedent(code))
        self._metadata(distribution, module, version)

    def add_third(self) -> None:
        """The plugin of tests/third."""
        shutil.copytree(
            THIRD / "txfuzz_third", self.path / "txfuzz_third", ignore=shutil.ignore_patterns("__*")
        )
        shutil.copy(THIRD / "txfuzz_third" / "__init__.py", self.path / "txfuzz_third")
        self._metadata("txfuzz-third", "txfuzz_third", "3.1")

    def _metadata(self, distribution: str, module: str, version: str) -> None:
        info = self.path / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[txfuzz]\n{module} = {module}\n")


@pytest.fixture(autouse=True)
def small_scope(monkeypatch: pytest.MonkeyPatch) -> None:
    """Campaigns in this process begin with the crowd unless they ask for a small-scope search. Modules that
    test the search override this fixture."""
    settings = "txfuzz.campaign.setup.settings"
    monkeypatch.setattr(f"{settings}.DEFAULT_SMALL_SCOPE", SmallScope(schedules=0))


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    path = tmp_path_factory.mktemp("site")
    monkeypatch.syspath_prepend(str(path))
    forget = [name for name in sys.modules if name.startswith("txfuzz_third")]
    for name in forget:
        del sys.modules[name]
    known = set(sys.modules)
    yield Site(path)
    for name in set(sys.modules) - known:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(path)):
            del sys.modules[name]


@dataclass(frozen=True)
class Ran:
    """The result of a command line."""

    code: int
    out: str
    err: str


@pytest.fixture
def txfuzz(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Ran]:
    """Run a command in an empty directory, without the environment's own database."""
    from txfuzz.cli import main

    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Ran:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return Ran(int(ended.value.code or 0), said.out, said.err)

    return run
