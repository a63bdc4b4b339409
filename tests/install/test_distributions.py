"""What is released: the distributions agree with each other, and each is built from its own files."""

from __future__ import annotations

import re
import subprocess
import tarfile
import tomllib
import zipfile
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

import pytest

from environments import Environment
from pages import ROOT
from txfuzz.common.version import __version__

FILES = (ROOT / "pyproject.toml", *sorted(ROOT.glob("plugins/*/pyproject.toml")))
PROJECTS: dict[str, dict[str, Any]] = {
    project["name"]: project
    for project in (tomllib.loads(file.read_text(encoding="utf-8"))["project"] for file in FILES)
    if project["name"] != "txfuzz-example"  # what `txfuzz new-plugin` writes
}
FOLDERS = {
    name: next(file.parent for file in FILES if f'name = "{name}"' in file.read_text()) for name in PROJECTS
}
CORE, DEFAULT = PROJECTS["txfuzz-core"], PROJECTS["txfuzz"]
OPTIONAL = {"mariadb", "sqlite", "duckdb", "sqlalchemy"}  # plugins that the default campaign does not need


def test_all_have_the_same_version() -> None:
    assert {name: project["version"] for name, project in PROJECTS.items()} == dict.fromkeys(
        PROJECTS, __version__
    )


def test_the_default_distribution_is_of_one_version() -> None:
    extras = DEFAULT["optional-dependencies"]
    pinned = [*DEFAULT["dependencies"], *(each for group in extras.values() for each in group)]
    assert all(re.fullmatch(rf"txfuzz-[a-z]+(\[dask\])?=={re.escape(__version__)}", each) for each in pinned)
    assert {re.split(r"[\[=]", each)[0] for each in pinned} == PROJECTS.keys() - {"txfuzz"}
    assert {each.split("=")[0] for each in DEFAULT["dependencies"]} == (
        {"txfuzz-core", "txfuzz-heuristics", "txfuzz-postgres", "txfuzz-templates"}
    )
    assert set(extras) == {*OPTIONAL, "dask", "all"}
    assert {*extras["all"]} == {each for name, group in extras.items() if name != "all" for each in group}
    assert DEFAULT["scripts"] == CORE["scripts"]


def test_what_the_core_offers_is_what_there_is() -> None:
    major, minor = __version__.split(".")[:2]
    bounds = f">={major}.{minor},<{major}.{int(minor) + 1}"
    extras = CORE["optional-dependencies"]
    offered = {name for name, group in extras.items() if any(each.startswith("txfuzz-") for each in group)}
    assert offered == {"default", *OPTIONAL}
    names = {each.removesuffix(bounds) for name in offered for each in extras[name]}
    assert names == PROJECTS.keys() - {"txfuzz", "txfuzz-core"}
    for name in names:
        assert f"txfuzz-core{bounds}" in PROJECTS[name]["dependencies"], name
    assert not any(each.startswith("txfuzz") for each in CORE["dependencies"])


@pytest.mark.parametrize("name", PROJECTS)
def test_metadata_are_complete(name: str) -> None:
    project = PROJECTS[name]
    assert project["license"] == CORE["license"]
    assert project["license-files"] == ["LICENSE"]
    assert (FOLDERS[name] / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert project["requires-python"] == CORE["requires-python"]
    assert project["urls"] == CORE["urls"]
    assert project["classifiers"] == CORE["classifiers"]
    assert len(project["keywords"]) > 3
    assert 20 < len(project["description"]) < 150


def test_other_places_know_all_of_them() -> None:
    plugins = {folder.name for folder in FOLDERS.values()} - {ROOT.name}
    [listed] = re.findall(r"^PLUGINS := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(listed.split()) == plugins
    container = (ROOT / "Containerfile").read_text(encoding="utf-8")
    assert set(re.findall(r"\./plugins/(\w+)", container)) == plugins
    assert set(re.findall(r"txfuzz\[([\w,]+)\]", container)[0].split(",")) == OPTIONAL
    page = (ROOT / "docs/how-to/releasing.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(txfuzz(?:-\w+)?)`", page)) >= PROJECTS.keys()


def test_the_image_runs_as_an_ordinary_user() -> None:
    lines = (ROOT / "Containerfile").read_text(encoding="utf-8").splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users == ["1000"]
    assert any(f"--uid {users[0]} " in line for line in lines)
    assert 'ENTRYPOINT ["txfuzz"]' in lines
    assert 'VOLUME ["/runs"]' in lines


def test_running_needs_no_linters() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipes = dict(re.findall(r"^(\$?\(?[\w-]+\)?): (.*(?:\n\t.*)*)", makefile, re.MULTILINE))
    assert recipes["demo"].startswith("$(READY)\n")
    assert "[dev]" not in recipes["$(READY)"]
    assert "'.[dev]'" in recipes["$(DEVELOPMENT)"]
    for target in ("test", "check", "snapshots", "coverage", "bench", "docs", "pictures", "release"):
        assert re.match(r"\$\(DEVELOPMENT\)\s", recipes[target]), target


@pytest.mark.install
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ["txfuzz-core", "txfuzz"])
@pytest.mark.slow
def test_a_wheel_is_the_same_from_the_source_distribution(
    name: str, installed: Environment, tmp_path: Path
) -> None:
    folder = installed.source / FOLDERS[name].relative_to(ROOT)
    plain = f"{name.replace('-', '_')}-{__version__}"

    def built(where: Path, out: str) -> dict[str, bytes]:
        command = [installed.bin / "python", "-m", "hatchling", "build", "--directory", str(tmp_path / out)]
        subprocess.run(command, cwd=where, env=installed.variables(offline=True), check=True, timeout=120)
        with zipfile.ZipFile(tmp_path / out / f"{plain}-py3-none-any.whl") as wheel:
            return {each: wheel.read(each) for each in wheel.namelist() if not each.endswith("/RECORD")}

    files = built(folder, "first")
    with tarfile.open(tmp_path / "first" / f"{plain}.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    assert built(tmp_path / plain, "second") == files
    info = f"{plain}.dist-info"
    assert files[f"{info}/licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()
    assert files[f"{info}/entry_points.txt"].count(b"txfuzz = txfuzz.cli:main") == 1
    metadata = HeaderParser().parsestr(files[f"{info}/METADATA"].decode())
    assert metadata["Name"] == name
    if name == "txfuzz":
        assert all(each.startswith(f"{info}/") for each in files)
    else:
        assert {
            "txfuzz/py.typed",
            "txfuzz/workloads/example.yaml",
            "txfuzz/workload.schema.json",
        } <= files.keys()
