"""YAML in: what is not YAML, and what plain words mean."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given
from syrupy.assertion import SnapshotAssertion

from txfuzz.errors import WorkloadError
from txfuzz.workload.yaml.nodes import Place, node_of
from txfuzz.workload.yaml.parser import parse_yaml
from txfuzz.workload.yaml.reader import read_workload
from workload_words import Words, complaint, parse

NO_WORKLOAD = {
    "empty": "¦",
    "blank": "¦  \n\n",
    "a comment": "¦# only this\n",
    "a list": "¦- 1\n",
    "a word": "¦hello",
    "list without end": "a: [b¦",
    "mapping in a value": "version: 1\nname: a¦: b\n",
    "tab": "version: 1\n¦\tname: x\n",
    "unknown alias": "a: ¦*nobody",
    "second document": "a: 1\n¦--- \nb: 2\n",
    "NUL character": "a: 1\nb: x¦\0\n",
    "anchor in itself": "¦&a [*a]",
    "tag of a set": "a: ¦!!set {x}",
    "tag of an object": "a: ¦!!python/object:os.system x",
    "tag that does not fit": "a: ¦!!int many",
    "long number": "a: ¦" + "9" * 5000,
    "number as a field": "¦7.5: x",
    "field twice": "a: 1\n¦a: 2",
    "inner field twice": "a: {b: {c: 1, ¦c: 2}}",
    "nested too deeply": "¦" + "[" * 5000,
}


@pytest.mark.parametrize("text", NO_WORKLOAD.values(), ids=NO_WORKLOAD)
def test_what_is_no_workload(text: str, snapshot: SnapshotAssertion) -> None:
    assert complaint(text) == snapshot


def test_aliases_of_aliases_are_bounded() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(WorkloadError, match="more than 200,000 values"):
        parse("\n".join(lines))


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("off",
         "off"), ("on", "on"), ("yes", "yes"), ("true", True), ("False", False), ("~", None),
        ("", None),
        ("0x1f", 31), ("0o17", 15), ("010", 10), ("1_000", 1000), ("-3", -3), ("+3", 3), ("1:30", "1:30"),
        ("1e3", 1000.0), (".5", 0.5), ("5.", 5.0), ("-.inf", float("-inf")), ("2024-01-02", "2024-01-02"),
        ("1_", "1_"), ("<<", "<<"), ("!!str 5", "5"), ("'5'", "5"), ("30s", "30s"),
    ],
)  # fmt: skip
def test_plain_words_mean_what_they_mean_in_yaml_1_2(word: str, value: object) -> None:
    node = parse_yaml(f"[{word}, end]" if word else "[~, end]", "w")
    assert node is not None
    found = node.plain()[0]
    assert (found, type(found)) == (value, type(value))


@given(st.text(max_size=60))
def test_any_text_is_parsed_or_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(WorkloadError) as caught:  # no text that short is a workload
        parse(text)
    assert str(caught.value).startswith("w.yaml:")
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path) -> None:  # type: ignore[no-untyped-def]
    absent = tmp_path / "absent.yaml"
    with pytest.raises(WorkloadError) as caught:
        read_workload(absent, Words())
    assert str(caught.value) == f"{absent}: cannot be read: No such file or directory"
    with pytest.raises(WorkloadError, match="cannot be read: Is a directory"):
        read_workload(tmp_path, Words())
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("version: 1\nname: caf\xe9\n".encode("latin-1"))
    with pytest.raises(WorkloadError) as caught:
        read_workload(latin, Words())
    assert str(caught.value) == f"{latin}:2:10: found the byte 0xe9, expected UTF-8"


def test_a_byte_order_mark_is_passed_over(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "skew.yaml"
    path.write_text(
        "\ufeffversion: 1\nworkload: {transactions: [{name: a, steps: [{f: r, key: 1}]}]}\n", encoding="utf-8"
    )
    assert read_workload(path, Words()).name == "skew"


def test_data_without_places_becomes_nodes_at_one_place() -> None:
    place = Place("w", 3, 4)
    node = node_of({"a": [1, (2, 3)], "b": range(2), "c": None}, place)
    assert node.plain() == {"a": [1, [2, 3]], "b": [0, 1], "c": None}
    with pytest.raises(WorkloadError, match=r"^w:3:4: found a set, expected"):
        node_of({"a": {1}}, place)
    with pytest.raises(WorkloadError, match=r"^w:3:4: found the field None, expected a name"):
        node_of({None: "x"}, place)


@pytest.mark.parametrize(
    ("text", "found", "about"),
    [
        (
            "a:\n  b:\n    - one\n   - two\n",
            "4:4: found a line whose indentation does not fit",
            "line 2, column 3",
        ),
        ("a: 1\n b: 2\n", "2:3: found ':' in the middle of a value", "or a line is indented further"),
        ("a: 'one' two\n", "1:10: found more text behind the end of a value", "line 1, column 1"),
    ],
)
def test_wrong_indentation_is_told_without_the_words_of_a_parser(text: str, found: str, about: str) -> None:
    with pytest.raises(WorkloadError) as refused:
        parse_yaml(text, "w.yaml")
    assert str(refused.value).startswith(f"w.yaml:{found}")
    assert about in str(refused.value)
    assert "block" not in str(refused.value)
