"""The pages of the command line and of the schema are those of the commands and of the schema."""

from __future__ import annotations

import re

from pages import DOCS, maker, text
from txfuzz.cli.group import COMMANDS
from workload_schema import SCHEMA

COMMAND_LINE = DOCS / "reference" / "command-line.md"
SCHEMA_PAGE = DOCS / "reference" / "workload-schema.md"
RENEW = "`make docs` renews it"


def test_the_command_line_is_that_of_the_commands() -> None:
    assert text(COMMAND_LINE) == maker("command_line").reference(), RENEW


def test_it_has_every_command_and_the_options_of_those_below() -> None:
    page = text(COMMAND_LINE)
    assert set(COMMANDS) <= set(re.findall(r"^## txfuzz ([\w-]+)$", page, re.MULTILINE))
    assert "### txfuzz plugins show\n" in page
    assert "| `-h, --help` | Show this message and exit. |" in page
    assert "| `--isolation LEVEL\\|all` |" in page


def test_the_page_of_the_schema_is_that_of_the_schema() -> None:
    assert text(SCHEMA_PAGE) == maker("schema_page").page(), RENEW


def test_it_has_every_definition_and_every_field_of_a_workload() -> None:
    page = text(SCHEMA_PAGE)
    assert re.findall(r"^## (\w+)$", page, re.MULTILINE) == list(SCHEMA["definitions"])
    section = page.split("## workload\n", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| (\**)`([\w.]+)`", section, re.MULTILINE)
    workload = SCHEMA["definitions"]["workload"]
    assert {name for _, name in rows if "." not in name} == set(workload["properties"])
    assert {name for bold, name in rows if bold and "." not in name} == set(workload["required"])


def test_values_are_told_in_words() -> None:
    values = maker("schema_page").values
    assert values({"type": "integer", "minimum": 1, "maximum": 10_000}) == (
        "a whole number, at least 1, at most 10,000"
    )
    assert values({"anyOf": [{"$ref": "#/definitions/pause"}, {"enum": ["a", 1]}]}) == (
        "[pause](#pause), or `a`, `1`"
    )
    assert values({"type": "array", "items": {"type": ["string", "null"]}, "minItems": 2}) == (
        "a list of text or nothing, at least 2 of them"
    )
