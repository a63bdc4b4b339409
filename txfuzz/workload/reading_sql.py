"""Raw SQL steps: a statement, its arguments, and the micro-operation that the checker sees in it."""

from __future__ import annotations

from collections.abc import Mapping

from txfuzz.errors import did_you_mean
from txfuzz.workload.model import Key, NewValue, Step
from txfuzz.workload.nodes import Node, Place
from txfuzz.workload.placeholders import braced_words, placeholders
from txfuzz.workload.reading_keys import Chosen

FUNCTIONS = ("r", "append", "w")
Arguments = dict[str, Key | NewValue]


def read_raw(node: Node, chosen: Chosen) -> tuple[Step, Place]:
    """The step, and where its micro-operation stands (the statement, if it has none)."""
    fields = node.fields("a raw SQL step", ("sql", "args", "elle"))
    sql = _statement(fields["sql"])
    given = (
        fields["args"].mapping("the arguments, as a mapping from names to keys") if "args" in fields else {}
    )
    args: Arguments = {name: _argument(arg, chosen) for name, arg in given.items()}
    _check_used(fields["sql"], sql, given)
    if "elle" in fields:
        f, key, value, place = _micro_operation(fields["elle"], args)
    else:
        f, key, value, place = None, None, None, fields["sql"].place
    for name, arg in args.items():
        if isinstance(arg, NewValue) and name != value:
            raise given[name].place.error(
                f"found a new value for :{name} that no micro-operation writes",
                f"`elle` to name it, as in {{f: append, key: KEY, value: {name}}}",
            )
    own = args[key] if key is not None else None
    assert not isinstance(own, NewValue)
    return Step(f, own, None, sql, tuple(args.items()), key, value), place


def _statement(node: Node) -> str:
    if not isinstance(node.value, str) or not node.value.strip():
        raise node.unexpected("an SQL statement (text)")
    if "\0" in node.value:
        raise node.place.error("found a NUL character in an SQL statement", "text")
    for word in braced_words(node.value):
        if word != "table":
            raise node.place.error(f"found {{{word}}} in an SQL statement", "{table}")
    return node.value


def _argument(node: Node, chosen: Chosen) -> Key | NewValue:
    if isinstance(node.value, Mapping) and "new" in node.value:
        fields = node.fields("a new value", ("new",))
        fields["new"].one_of("the word `value`", ("value",))
        return NewValue()
    return chosen.read_key(node)


def _check_used(statement: Node, sql: str, given: Mapping[str, Node]) -> None:
    """Every placeholder has its argument, and the reverse."""
    used = placeholders(sql)
    for name in used:
        if name not in given:
            hint = did_you_mean(name, given) if given else ""
            raise statement.place.error(
                f"found :{name} in an SQL statement", "an argument of that name", hint
            )
    for name, node in given.items():
        if name not in used:
            hint = did_you_mean(name, used) if used else "it has no placeholder"
            raise node.name_place.error(
                f"found the argument {name!r}", f"a name that the statement uses as :{name}", hint
            )


def _micro_operation(node: Node, args: Arguments) -> tuple[str, str, str | None, Place]:
    """f, the argument that is its key, the one that is its value, and where f stands."""
    fields = node.fields("elle", ("f", "key", "value"), ("f", "key"))
    f = fields["f"].one_of("the micro-operation", FUNCTIONS)
    key = _named(
        fields["key"], args, "key", [name for name, arg in args.items() if not isinstance(arg, NewValue)]
    )
    new = [name for name, arg in args.items() if isinstance(arg, NewValue)]
    if f == "r":
        if "value" in fields:
            raise fields["value"].name_place.error("found `value` in a read", "f and key only")
        return f, key, None, fields["f"].place
    if "value" not in fields:
        raise node.place.error(f"found {f!r} without the field 'value'", "the argument that is {new: value}")
    return f, key, _named(fields["value"], args, "new value", new), fields["f"].place


def _named(node: Node, args: Arguments, what: str, fitting: list[str]) -> str:
    name = node.text(f"the name of the argument that is the {what}")
    if name not in fitting:
        found = f"found {name!r}, an argument that is no {what}" if name in args else f"found {name!r}"
        hint = did_you_mean(name, fitting) if fitting else f"no argument is a {what}"
        raise node.place.error(found, f"the name of an argument that is a {what}", hint)
    return name
