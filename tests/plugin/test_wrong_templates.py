"""Templates that no workload could use are refused where a plugin registers them, by name and step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from project_fixtures import Ran
from txfuzz.errors import PluginError, WorkloadError
from txfuzz.plugin.registry import FILE, KINDS, Plugin, entry_of
from txfuzz.testing.subjects import KnownNames
from txfuzz.workload.template import Template
from txfuzz.workload.yaml.reader import parse_workload

Cli = Callable[..., Ran]

READ = {"f": "r", "key": {"choice": {"from": {"param": "shelves"}}, "as": "k"}}
EACH = {"each": "a", "of": {"param": "shelves"}, "steps": [{"f": "r", "key": {"param": "a"}}]}
FIELDS: dict[str, Any] = {
    "name": "xx", "about": "reads", "steps": (READ, EACH), "parameters": {"shelves": [1, 2]},
}  # fmt: skip
PLUGIN = Plugin("t.py", "t", FILE, "t")
CODE = """
from txfuzz.plugin_api import Template, hookimpl

@hookimpl
def txfuzz_register_templates():
    return [Template("xx", "reads", ({"f": "r", "key": {"choice": {"from": [1]}, "as": "k"}}, 7))]
"""
WORKLOAD = """version: 1
name: kit
database: {adapter: memory}
workload:
  transactions:
    - {template: xx}
scheduling: {clients: 4, transactions: 80}
"""


def registered(**fields: Any) -> Any:
    return entry_of(KINDS["template"], Template(**{**FIELDS, **fields}), PLUGIN).value


def test_a_right_template_is_taken() -> None:
    assert registered().filled({"shelves": [5]})[1] == {"f": "r", "key": 5}
    assert registered(steps=[READ], dialect="postgres").steps == [READ]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": 7}, "a template has the name 7, expected text"),
        ({"about": 7}, "template 'xx': `about` is 7, expected a sentence (text)"),
        ({"dialect": 7}, "template 'xx': `dialect` is 7, expected the name of an SQL dialect (text) or None"),
        (
            {"parameters": ["shelves"]},
            "template 'xx': `parameters` is ['shelves'], expected a mapping of names to defaults",
        ),
        ({"parameters": {7: 1}}, "template 'xx': the name of a parameter is 7, expected text"),
        ({"steps": None}, "template 'xx': `steps` is None, expected a tuple of mappings"),
        ({"steps": READ}, "template 'xx': `steps` is {'f': 'r', 'key': {'choice': {'from': {'param': 'shelv"),
        (
            {"steps": (READ, 7)},
            "template 'xx': step 2 is 7, expected a mapping with f and key, with sql, or with each",
        ),
        ({"steps": (None,)}, "template 'xx': step 1 is None, expected a mapping"),
        (
            {"steps": (READ, {**EACH, "steps": 7})},
            "template 'xx': step 2 has 7 as `steps`, expected a list of mappings",
        ),
        (
            {"steps": ({**EACH, "steps": [READ, "r"]},)},
            "template 'xx': step 2 within step 1 is 'r', expected a mapping with f and key, or with sql",
        ),
        (
            {"steps": ({**EACH, "steps": [EACH]},)},
            "template 'xx': step 1 within step 1 has `each`, expected no repetition within another one",
        ),
        ({"steps": ({"each": "a", "steps": []},)}, "step 1 has `each` without `of`, expected the list of"),
        ({"steps": ({"each": "a", "of": [1]},)}, "step 1 has `each` without `steps`, expected the steps"),
        ({"steps": ({**EACH, "each": [1]},)}, "step 1 has [1] as `each`, expected the name of an item"),
        (
            {"steps": ({"f": "r", "key": [{"param": ["a"]}]},)},
            "template 'xx': step 1 has ['a'] as `param`, expected the name of a parameter (text)",
        ),
    ],
)  # fmt: skip
def test_a_wrong_one_is_refused_in_one_sentence(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PluginError) as refused:
        registered(**fields)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("command", [("run", "--config", "w.yaml"), ("templates", "xx")])
def test_commands_name_its_plugin(command: tuple[str, ...], txfuzz: Cli) -> None:
    Path("t.py").write_text(CODE)
    Path("w.yaml").write_text(WORKLOAD)
    ran = txfuzz(*command, "--plugin-file", "t.py")
    assert ran.code == 2
    assert ran.err == (
        "txfuzz: plugin file t.py: template 'xx': step 2 is 7, expected a mapping with f and key, with sql, "
        "or with each\n"
    )


@pytest.mark.parametrize(
    ("entry", "fields", "said"),
    [
        (
            "{template: xx}",
            {"steps": (READ, {"f": "apend", "key": {"ref": "k"}})},
            "w:5:18: in step 2 of template 'xx': found the text 'apend', expected what the step does",
        ),
        (
            "{template: xx}",
            {"steps": (EACH, {"f": "apend", "key": 1})},
            "w:5:18: in step 2 of template 'xx': found the text 'apend'",
        ),
        (
            "{template: xx, with: {shelves: many}}",
            {"steps": (READ,)},
            "w:5:38: in parameter 'shelves' of template 'xx' (in its step 1): found the text 'many'",
        ),
        (
            "{template: xx}",
            {"steps": (READ,), "parameters": {"shelves": "many"}},
            "w:5:18: in the default of parameter 'shelves' of template 'xx' (in its step 1): found the text",
        ),
        (
            "{template: xx, with: {shelves: [1, 0]}}",
            {"steps": ({"f": "r", "key": 1}, EACH)},
            "w:5:38: in parameter 'shelves' of template 'xx' (in its step 2): found the number 0, expected",
        ),
        (
            "{template: xx, with: {shelves: 3}}",
            {},
            "w:5:28: template 'xx' repeats steps for each item of the parameter 'shelves', expected a list, "
            "found 3",
        ),
    ],
)
def test_a_workload_hears_which_step_or_parameter_is_wrong(
    entry: str, fields: dict[str, Any], said: str
) -> None:
    known = KnownNames({("template", "xx"): registered(**{"steps": (EACH, EACH), **fields})})
    text = f"version: 1\nname: kit\nworkload:\n  transactions:\n    - {entry}\n"
    with pytest.raises(WorkloadError) as refused:
        parse_workload(text, "w", known)
    assert str(refused.value).startswith(said)
