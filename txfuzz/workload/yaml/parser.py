"""YAML text as nodes with source locations.

Plain words follow YAML 1.2: only `true` and `false` are booleans (so `synchronous_commit: off` is text),
and there are no dates or base-60 numbers.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from txfuzz.errors import WorkloadError
from txfuzz.workload.yaml.nodes import Node, Place, Scalar

if TYPE_CHECKING:
    import yaml

_MOST_NODES = 200_000  # aliases of aliases can grow exponentially
_MOST_DIGITS = 400
_PREFIX = "tag:yaml.org,2002:"
# tag, form, first characters
_FORMS: tuple[tuple[str, str, list[str]], ...] = (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+(?:_[0-9]+)*|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
)


def parse_yaml(text: str, source: str) -> Node | None:
    """The document; None if there is none. WorkloadError for invalid YAML."""
    import yaml

    start = Place(source, 1, 1)
    try:
        root = yaml.compose(text, loader())
        return None if root is None else _Walk(source).node(root, ())
    except yaml.MarkedYAMLError as error:
        raise _not_yaml(error, text, source) from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        line = before.count("\n") + 1
        column = error.position - (before.rfind("\n") + 1) + 1
        found = f"found the character U+{ord(text[error.position]):04X}"
        raise Place(source, line, column).error(found, "characters that YAML allows") from None
    except yaml.YAMLError as error:
        raise start.error(f"found invalid YAML: {error}") from None
    except RecursionError:
        raise start.error("found lists or mappings nested too deeply", "fewer levels") from None


def resolves_to_text(word: str) -> bool:
    """Would this word be text without quotes?"""
    return not any(re.fullmatch(form, word) for _, form, _ in _FORMS)


@cache
def loader() -> type[yaml.SafeLoader]:
    import yaml

    class Loader(yaml.SafeLoader):
        yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 — declared so by the base

    for tag, form, first in _FORMS:
        Loader.add_implicit_resolver(_PREFIX + tag, re.compile(rf"(?:{form})\Z"), first)
    return Loader


def _not_yaml(error: yaml.MarkedYAMLError, text: str, source: str) -> WorkloadError:
    mark = error.problem_mark or error.context_mark
    place = Place(source, mark.line + 1, mark.column + 1) if mark else Place(source, 1, 1)
    sentence = " ".join((error.problem or error.context or "it cannot be parsed").split())
    plain = _in_plain_words(error, text)
    if plain is not None:
        return place.error(*plain)
    hint = ""
    if "'\\t'" in sentence:
        hint = "indent with spaces"
    elif error.problem and error.context and error.context_mark:
        hint = f"{' '.join(error.context.split())} that begins on line {error.context_mark.line + 1}"
    return place.error(f"found invalid YAML: {sentence}", "", hint)


def _in_plain_words(error: yaml.MarkedYAMLError, text: str) -> tuple[str, str, str] | None:
    """What was found, what was expected, and a hint, for what people get wrong most: indentation."""
    mark, above, problem = error.problem_mark, error.context_mark, error.problem or ""
    if mark is None:
        return None
    if "<block end>" in problem and above is not None:
        around = f"it stands inside what begins on line {above.line + 1}, column {above.column + 1}"
        if _begins_line(text, mark.line, mark.column):
            found = "found a line whose indentation does not fit the lines around it"
            return found, "the same number of spaces as in the lines that belong together", around
        return (
            "found more text behind the end of a value",
            "a new line, or quotes around the whole value",
            around,
        )
    if "mapping values are not allowed" in problem:
        hint = "or a line is indented further than those that it belongs to"
        return "found ':' in the middle of a value", "quotes around text that contains it", hint
    return None


def _begins_line(text: str, line: int, column: int) -> bool:
    lines = text.split("\n")
    return line < len(lines) and not lines[line][:column].strip()


class _Walk:
    """Converts the library's nodes to ours."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._count = 0

    def node(self, node: yaml.Node, above: tuple[int, ...]) -> Node:
        import yaml

        place = Place(self._source, node.start_mark.line + 1, node.start_mark.column + 1)
        self._count += 1
        if self._count > _MOST_NODES:
            raise place.error(
                f"found more than {_MOST_NODES:,} values, aliases included", "a smaller workload"
            )
        if id(node) in above:
            raise place.error("found an anchor that contains itself", "a value")
        above = (*above, id(node))
        if isinstance(node, yaml.MappingNode) and node.tag == _PREFIX + "map":
            return Node(place, self._mapping(node, above))
        if isinstance(node, yaml.SequenceNode) and node.tag == _PREFIX + "seq":
            return Node(place, tuple(self.node(item, above) for item in node.value))
        if isinstance(node, yaml.ScalarNode):
            return Node(place, _scalar(node, place), style=node.style or "")
        raise place.error(f"found the tag {node.tag!r}", "plain data")

    def _mapping(self, node: yaml.MappingNode, above: tuple[int, ...]) -> dict[str, Node]:
        fields: dict[str, Node] = {}
        for key, value in node.value:
            name = self.node(key, above)
            # Numbers of rows, and codes: 08006 is another one than 8006
            word = str(key.value) if type(name.value) is int else name.value
            if not isinstance(word, str):
                raise name.unexpected("the name of a field (text)")
            if word in fields:
                first = fields[word].name_place
                raise name.place.error(
                    f"found the duplicate field {word!r}", "each field once", f"first on line {first.line}"
                )
            read = self.node(value, above)
            fields[word] = Node(read.place, read.value, name.place, read.style)
        return fields


def _scalar(node: yaml.ScalarNode, place: Place) -> Scalar:
    kind, word = node.tag.removeprefix(_PREFIX), node.value
    if kind == "str":
        return str(word)
    if not any(kind == tag and re.fullmatch(form, word) for tag, form, _ in _FORMS):
        raise place.error(f"found the tag {node.tag!r}", "plain data")
    if kind == "null":
        return None
    if kind == "bool":
        return bool(word.lower() == "true")
    if kind == "float":
        return float(re.sub(r"\.(?=inf|nan)", "", word.lower()))
    if len(word) > _MOST_DIGITS:
        raise place.error(f"found a number with {len(word)} digits", "a smaller one")
    return int(word, 8 if word.startswith("0o") else 16 if word.startswith("0x") else 10)
