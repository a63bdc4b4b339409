"""What becomes of a transaction, depending on what a raw statement found: `returns`, `rows`, `on_error`."""

from __future__ import annotations

from collections.abc import Mapping

from txfuzz.transactions.model import ERROR_RULES, ROW_RULES, MicroOperation, RollbackTo
from txfuzz.workload.yaml.keys import Chosen
from txfuzz.workload.yaml.nodes import Node


def read_returns(node: Node, chosen: Chosen) -> tuple[tuple[str, str], ...]:
    """Names for later steps → result columns."""
    found = {}
    for name, column in node.mapping("what the statement returns, as {NAME: COLUMN}").items():
        if not name.isidentifier():
            raise column.name_place.error(f"found the name {name!r}", "letters, digits and underscores")
        chosen.returns(column, name)
        found[name] = column.text("the name of a result column")
    return tuple(found.items())


def read_rows(node: Node, elle: tuple[MicroOperation, ...]) -> tuple[tuple[int, str], ...]:
    """Number of rows → what becomes of the transaction."""
    reads = any(not each.writes for each in elle)
    found = {}
    for word, rule in node.mapping("what a number of rows means, as {0: skip}").items():
        if not word.isdecimal():
            raise rule.name_place.error(f"found {word!r}", "a number of rows")
        count, said = int(word), rule.one_of("what becomes of the transaction", ROW_RULES)
        if count in found:
            raise rule.name_place.error(f"found {count} again", "each number of rows once")
        if said == "empty" and (count or not reads):
            what = "a statement that reads nothing" if not reads else f"{count} rows"
            raise rule.place.error(f"found `empty` for {what}", "it for a read that finds 0 rows")
        if said == "ok" and count == 0 and reads:
            raise rule.place.error("found `ok` for a read of 0 rows", "empty, where absence is what was read")
        if said == "ok" and elle and not any(each.key_column for each in elle):
            most = sum(each.writes for each in elle) or 1
            if count > most:
                raise rule.name_place.error(
                    f"found `ok` for {count} rows", f"at most {most}, of which its micro-operations speak"
                )
        found[count] = said
    return tuple(found.items())


def read_errors(node: Node) -> tuple[tuple[str, str | RollbackTo], ...]:
    """The database's code → what becomes of the transaction."""
    found: dict[str, str | RollbackTo] = {}
    for code, rule in node.mapping("what an error means, as {CODE: skip}").items():
        if isinstance(rule.value, Mapping):
            fields = rule.fields("what becomes of the transaction", ("rollback_to",), ("rollback_to",))
            found[code] = RollbackTo(fields["rollback_to"].text("the name of a savepoint"))
        else:
            expected = "what becomes of the transaction: skip, stop, abort or {rollback_to: NAME}"
            found[code] = rule.one_of(expected, ERROR_RULES)
    return tuple(found.items())
