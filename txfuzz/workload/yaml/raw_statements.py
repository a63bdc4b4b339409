"""Raw SQL steps: a statement, its arguments, and the micro-operations that the checker sees in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from txfuzz.common.sentences import listed
from txfuzz.errors import did_you_mean
from txfuzz.transactions.model import (
    ERROR_RULES,
    ROW_RULES,
    Argument,
    Choice,
    MicroOperation,
    NewValue,
    Ref,
    RollbackTo,
    Step,
)
from txfuzz.transactions.placeholders import braced_words, placeholders
from txfuzz.workload.sql.tables import StatementTables, tables_of
from txfuzz.workload.yaml.keys import ChosenKeys
from txfuzz.workload.yaml.nodes import Node, Place

FUNCTIONS = ("r", "append", "w")
FIELDS = ("sql", "args", "elle", "returns", "rows", "on_error")
_MICRO_OPERATION = ("f", "key", "value", "column", "key_column")
Arguments = dict[str, Argument]


def read_raw(node: Node, chosen: ChosenKeys) -> tuple[Step, Place]:
    """The step and the place of its micro-operations, or of the statement if it has none."""
    fields = node.fields("a raw SQL step", FIELDS)
    sql = _statement(fields["sql"])
    tables = tables_of(sql)
    check_stays_inside(fields["sql"], tables)
    given = (
        fields["args"].mapping("the arguments as a mapping from names to keys") if "args" in fields else {}
    )
    args: Arguments = {name: _argument(arg, chosen) for name, arg in given.items()}
    _check_used(fields["sql"], sql, given)
    elle = _micro_operations(fields["elle"], args) if "elle" in fields else ()
    place = _place_of(fields["elle"]) if elle else fields["sql"].place
    for name, arg in args.items():
        if isinstance(arg, NewValue) and all(name != each.value for each in elle):
            raise given[name].place.error(
                f"found a new value for :{name} that no micro-operation writes",
                f"`elle` to name it, as in {{f: append, key: KEY, value: {name}}}",
            )
    _check_rows_said(fields["sql"], sql, tables, args, elle)
    first = next((each for each in elle if each.writes), elle[0] if elle else None)
    alone = first is not None and elle == (MicroOperation(first.f, first.key, first.value),)
    own = args[first.key] if first is not None and first.key is not None else None
    step = Step(
        None if first is None else first.f,
        own if isinstance(own, Choice | Ref) else None,
        sql=sql,
        args=tuple(args.items()),
        key_arg=None if first is None else first.key,
        value_arg=None if first is None else first.value,
        elle=() if alone else elle,
        harmless="elle" in fields and not elle,
        own_table=bool(tables.others) and "{table}" not in tables.reads | tables.changes,
        returns=_read_returns(fields["returns"], chosen) if "returns" in fields else (),
        rows=read_rows(fields["rows"], elle) if "rows" in fields else (),
        on_error=read_errors(fields["on_error"]) if "on_error" in fields else (),
    )
    return step, place


def _statement(node: Node) -> str:
    if not isinstance(node.value, str) or not node.value.strip():
        raise node.unexpected("an SQL statement (text)")
    if "\0" in node.value:
        raise node.place.error("found a NUL character in an SQL statement", "text")
    for word in braced_words(node.value):
        if word != "table":
            raise node.place.error(f"found {{{word}}} in an SQL statement", "{table}")
    return node.value


def check_stays_inside(node: Node, tables: StatementTables) -> None:
    """Transactions and their isolation levels are controlled by the runner."""
    if tables.ends:
        raise node.place.error(
            f"found {tables.verb.upper()}, which begins or ends a transaction",
            "a statement inside the transaction",
        )
    if tables.sets_level:
        raise node.place.error(
            "found a statement that changes the isolation level", "`isolation` next to `steps`"
        )


def _argument(node: Node, chosen: ChosenKeys) -> Argument:
    if isinstance(node.value, Mapping) and "new" in node.value:
        fields = node.fields("a new value", ("new",))
        fields["new"].one_of("the word `value`", ("value",))
        return NewValue()
    return chosen.read_argument(node)


def _check_used(statement: Node, sql: str, given: Mapping[str, Node]) -> None:
    """Every placeholder must have an argument, and the other way round."""
    used = placeholders(sql)
    for name in used:
        if name not in given:
            hint = did_you_mean(name, given) if given else ""
            raise statement.place.error(
                f"found :{name} in an SQL statement", "an argument with that name", hint
            )
    for name, node in given.items():
        if name not in used:
            hint = did_you_mean(name, used) if used else "the statement has no placeholders"
            raise node.name_place.error(
                f"found the argument {name!r}", f"a name that the statement uses as :{name}", hint
            )


# -- micro-operations -------------------------------------------------------------------------


def _micro_operations(node: Node, args: Arguments) -> tuple[MicroOperation, ...]:
    """One as a mapping, several as a list; an empty list says that no read sees the change."""
    if isinstance(node.value, tuple):
        return tuple(_micro_operation(item, args) for item in node.value)
    return (_micro_operation(node, args),)


def _place_of(node: Node) -> Place:
    """The place of the first `f`."""
    first = node.value[0] if isinstance(node.value, tuple) else node
    return first.value["f"].place if isinstance(first.value, Mapping) else first.place


def _micro_operation(node: Node, args: Arguments) -> MicroOperation:
    fields = node.fields("elle", _MICRO_OPERATION, ("f",))
    f = fields["f"].one_of("the micro-operation", FUNCTIONS)
    if "key" not in fields and "key_column" not in fields:
        raise node.place.error("found elle without the field 'key'")
    key_column = (
        fields["key_column"].text("the result column that holds the key") if "key_column" in fields else None
    )
    keys = [name for name, arg in args.items() if not isinstance(arg, NewValue)]
    new = [name for name, arg in args.items() if isinstance(arg, NewValue)]
    key = _named(fields["key"], args, "key", keys) if "key" in fields else None
    if f == "r":
        if "value" in fields:
            expected = "f and key only" if len(fields) == 3 else "`value` in writes only"
            raise fields["value"].name_place.error("found `value` in a read", expected)
        column = (
            fields["column"].text("the result column that holds the value read")
            if "column" in fields
            else None
        )
        return MicroOperation(f, key, None, column, key_column)
    if "column" in fields:
        raise fields["column"].name_place.error("found `column` in a write", "`column` in reads only")
    if "value" not in fields:
        raise node.place.error(f"found {f!r} without the field 'value'", "the argument that is {new: value}")
    return MicroOperation(f, key, _named(fields["value"], args, "new value", new), None, key_column)


def _named(node: Node, args: Arguments, what: str, fitting: list[str]) -> str:
    name = node.text(f"the name of the argument that is the {what}")
    if name not in fitting:
        found = f"found {name!r}, an argument that is not a {what}" if name in args else f"found {name!r}"
        hint = did_you_mean(name, fitting) if fitting else f"no argument is a {what}"
        if not fitting and what == "key":
            hint += "; if the rows hold their keys, name the column with `key_column`"
        raise node.place.error(found, f"the name of an argument that is a {what}", hint)
    return name


# -- how the transaction continues, depending on what the statement found ----------------------


def _read_returns(node: Node, chosen: ChosenKeys) -> tuple[tuple[str, str], ...]:
    """Names for later steps → result columns."""
    found = {}
    for name, column in node.mapping("the values to return, as in {NAME: COLUMN}").items():
        if not name.isidentifier():
            raise column.name_place.error(
                f"found the name {name!r}", "a name made of letters, digits and underscores"
            )
        chosen.returns(column, name)
        found[name] = column.text("the name of a result column")
    return tuple(found.items())


def read_rows(
    node: Node, elle: tuple[MicroOperation, ...] = (), rules: Sequence[str] = ROW_RULES
) -> tuple[tuple[int, str], ...]:
    """Number of rows → what to do with the transaction."""
    reads = any(not each.writes for each in elle)
    found = {}
    for word, rule in node.mapping("what to do for each number of rows, as in {0: skip}").items():
        if not word.isdecimal():
            raise rule.name_place.error(f"found {word!r}", "a number of rows")
        count, said = int(word), rule.one_of("what to do with the transaction", rules)
        if count in found:
            raise rule.name_place.error(f"found the duplicate number of rows {count}", "each number once")
        if said == "empty" and (count or not reads):
            what = "a statement that reads nothing" if not reads else f"{count} rows"
            raise rule.place.error(f"found `empty` for {what}", "`empty` only for a read that finds 0 rows")
        if said == "ok" and count == 0 and reads:
            raise rule.place.error(
                "found `ok` for a read of 0 rows", "`empty`, if absence counts as a read value"
            )
        if said == "ok" and elle and not any(each.key_column for each in elle):
            most = sum(each.writes for each in elle) or 1
            if count > most:
                raise rule.name_place.error(
                    f"found `ok` for {count} rows", f"at most {most}, as its micro-operations cover"
                )
        found[count] = said
    return tuple(found.items())


def read_errors(node: Node) -> tuple[tuple[str, str | RollbackTo], ...]:
    """The database's error code → what to do with the transaction."""
    found: dict[str, str | RollbackTo] = {}
    for code, rule in node.mapping("what to do for each error, as in {CODE: skip}").items():
        if isinstance(rule.value, Mapping):
            fields = rule.fields("what to do with the transaction", ("rollback_to",), ("rollback_to",))
            found[code] = RollbackTo(fields["rollback_to"].text("the name of a savepoint"))
        else:
            expected = "what to do with the transaction: skip, stop, abort or {rollback_to: NAME}"
            found[code] = rule.one_of(expected, ERROR_RULES)
    return tuple(found.items())


