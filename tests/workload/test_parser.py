"""YAML in: what is not YAML, and what plain words mean."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from txfuzz.errors import WorkloadError
from txfuzz.workload.yaml.nodes import Place, node_of
from txfuzz.workload.yaml.parser import parse_yaml
from txfuzz.workload.yaml.reader import read_workload
from workload_words import Words, complaint, parse


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("¦", "found an empty file, expected a workload that begins with `version: 1`"),
        ("¦  \n\n", "found an empty file, expected a workload that begins with `version: 1`"),
        ("¦# only this\n",
         "found a file with nothing in it, expected a workload that begins with `version: 1`"),
        ("¦- 1\n", "found a list, expected a workload as a mapping that begins with `version: 1`"),
        ("¦hello", "found the text 'hello', expected a workload as a mapping that begins with `version: 1`"),
        (
            "a: [b¦",
            "found what is not YAML: expected ',' or ']', but got '<stream end>' "
            "(while parsing a flow sequence that begins in line 1)",
        ),
        ("version: 1\nname: a¦: b\n", "found what is not YAML: mapping values are not allowed here"),
        (
            "version: 1\n¦\tname: x\n",
            "found what is not YAML: found character '\\t' that cannot start any token "
            "(indentation is made of spaces)",
        ),
        ("a: ¦*nobody", "found what is not YAML: found undefined alias 'nobody'"),
        ("a: 1\n¦--- \nb: 2\n", "found what is not YAML: but found another document "
         "(expected a single document in the stream that begins in line 1)"),
        ("a: 1\nb: x¦\0\n", "found the character U+0000, expected text that YAML allows"),
        ("¦&a [*a]", "found an anchor that contains itself, expected a value"),
        ("a: ¦!!set {x}", "found the tag 'tag:yaml.org,2002:set', expected plain data"),
        ("a: ¦!!python/object:os.system x", "found the tag 'tag:yaml.org,2002:python/object:os.system', "
         "expected plain data"),
        ("a: ¦!!int many", "found the tag 'tag:yaml.org,2002:int', expected plain data"),
        ("a: ¦" + "9" * 5000, "found a number of 5000 digits, expected a smaller one"),
        ("¦7.5: x", "found the number 7.5, expected the name of a field (text)"),
        ("a: 1\n¦a: 2", "found the field 'a' again, expected it once (first in line 1)"),
        ("a: {b: {c: 1, ¦c: 2}}", "found the field 'c' again, expected it once (first in line 1)"),
    ],
)  # fmt: skip
def test_what_is_no_workload(text: str, said: str) -> None:
    assert complaint(text) == said


def test_deep_nesting_is_refused() -> None:
    assert complaint("¦" + "[" * 5000) == "found lists or mappings nested too deeply, expected a workload"


def test_aliases_of_aliases_are_bounded() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(WorkloadError, match="more than 200,000 values, aliases counted"):
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
