"""Every code block of the docs runs, here or in the test that RUN_BY names."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pages import PAGES, ROOT, blocks, blocks_of
from project_fixtures import Ran, Site
from txfuzz import analyze_history
from txfuzz.campaign.setup.resolve import InstalledVocabulary, assemble
from txfuzz.plugin.loader import load_plugins
from txfuzz.report.baseline import read_baseline
from txfuzz.workload.yaml.reader import SCENARIO_FIELDS, read_workload
from txfuzz.workload.yaml.scenario import read_scenario

Cli = Callable[..., Ran]

# Languages that are code. In `console`, lines after `$ ` are commands, others are output;
# test_docs parses the commands of all pages, and tests that follow a page run them.
CODE = {"python", "yaml", "toml", "clojure", "sh", "bash"}

RUN_BY = {
    ("docs/tutorial/check.md", "yaml"): "tests/docs/test_check_page.py",
    ("docs/how-to/ci.md", "yaml"): "tests/report/test_ci.py",
    ("docs/how-to/check-your-code.md", "python"): "tests/check/code/test_page.py",
    ("docs/how-to/hunt.md", "python"): "tests/docs/test_hunt_page.py",
    ("docs/how-to/hunt.md", "yaml"): "tests/docs/test_hunt_page.py",
    ("docs/how-to/matrix.md", "yaml"): "tests/docs/test_matrix_page.py",
    ("docs/how-to/library.md", "python"): "tests/campaign/test_library.py",
    ("docs/plugins/plugin-mutator.md", "python"): "tests/docs/test_plugin_pages.py",
    ("docs/plugins/plugin-form.md", "python"): "tests/docs/test_plugin_pages.py",
    ("docs/reference/plugin-reference.md", "python"): "tests/docs/test_plugin_reference.py",
    ("docs/tutorial/first-finding.md", "python"): "tests/docs/test_docs.py",
    **{(f"docs/plugins/plugin-{kind}.md", language): "tests/docs/test_plugin_pages.py"
       for kind in ("adapter", "analyzer", "command", "fault", "heuristic", "strategy", "template")
       for language in ("python", "toml", "yaml")},
}  # fmt: skip


def of_language(language: str) -> list[tuple[str, int, str]]:
    """Page, number and text of each block that no other test runs."""
    return [
        (name, number, block.body)
        for page in PAGES
        for number, block in enumerate(blocks_of(page))
        if block.language == language and ((name := str(page.relative_to(ROOT))), language) not in RUN_BY
    ]


def test_every_block_is_run_somewhere() -> None:
    handled = {"yaml", "clojure"}
    for page in PAGES:
        for block in blocks_of(page):
            name = str(page.relative_to(ROOT))
            assert block.language in CODE | {"", "console", "text"}, f"{name}: {block.language}"
            if block.language in CODE:
                assert block.language in handled or (name, block.language) in RUN_BY, (
                    f"{name}: {block.language}"
                )
    for (name, language), test in RUN_BY.items():
        assert (ROOT / test).exists()
        if language != "toml" or name == "docs/plugins/plugin-command.md":
            assert blocks(ROOT / name, language), f"{name} has no {language}"


@pytest.fixture
def example(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """plugins/example, as if it were installed; other tests must not see its heuristic."""
    monkeypatch.syspath_prepend(str(ROOT / "plugins" / "example"))
    site._metadata("txfuzz-example", "txfuzz_example", "0.1.0")


BASE: dict[str, Any] = {
    "version": 1,
    "database": {"adapter": "postgres"},
    "workload": {
        "transactions": [
            {"name": "t", "steps": [{"f": "r", "key": {"choice": {"from": [1, 2, 3, 4]}}}]},
            {"name": "u", "steps": [{"f": "append", "key": {"choice": {"from": [1, 2, 3, 4]}}}]},
        ]
    },
}


def completed(body: str, **fields: Any) -> str:
    """A fragment completed to a workload, as text: only txfuzz reads `on` as a word. Names one adapter."""
    given = yaml.safe_load(body)
    if "database" in given and "adapter" not in given["database"]:
        body = body.replace("database: {", "database: {adapter: postgres, ")
    for name in fields.keys() & given.keys():
        body = re.sub(rf"^{name}:.*\n(^[ -].*\n)*", "", body, flags=re.MULTILINE)
    missing = {name: value for name, value in BASE.items() if name not in given} | fields
    return body.rstrip() + "\n" + (yaml.safe_dump(missing) if missing else "")


def is_scenario_block(page: str, data: Any) -> bool:
    return page == "docs/reference/scenarios.md" or not {*SCENARIO_FIELDS}.isdisjoint(data)


@pytest.mark.parametrize(("page", "number", "body"), of_language("yaml"))
def test_yaml_is_what_it_says(example: None, tmp_path: Path, page: str, number: int, body: str) -> None:
    """A whole workload, a part of one (or a few steps), or a baseline (or a few anomalies)."""
    data = yaml.safe_load(body)
    if isinstance(data, list) and "type" not in data[0]:
        steps = {"workload": {"transactions": [{"name": "t", "steps": data}]}}
        data = {"database": {"adapter": Path(page).parts[1]}, **steps}
        body = yaml.safe_dump(data)
    if isinstance(data, list):
        entry = {"adapter": "postgres", "isolation": "serializable", "expect": "serializable"}
        data = {"version": 1, "expected": [{**entry, "anomalies": data}]}
    if "expected" in data:
        assert read_baseline(yaml.safe_dump(data), page)
        return
    path = tmp_path / "workload.yaml"
    registry = load_plugins(strict=True)
    if is_scenario_block(page, data):
        if "workload" in data and "setup" in data:  # its parts: tests/workload/scenario/test_page.py
            path.write_text(body)
            read_scenario(path, InstalledVocabulary(registry))
        return
    path.write_text(completed(body))
    assemble(read_workload(path, InstalledVocabulary(registry)), registry)


@pytest.mark.parametrize(("page", "number", "body"), of_language("clojure"))
def test_operations_are_a_history(tmp_path: Path, page: str, number: int, body: str) -> None:
    path = tmp_path / "history.edn"
    path.write_text(body)
    result = analyze_history(path)
    assert result.transactions == 1


@pytest.mark.server
@pytest.mark.slow
def test_whole_workloads_run(txfuzz: Cli) -> None:
    """Each with a few transactions; the tests of their pages check what they find."""
    ran = 0
    for page, number, body in of_language("yaml"):
        data = yaml.safe_load(body)
        if (
            isinstance(data, list)
            or is_scenario_block(page, data)
            or "workload" not in data
            or "replay" in data
            or data.get("database", {}).get("url")
        ):
            continue
        few = {"clients": 2, "transactions": 20}
        Path("workload.yaml").write_text(completed(body, scheduling=few, faults=[]))
        done = txfuzz("execute", "--config", "workload.yaml", "--out", "history.edn")
        assert done.code == 0, f"{page}, block {number}: {done.err}"
        assert analyze_history("history.edn").committed > 10
        ran += 1
    assert ran > 4


@pytest.mark.server
def test_whole_scenarios_run(txfuzz: Cli) -> None:
    """Each with a few schedules; their files of SQL are not there."""
    ran = 0
    for page, number, body in of_language("yaml"):
        data = yaml.safe_load(body)
        if isinstance(data, list) or not {"setup", "workload"} <= data.keys():
            continue
        adapter = "" if "database" in data else "database: {adapter: postgres}\n"
        Path("scenario.yaml").write_text(body + adapter)
        done = txfuzz("check", "scenario.yaml", "--schedules", "3", "--no-advice")
        assert done.code in (0, 1), f"{page}, block {number}: {done.err}"
        ran += 1
    assert ran > 1
