"""`txfuzz new-plugin`: what it writes, what it refuses, and that plugins/example is what it writes."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from project_fixtures import Ran, Site
from txfuzz import Template
from txfuzz.common.options import options_of
from txfuzz.errors import UsageError
from txfuzz.hunt.form import Form
from txfuzz.plugin import hookspecs
from txfuzz.plugin.loader import load_plugins
from txfuzz.plugin.registry import KINDS as REGISTERED
from txfuzz.plugin.scaffold.files import KINDS, files_of
from txfuzz.plugin.scaffold.names import names_of

Cli = Callable[..., Ran]

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "plugins" / "example"


def tree(directory: Path) -> dict[str, str]:
    """Path → text of everything there that is not made by Python or pip."""
    return {
        str(path.relative_to(directory)): path.read_text()
        for path in directory.rglob("*")
        if path.is_file() and not re.search(r"__pycache__|\.egg-info|\.(pytest|ruff|mypy)_cache", str(path))
    }


def test_there_is_one_for_every_kind_of_thing() -> None:
    beside = {"layout", "known hole"}  # which come with forms
    assert set(KINDS) == set(REGISTERED) - beside
    assert {kind.hook for kind in REGISTERED.values()} | {"txfuzz_register_commands"} == {
        name for name in vars(hookspecs) if name.startswith("txfuzz_register_")
    }


def test_the_example_is_what_it_writes(txfuzz: Cli) -> None:
    ran = txfuzz("new-plugin", "example", "--kind", "heuristic", "--output-dir", "example")
    assert ran.code == 0, ran.err
    assert tree(Path("example")) == tree(EXAMPLE), (
        "to renew it: rm -r plugins/example && "
        "txfuzz new-plugin example --kind heuristic --output-dir plugins/example"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_writes(txfuzz: Cli, kind: str) -> None:
    ran = txfuzz("new-plugin", "doctors-on-call", "--kind", kind)
    assert ran.code == 0, ran.err
    files = tree(Path("txfuzz-doctors-on-call"))
    module = "txfuzz_doctors_on_call"
    assert set(files) >= {
        ".github/workflows/test.yml",
        ".gitignore",
        "README.md",
        *(["doctors-on-call.yaml"] if kind != "form" else []),
        "pyproject.toml",
        "tests/test_doctors_on_call.py",
        f"{module}/__init__.py",
        f"{module}/py.typed",
    }
    project = tomllib.loads(files["pyproject.toml"])
    assert project["project"]["name"] == "txfuzz-doctors-on-call"
    assert project["project"]["dependencies"] == ["txfuzz-core>=0.1,<0.2"]
    assert project["project"]["entry-points"]["txfuzz"] == {"doctors-on-call": module}
    workflow = yaml.safe_load(files[".github/workflows/test.yml"])
    assert workflow["jobs"]["test"]["steps"][1]["with"]["python-version"] == "${{ matrix.python }}"
    assert REGISTERED[kind].hook in files[f"{module}/__init__.py"]
    for path, text in files.items():
        assert "$" not in text.replace("${{", ""), path
        assert len(text.splitlines()) <= 130, path
    for path in files:
        assert f"txfuzz-doctors-on-call/{path}" in ran.out


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_writes_is_clean(txfuzz: Cli, kind: str) -> None:
    assert txfuzz("new-plugin", "calm", "--kind", kind).code == 0
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    lint = ["--select", ",".join(rules["select"]), "--ignore", ",".join(rules["ignore"])]
    for arguments in (["check", "--quiet", *lint], ["format", "--diff", "--quiet"]):
        ran = subprocess.run(
            [sys.executable, "-m", "ruff", *arguments, "txfuzz-calm"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_the_readme_has_the_table_of_options(txfuzz: Cli, site: Site, kind: str) -> None:
    """Put on the path as pip would, the plugin is found, and its README says of the options what it does."""
    place = site.path / "source"
    assert txfuzz("new-plugin", "calm", "--kind", kind, "--output-dir", place).code == 0
    (place / "txfuzz_calm").rename(site.path / "txfuzz_calm")
    site._metadata("txfuzz-calm", "txfuzz_calm", "0.1.0")
    registry = load_plugins(strict=True)
    thing = registry.find(kind, "sqlite/calm" if kind == "form" else "calm")
    readme = (place / "README.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \|$", readme, re.MULTILINE)
    if isinstance(thing, Form):
        assert [name for name, *_ in re.findall(r"^\| `([\w-]+)` \| (.*?) \|$", readme, re.MULTILINE)] == [
            thing.name,
            "calm-checked",
        ]
        return
    if isinstance(thing, Template):
        assert {name: default for name, default, _ in rows} == {
            name: str(default) for name, default in thing.parameters.items()
        }
    else:
        assert rows == [(each.name, each.default, each.help) for each in options_of(thing)]
    assert "calm" in (place / "calm.yaml").read_text()


def on_the_path(txfuzz: Cli, site: Site, kind: str) -> Path:
    """The source of the plugin "calm", which is found as if it were installed."""
    place = site.path / "source"
    assert txfuzz("new-plugin", "calm", "--kind", kind, "--output-dir", place).code == 0
    (place / "txfuzz_calm").rename(site.path / "txfuzz_calm")
    site._metadata("txfuzz-calm", "txfuzz_calm", "0.1.0")
    return place


def test_the_workload_of_a_mutator_asks_it(txfuzz: Cli, site: Site) -> None:
    place = on_the_path(txfuzz, site, "mutator")
    readme = (place / "README.md").read_text()
    [command] = re.findall(r"^    txfuzz (run .*)$", readme, re.MULTILINE)
    ran = txfuzz(*command.replace("calm.yaml", str(place / "calm.yaml")).split(), "--output-dir", "out")
    assert ran.code in (0, 1)
    assert "  next: calm: scheduling.think_time" in ran.err, "and it is named"


def test_a_strategy_reports_the_mutators_that_fail(txfuzz: Cli, site: Site) -> None:
    place = on_the_path(txfuzz, site, "strategy")
    module = place / "fails.py"
    module.write_text(FAILING_MUTATOR)
    ran = txfuzz(
        "run", place / "calm.yaml", "--plugin-file", module, "--no-small-scope", "--iterations", 4,
        "--output-dir", "out",
    )  # fmt: skip
    assert ran.code in (0, 1)
    assert "mutator 'fails" in ran.err
    assert "; another one was asked" in " ".join(ran.err.split())


FAILING_MUTATOR = """
from dataclasses import dataclass
from typing import ClassVar
from txfuzz.plugin_api import hookimpl

