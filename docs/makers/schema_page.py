"""docs/reference/workload-schema.md: the JSON Schema of workloads and scenarios, field by field.

python docs/makers/schema_page.py --write docs/reference/workload-schema.md
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[1]
HEAD = """# The schema of workload and scenario files

Generated from [workload.schema.json](../workload.schema.json) by `make docs`, as a test verifies. Editors
that know JSON Schema complete and check files with it. What the fields are for is told by [the workload
file](workload-format.md) and [the scenario file](scenarios.md); here is each with the values that it may
have. Fields in bold are required.
"""
Schema = Mapping[str, Any]
BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "minItems": "at least {} of them",
    "maxItems": "at most {} of them",
    "minProperties": "at least {} of them",
}


def page() -> str:
    schema = json.loads((DOCS / "workload.schema.json").read_text(encoding="utf-8"))
    parts = [HEAD]
    for name, one in schema["definitions"].items():
        parts.append(f"## {name}\n")
        if about := one.get("description"):
            parts.append(f"{about}\n")
        parts += _section(one)
    return "\n".join(parts)


def _section(one: Schema) -> Iterator[str]:
    if "properties" not in one:
        yield f"{_capital(values(one))}.\n"
        return
    rows = list(_rows(one, ""))
    yield "\n".join(["| field | value | meaning |", "|---|---|---|", *rows]) + "\n"
    if one.get("additionalProperties", True) is not False:
        yield "Further fields are allowed.\n"


def _rows(one: Schema, above: str) -> Iterator[str]:
    """A row for each field, and below it those of the mapping that it may be."""
    required = one.get("required", ())
    for name, field in one["properties"].items():
        shown = f"`{above}{name}`"
        shown = f"**{shown}**" if name in required else shown
        about = field.get("description", "") if isinstance(field, Mapping) else ""
        yield f"| {shown} | {_cell(values(field))} | {_cell(about)} |"
        for below in _mappings(field):
            yield from _rows(below, f"{above}{name}.")


def _mappings(field: Any) -> Iterator[Schema]:
    """Mappings with fields of their own that stand in the field itself, or are the items of its list."""
    if isinstance(field, Mapping):
        if "properties" in field:
            yield field
        for each in (*field.get("anyOf", ()), *field.get("allOf", ()), field.get("items")):
            yield from _mappings(each)


def values(field: Any) -> str:
    """The values that a field may have, in words."""
    if not isinstance(field, Mapping):
        return "anything"
    if "$ref" in field:
        _, _, name, *below = field["$ref"].split("/")  # a definition, or a field of one
        return f"{f'as `{below[-1]}` of ' if below else ''}[{name}](#{name.lower()})"
    if "const" in field:
        return f"`{json.dumps(field['const'])}`"
    if "enum" in field:
        return ", ".join(
            f"`{each}`" if isinstance(each, str) else f"`{json.dumps(each)}`" for each in field["enum"]
        )
    for combined in ("anyOf", "oneOf"):
        if combined in field:
            return ", or ".join(dict.fromkeys(values(each) for each in field[combined]))
    if "allOf" in field:
        return " and ".join(values(each) for each in field["allOf"])
    said = _typed(field)
    bounds = [words.format(f"{field[name]:,}") for name, words in BOUNDS.items() if name in field]
    return ", ".join([said, *bounds])


def _typed(field: Schema) -> str:
    given = field.get("type", "anything")
    if given == "array":
        return f"a list of {values(field['items'])}" if "items" in field else "a list"
    if given == "object":
        inner = field.get("additionalProperties")
        return f"a mapping to {values(inner)}" if isinstance(inner, Mapping) and inner else "a mapping"
    if "pattern" in field:
        return f"text that matches `{field['pattern']}`"
    words = {
        "string": "text",
        "integer": "a whole number",
        "number": "a number",
        "boolean": "true or false",
        "null": "nothing",
    }
    return " or ".join(words.get(each, each) for each in ([given] if isinstance(given, str) else given))


def _capital(text: str) -> str:
    return text if text.startswith(("`", "[")) else text[:1].upper() + text[1:]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", type=Path, required=True, metavar="FILE")
    parser.parse_args().write.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