# -- does it do more than its micro-operations say? -------------------------------------------

_LIST = re.compile(r"\bin\s*\(([^()]*)\)", re.IGNORECASE)


def _check_rows_said(
    node: Node, sql: str, tables: StatementTables, args: Arguments, elle: tuple[MicroOperation, ...]
) -> None:
    """A statement that touches rows without micro-operations would make a false history."""
    writes = any(each.writes for each in elle)
    if not elle or any(each.key_column for each in elle):
        return
    if writes and tables.changes and not tables.filtered:
        raise node.place.error(
            f"found a statement without WHERE, which {tables.verb}s every row",
            "one that touches only the rows of its micro-operations",
        )
    said = {each.key for each in elle}
    for names in _key_lists(sql, inside=writes):
        keys = [name for name in names if not isinstance(args.get(name), NewValue)]
        unsaid = [name for name in keys if name not in said]
        if len(keys) > 1 and unsaid:
            raise node.place.error(
                f"found a statement that can reach the rows of {listed(f':{name}' for name in keys)}, "
                f"but no micro-operation for {listed(f':{name}' for name in unsaid)}",
                "`elle` as a list with one entry per key, or with `key_column`",
            )


def _key_lists(sql: str, *, inside: bool) -> Iterator[list[str]]:
    """The arguments in each `IN (…)`. inside: including subqueries and function calls."""
    if not inside and re.search(r"\blimit\b", sql, re.IGNORECASE):
        return
    for found in _LIST.finditer(sql):
        before = sql[: found.start()]
        if inside or before.count("(") == before.count(")"):
            yield re.findall(r":(\w+)", found[1])