@dataclass(frozen=True)
class Fails:
    name: ClassVar[str] = "fails"
    about: ClassVar[str] = "fails"
    kind: ClassVar[str] = "mix"
    def propose(self, feedback, workload, random):
        raise KeyError(7)

@hookimpl
def txfuzz_register_mutators():
    return [Fails, *[type(f"Fails{n}", (Fails,), {"name": f"fails-{n}"}) for n in range(9)]]
"""


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Calmer Clients", "did you mean 'calmer-clients'?"),
        ("CalmerClients", "did you mean 'calmer-clients'?"),
        ("txfuzz-calmer", "did you mean 'calmer'?"),
        ("calmer_clients", "did you mean 'calmer-clients'?"),
        ("2nd", "did you mean 'nd'?"),
        ("-", "expected lower-case letters"),
        ("", "expected lower-case letters"),
        ("../../etc", "did you mean 'etc'?"),
        ("a" * 41, "at most 40 characters"),
    ],
)
def test_names_that_will_not_do(txfuzz: Cli, name: str, hint: str) -> None:
    ran = txfuzz("new-plugin", "--kind", "fault", "--", name)
    assert ran.code == 2
    assert f"{name!r} is not a valid plugin name" in ran.err
    assert hint in ran.err
    assert not list(Path.cwd().iterdir())
    with pytest.raises(UsageError):
        names_of(name)


def test_a_name_that_is_taken(txfuzz: Cli) -> None:
    ran = txfuzz("new-plugin", "mix", "--kind", "heuristic")
    assert ran.code == 2
    assert "heuristic 'mix' is already provided by plugin 'heuristics' of txfuzz-heuristics" in ran.err
    assert txfuzz("new-plugin", "mix", "--kind", "fault").code == 0  # another kind of thing


def test_a_directory_that_is_taken(txfuzz: Cli) -> None:
    place = Path("txfuzz-calm")
    place.mkdir()
    assert txfuzz("new-plugin", "calm", "--kind", "fault").code == 0
    before = tree(place)
    ran = txfuzz("new-plugin", "calm", "--kind", "adapter")
    assert ran.code == 2
    assert "txfuzz-calm: the directory is not empty; choose another --output-dir" in ran.err
    assert tree(place) == before
    Path("a-file").touch()
    assert (
        "cannot be written" in txfuzz("new-plugin", "calm", "--kind", "fault", "--output-dir", "a-file").err
    )


@pytest.mark.parametrize("kind", KINDS)
def test_it_imports_what_plugins_and_their_tests_may(kind: str) -> None:
    """As docs/plugins/writing-a-plugin.md says, which has to be changed with this."""
    for path, text in files_of(names_of("calm"), kind, "0.1.0").items():
        imported = set(re.findall(r"^from (txfuzz(?:\.\w+)*) import", text, re.MULTILINE))
        of_tests = {"txfuzz", "txfuzz.testing"} if "tests/" in str(path) else set()
        assert imported <= {"txfuzz.plugin_api"} | of_tests, path


def test_every_kind_has_its_files_only() -> None:
    """Of each kind other files: nothing of one kind is left in another."""
    names = names_of("calm")
    for kind in KINDS:
        text = "\n".join(files_of(names, kind, "0.1.0").values())
        for other in set(KINDS) - {kind}:
            assert REGISTERED[other].hook not in text
