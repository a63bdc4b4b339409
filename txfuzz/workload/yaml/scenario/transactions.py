"""The transactions of a scenario: plain SQL on tables of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from txfuzz.database.api import Capabilities
from txfuzz.errors import did_you_mean
from txfuzz.transactions.model import (
    Argument,
    Param,
    Returned,
    RollbackTo,
    Step,
    Transaction,
)
from txfuzz.transactions.placeholders import braced_words, placeholders
from txfuzz.workload.sql.tables import savepoint_named, tables_of
from txfuzz.workload.yaml.nodes import Node
from txfuzz.workload.yaml.raw_statements import check_stays_inside, read_errors, read_rows
from txfuzz.workload.yaml.scenario.conditions import read_conditions, value_of
from txfuzz.workload.yaml.scenario.setup import SqlTexts
from txfuzz.workload.yaml.steps import MODE, read_mode

TRANSACTION_FIELDS = ("name", "params", *MODE, "retry", "steps")
STEP_FIELDS = ("when", "sql", "returns", "rows", "on_error")
ROWS = ("ok", "skip", "stop", "abort")
MOST_RETRIES = 100
# Fields of workloads that a scenario has no use for → what to do instead
_TRANSACTION_OTHERS = {"template": "`name` and `steps`", "with": "`params`"}
_STEP_OTHERS = {
    "f": "`sql`: a scenario has no keys, only its own tables",
    "key": "`params`, used in SQL as :NAME",
    "lock": "the database's own words in `sql`, such as FOR UPDATE",
    "args": "no mapping: SQL uses the names of `params` and `returns` as :NAME",
    "elle": "no micro-operations: scenarios are judged by serial orders and invariants",
}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CONTROLS = re.compile(
    r"(?:prepare\s+transaction|xa|set\s+(?:session\s+)?autocommit|set\s+@@\S*autocommit)\b", re.I
)


def refuse_others(fields: Mapping[str, Node], others: Mapping[str, str], owner: str) -> None:
    for name, node in fields.items():
        if name in others:
            raise node.name_place.error(f"found `{name}` in {owner}", others[name])


class ScenarioTransactions:
    """Reads them. capabilities: of the adapter; None while the database is not known."""

    def __init__(self, texts: SqlTexts, adapter: str, capabilities: Capabilities | None) -> None:
        self._texts, self._adapter, self._capabilities = texts, adapter, capabilities

    def read(self, node: Node) -> tuple[Transaction, ...]:
        items = node.items("a list of transactions")
        if not items:
            raise node.place.error("found no transaction", "at least one")
        found: dict[str, Transaction] = {}
        for item in items:
            fields = item.mapping("a transaction: a mapping with name and steps")
            refuse_others(fields, _TRANSACTION_OTHERS, "a transaction of a scenario")
            item.fields("a transaction", TRANSACTION_FIELDS, ("name", "steps"))
            name = fields["name"].text("the name of a transaction")
            if name in found:
                raise fields["name"].place.error(
                    f"found the duplicate transaction {name!r}", "a different name"
                )
            found[name] = self._transaction(name, fields)
        return tuple(found.values())

    def _transaction(self, name: str, fields: Mapping[str, Node]) -> Transaction:
        names = _Names(fields["params"]) if "params" in fields else _Names(None)
        items = fields["steps"].items("a list of steps")
        if not items:
            raise fields["steps"].place.error("found a transaction without steps", "at least one")
        steps = tuple(self._step(item, names) for item in items)
        names.check_used()
        mode = read_mode(fields, self._adapter, self._capabilities)
        retry = fields["retry"].whole("how often to try again", 0, MOST_RETRIES) if "retry" in fields else 0
        return Transaction(name, steps, mode, names.params, retry)

    def _step(self, node: Node, names: _Names) -> Step:
        refuse_others(node.mapping("a step: a mapping with sql"), _STEP_OTHERS, "a step of a scenario")
        fields = node.fields("a step", STEP_FIELDS, ("sql",))
        when = read_conditions(fields["when"], names.known) if "when" in fields else ()
        names.use(*(each.name for each in when), *(each.other for each in when if each.other))
        sql = self._sql(fields["sql"])
        args = tuple((name, names.argument(name, fields["sql"])) for name in placeholders(sql))
        returns = names.read_returns(fields["returns"], sql, bool(when)) if "returns" in fields else ()
        rows = read_rows(fields["rows"], rules=ROWS) if "rows" in fields else ()
        on_error = self._errors(fields["on_error"], names) if "on_error" in fields else ()
        if (savepoint := tables_of(sql).savepoint) and tables_of(sql).verb == "savepoint":
            names.savepoints.add(savepoint)
        return Step(None, sql=sql, args=args, returns=returns, rows=rows, on_error=on_error, when=when)

    def _sql(self, node: Node) -> str:
        if self._capabilities is not None and not self._capabilities.sql:
            raise node.name_place.error(
                "found a statement in SQL", f"another adapter: {self._adapter!r} does not accept SQL"
            )
        sql = self._texts.one(node, "an SQL statement").text
        check_stays_inside(node, tables_of(sql))
        if control := _CONTROLS.match(sql):
            raise node.place.error(
                f"found {control[0].upper()}, which begins or ends a transaction",
                "a statement inside the transaction",
            )
        check_no_table(node, sql)
        return sql

    def _errors(self, node: Node, names: _Names) -> tuple[tuple[str, str | RollbackTo], ...]:
        if self._capabilities is not None and not self._capabilities.savepoints:
            raise node.name_place.error(
                "found `on_error`", f"none: adapter {self._adapter!r} cannot continue after an error"
            )
        found = read_errors(node)
        for code, rule in found:
            if isinstance(rule, RollbackTo) and savepoint_named(rule.savepoint) not in names.savepoints:
                given = node.mapping("errors")[code].mapping("a rule")["rollback_to"]
                hint = did_you_mean(rule.savepoint, names.savepoints) if names.savepoints else "there is none"
                raise given.place.error(
                    f"found the savepoint {rule.savepoint!r}", "one that an earlier step sets", hint
                )
        return found


def check_no_table(node: Node, sql: str) -> None:
    if "table" in braced_words(sql):
        raise node.place.error("found {table} in an SQL statement", "the name of a table that `setup` makes")


class _Names:
    """What a transaction's statements and conditions can refer to, step by step."""

    def __init__(self, params: Node | None) -> None:
        self._nodes: Mapping[str, Node] = {}
        self._values: dict[str, tuple[Any, ...]] = {}
        self._returned: set[str] = set()
        self._used: set[str] = set()
        self.savepoints: set[str] = set()
        if params is not None:
            self._nodes = params.mapping(
                "the parameters with the values to choose from, as in {who: [ann, bob]}"
            )
            if not self._nodes:
                raise params.unexpected("at least one parameter")
        for name, values in self._nodes.items():
            _check_name(name, values)
            self._values[name] = _choices(values)

    @property
    def params(self) -> tuple[tuple[str, tuple[Any, ...]], ...]:
        return tuple(self._values.items())

    @property
    def known(self) -> set[str]:
        return self._values.keys() | self._returned

    def use(self, *names: str) -> None:
        self._used.update(names)

    def argument(self, name: str, statement: Node) -> Argument:
        if name not in self.known:
            hint = did_you_mean(name, self.known) if self.known else "there is neither"
            raise statement.place.error(
                f"found :{name} in an SQL statement",
                "a name of `params` or of `returns` of an earlier step",
                hint,
            )
        self.use(name)
        return Param(name) if name in self._values else Returned(name)

    def read_returns(self, node: Node, sql: str, conditional: bool) -> tuple[tuple[str, str], ...]:
        """Names for later steps → result columns. conditional: the step may be skipped, so that it may give
        a name again."""
        verb = tables_of(sql).verb
        if verb in ("insert", "update", "delete") and not re.search(r"\breturning\b", sql, re.IGNORECASE):
            raise node.name_place.error(
                f"found `returns` for {verb.upper()} without RETURNING", "a statement that returns rows"
            )
        found = {}
        fields = node.mapping("the values to return, as in {NAME: COLUMN}")
        if not fields:
            raise node.unexpected("at least one value to return, as in {NAME: COLUMN}")
        for name, column in fields.items():
            _check_name(name, column)
            if name in self._values:
                raise column.name_place.error(f"found the name {name!r}, a parameter", "a different name")
            if name in self._returned and not conditional:
                raise column.name_place.error(
                    f"found the name {name!r}, which an earlier step returns",
                    "a different name",
                    "a step with `when` may give it again",
                )
            found[name] = column.text("the name of a result column")
        self._returned.update(found)
        return tuple(found.items())

    def check_used(self) -> None:
        for name, node in self._nodes.items():
            if name not in self._used:
                raise node.name_place.error(
                    f"found the parameter {name!r}", f"a name that a step uses, in SQL as :{name}"
                )


def _check_name(name: str, node: Node) -> None:
    if not _NAME.fullmatch(name):
        raise node.name_place.error(
            f"found the name {name!r}", "a name made of letters, digits and underscores"
        )


def _choices(node: Node) -> tuple[Any, ...]:
    """A list of values, or one value."""
    if not isinstance(node.value, tuple):
        return (value_of(node, "a value or a list of values"),)
    if not node.value:
        raise node.unexpected("at least one value")
    found: list[Any] = []
    seen = set()
    for item in node.value:
        value = value_of(item)
        if (type(value), value) in seen:
            raise item.place.error(f"found the duplicate value {item.value!r}", "each value once")
        seen.add((type(value), value))
        found.append(value)
    return tuple(found)
