#!/usr/bin/env python3
"""Build every distribution, check what was built, and use it in an empty environment. Nothing is uploaded.

    .venv/bin/python .ci/release.py

What has been built is in dist/. The distributions are installed from these files alone; what they require of
others comes from the index that pip is configured for, in the versions of constraints.txt.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
NOT_RELEASED = "txfuzz-example"  # what `txfuzz new-plugin` writes
IN_CORE = (
    "txfuzz/py.typed",
    "txfuzz/workload.schema.json",
    "txfuzz/workloads/example.yaml",
    "txfuzz/workloads/matrices/hermitage.yaml",
    "txfuzz/workloads/hermitage/g0.yaml",
    "txfuzz/plugin/scaffold/common/pyproject.toml.in",
)
FIELDS = (
    "Summary",
    "License-Expression",
    "License-File",
    "Keywords",
    "Classifier",
    "Project-URL",
    "Requires-Python",
)
# A write skew, which snapshot isolation allows
WORKLOAD = """version: 1
name: skew
database: {adapter: memory, isolation: snapshot}
expect: serializable
workload:
  transactions:
    - name: read_one_write_the_other
      steps:
        - {f: r, key: {choice: {from: [1, 2]}, as: seen}}
        - {f: append, key: {choice: {from: [1, 2]}}}
