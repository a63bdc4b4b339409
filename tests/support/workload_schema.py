"""The JSON Schema of workload and scenario files, and what the readers say of the same mappings."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from jsonschema import Draft7Validator

from txfuzz.workload.yaml.nodes import Node
from txfuzz.workload.yaml.parser import parse_yaml

ROOT = Path(__file__).parents[2]
SCHEMA: dict[str, Any] = json.loads((ROOT / "docs" / "workload.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft7Validator(SCHEMA)
Fields = dict[str, tuple[frozenset[str], frozenset[str]]]


def at(pointer: str) -> Any:
    found: Any = SCHEMA
    for name in filter(None, pointer.split("/")):
        found = found[int(name)] if isinstance(found, list) else found[name]
    return found


def data_of(text: str) -> Any:
    node = parse_yaml(text, "w.yaml")
    assert node is not None
    return node.plain()


def complaints(data: Any) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(data)]


def mappings(data: Any) -> Iterator[dict[str, Any]]:
    """Every mapping in plain data, itself included."""
    if isinstance(data, dict):
        yield data
    for each in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from mappings(each)


def watched_fields(monkeypatch: pytest.MonkeyPatch) -> Fields:
    """What a reader calls each mapping → the fields that it knows and those that it requires, from now on."""
    tables: Fields = {}
    original = Node.fields

    def fields(
        self: Node,
        owner: str,
        known: Collection[str],
        required: Collection[str] = (),
        elsewhere: Mapping[str, str] = MappingProxyType({}),
    ) -> Mapping[str, Node]:
        tables[owner] = frozenset(known), frozenset(required)
        return original(self, owner, known, required, elsewhere)

    monkeypatch.setattr(Node, "fields", fields)
    return tables