"""
FOUND = 1  # the exit code of a campaign that found something


def main() -> None:
    projects = released()
    version = one_version(projects)
    build(projects)
    for name in projects:
        check_files(name, version)
    run(sys.executable, "-m", "twine", "check", "--strict", *sorted(map(str, DIST.iterdir())))
    with tempfile.TemporaryDirectory() as scratch:
        use(Path(scratch), projects, version)
    print(f"release: {len(projects)} distributions of version {version} are in dist/, ready to be published")


def released() -> dict[str, tuple[Path, Mapping[str, Any]]]:
    """Distribution → its directory and its `project` table; what others require comes first."""
    found = {}
    for file in (ROOT / "pyproject.toml", *sorted(ROOT.glob("plugins/*/pyproject.toml"))):
        project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
        if project["name"] != NOT_RELEASED:
            found[project["name"]] = file.parent, project
    return found


def one_version(projects: Mapping[str, tuple[Path, Mapping[str, Any]]]) -> str:
    """The version that all of them have, and of which the changelog has a section."""
    versions = {name: str(project["version"]) for name, (_, project) in projects.items()}
    source = (ROOT / "txfuzz/common/version.py").read_text(encoding="utf-8")
    versions["txfuzz/common/version.py"] = re.findall(r'__version__ = "(.+)"', source)[0]
    if len({*versions.values()}) != 1:
        sys.exit(f"release: the versions differ: {versions}")
    version = versions["txfuzz-core"]
    if f"## [{version}]" not in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"):
        sys.exit(f"release: CHANGELOG.md has no section for {version}")
    return version


def build(projects: Mapping[str, tuple[Path, Mapping[str, Any]]]) -> None:
    """A source distribution of each, and from that its wheel."""
    DIST.mkdir(exist_ok=True)
    for old in DIST.iterdir():
        old.unlink()
    for name, (directory, _) in projects.items():
        print(f"release: building {name}", flush=True)
        run(sys.executable, "-m", "build", "--outdir", DIST, directory, quiet=True)


def check_files(name: str, version: str) -> None:
    plain = name.replace("-", "_")
    wheel = DIST / f"{plain}-{version}-py3-none-any.whl"
    source = DIST / f"{plain}-{version}.tar.gz"
    for file in (wheel, source):
        if not file.exists():
            sys.exit(f"release: {file.name} was not built")
    with zipfile.ZipFile(wheel) as opened:
        names = opened.namelist()
        info = f"{plain}-{version}.dist-info"
        metadata = HeaderParser().parsestr(opened.read(f"{info}/METADATA").decode())
    missing = [field for field in FIELDS if not metadata.get_all(field)]
    missing += [each for each in (IN_CORE if name == "txfuzz-core" else ()) if each not in names]
    missing += [] if f"{info}/licenses/LICENSE" in names else ["LICENSE"]
    if missing:
        sys.exit(f"release: {wheel.name} lacks {', '.join(missing)}")
    package = "txfuzz/" if name == "txfuzz-core" else f"{plain}/"
    if name == "txfuzz":  # which brings other distributions together
        package = f"{info}/"
    if more := [each for each in names if not each.startswith((package, f"{info}/"))]:
        sys.exit(f"release: {wheel.name} holds more than its package: {more[0]}")
    with tarfile.open(source) as archive:
        top = {each.split("/")[1] for each in archive.getnames() if "/" in each}
    if lacking := {"pyproject.toml", "LICENSE", "PKG-INFO"} - top:
        sys.exit(f"release: {source.name} lacks {', '.join(sorted(lacking))}")


def use(scratch: Path, projects: Mapping[str, tuple[Path, Mapping[str, Any]]], version: str) -> None:
    """Install the core, then the rest, into an empty environment, and work with each."""
    run(sys.executable, "-m", "venv", scratch / "venv")
    binaries = scratch / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    pip = (binaries / "python", "-m", "pip", "--quiet", "--disable-pip-version-check", "install")
    txfuzz = binaries / "txfuzz"
    constraints = ("--constraint", ROOT / "constraints.txt")

    run(*pip, *constraints, DIST / f"txfuzz_core-{version}-py3-none-any.whl")
    run(binaries / "python", "-m", "txfuzz", "--version", cwd=scratch)
    alone = run(txfuzz, "doctor", cwd=scratch, expect=2, quiet=True)
    if "no database adapter is installed" not in alone:
        sys.exit(f"release: the core alone does not say that it has no adapter: {alone}")
    (scratch / "memory.yaml").write_text(WORKLOAD, encoding="utf-8")
    in_memory = ("run", "--config", "memory.yaml", "--iterations", "1", "--quiet", "--output-dir", "memory")
    run(txfuzz, *in_memory, cwd=scratch, expect=FOUND)

    run(*pip, *constraints, *of_others(projects))
    run(*pip, "--no-index", "--find-links", DIST, f"txfuzz[all]=={version}")
    run(binaries / "python", "-m", "pip", "check")
    run(txfuzz, "doctor", cwd=scratch, expect=None)
    run(txfuzz, "run", "--iterations", "2", "--quiet", "--output-dir", "demo", cwd=scratch, expect=FOUND)
    run(txfuzz, "report", "demo", "--out", "report.html", cwd=scratch)
    if not (scratch / "report.html").stat().st_size:
        sys.exit("release: the report is empty")


def of_others(projects: Mapping[str, tuple[Path, Mapping[str, Any]]]) -> Iterator[str]:
    """What our distributions, with the extras that users have, require of other projects."""
    for name, (_, project) in projects.items():
        extras = project.get("optional-dependencies", {})
        wanted = [*project.get("dependencies", ()), *(extras["dask"] if name == "txfuzz-core" else ())]
        yield from (each for each in wanted if not each.startswith("txfuzz"))


def run(*words: str | Path, cwd: Path = ROOT, expect: int | None = 0, quiet: bool = False) -> str:
    """Run a command and end if its exit code is not the expected one (None: any); what it printed."""
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "PYTHONPATH")}
    ran = subprocess.run(
        [*map(str, words)],
        cwd=cwd, env=kept, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    if not quiet and ran.stdout:
        print(ran.stdout, end="", flush=True)
    if expect is not None and ran.returncode != expect:
        shown = " ".join((Path(words[0]).name, *map(str, words[1:])))
        sys.exit(f"{ran.stdout if quiet else ''}release: {shown}: exit code {ran.returncode}, not {expect}")
    return ran.stdout


if __name__ == "__main__":
    main()
